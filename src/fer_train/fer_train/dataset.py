"""Labelled pictures from folders and tables.

A folder of classes has one folder of pictures for each label. A table is a CSV file with one line
`picture,label` for each picture, in the form that `tables` reads; a header may name the columns.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from fer_snn.core.labels import MAX_LABEL_LENGTH, UNDECIDED, canonical, is_label
from fer_train import tables
from fer_train.tables import DatasetError

# fmt: off
PICTURES = frozenset({
    ".bmp", ".jfif", ".jpe", ".jpeg", ".jpg", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff",
    ".webp",
})
# fmt: on
SYSTEM_NAMES = frozenset(
    {
        *("__MACOSX", "__pycache__", "@eaDir", "Thumbs.db", "desktop.ini"),
        *("$RECYCLE.BIN", "System Volume Information", "lost+found"),
    }
)
"""Names that systems and tools leave in folders, besides hidden ones."""
PARTS = frozenset(["train", "training", "test", "testing", "val", "valid", "validation", "dev"])
"""Names of parts of a data set, which are not labels."""
LABEL_COLUMNS = frozenset({"label", "labels", "class", "emotion", "expression"})

NEEDS = "lines 'picture,label'"

Warn = Callable[[str], None]
"""Called with a sentence about something that is left out."""


@dataclass(frozen=True)
class LabelledPicture:
    """A picture and its label."""

    path: Path
    label: str


def find(source: Path, warn: Warn = lambda text: None) -> list[LabelledPicture]:
    """Return the labelled pictures of a folder of classes or a table, sorted by label and name.

    Raises
    ------
    DatasetError
        if the source does not exist, cannot be read, or holds no labelled pictures.
    """
    try:
        if source.is_dir():
            found = list(_in_folder(source, warn))
            hint = "it needs one folder of pictures for each expression"
        elif source.is_file():
            found = list(_in_table(source, warn))
            hint = f"it needs {NEEDS}"
        else:
            raise DatasetError(f"{source} does not exist: name a folder of classes or a CSV file")
    except OSError as error:
        raise DatasetError(
            f"{error.filename or source} cannot be read ({error.strerror}): check its permissions"
        ) from error
    if not found:
        raise DatasetError(f"{source} holds no labelled pictures: {hint}")
    return sorted(found, key=lambda picture: (picture.label, picture.path.as_posix()))


def _in_folder(folder: Path, warn: Warn) -> Iterator[LabelledPicture]:
    entries = sorted(folder.iterdir())
    classes = [path for path in entries if path.is_dir() and not _is_system(path.name)]
    _warn_of_system([path.name for path in entries if path.is_dir()], folder, warn)
    loose = [path for path in entries if not path.is_dir() and _is_picture(path.name)]
    if loose:
        warn(f"{folder}: {len(loose)} pictures left out, because they are in no folder of a label")
    if classes and all(path.name.lower() in PARTS for path in classes):
        raise DatasetError(
            f"{folder} holds {', '.join(path.name for path in classes)}, which are parts of a data "
            "set and not labels: name one of these folders instead"
        )
    for path in classes:
        label = checked_label(path.name, str(path))
        pictures = list(_below(path, warn))
        if not pictures:
            raise DatasetError(f"{path} holds no pictures: fill it, or remove it")
        yield from (LabelledPicture(picture, label) for picture in pictures)


def _below(folder: Path, warn: Warn) -> Iterator[Path]:
    """Yield the pictures in a folder of a label and in the folders below it."""

    def refuse(error: OSError) -> NoReturn:
        raise error

    left_out: Counter[str] = Counter()
    for parent, folders, names in os.walk(folder, onerror=refuse):
        _warn_of_system(sorted(folders), parent, warn)
        folders[:] = [name for name in folders if not _is_system(name)]
        for name in names:
            path = Path(parent, name)
            # A broken link is named with the unreadable pictures. A pipe would block for ever.
            regular = path.is_file() or path.is_symlink()
            if regular and _is_picture(name) and not _is_system(name):
                yield path
            elif not _is_system(name) or _is_picture(name):
                left_out["hidden" if _is_system(name) else path.suffix or "no suffix"] += 1
    if left_out:
        kinds = ", ".join(f"{kind}: {count}" for kind, count in sorted(left_out.items()))
        warn(f"{folder}: {left_out.total()} files left out, which are not pictures ({kinds})")


def _warn_of_system(folders: Sequence[str], parent: str | Path, warn: Warn) -> None:
    left_out = [name for name in folders if _is_system(name)]
    if left_out:
        warn(f"{parent}: {', '.join(left_out)} left out: not a folder of a label")


def _is_system(name: str) -> bool:
    return name.startswith(".") or name in SYSTEM_NAMES


def _is_picture(name: str) -> bool:
    return Path(name).suffix.lower() in PICTURES


def checked_label(name: str, where: str) -> str:
    """Return the label for a name.

    Raises
    ------
    DatasetError
        if it cannot be a label; the message begins with `where`.
    """
    label = canonical(name)
    if not is_label(label):
        raise DatasetError(
            f"{where}: {name!r} cannot be a label: give 1 to {MAX_LABEL_LENGTH} printable "
            f"characters, and not '{UNDECIDED}'"
        )
    return label


def _in_table(table: Path, warn: Warn) -> Iterator[LabelledPicture]:
    labels: dict[Path, str] = {}
    lines = 0
    columns: tuple[int, int] | None = None
    for number, cells in tables.rows(table, NEEDS):
        where = f"{table}, line {number}"
        if columns is None:
            columns = _columns(cells)
            if not any(Path(cell).suffix for cell in cells):
                continue
        if len(cells) <= max(columns) or not cells[columns[1]]:
            raise DatasetError(f"{where}: it needs 'picture,label'")
        name, label = cells[columns[0]], checked_label(cells[columns[1]], where)
        path = tables.path_in(table, name)
        if not _is_picture(path.name):
            raise DatasetError(f"{where}: '{name}' does not name a picture")
        if labels.setdefault(path, label) != label:
            raise DatasetError(
                f"{where}: '{name}' is '{label}' here and '{labels[path]}' above: remove one line"
            )
        lines += 1
    if lines > len(labels):
        warn(f"{table}: {lines - len(labels)} lines left out, which repeat others")
    yield from (LabelledPicture(path, label) for path, label in labels.items())


def _columns(cells: Sequence[str]) -> tuple[int, int]:
    """Return the columns of picture and label, as the first line of a table names them."""
    named = [k for k, cell in enumerate(cells) if cell.lower() in LABEL_COLUMNS]
    label = named[0] if named else 1
    return (1, 0) if label == 0 else (0, label)


def indices(labels: Sequence[str], known: Sequence[str]) -> NDArray[np.int64]:
    """Return the index in `known` of each label.

    Raises
    ------
    DatasetError
        if a label is not known.
    """
    unknown = sorted(set(labels) - set(known))
    if unknown:
        raise DatasetError(
            f"the network does not know {', '.join(unknown)} (it knows {', '.join(known)}): "
            "remove or rename the folder, or choose others by --labels"
        )
    position = {label: k for k, label in enumerate(known)}
    return np.array([position[label] for label in labels], dtype=np.int64)
