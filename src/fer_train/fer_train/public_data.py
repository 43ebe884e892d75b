"""Public sets of faces: where they come from, and how they become folders for `fer train`.

Nothing is downloaded. The pictures are not under a licence of this project.
"""

from __future__ import annotations

import base64
import csv
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from fer_common.core.atomic import whole_folder
from fer_common.core.errors import FerError
from fer_train.tables import DatasetError
from fer_train.votes import FILE as VOTES

SIDE_PX = 48
#: Values of the column `Usage` of FER2013, and what we call these parts.
PARTS = {"Training": "train", "PublicTest": "validation", "PrivateTest": "test"}
#: Names of the numbers in the column `emotion` of FER2013.
FER2013_LABELS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
FERPLUS_LABELS = (
    *("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear"),
    "contempt",
)
#: What else people could say of a picture of FER+: they do not know, it is no face.
FERPLUS_OTHERS = ("unknown", "NF")
AMBIGUOUS = "ambiguous"
#: Each row of the table of LFW's labels has a bit: whether the shipped network learnt from it.
_LFW_SELECTION = "lfw_train.txt"

Row = Mapping[str, str]


class Labelled(NamedTuple):
    """A picture with its place below the folder that is written, and a line of votes or ""."""

    part: str
    label: str
    name: str
    data: bytes
    votes: str = ""


@dataclass(frozen=True)
class PublicData:
    """A public set.

    Attributes
    ----------
    name : as it is typed, and of the folder that is written.
    origin : who made it, and where it is.
    licence : under which it may be used, as far as that is stated.
    inputs : what the user fetches, in the order in which it is given.
    read : yields its pictures from the paths of the inputs.
    votes : header of the table of votes; "" without one.
    """

    name: str
    origin: str
    licence: str
    inputs: tuple[str, ...]
    read: Callable[..., Iterator[Labelled]]
    votes: str = ""


def lay_out(data: PublicData, inputs: Sequence[Path], folder: Path) -> Counter[tuple[str, str]]:
    """Write the pictures of a set as PART/LABEL/picture, and return how many there are of each.

    The folder is there as a whole or not at all.

    Raises
    ------
    DatasetError
        if the inputs are not those of the set.
    FerError
        if the folder exists.
    """
    if folder.exists():
        raise FerError(f"{folder} exists: name another folder, or remove it")
    counts: Counter[tuple[str, str]] = Counter()
    lines: dict[str, list[str]] = {}
    with whole_folder(folder) as unfinished:
        for picture in data.read(*inputs):
            place = unfinished / picture.part / picture.label / picture.name
            if not counts[picture.part, picture.label]:
                place.parent.mkdir(parents=True)
            place.write_bytes(picture.data)
            counts[picture.part, picture.label] += 1
            lines.setdefault(picture.part, [data.votes]).append(
                f"{picture.label}/{picture.name},{picture.votes}"
            )
        if not counts:
            raise DatasetError(f"{inputs[0]} has no pictures: see `fer data`")
        for part in lines if data.votes else ():
            (unfinished / part / VOTES).write_text("\n".join([*lines[part], ""]))
    return counts


def majority(votes: Mapping[str, int]) -> str:
    """Return what the majority says, `AMBIGUOUS` without one.

    As the authors of FER+ count (Barsoum et al. 2016, ICMI): what only one person says does not
    count, and the majority is more than half of the rest.
    """
    counted = {name: count for name, count in votes.items() if count > 1}
    best = max(counted, key=counted.__getitem__, default=AMBIGUOUS)
    return best if 2 * counted.get(best, 0) > sum(counted.values()) else AMBIGUOUS


def _fer2013(table: Path) -> Iterator[Labelled]:
    for number, row in enumerate(_rows(table, ("emotion", "pixels", "Usage"))):
        try:
            label = FER2013_LABELS[int(row["emotion"])]
        except (ValueError, IndexError):
            raise _wrong(table, number, f"emotion '{row['emotion']}'") from None
        yield Labelled(_part(table, number, row), label, _name(number), _png(table, number, row))


