"""Arguments that several verbs share, pictures that they read, and files that they write."""

from __future__ import annotations

import argparse
import csv
import io
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from fer_common.core.atomic import write_result
from fer_common.core.parameter_files import read_parameter_file
from fer_common.core.parameters import Values
from fer_snn.core.parameters import NODE, TABLE
from fer_train import dataset, faces
from fer_train.dataset import LabelledPicture
from fer_train.faces import Crop, CropParameters, Faces
from fer_train.jobs import Jobs
from fer_train.progress import Report
from fer_train.tables import DatasetError

SOURCE = "folder with one folder of pictures for each label, or CSV file with lines 'picture,label'"
MAX_SEED = 2**32 - 1
MAX_NUMBER = 10**9
MAX_JOBS = 256
MAX_NAMED = 5
"""Number of files that a message names."""


def whole(low: int, high: int) -> Callable[[str], int]:
    """Return a parser of whole numbers from `low` to `high`, for `type=` of argparse."""

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            raise argparse.ArgumentTypeError(
                f"'{text}' is out of range: give a whole number from {low} to {high}"
            )
        return number

    return parse


def labels(text: str) -> tuple[str, ...]:
    """Return labels that are separated by commas, for `type=` of argparse."""
    try:
        named = tuple(dataset.checked_label(name, "labels") for name in text.split(","))
    except DatasetError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    repeated = sorted({label for label in named if named.count(label) > 1})
    if repeated:
        raise argparse.ArgumentTypeError(
            f"'{text}' names {', '.join(repeated)} more than once: name each label once"
        )
    return named


def add_presentations(parser: argparse.ArgumentParser, default: int | None, text: str) -> None:
    """Declare --presentations."""
    text = f"number of presentations of faces in a training ({text})"
    number = whole(1, MAX_NUMBER)
    parser.add_argument("--presentations", type=number, default=default, metavar="N", help=text)


def add_parameter_file(parser: argparse.ArgumentParser) -> None:
    """Declare --params."""
    text = "ROS parameter file with parameters of snn"
    parser.add_argument("--params", type=Path, metavar="FILE", help=text)


def parameters_in(path: Path | None) -> Values:
    """Return the parameters of the snn node in the file of --params."""
    return read_parameter_file(path, {NODE: TABLE})[NODE] if path else {}


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Declare --crop, --listing and --jobs."""
    add = parser.add_argument
    text = (
        "auto: find the face, or use the whole picture if there is none; given: all pictures "
        "are tight face crops (default: %(default)s)"
    )
    add("--crop", choices=[crop.value for crop in Crop], default=Crop.AUTO.value, help=text)
    text = "write a table of all pictures: label, and found, whole, blank or unreadable"
    add("--listing", type=Path, metavar="CSV", help=text)
    text = (
        "number of processes that prepare pictures; does not change the result "
        "(default: %(default)s)"
    )
    jobs = min(os.cpu_count() or 1, 8)
    add("--jobs", type=whole(1, MAX_JOBS), default=jobs, metavar="N", help=text)


@dataclass
class Reader:
    """Reads pictures as the arguments of `add_reading` say, and prints what becomes of them."""

    arguments: argparse.Namespace
    jobs: Jobs
    report: Report
    _rows: list[tuple[Path, str, str]] = field(default_factory=list)

    def find(self, source: Path) -> list[LabelledPicture]:
        """Return the labelled pictures of a source; print their numbers and what is left out."""
        pictures = dataset.find(source, _print)
        folders: dict[str, set[str]] = {}
        if source.is_dir():
            for picture in pictures:
                name = picture.path.relative_to(source).parts[0]
                folders.setdefault(picture.label, set()).add(name)
        counts = Counter(picture.label for picture in pictures)
        parts = []
        for label, count in counts.items():
            others = sorted(folders.get(label, {label}))
            parts.append(f"{label} {count}" + (f" ({', '.join(others)})" * (others != [label])))
        _print(f"{source}: {_pictures(pictures)}: {', '.join(parts)}")
        return pictures

    def read(
        self,
        source: Path,
        pictures: Sequence[LabelledPicture],
        parameters: CropParameters | None = None,
        stage: str = "faces",
    ) -> Faces:
        """Crop the faces of a source; print which pictures were not read as hoped."""
        parameters = parameters or CropParameters(Crop(self.arguments.crop))
        progress = partial(self.report, stage)
        read = faces.load(pictures, parameters, self.jobs, progress)
        if parameters.crop is Crop.AUTO:
            self.tell(source, read.whole, "without a face that was found, used whole")
        self.tell(source, read.blank, "blank, used nevertheless")
        missing = [path for path in read.unreadable if not path.exists()]
        self.tell(source, missing, "missing, left out")
        damaged = [path for path in read.unreadable if path not in missing]
        self.tell(source, damaged, "unreadable (damaged, too large, or no picture), left out")
        kinds = dict.fromkeys(read.whole, "whole") | dict.fromkeys(read.blank, "blank")
        kinds |= dict.fromkeys(read.unreadable, "unreadable")
        self._rows += [(p.path, p.label, kinds.get(p.path, "found")) for p in pictures]
        if self.arguments.listing:
            text = io.StringIO()
            csv.writer(text).writerows([("picture", "label", "read"), *self._rows])
            write_result(self.arguments.listing, text.getvalue().encode("utf-8", "surrogateescape"))
        return read

    def tell(self, source: Path, paths: Sequence[Path], what: str) -> None:
        """Print how many pictures of a source are `what`, and the first of them."""
        if not paths:
            return
        base = source if source.is_dir() else source.parent
        names = ", ".join(os.path.relpath(path, base) for path in paths[:MAX_NAMED])
        more = len(paths) - MAX_NAMED
        rest = f" and {more} more (--listing names all)" if more > 0 else ""
        _print(f"{source}: {_pictures(paths)} {what}: {names}{rest}")


def _pictures(them: Sequence[object]) -> str:
    return "1 picture" if len(them) == 1 else f"{len(them)} pictures"


def _print(text: str) -> None:
    print(text.encode(errors="replace").decode(), flush=True)
