"""`fer evaluate FOLDER`: how well a weights file recognises labelled pictures."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from functools import partial
from pathlib import Path

from fer_common.core.errors import ConfigurationError
from fer_features.core.pipeline import FeatureParameters
from fer_snn.core.model import Model
from fer_snn.core.network import Network
from fer_snn.core.parameters import TABLE, network_parameters, readout_parameters
from fer_snn.core.weights import weights_file
from fer_snn.core.weights import weights_folder as models
from fer_train import evaluation, faces
from fer_train.cli import options, output
from fer_train.cli.progress import Report, bars
from fer_train.disturbances import DISTURBANCES, Disturbance
from fer_train.faces import Crop, Cutting
from fer_train.jobs import Jobs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("source", type=Path, metavar="FOLDER", help=options.SOURCE)
    parser.add_argument(
        "--weights", type=Path, metavar="FILE", help="default: the model in the package"
    )
    options.add_crop(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    parser.add_argument(
        "--disturbed",
        action="store_true",
        help="show the faces again rolled, jittered, under other light, compressed, noisy, small",
    )
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw the confusion matrix")
    options.add_jobs(parser)


def run(args: argparse.Namespace) -> int:
    """Evaluate, print, write."""
    output.check(args.json, args.plot)
    model = weights_file.load(args.weights or models.default_path())
    _check_features(model)
    pictures = faces.find(args.source)
    faces.indices([picture.label for picture in pictures], model.labels)
    with bars() as report, Jobs(args.jobs) as jobs:
        result = _evaluate(args, model, pictures, None, jobs, report)
        disturbed = {
            disturbance.name: _evaluate(args, model, pictures, disturbance, jobs, report)
            for disturbance in (DISTURBANCES if args.disturbed else ())
        }
    print(evaluation.as_text(result))
    if disturbed:
        print(f"\n{evaluation.costs_as_text(result, disturbed)}")
    if args.json:
        figures = result.as_json()
        if disturbed:
            figures["disturbed"] = {name: each.as_json() for name, each in disturbed.items()}
        output.write(args.json, json.dumps(figures, indent=1).encode())
    if args.plot:
        output.write(args.plot, evaluation.confusion_png(result))
    return 0


def _evaluate(
    args: argparse.Namespace,
    model: Model,
    pictures: list[faces.LabelledPicture],
    disturbance: Disturbance | None,
    jobs: Jobs,
    report: Report,
) -> evaluation.Evaluation:
    values = TABLE.defaults()
    prefix = f"{disturbance.name}: " if disturbance else ""
    cutting = Cutting(Crop(args.crop), disturbance=disturbance)
    read = faces.load(pictures, cutting, jobs, partial(report, f"{prefix}faces"))
    crops = read.crops[:, 0]
    features = faces.features_of(crops, jobs, partial(report, f"{prefix}features"))
    result = evaluation.evaluate(
        Network(model, network_parameters(values)),
        features,
        faces.indices(read.labels, model.labels),
        readout_parameters(values),
        partial(report, f"{prefix}network"),
    )
    return replace(result, taken_whole=read.whole, unreadable=len(read.unreadable))


def _check_features(model: Model) -> None:
    spec = FeatureParameters().feature_spec
    if model.feature_spec != spec:
        raise ConfigurationError(
            f"the weights were trained on features {model.feature_spec}, this fer makes {spec}: "
            "train anew"
        )
