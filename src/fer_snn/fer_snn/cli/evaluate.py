"""`fer evaluate FOLDER`: how well a weights file recognises labelled pictures."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from fer_common.atomic import write_atomically
from fer_common.errors import ConfigurationError
from fer_features.pipeline import FeatureParameters
from fer_snn import evaluation, faces, models, weights_file
from fer_snn.cli import options
from fer_snn.cli.progress import bars
from fer_snn.faces import Crop, Cutting
from fer_snn.model import Model
from fer_snn.network import Network
from fer_snn.parameters import TABLE, network_parameters, readout_parameters

HELP = "measure how well a weights file recognises labelled pictures"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("source", type=Path, metavar="FOLDER", help=options.SOURCE)
    parser.add_argument(
        "--weights", type=Path, metavar="FILE", help="default: the model in the package"
    )
    options.add_crop(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw the confusion matrix")
    options.add_jobs(parser)


def run(args: argparse.Namespace) -> int:
    """Evaluate, print, write."""
    model = weights_file.load(args.weights or models.default_path())
    _check_features(model)
    pictures = faces.find(args.source)
    faces.indices([picture.label for picture in pictures], model.labels)
    result = _evaluate(args, model, pictures)
    print(evaluation.as_text(result))
    if args.json:
        _write(args.json, json.dumps(result.as_json(), indent=1).encode())
    if args.plot:
        _write(args.plot, evaluation.confusion_png(result))
    return 0


def _evaluate(
    args: argparse.Namespace, model: Model, pictures: list[faces.LabelledPicture]
) -> evaluation.Evaluation:
    values = TABLE.defaults()
    with bars() as report:
        read = faces.load(
            pictures, Cutting(Crop(args.crop)), args.jobs, lambda n, all_: report("faces", n, all_)
        )
        features = faces.features_of(
            read.crops[:, 0], args.jobs, lambda n, all_: report("features", n, all_)
        )
        result = evaluation.evaluate(
            Network(model, network_parameters(values)),
            features,
            faces.indices(read.labels, model.labels),
            readout_parameters(values),
            lambda n, all_: report("network", n, all_),
        )
    return replace(result, taken_whole=read.whole, unreadable=len(read.unreadable))


def _check_features(model: Model) -> None:
    spec = FeatureParameters().feature_spec
    if model.feature_spec != spec:
        raise ConfigurationError(
            f"the weights were trained on features {model.feature_spec}, this fer makes {spec}: "
            "train anew"
        )


def _write(path: Path, data: bytes) -> None:
    try:
        write_atomically(path, data)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written ({error.strerror}): name another file"
        ) from error
