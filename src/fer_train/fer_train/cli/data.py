"""`fer data`: where public sets of faces come from, and their pictures as folders."""

from __future__ import annotations

import argparse
from pathlib import Path

from fer_common.core.errors import ConfigurationError
from fer_train.public_data import SETS, lay_out

_HEADS = """heads
    rendered heads with eight expressions, made on this machine
    licence: CC0 (made of MakeHuman's data)
    make rendered-heads ARGS="train heads/train"
"""
_NEXT = """The command of the model card learns from these folders:
    fer train ferplus/train lfw-expr/train heads/train fer2013/train \\
        --output default.npz \\
        --labels neutral,smile,surprised,sad,angry,disgusted,afraid,contempt
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    text = "the set to lay out; without it, all are described. Nothing is downloaded"
    add("set", nargs="?", choices=[each.name for each in SETS], help=text)
    add("inputs", nargs="*", type=Path, metavar="INPUT", help="what you have fetched of the set")
    text = "a new folder for the pictures (default: the name of the set)"
    add("-o", "--output", type=Path, metavar="FOLDER", help=text)


def run(args: argparse.Namespace) -> int:
    """Describe the sets, or lay one out."""
    if args.set is None:
        print(description())
        return 0
    data = next(each for each in SETS if each.name == args.set)
    if len(args.inputs) != len(data.inputs):
        raise ConfigurationError(f"fer data {data.name} needs {' and '.join(data.inputs)}")
    folder = args.output or Path(data.name)
    counts = lay_out(data, args.inputs, folder)
    for part in dict.fromkeys(part for part, _ in counts):
        labels = ", ".join(
            f"{label} {count}" for (its, label), count in sorted(counts.items()) if its == part
        )
        print(f"{folder / part}: {labels}")
    return 0


def description() -> str:
    """Return what there is to know of each set."""
    blocks = [
        f"{each.name}\n    {each.origin}\n    licence: {each.licence}\n"
        f"    fer data {each.name} {' '.join(each.inputs)}\n"
        for each in SETS
    ]
    return "\n".join([*blocks, _HEADS, _NEXT])
