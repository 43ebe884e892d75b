"""`fer warm-up`: compile the network's kernels, so that no start has to."""

from __future__ import annotations

import argparse

from fer_snn.core.kernels import interface as kernels


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments: none."""


def run(args: argparse.Namespace) -> int:
    """Compile."""
    seconds = kernels.warm_up()
    problem = kernels.problem()
    print(
        f"{problem}: the network runs some ten times slower"
        if problem
        else f"kernels are ready ({seconds:.1f} s)"
    )
    return 0
