"""`fer train FOLDER ...`: learn from labelled pictures, write a weights file."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np

from fer_common.core.atomic import check_writable
from fer_common.core.errors import ConfigurationError
from fer_common.core.parameters import Values
from fer_features.core.pipeline import FeatureParameters
from fer_snn import Model, save_weights
from fer_snn.core.parameters import TABLE
from fer_train import clips, faces, unsupervised
from fer_train.cli import options
from fer_train.cli.options import Reader
from fer_train.dataset import LabelledPicture
from fer_train.faces import Crop, CropParameters, Faces
from fer_train.jobs import Jobs
from fer_train.progress import Progress, Report, shown_progress
from fer_train.tables import DatasetError
from fer_train.training import (
    LEAST_PRESENTATIONS,
    PRESENTATIONS_PER_FACE,
    TrainingParameters,
    train,
)
from fer_train.training_set import UNCLEAR, Source, TrainingSet, quantised
from fer_train.unsupervised import ClipFeatures, UnsupervisedParameters
from fer_train.votes import FILE, Votes

_SUPERVISED, _UNSUPERVISED = TrainingParameters(), UnsupervisedParameters()
VARIANTS = 8
RESUME = "--resume"
MAJORITY, SOFT = "majority", "soft"
MIN_FACES = 2
"""Number of pictures of each label: one to learn from, and one to hold out."""

Facts = dict[str, object]
"""Facts about the data, for the provenance of a model."""


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments about training data."""
    add = parser.add_argument
    add("sources", nargs="+", type=Path, metavar="FOLDER", help=options.SOURCE)
    text = "learn only these labels (default: all that are found)"
    add("--labels", type=options.labels, metavar="A,B,...", help=text)
    text = (
        "majority: a face shows the label of its folder; soft: the labels that people named "
        "in FOLDER/votes.csv, each with its share of the votes (default: %(default)s)"
    )
    add("--votes", choices=(MAJORITY, SOFT), default=MAJORITY, help=text)
    text = "seed of all random choices (default: %(default)s)"
    number = options.whole(0, options.MAX_SEED)
    add("--seed", type=number, default=_SUPERVISED.seed, metavar="N", help=text)
    options.add_reading(parser)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_data_arguments(parser)
    add = parser.add_argument
    text = "weights file to write (default: %(default)s)"
    add("-o", "--output", type=Path, default=Path("weights.npz"), metavar="FILE", help=text)
    options.add_presentations(
        parser,
        None,
        f"default: {PRESENTATIONS_PER_FACE} for each face, at least {LEAST_PRESENTATIONS}; "
        f"with --unsupervised: {_UNSUPERVISED.presentations}",
    )
    options.add_parameter_file(parser)
    text = (
        "continue an interrupted training, whose state is in FILE.checkpoint; give the same "
        "command again with this option"
    )
    add(RESUME, action="store_true", help=text)
    text = "learn by STDP without labels; a few labelled faces then give names"
    add("--unsupervised", action="store_true", help=text)
    text = (
        "with --unsupervised: videos in which one face changes its expression "
        "(default: rendered heads that come with fer)"
    )
    add("--clips", type=Path, metavar="FOLDER", help=text)
    text = (
        "with --unsupervised: number of labelled faces of each label that give names "
        f"(default: {_UNSUPERVISED.named})"
    )
    add("--named", type=options.whole(1, options.MAX_NUMBER), metavar="N", help=text)
    text = "with --unsupervised: source of the faces that give names (default: all sources)"
    add("--names", type=Path, metavar="FOLDER", help=text)


def run(args: argparse.Namespace) -> int:
    """Train a network and write its weights."""
    check_writable(args.output, args.listing)
    own = unsupervised.CONSTANTS if args.unsupervised else {}
    values = TABLE.merged(TABLE.merged(TABLE.defaults(), own), options.parameters_in(args.params))
    with shown_progress() as report:
        learn = _learn_unsupervised if args.unsupervised else _learn
        model, provenance = learn(args, values, report)
    model = replace(model, name=args.output.stem, provenance={**provenance, **model.provenance})
    save_weights(model, args.output)
    print(f"{args.output}: {_summary(model)}")
    return 0


