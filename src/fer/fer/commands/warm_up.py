"""`fer warm-up`: compile the network's kernels, so that no start has to."""

from __future__ import annotations

import argparse

from fer_snn.core.kernels import interface as kernels


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments: none."""


def run(args: argparse.Namespace) -> int:
    """Compile."""
    seconds = kernels.warm_up()
    print(
        f"kernels are ready ({seconds:.1f} s)"
        if kernels.COMPILED
        else "numba is not installed: the network runs some ten times slower"
    )
    return 0
