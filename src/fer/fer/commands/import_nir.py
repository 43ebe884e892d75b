"""`fer import GRAPH`: weights of a network that another simulator trained."""

from __future__ import annotations

import argparse
from pathlib import Path

from fer.commands.export import LIBRARIES
from fer.commands.options import needs
from fer_snn.core.parameters import DEFAULT_WEIGHTS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("graph", type=Path, metavar="GRAPH", help="a NIR file")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="WEIGHTS")
    text = (
        "weights with the labels and the features of the graph: a path, or a name in the weights "
        "folder (default: the model in the package)"
    )
    parser.add_argument("--like", default=DEFAULT_WEIGHTS, metavar="FILE", help=text)


def run(arguments: argparse.Namespace) -> int:
    """Write the weights file and print its path."""
    from fer_snn import load_weights, save_weights
    from fer_snn.core.weights import weights_folder

    like = load_weights(weights_folder.resolve(arguments.like, weights_folder.default_folder()))
    with needs(*LIBRARIES["nir"]):
        from fer_train import nir_graph

    save_weights(nir_graph.read(arguments.graph, like), arguments.output)
    print(arguments.output)
    return 0