def _learn(args: argparse.Namespace, values: Values, report: Report) -> tuple[Model, Facts]:
    if args.names or args.clips or args.named:
        raise DatasetError(
            "--clips, --names and --named are for learning without labels: "
            "give --unsupervised too, or leave them out"
        )
    checkpoint = _checkpoint(args)
    with Jobs(args.jobs) as jobs:
        training_set, provenance = read_training_set(Reader(args, jobs, report), VARIANTS)
    parameters = replace(_SUPERVISED, seed=args.seed, presentations=args.presentations)
    return train(training_set, values, parameters, report, checkpoint), provenance


def _checkpoint(args: argparse.Namespace) -> Path:
    """Return the file of the state of an interrupted training, which --resume continues."""
    path: Path = args.output.with_name(f"{args.output.name}.checkpoint")
    if path.exists() and not args.resume:
        raise ConfigurationError(
            f"{path} is the state of a training that was interrupted: give --resume to continue "
            "it, or delete the file to start again"
        )
    if args.resume and not path.exists():
        raise ConfigurationError(f"there is no {path} to continue: leave out --resume")
    return path


def _learn_unsupervised(
    args: argparse.Namespace, values: Values, report: Report
) -> tuple[Model, Facts]:
    if args.resume:
        raise DatasetError(f"{RESUME} is for learning with labels: leave it out")
    with Jobs(args.jobs) as jobs:
        # First, so that an unusable clip is reported before minutes have passed.
        features = _read_clips(args.clips or clips.default_folder(), jobs, report)
        reader = Reader(args, jobs, report)
        training_set, provenance = read_training_set(reader, 0)
        names = _read_names(reader, args.names, training_set.labels) if args.names else None
    provenance["frames_of_clips"] = len(features.clip)
    parameters = UnsupervisedParameters(
        args.seed,
        args.presentations or _UNSUPERVISED.presentations,
        args.named or _UNSUPERVISED.named,
    )
    model = unsupervised.train(training_set, features, names, values, parameters, report)
    return model, provenance


def _read_clips(folder: Path, jobs: Jobs, report: Report) -> ClipFeatures:
    read = clips.load(clips.find(folder), jobs, partial(report, "clips faces"))
    progress = partial(report, "clips features")
    return ClipFeatures(faces.features_of(read.crops, jobs, progress, quantised), read.clip)


def _read_names(reader: Reader, folder: Path, labels: Sequence[str]) -> Source:
    """Read the faces that can give names. All labels must be among them."""
    pictures = [picture for picture in reader.find(folder) if picture.label in labels]
    absent = sorted(set(labels) - {picture.label for picture in pictures})
    if absent:
        raise DatasetError(f"{folder} shows no {', '.join(absent)}: add pictures of it")
    read = reader.read(folder, pictures, stage="names faces")
    return _source(read, labels, reader.jobs, partial(reader.report, "names features"))


def _summary(model: Model) -> str:
    """Return what was learnt as text."""
    figures = model.provenance
    low, high = cast(Sequence[float], figures["held_out_ci95"])
    text = (
        f"{', '.join(model.labels)}; balanced accuracy {figures['held_out_balanced_accuracy']} "
        f"(95 % {low} to {high}) on {figures['held_out_faces']} held-out faces"
    )
    if "without_plasticity" in figures:
        text += (
            f" ({figures['without_plasticity']} without plasticity), "
            f"named by {figures['named_faces']} faces"
        )
    return text


