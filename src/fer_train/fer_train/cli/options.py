"""Arguments that several verbs have."""

from __future__ import annotations

import argparse
import os

from fer_train.faces import Crop

SOURCE = "folder with one folder of pictures per expression, or CSV of lines 'picture,label'"


def positive(text: str) -> int:
    """Return a whole number above 0 from the command line."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not above 0")
    return number


def add_crop(parser: argparse.ArgumentParser) -> None:
    """Declare --crop."""
    parser.add_argument(
        "--crop",
        choices=[crop.value for crop in Crop],
        default=Crop.AUTO.value,
        help="auto: find the face, take the picture whole where there is none; given: take all "
        "pictures as tight face crops (%(default)s)",
    )


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """Declare --jobs."""
    parser.add_argument(
        "--jobs",
        type=positive,
        default=min(os.cpu_count() or 1, 8),
        help="processes that prepare pictures; the result does not depend on it (%(default)s)",
    )
