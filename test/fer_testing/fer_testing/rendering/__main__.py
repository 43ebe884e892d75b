"""Command line of the rendered heads: `python3 -m fer_testing.rendering --help`."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2

from fer_testing.rendering import clip, sets


def main() -> None:
    """Write a set."""
    parser = argparse.ArgumentParser(prog="fer_testing.rendering", description=__doc__)
    parser.add_argument("set", choices=("train", "test", "poses", "unreadable", "clip"))
    parser.add_argument("folder", type=Path)
    people = "default: all (train, test), 100 (unreadable), 5 (poses)"
    parser.add_argument("--people", type=int, help=people)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    if arguments.set == "poses":
        sets.write_poses(arguments.folder, arguments.people or 5)
    elif arguments.set == "clip":
        clip.write(arguments.folder)
    elif arguments.set == "unreadable":
        sets.write_unreadable(sets.TRAINING, arguments.folder, arguments.people or 100)
    else:
        kind = {"train": sets.TRAINING, "test": sets.TESTING}[arguments.set]
        sets.write(kind, arguments.folder, arguments.people)


if __name__ == "__main__":
    main()