def read_training_set(reader: Reader, variants: int) -> tuple[TrainingSet, Facts]:
    """Read the data of `add_data_arguments`, with a number of random variants of each face."""
    args = reader.arguments
    _check_sources(args.sources)
    found = [reader.find(source) for source in args.sources]
    votes = _votes(args)
    labels = _chosen_labels(
        # A folder that has votes, but is no column of them, is no label.
        [
            picture
            for pictures, said in zip(found, votes, strict=True)
            for picture in pictures
            if said is None or picture.label in said.columns
        ],
        args.labels,
    )
    # One look is as noisy as a live one, and variants add more noise than several looks remove.
    parameters = CropParameters(Crop(args.crop), variants, args.seed, looks_again=False)
    read, sources = [], []
    for folder, pictures, said in zip(args.sources, found, votes, strict=True):
        if said is None:
            chosen = [picture for picture in pictures if picture.label in labels]
        else:
            chosen, silent = said.usable(pictures, labels)
            reader.tell(folder, silent, f"without votes for {', '.join(labels)}, left out")
        if not chosen:
            raise DatasetError(f"{folder} shows none of {', '.join(labels)}: leave it out")
        title = "/".join(folder.parts[-2:])
        read.append(reader.read(folder, chosen, parameters, f"{title} faces"))
    _check_readable(read, labels)
    for folder, one, said in zip(args.sources, read, votes, strict=True):
        progress = partial(reader.report, f"{'/'.join(folder.parts[-2:])} features")
        sources.append(_source(one, labels, reader.jobs, progress, said))
    described = FeatureParameters()
    training_set = TrainingSet(
        tuple(sources), labels, described.feature_spec, described.gabor.orientations
    )
    everything = [label for one in read for label in one.labels]
    provenance: Facts = {
        "command": _command(),
        "faces": {label: everything.count(label) for label in labels},
        "taken_whole": sum(len(one.whole) for one in read),
        "blank": sum(len(one.blank) for one in read),
        "unreadable": sum(len(one.unreadable) for one in read),
        "seed": args.seed,
    }
    if args.votes == SOFT:
        provenance["votes"] = SOFT
        provenance["faces_without_label"] = sum(label not in labels for label in everything)
    return training_set, provenance


def _votes(args: argparse.Namespace) -> list[Votes | None]:
    """Return the votes for the pictures of each source, if they are to be learnt."""
    votes = [Votes.of(source) if args.votes == SOFT else None for source in args.sources]
    if args.votes == SOFT and not any(votes):
        raise DatasetError(
            f"no source is a folder with {FILE}: add it, or leave out --votes {SOFT}"
        )
    return votes


def _check_sources(sources: Sequence[Path]) -> None:
    resolved = [source.resolve() for source in sources]
    for source, path in zip(sources, resolved, strict=True):
        if resolved.count(path) > 1 or any(path in other.parents for other in resolved):
            raise DatasetError(
                f"{source} is named twice or contains another source, so that held-out faces would "
                "also be learnt: name each picture once"
            )


def _check_readable(read: Sequence[Faces], labels: Sequence[str]) -> None:
    for label in labels:
        if max(one.labels.count(label) for one in read) < MIN_FACES:
            raise DatasetError(
                f"no folder has {MIN_FACES} readable pictures of '{label}', to learn from one and "
                "hold out the other: add more of them"
            )


def _source(
    read: Faces, labels: Sequence[str], jobs: Jobs, progress: Progress, votes: Votes | None = None
) -> Source:
    """Compute the features of all crops of a source."""
    n_faces, n_crops, *side = read.crops.shape
    crops = read.crops.reshape(-1, *side)
    features = faces.features_of(crops, jobs, progress, quantised)
    index = {label: k for k, label in enumerate(labels)}
    truth = np.array([index.get(label, UNCLEAR) for label in read.labels])
    if votes is None:
        shares = np.eye(len(labels), dtype=np.float32)[truth]
    else:
        shares = votes.shares(read.pictures, labels)
    features = features.reshape(n_faces, n_crops, *features.shape[1:])
    return Source(features, truth, shares)


def _chosen_labels(
    pictures: Sequence[LabelledPicture], wanted: Sequence[str] | None
) -> tuple[str, ...]:
    """Return the labels to learn: all, sorted, or those wanted, in their order."""
    found = [picture.label for picture in pictures]
    labels = tuple(wanted or sorted(set(found)))
    few = [label for label in labels if found.count(label) < MIN_FACES]
    if few:
        raise DatasetError(f"there are not two pictures of {', '.join(few)}: add more of them")
    if len(labels) < 2:  # noqa: PLR2004 (one label needs no network)
        raise DatasetError("there is only one label to learn: give folders of at least two")
    return labels


def _command() -> str:
    """Return the command line, with only the last two parts of absolute paths."""
    given = [word for word in sys.argv[1:] if word != RESUME]
    words = ["/".join(Path(w).parts[-2:]) if w.startswith("/") else w for w in given]
    return shlex.join(["fer", *words])
