"""Memory that is no longer used."""

from __future__ import annotations

import contextlib
import ctypes
import gc


def give_back() -> None:
    """Free what nobody can reach any more, and return free memory to the system.

    Parts that know each other, as a subscription and its callback do, keep whole models alive until
    Python looks for such circles by itself; and the C library keeps what was freed for later.
    """
    gc.collect()
    # Only glibc has it.
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
