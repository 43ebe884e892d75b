"""Settings of the whole process: signals, threads of the numeric libraries, free memory.

A node imports this first, so nothing heavy may be imported here.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

_MADV_PAGEOUT = 21
#: Signals that stop a node.
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
#: Signals that ask any program to terminate.
TERMINATION_SIGNALS = (*STOP_SIGNALS, signal.SIGHUP)
#: Environment variables that set the number of threads of BLAS, OpenMP, numba and OpenCV.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
)


def begin_start(module: str) -> None:
    """Prepare the imports of a node, if this process is the node itself.

    `STOP_SIGNALS` are blocked until `unblock_stop_signals`, so that a signal that arrives meanwhile
    ends the node cleanly afterwards. No garbage is collected until `end_start`: there is none, and
    the search for it takes an eighth of the start.

    Parameters
    ----------
    module : `__name__` of the caller. Importing a node's module elsewhere changes nothing.
    """
    package = module.split(".", maxsplit=1)[0]
    # ROS installs executables as lib/PACKAGE/NAME.
    if module == "__main__" or Path(sys.argv[0]).parts[-2:-1] == (package,):
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        gc.disable()


def end_start() -> None:
    """Give back the memory that only the start needed, and collect garbage from now on.

    What the start has made is left out: a collection of all modules of numba takes 0.1 s, during
    which no frame is processed.
    """
    gc.freeze()
    gc.enable()
    _trim()
    page_out("llvmlite")


def page_out(library: str, maps: Path = Path("/proc/self/maps")) -> None:
    """Let the system take the pages of a library that has done its work.

    LLVM occupies 70 MB after the kernels have been loaded. It still works: pages that are used
    again are read again. Linux before 5.4 refuses.
    """
    import ctypes

    with contextlib.suppress(AttributeError, OSError):
        madvise = ctypes.CDLL(None).madvise
        for line in maps.read_text().splitlines():
            if library in line:
                begin, end = (int(address, 16) for address in line.split()[0].split("-"))
                madvise(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), _MADV_PAGEOUT)


def unblock_stop_signals() -> None:
    """Deliver the blocked signals. Install the handlers first."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


@contextlib.contextmanager
def blocked_signals(numbers: Collection[int] = TERMINATION_SIGNALS) -> Iterator[None]:
    """Block signals in a `with` block, for this thread and the processes that it starts.

    Use it around imports: an exception raised by a signal handler may be swallowed there, and the
    signal would be lost.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def pin_to_one_thread() -> None:
    """Limit BLAS, OpenMP, numba and OpenCV to one thread, unless the environment says otherwise.

    Call it before NumPy is imported. On busy cores, two threads slow a matrix product down.
    """
    for variable in THREAD_VARIABLES:
        os.environ.setdefault(variable, "1")


def release_free_memory() -> None:
    """Collect garbage and return free memory to the operating system.

    Subscriptions and callbacks refer to each other and keep whole models alive until the garbage
    collector runs. The C library also keeps freed memory.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    _trim()


def _trim() -> None:
    import ctypes

    # Only glibc has malloc_trim.
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
