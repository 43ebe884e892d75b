"""What can go wrong with a bag."""

from __future__ import annotations

from fer_common.core.errors import FerError


class BagError(FerError):
    """A bag that cannot be written or read, or a request that makes no sense for it."""
