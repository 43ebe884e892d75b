"""`fer train FOLDER ...`: learn from labelled pictures, write a weights file."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from fer_common.core.parameter_files import read_parameter_file
from fer_common.core.parameters import Values
from fer_features.core.pipeline import FeatureParameters
from fer_snn.core.labels import canonical
from fer_snn.core.model import Model
from fer_snn.core.parameters import NODE, TABLE
from fer_snn.core.weights import weights_file
from fer_train import clips, faces, unsupervised
from fer_train.cli import options, output
from fer_train.cli.progress import Report, bars
from fer_train.faces import Crop, Cutting, Faces, FacesError, LabelledPicture
from fer_train.jobs import Jobs, Progress
from fer_train.training import Curriculum, Source, TrainingParameters, quantised, train
from fer_train.unsupervised import UnsupervisedParameters

_DEFAULTS = TrainingParameters()
_WITHOUT_LABELS = UnsupervisedParameters()
VARIANTS = 4
FEWEST_FACES = 2

Facts = dict[str, object]
"""Of the data, for the provenance of a model."""


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what to learn from, and how it is drawn."""
    parser.add_argument("sources", nargs="+", type=Path, metavar="FOLDER", help=options.SOURCE)
    parser.add_argument(
        "--labels",
        type=lambda text: [canonical(label) for label in text.split(",")],
        metavar="A,B,...",
        help="learn only these expressions (default: all that are found)",
    )
    options.add_crop(parser)
    parser.add_argument(
        "--seed", type=int, default=_DEFAULTS.seed, help="of all that is drawn by lot (%(default)s)"
    )
    options.add_jobs(parser)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_data_arguments(parser)
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("weights.npz"),
        metavar="FILE",
        help="file to write (default: %(default)s)",
    )
    parser.add_argument(
        "--presentations",
        type=options.positive,
        metavar="N",
        help=f"how many faces to show ({_DEFAULTS.presentations}; "
        f"with --unsupervised {_WITHOUT_LABELS.presentations})",
    )
    parser.add_argument(
        "--params", type=Path, metavar="FILE", help="ROS parameter file with constants of the snn"
    )
    parser.add_argument(
        "--unsupervised",
        action="store_true",
        help="learn by STDP without looking at labels; a few faces then name what was learnt",
    )
    parser.add_argument(
        "--clips",
        type=Path,
        metavar="FOLDER",
        help="with --unsupervised: videos in which one face each changes its expression "
        "(default: rendered heads that come with fer)",
    )
    parser.add_argument(
        "--named",
        type=options.positive,
        default=_WITHOUT_LABELS.named,
        metavar="N",
        help="with --unsupervised: labelled faces of each expression that give names (%(default)s)",
    )
    parser.add_argument(
        "--names",
        type=Path,
        metavar="FOLDER",
        help="with --unsupervised: where those come from (default: all folders)",
    )


def run(args: argparse.Namespace) -> int:
    """Train and write the model."""
    output.check(args.output)
    values = _values(args.params)
    with bars() as report:
        learn = _learn_without_labels if args.unsupervised else _learn
        model, provenance = learn(args, values, report)
    model = replace(model, name=args.output.stem, provenance={**provenance, **model.provenance})
    weights_file.save(model, args.output)
    print(f"{args.output}: {_told(model)}")
    return 0


def _learn(args: argparse.Namespace, values: Values, report: Report) -> tuple[Model, Facts]:
    if args.names or args.clips or args.named != _WITHOUT_LABELS.named:
        raise FacesError(
            "--clips, --names and --named are for learning without labels: "
            "give --unsupervised too, or leave them out"
        )
    with Jobs(args.jobs) as jobs:
        curriculum, provenance = read_curriculum(args, VARIANTS, jobs, report)
    presentations = args.presentations or _DEFAULTS.presentations
    parameters = replace(_DEFAULTS, seed=args.seed, presentations=presentations)
    return train(curriculum, values, parameters, report), provenance


def _learn_without_labels(
    args: argparse.Namespace, values: Values, report: Report
) -> tuple[Model, Facts]:
    with Jobs(args.jobs) as jobs:
        # First: what is wrong with a clip shall be told before minutes have passed.
        moving = _read_clips(args.clips or clips.default_folder(), jobs, report)
        curriculum, provenance = read_curriculum(args, 0, jobs, report)
        names = _read_names(args, curriculum.labels, jobs, report) if args.names else None
    provenance["frames_of_clips"] = len(moving.clip)
    presentations = args.presentations or _WITHOUT_LABELS.presentations
    parameters = UnsupervisedParameters(args.seed, presentations, args.named)
    return unsupervised.train(curriculum, moving, names, values, parameters, report), provenance


