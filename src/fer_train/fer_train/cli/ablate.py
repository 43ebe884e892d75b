"""`fer ablate FOLDER ... --test FOLDER`: what each mechanism of the network is worth."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from fer_train import faces
from fer_train.ablation import ARMS, Exam, Outcome, examine
from fer_train.cli import options, output, train
from fer_train.cli.progress import Report, bars
from fer_train.faces import Cutting
from fer_train.jobs import Jobs
from fer_train.training import TrainingParameters, quantised

PRESENTATIONS = 20000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    train.add_data_arguments(parser)
    parser.add_argument("--test", type=Path, required=True, metavar="FOLDER", help=options.SOURCE)
    parser.add_argument(
        "--presentations",
        type=options.positive,
        default=PRESENTATIONS,
        help="how many faces to show in each training (%(default)s)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")


def run(args: argparse.Namespace) -> int:
    """Train all arms, print a table, write the figures."""
    output.check(args.json)
    with bars() as report:
        with Jobs(args.jobs) as jobs:
            curriculum, _ = train.read_curriculum(args, train.VARIANTS, jobs, report)
            exam = _exam(args, curriculum.labels, jobs, report)
        parameters = TrainingParameters(seed=args.seed, presentations=args.presentations)
        outcomes = [examine(arm, curriculum, exam, parameters, report) for arm in ARMS]
    Console().print(_table(outcomes))
    if args.json:
        figures = [asdict(outcome) for outcome in outcomes]
        output.write(args.json, json.dumps(figures, indent=1).encode())
    return 0


def _exam(args: argparse.Namespace, labels: tuple[str, ...], jobs: Jobs, report: Report) -> Exam:
    pictures = [picture for picture in faces.find(args.test) if picture.label in labels]
    read = faces.load(pictures, Cutting(), jobs, partial(report, "test faces"))
    bar = partial(report, "test features")
    features = faces.features_of(read.crops[:, 0], jobs, bar, quantised)
    return Exam(features, faces.indices(read.labels, labels))


def _table(outcomes: list[Outcome]) -> Table:
    table = Table("network", "gain", "held out", "test", title="balanced accuracy")
    for each in outcomes:
        table.add_row(each.arm, f"{each.gain:g}", f"{each.held_out:.3f}", f"{each.test:.3f}")
    return table
