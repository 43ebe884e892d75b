"""The one error of the set-up."""

from __future__ import annotations


class SetupError(Exception):
    """A set-up that cannot go on; the message is one line that says what to do."""
