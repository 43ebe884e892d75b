"""One thread per process: on busy cores, matrix products of two slow each other terribly."""

from __future__ import annotations

import os

#: What these libraries take the number of their threads from.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)


def pin_to_one_thread() -> None:
    """Pin BLAS, OpenMP and numba to one thread, unless the user has said otherwise.

    Takes effect for libraries that are imported afterwards, so it is called before NumPy is
    imported.
    """
    for variable in THREAD_VARIABLES:
        os.environ.setdefault(variable, "1")
