"""`fer plot BAG|WEIGHTS`: figures of a recording or of weights."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer.commands.bag import add_source, read_recording
from fer.commands.options import not_negative, positive, positive_integer
from fer_common.core.errors import FerError
from fer_snn.core.label_files import read_labels

if TYPE_CHECKING:
    from fer_train.recording import Recording

_WEIGHTS_SUFFIX = ".npz"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_source(parser)
    add = parser.add_argument
    add("-o", "--output", type=Path, required=True, metavar="DIR", help="folder for the figures")
    text = "true labels of the recorded source: draws the confusion matrix too"
    add("--labels", type=Path, metavar="NAME_labels.csv", help=text)
    text = "begin of raster and potentials after the first frame of the face (default: 0)"
    add("--start", type=not_negative, default=0.0, metavar="SECONDS", help=text)
    text = "their length (default: %(default)g)"
    add("--span", type=positive, default=2.0, metavar="SECONDS", help=text)
    text = "which face (default: the one seen longest)"
    add("--face", type=positive_integer, default=0, metavar="ID", help=text)


def run(arguments: argparse.Namespace) -> int:
    """Draw the figures and print their paths."""
    if not arguments.source.exists():
        raise FerError(f"{arguments.source} does not exist: name a bag or a weights file")
    # Matplotlib takes half a second, which a wrong name does not need.
    from fer_train import figures

    of_weights = arguments.source.suffix == _WEIGHTS_SUFFIX
    # All before the first is written, so that an error leaves nothing behind.
    drawn = list(_of_weights(arguments.source) if of_weights else _of_bag(arguments))
    if not drawn:
        raise FerError(f"{arguments.source} has nothing to draw: record spikes and potentials too")
    for name, figure in drawn:
        for path in figures.save(figure, arguments.output, name):
            print(path)
    return 0


def _of_weights(path: Path) -> Iterator[tuple[str, Any]]:
    from std_msgs.msg import Header

    from fer_snn.core.network import Network, NetworkParameters
    from fer_snn.core.weights import weights_file
    from fer_snn.ros.messages import weights_message
    from fer_train import figures
    from fer_viz.core.messages import receptive_fields

    network = Network(weights_file.load(path), NetworkParameters())
    yield "weights", figures.weights(receptive_fields(weights_message(Header(), network, limit=0)))


def _of_bag(arguments: argparse.Namespace) -> Iterator[tuple[str, Any]]:
    from fer_train import figures

    truth = read_labels(arguments.labels) if arguments.labels else {}
    recorded = read_recording(arguments)
    if recorded.fields is not None and recorded.fields.maps.size:
        yield "weights", figures.weights(recorded.fields)
    faces = recorded.faces
    if arguments.face and arguments.face not in faces:
        known = ", ".join(map(str, faces)) or "none"
        raise FerError(f"the bag has no face {arguments.face} (it has {known})")
    if faces:
        face, span_s = arguments.face or faces[0], arguments.span
        traces, spikes = recorded.window(face, arguments.start, span_s)
        if spikes is None and traces is None:
            raise FerError(
                f"face {face} has no data at {arguments.start:g} s: choose another --start"
            )
        if spikes is not None:
            yield "raster", figures.raster(spikes, recorded.fields, span_s)
        if traces is not None:
            yield "potentials", figures.potentials(traces, recorded.fields, span_s)
    if truth:
        yield "confusion", _confusion(recorded, truth)


def _confusion(recorded: Recording, truth: Mapping[int, str]) -> Any:
    """Compare the answer for the largest face with the true label of its frame."""
    import numpy as np

    from fer_train import figures
    from fer_train.metrics import balanced_accuracy, confusion

    said: list[tuple[str, str]] = []
    for results in recorded.results:
        true = truth.get(recorded.frame_index.get(results.stamp_ns, -1))
        largest = max(results.faces, key=lambda face: face.area_px, default=None)
        if true is not None and largest is not None:
            said.append((true, largest.label))
    if not said:
        raise FerError("no answer belongs to a labelled frame: record frame_info and expressions")
    known = [
        label for results in recorded.results for face in results.faces for label in face.labels
    ]
    labels = list(dict.fromkeys([*known, *(true for true, _ in said)]))
    index = {label: k for k, label in enumerate(labels)}
    rows = np.array([index[true] for true, _ in said])
    columns = np.array([index.get(label, -1) for _, label in said])
    table = confusion(rows, columns, len(labels))
    title = f"balanced accuracy {balanced_accuracy(table):.3f}, {len(said)} frames"
    return figures.confusion(labels, table, title)