def _read_clips(folder: Path, jobs: Jobs, report: Report) -> unsupervised.Clips:
    read = clips.load(clips.find(folder), jobs, partial(report, "clips faces"))
    bar = partial(report, "clips features")
    return unsupervised.Clips(faces.features_of(read.crops, jobs, bar, quantised), read.clip)


def _read_names(
    args: argparse.Namespace, labels: Sequence[str], jobs: Jobs, report: Report
) -> Source:
    """Read the faces that may give names; every label must be among them."""
    pictures = [picture for picture in faces.find(args.names) if picture.label in labels]
    absent = sorted(set(labels) - {picture.label for picture in pictures})
    if absent:
        raise FacesError(f"{args.names} shows no {', '.join(absent)}: add pictures of it")
    read = faces.load(pictures, Cutting(Crop(args.crop)), jobs, partial(report, "names faces"))
    return _source(read, labels, jobs, partial(report, "names features"))


def _told(model: Model) -> str:
    """Return what was learnt, for people."""
    figures = model.provenance
    text = (
        f"{', '.join(model.labels)}; balanced accuracy {figures['held_out_balanced_accuracy']} on "
        f"{figures['held_out_faces']} faces held out"
    )
    if "without_plasticity" in figures:
        text += (
            f" ({figures['without_plasticity']} without plasticity), "
            f"named by {figures['named_faces']} faces"
        )
    return text


def _values(path: Path | None) -> Values:
    changes = read_parameter_file(path, {NODE: TABLE})[NODE] if path else {}
    return TABLE.merged(TABLE.defaults(), changes)


def read_curriculum(
    args: argparse.Namespace, variants: int, jobs: Jobs, report: Report
) -> tuple[Curriculum, Facts]:
    """Read the data of `add_data_arguments`; return what is to be learnt and where it is from.

    Parameters
    ----------
    variants:
        How many of each face are drawn.
    """
    found = [faces.find(source) for source in args.sources]
    labels = _labels([picture for pictures in found for picture in pictures], args.labels)
    # One look has the scatter of a live one, and the variants scatter more than several looks mend.
    cutting = Cutting(Crop(args.crop), variants, args.seed, looks_again=False)
    read, sources = [], []
    for folder, pictures in zip(args.sources, found, strict=True):
        chosen = [picture for picture in pictures if picture.label in labels]
        if not chosen:
            raise FacesError(f"{folder} shows none of {', '.join(labels)}: leave it out")
        title = "/".join(folder.parts[-2:])
        read.append(faces.load(chosen, cutting, jobs, partial(report, f"{title} faces")))
        bar = partial(report, f"{title} features")
        sources.append(_source(read[-1], labels, jobs, bar))
    described = FeatureParameters()
    curriculum = Curriculum(
        tuple(sources), labels, described.feature_spec, described.gabor.orientations
    )
    everything = [label for one in read for label in one.labels]
    provenance: Facts = {
        "command": _command(),
        "faces": {label: everything.count(label) for label in labels},
        "taken_whole": sum(one.whole for one in read),
        "unreadable": sum(len(one.unreadable) for one in read),
        "seed": args.seed,
    }
    return curriculum, provenance


def _source(read: Faces, labels: Sequence[str], jobs: Jobs, progress: Progress) -> Source:
    """Compute the features of all crops of a source."""
    n_faces, n_crops, *side = read.crops.shape
    crops = read.crops.reshape(-1, *side)
    features = faces.features_of(crops, jobs, progress, quantised)
    truth = faces.indices(read.labels, labels)
    # The square root, so that a small source is not drowned by a large one.
    return Source(features.reshape(n_faces, n_crops, *features.shape[1:]), truth, n_faces**0.5)


def _labels(pictures: list[LabelledPicture], wanted: list[str] | None) -> tuple[str, ...]:
    """Return the labels to learn, sorted, or in the order in which they were asked for."""
    there = [picture.label for picture in pictures]
    labels = tuple(wanted or sorted(set(there)))
    few = [label for label in labels if there.count(label) < FEWEST_FACES]
    if few:
        raise FacesError(f"there are not two pictures of {', '.join(few)}: give more of them")
    if len(labels) < FEWEST_FACES:
        raise FacesError("there is only one expression to learn: give folders of at least two")
    return labels


def _command() -> str:
    """Return the command line; of absolute paths only what says which data it was."""
    words = ["/".join(Path(w).parts[-2:]) if w.startswith("/") else w for w in sys.argv[1:]]
    return shlex.join(["fer", *words])
