"""`fer evaluate FOLDER`: how well a weights file recognises labelled pictures."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from fer_common.core.errors import ConfigurationError
from fer_common.core.parameters import Values
from fer_features.core.pipeline import FeatureParameters
from fer_snn import Model, Network, load_weights
from fer_snn.core.constants import TrainedConstants
from fer_snn.core.parameters import (
    DEFAULT_WEIGHTS,
    TABLE,
    network_parameters,
    readout_parameters,
)
from fer_snn.core.weights import weights_folder
from fer_train import dataset, evaluation, faces
from fer_train.cli import options
from fer_train.cli.options import Reader
from fer_train.dataset import LabelledPicture
from fer_train.disturbances import DISTURBANCES, Disturbance
from fer_train.faces import Crop, CropParameters, Faces
from fer_train.jobs import Jobs
from fer_train.progress import shown_progress
from fer_train.tables import DatasetError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("source", type=Path, metavar="FOLDER", help=options.SOURCE)
    parser.add_argument(
        "--weights",
        default=DEFAULT_WEIGHTS,
        metavar="FILE",
        help="path, or name in the weights folder (default: the model in the package)",
    )
    parser.add_argument(
        "--labels",
        type=options.labels,
        metavar="A,B,...",
        help="allow these answers only, as the parameter labels of snn does, and evaluate the "
        "pictures of these labels (default: all)",
    )
    options.add_parameter_file(parser)
    options.add_reading(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all results")
    parser.add_argument(
        "--disturbed",
        action="store_true",
        help="also evaluate with rotated, shifted, unevenly lit, compressed, noisy and small faces",
    )
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw the confusion matrix")


def run(args: argparse.Namespace) -> int:
    """Evaluate; print and write the results."""
    options.check_outputs(args.json, args.plot, args.listing)
    path = weights_folder.resolve(args.weights, weights_folder.default_folder())
    model = load_weights(path)
    _check_features(model)
    given = dict(options.parameters_in(args.params))
    if args.labels:
        given["labels"] = args.labels
    values = _values(model, path, given)
    readout = readout_parameters(values)
    readout.check(model.labels)
    with shown_progress() as report, Jobs(args.jobs) as jobs:
        reader = Reader(args, jobs, report)
        pictures = _chosen(reader.find(args.source), readout.labels, args.source)
        dataset.indices([picture.label for picture in pictures], model.labels)
        result = _evaluate(model, values, reader.read(args.source, pictures), reader)
        disturbed = {}
        for each in DISTURBANCES if args.disturbed else ():
            parameters = CropParameters(Crop(args.crop), disturbance=each)
            progress = partial(report, f"{each.name}: faces")
            read = faces.load(pictures, parameters, jobs, progress)
            disturbed[each.name] = _evaluate(model, values, read, reader, each)
    print(evaluation.as_text(result))
    if disturbed:
        print(f"\n{evaluation.costs_as_text(result, disturbed)}")
    if args.json:
        figures = result.as_json()
        if disturbed:
            figures["disturbed"] = {name: each.as_json() for name, each in disturbed.items()}
        options.write(args.json, json.dumps(figures, indent=1).encode())
    if args.plot:
        options.write(args.plot, evaluation.confusion_png(result))
    return 0


def _values(model: Model, path: Path, given: Values) -> Values:
    """Return the given parameters, else the constants of the weights file, else the defaults."""
    values = TABLE.merged(TABLE.defaults(), given)
    constants = TrainedConstants.of(model, values, given)
    for note in constants.notes(path):
        print(note, flush=True)
    return TABLE.merged(values, constants.taken)


def _chosen(
    pictures: list[LabelledPicture], labels: Sequence[str], source: Path
) -> list[LabelledPicture]:
    """Return the pictures of these labels; all if none are named."""
    chosen = [picture for picture in pictures if picture.label in labels] if labels else pictures
    if not chosen:
        raise DatasetError(f"{source} shows none of {', '.join(labels)}: name others")
    return chosen


def _evaluate(
    model: Model,
    values: Values,
    read: Faces,
    reader: Reader,
    disturbance: Disturbance | None = None,
) -> evaluation.Evaluation:
    prefix = f"{disturbance.name}: " if disturbance else ""
    progress = partial(reader.report, f"{prefix}features")
    result, _ = evaluation.evaluate(
        Network(model, network_parameters(values)),
        faces.features_of(read.crops[:, 0], reader.jobs, progress),
        dataset.indices(read.labels, model.labels),
        readout_parameters(values),
        partial(reader.report, f"{prefix}network"),
    )
    return replace(result, taken_whole=len(read.whole), unreadable=len(read.unreadable))


def _check_features(model: Model) -> None:
    spec = FeatureParameters().feature_spec
    if model.feature_spec != spec:
        raise ConfigurationError(
            f"the weights were trained with features {model.feature_spec}, but this fer computes "
            f"{spec}: train again"
        )
