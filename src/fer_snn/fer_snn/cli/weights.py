"""`fer weights show FILE`: what is in a weights file."""

from __future__ import annotations

import argparse
from pathlib import Path

from fer_snn import models, weights_file

HELP = "show what is in a weights file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser("show", help="labels, shapes, constants, training data")
    show.add_argument("file", type=Path, nargs="?", help="default: the model in the package")


def run(args: argparse.Namespace) -> int:
    """Print the description."""
    print(weights_file.describe(weights_file.load(args.file or models.default_path())))
    return 0