def _ferplus(pictures: Path, votes: Path) -> Iterator[Labelled]:
    names = (*FERPLUS_LABELS, *FERPLUS_OTHERS)
    both = zip(
        _rows(pictures, ("pixels", "Usage")),
        _rows(votes, ("Usage", "Image name", *names)),
        strict=True,
    )
    try:
        for number, (picture, row) in enumerate(both):
            if picture["Usage"] != row["Usage"]:
                raise _wrong(votes, number, f"Usage '{row['Usage']}' of another picture")
            counts = {name: int(row[name]) for name in names}
            label = majority(counts)
            # A name is missing where the picture was taken out.
            if row["Image name"] and label not in FERPLUS_OTHERS:
                line = ",".join(str(count) for count in counts.values())
                data = _png(pictures, number, picture)
                yield Labelled(_part(votes, number, row), label, _name(number), data, line)
    except ValueError as error:
        raise DatasetError(
            f"{pictures} and {votes} do not fit together ({error}): give the whole tables"
        ) from error


def _lfw(repository: Path) -> Iterator[Labelled]:
    table = repository / "data" / "legend.csv"
    rows = list(_rows(table, ("image", "emotion")))
    text = (resources.files("fer_train") / "selections" / _LFW_SELECTION).read_text()
    chosen = np.unpackbits(np.frombuffer(base64.b64decode(text), np.uint8))
    if len(rows) > len(chosen) or len(rows) <= np.flatnonzero(chosen)[-1]:
        raise DatasetError(f"{table} has {len(rows)} rows: another version than the known one")
    for number in np.flatnonzero(chosen):
        row = rows[number]
        path = repository / "images" / row["image"]
        try:
            data = path.read_bytes()
        except OSError as error:
            raise DatasetError(f"{path} cannot be read: {error.strerror}") from error
        yield Labelled("train", row["emotion"].lower(), path.name, data)


def _rows(table: Path, needed: Iterable[str]) -> Iterator[Row]:
    csv.field_size_limit(sys.maxsize)
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            columns = [name.strip() for name in reader.fieldnames or ()]
            if missing := set(needed) - set(columns):
                raise DatasetError(f"{table} has no column '{min(missing)}': see `fer data`")
            reader.fieldnames = columns
            for row in reader:
                yield {name: text or "" for name, text in row.items() if name}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise DatasetError(f"{table} cannot be read: {reason}") from error


def _part(table: Path, number: int, row: Row) -> str:
    if row["Usage"] not in PARTS:
        raise _wrong(table, number, f"Usage '{row['Usage']}'")
    return PARTS[row["Usage"]]


def _png(table: Path, number: int, row: Row) -> bytes:
    try:
        pixels = bytes(map(int, row["pixels"].split()))
        picture = np.frombuffer(pixels, np.uint8).reshape(SIDE_PX, SIDE_PX)
    except ValueError:
        raise _wrong(table, number, "other pixels than 48 x 48 of 0 to 255") from None
    return cv2.imencode(".png", picture)[1].tobytes()


def _name(number: int) -> str:
    return f"fer{number:07d}.png"


def _wrong(table: Path, number: int, what: str) -> DatasetError:
    return DatasetError(f"{table}, picture {number}: it has {what}: see `fer data`")


SETS = (
    PublicData(
        "ferplus",
        "FER+ (Barsoum et al. 2016): what ten people said of each face of FER2013. "
        "https://github.com/microsoft/FERPlus has fer2013new.csv; fer2013.csv as below",
        "the labels: MIT; the pictures: as FER2013",
        ("fer2013.csv", "fer2013new.csv"),
        _ferplus,
        ",".join(("picture", *FERPLUS_LABELS, *FERPLUS_OTHERS)),
    ),
    PublicData(
        "fer2013",
        "FER2013 (Goodfellow et al. 2013): 35,887 faces from a web search, 48 x 48 px. "
        "https://www.kaggle.com/c/challenges-in-representation-learning-facial-expression-"
        "recognition-challenge has fer2013.csv, for those with an account",
        "none is stated for the pictures; the rules of the competition apply",
        ("fer2013.csv",),
        _fer2013,
    ),
    PublicData(
        "lfw-expr",
        "press photographs, most of LFW (Huang et al. 2007), with labels: "
        "https://github.com/muxspace/facial_expressions, a clone of it",
        "the repository: Apache-2.0; the photographs belong to their owners",
        ("facial_expressions",),
        _lfw,
    ),
)
