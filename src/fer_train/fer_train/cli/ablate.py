"""`fer ablate FOLDER ... --test FOLDER`: the accuracy of networks that lack one mechanism."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from fer_common.core.atomic import check_writable, write_result
from fer_train import dataset, faces
from fer_train.ablation import VARIANTS, UnseenFaces, VariantResult, evaluate_variant
from fer_train.cli import options, train
from fer_train.cli.options import Reader
from fer_train.jobs import Jobs
from fer_train.progress import shown_progress
from fer_train.training import TrainingParameters
from fer_train.training_set import quantised

PRESENTATIONS = 20000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    train.add_data_arguments(parser)
    parser.add_argument("--test", type=Path, required=True, metavar="FOLDER", help=options.SOURCE)
    options.add_presentations(parser, PRESENTATIONS, "default: %(default)s")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results")


def run(args: argparse.Namespace) -> int:
    """Train all variants, print a table, write the results."""
    check_writable(args.json, args.listing)
    with shown_progress() as report:
        with Jobs(args.jobs) as jobs:
            reader = Reader(args, jobs, report)
            training_set, _ = train.read_training_set(reader, train.VARIANTS)
            test = _test_faces(reader, training_set.labels)
        parameters = TrainingParameters(seed=args.seed, presentations=args.presentations)
        results = [
            evaluate_variant(variant, training_set, test, parameters, report)
            for variant in VARIANTS
        ]
    Console().print(_table(results))
    if args.json:
        figures = [asdict(result) for result in results]
        write_result(args.json, json.dumps(figures, indent=1).encode())
    return 0


def _test_faces(reader: Reader, labels: tuple[str, ...]) -> UnseenFaces:
    source = reader.arguments.test
    pictures = [picture for picture in reader.find(source) if picture.label in labels]
    read = reader.read(source, pictures, stage="test faces")
    progress = partial(reader.report, "test features")
    features = faces.features_of(read.crops[:, 0], reader.jobs, progress, quantised)
    return UnseenFaces(features, dataset.indices(read.labels, labels))


def _table(results: list[VariantResult]) -> Table:
    table = Table("network", "gain", "held out", "test", title="balanced accuracy")
    for each in results:
        table.add_row(each.variant, f"{each.gain:g}", f"{each.held_out:.3f}", f"{each.test:.3f}")
    return table
