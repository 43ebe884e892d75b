"""`fer evaluate FOLDER`: how well a weights file recognises labelled pictures."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_common.core.atomic import check_writable, write_result
from fer_common.core.errors import ConfigurationError
from fer_common.core.parameters import Values
from fer_features.core.pipeline import FeatureParameters
from fer_snn import Model, Network, load_weights
from fer_snn.core.parameters import (
    DEFAULT_WEIGHTS,
    network_parameters,
    readout_parameters,
    trained_values,
)
from fer_snn.core.weights import weights_folder
from fer_train import dataset, evaluation, faces, fairness
from fer_train.cli import options
from fer_train.cli.options import Reader
from fer_train.dataset import LabelledPicture
from fer_train.disturbances import DISTURBANCES, Disturbance
from fer_train.faces import Crop, CropParameters, Faces
from fer_train.fairness import GroupOf, Kind
from fer_train.jobs import Jobs
from fer_train.progress import shown_progress
from fer_train.tables import DatasetError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    add("source", type=Path, metavar="FOLDER", help=options.SOURCE)
    text = "path, or name in the weights folder (default: the model in the package)"
    add("--weights", default=DEFAULT_WEIGHTS, metavar="FILE", help=text)
    text = (
        "allow these answers only, as the parameter labels of snn does, and evaluate the "
        "pictures of these labels (default: all)"
    )
    add("--labels", type=options.labels, metavar="A,B,...", help=text)
    options.add_parameter_file(parser)
    options.add_reading(parser)
    add("--json", type=Path, metavar="FILE", help="write all results")
    text = "also evaluate with rotated, shifted, unevenly lit, compressed, noisy and small faces"
    add("--disturbed", action="store_true", help=text)
    add("--plot", type=Path, metavar="PNG", help="draw the confusion matrix")
    text = "draw how often the answers of each confidence are right"
    add("--plot-reliability", type=Path, metavar="PNG", help=text)
    text = (
        "compare groups of people: those of FOLDER/group/label/picture, or those in the "
        "columns of a CSV file (FOLDER/groups.csv), besides picture and label"
    )
    add("--groups", action="store_true", help=text)
    add("--plot-groups", type=Path, metavar="PNG", help="with --groups: draw the comparison")


def run(args: argparse.Namespace) -> int:
    """Evaluate; print and write the results."""
    check_writable(args.json, args.plot, args.plot_reliability, args.plot_groups, args.listing)
    if args.plot_groups and not args.groups:
        raise DatasetError("--plot-groups needs --groups: give it too")
    for figure in (args.plot, args.plot_reliability, args.plot_groups):
        if figure and figure.suffix.lower() != ".png":
            raise DatasetError(f"{figure} would be a PNG picture: give it a name that ends in .png")
    if args.labels and len(args.labels) == 1:
        raise DatasetError(
            f"--labels {args.labels[0]} would be the answer for every face: name two or more"
        )
    path = weights_folder.resolve(args.weights, weights_folder.default_folder())
    model = load_weights(path)
    _check_features(model)
    given = dict(options.parameters_in(args.params))
    if args.labels:
        given["labels"] = args.labels
    values, constants = trained_values(model, given)
    for note in constants.notes(path):
        print(note, flush=True)
    readout = readout_parameters(values)
    readout.check(model.labels)
    with shown_progress() as report, Jobs(args.jobs) as jobs:
        reader = Reader(args, jobs, report)
        pictures, groups = _find(args, reader, readout.labels)
        dataset.indices([picture.label for picture in pictures], model.labels)
        read = reader.read(args.source, pictures)
        result, said = _evaluate(model, values, read, reader)
        kinds = _compared(groups, read, said, model)
        disturbed = {}
        for each in DISTURBANCES if args.disturbed else ():
            parameters = CropParameters(Crop(args.crop), disturbance=each)
            progress = partial(report, f"{each.name}: faces")
            read = faces.load(pictures, parameters, jobs, progress)
            disturbed[each.name], _ = _evaluate(model, values, read, reader, each)
    print(evaluation.as_text(result))
    if disturbed:
        print(f"\n{evaluation.costs_as_text(result, disturbed)}")
    if kinds:
        print(f"\n{fairness.as_text(kinds)}")
    if args.json:
        results = result.as_json()
        if disturbed:
            results["disturbed"] = {name: each.as_json() for name, each in disturbed.items()}
        if kinds:
            results["groups"] = {name: asdict(kind) for name, kind in kinds.items()}
        write_result(args.json, json.dumps(results, indent=1).encode())
    _plot(args, result, kinds)
    return 0


def _plot(
    args: argparse.Namespace, result: evaluation.Evaluation, kinds: Mapping[str, Kind]
) -> None:
    # Matplotlib takes half a second to import.
    from fer_train import figures

    if args.plot:
        title = f"balanced accuracy {result.balanced_accuracy:.3f}, {result.n} faces"
        drawn = figures.confusion(result.labels, np.array(result.confusion), title)
        write_result(args.plot, figures.encoded(drawn))
    if args.plot_reliability:
        title = f"calibration error {result.ece:.3f}, {result.n} faces"
        drawn = figures.reliability({title: result.reliability})
        write_result(args.plot_reliability, figures.encoded(drawn))
    if args.plot_groups and kinds:
        write_result(args.plot_groups, figures.encoded(figures.groups(kinds)))


def _find(
    args: argparse.Namespace, reader: Reader, labels: Sequence[str]
) -> tuple[list[LabelledPicture], dict[str, GroupOf]]:
    """Return the pictures of these labels, or all if none are named, and their groups."""
    source: Path = args.source
    if args.groups and (source / fairness.FILE).is_file():
        source = source / fairness.FILE
    groups: dict[str, GroupOf] = {}
    if args.groups and source.is_dir():
        pictures, groups = fairness.in_folders(source, reader.find)
    else:
        pictures = reader.find(source)
        if args.groups:
            groups = fairness.in_table(source, partial(print, flush=True))
    chosen = [picture for picture in pictures if picture.label in labels] if labels else pictures
    if not chosen:
        raise DatasetError(f"{source} shows none of {', '.join(labels)}: name others")
    return chosen, groups


def _compared(
    groups: Mapping[str, GroupOf], read: Faces, said: NDArray[np.int64], model: Model
) -> dict[str, Kind]:
    """Return the comparison of each kind of groups that can be compared."""
    truth = dataset.indices(read.labels, model.labels)
    kinds = {}
    for name, group_of in groups.items():
        of_faces = [group_of.get(picture.path, "") for picture in read.pictures]
        try:
            kinds[name] = fairness.compare(of_faces, truth, said, model.labels)
        except DatasetError as error:
            print(f"{name}: {error}", flush=True)
    return kinds


def _evaluate(
    model: Model,
    values: Values,
    read: Faces,
    reader: Reader,
    disturbance: Disturbance | None = None,
) -> tuple[evaluation.Evaluation, NDArray[np.int64]]:
    prefix = f"{disturbance.name}: " if disturbance else ""
    progress = partial(reader.report, f"{prefix}features")
    result, said = evaluation.evaluate(
        Network(model, network_parameters(values)),
        faces.features_of(read.crops[:, 0], reader.jobs, progress),
        dataset.indices(read.labels, model.labels),
        readout_parameters(values),
        partial(reader.report, f"{prefix}network"),
        bool(values["mirror"]),
    )
    return replace(result, taken_whole=len(read.whole), unreadable=len(read.unreadable)), said


def _check_features(model: Model) -> None:
    spec = FeatureParameters().feature_spec
    if model.feature_spec != spec:
        raise ConfigurationError(
            f"the weights were trained with features {model.feature_spec}, but this fer computes "
            f"{spec}: train again"
        )
