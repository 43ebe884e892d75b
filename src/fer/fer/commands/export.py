"""`fer export BAG|WEIGHTS`: what a bag holds as tables, or a network for other simulators."""

from __future__ import annotations

import argparse
from pathlib import Path

from fer.commands.bag import add_source, read_recording
from fer.commands.options import needs
from fer_common.core.atomic import write_result
from fer_common.core.errors import FerError

#: What each format needs beyond what fer needs itself.
LIBRARIES = {
    "parquet": ("pyarrow==25.0.1",),
    "neo": ("neo==0.14.6", "nixio==1.5.4", "quantities==0.16.4", "h5py==3.16.0"),
    "nir": ("nir==1.0.8", "h5py==3.16.0"),
}
_FORMATS = {
    "csv": "a CSV file for each table, in the folder OUT",
    "npz": "one NumPy archive",
    "parquet": "a Parquet file for each table, for pandas and others, in the folder OUT",
    "neo": "a NIX file, which Neo and Elephant read",
    "nir": "of WEIGHTS: a graph for other simulators of spiking networks",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_source(parser)
    add = parser.add_mutually_exclusive_group(required=True).add_argument
    for name, text in _FORMATS.items():
        add(f"--{name}", dest="format", action="store_const", const=name, help=text)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT")


def run(arguments: argparse.Namespace) -> int:
    """Write the files and print their paths."""
    with needs(*LIBRARIES.get(arguments.format, ())):
        files = _of_weights(arguments) if arguments.format == "nir" else _of_bag(arguments)
    for name, data in files.items():
        path = arguments.output / name
        write_result(path, data)
        print(path)
    return 0


def _of_weights(arguments: argparse.Namespace) -> dict[str, bytes]:
    from fer_snn import load_weights
    from fer_train import nir_graph

    return {"": nir_graph.to_bytes(load_weights(arguments.source))}


def _of_bag(arguments: argparse.Namespace) -> dict[str, bytes]:
    from fer_train import export

    files = export.FORMATS[arguments.format](read_recording(arguments))
    if not files:
        raise FerError(f"{arguments.source} has nothing to export: record spikes or expressions")
    return files
