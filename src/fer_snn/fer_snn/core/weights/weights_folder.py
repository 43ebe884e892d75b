"""Where weights are: in the package, in the weights folder by name, anywhere by path."""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from fer_common.core.errors import FerError
from fer_snn.core.parameters import DEFAULT_WEIGHTS, TABLE

_MODELS = Path(__file__).resolve().parents[2] / "models"
DEFAULT = DEFAULT_WEIGHTS
SUFFIX = ".npz"
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")

NO_FOLDER = Path(os.devnull, "no home: set weights_dir")
"""A path that can neither be read nor created. Error messages with it say what to do."""


class WeightsNameError(FerError):
    """An invalid name of weights."""


def default_path() -> Path:
    """Return the path of the model in the package."""
    return _MODELS / f"{DEFAULT}{SUFFIX}"


def folder(weights_dir: str) -> Path:
    """Return the weights folder, or `NO_FOLDER` if it is in a home folder that does not exist."""
    try:
        return Path(weights_dir).expanduser()
    except RuntimeError:
        return NO_FOLDER


def default_folder() -> Path:
    """Return the default weights folder of a node."""
    return folder(str(TABLE["weights_dir"].default))


def path_of_name(name: str, folder: Path) -> Path:
    """Return the path of the weights `name`: in `folder`, or the model in the package.

    Raises
    ------
    WeightsNameError
        if the name would lead out of the folder.
    """
    stem = name.removesuffix(SUFFIX)
    if not _NAME.fullmatch(stem):
        raise WeightsNameError(
            f"{name!r} cannot be a name of weights: use up to 100 letters, digits, '-', '_' and "
            "'.', and no '.' at the start"
        )
    return default_path() if stem == DEFAULT else folder / f"{stem}{SUFFIX}"


def path_to_save(name: str, folder: Path) -> Path:
    """Return the path at which to save weights `name`.

    Raises
    ------
    WeightsNameError
        if the name would lead out of the folder, or is that of the model in the package.
    """
    path = path_of_name(name, folder)
    if path.parent != folder:
        raise WeightsNameError(
            f"'{DEFAULT}' is the model in the package and cannot be replaced: use another name"
        )
    return path


def resolve(weights: str, folder: Path) -> Path:
    """Return the path for the parameter `weights`, which is a path or a name."""
    if "/" in weights or (weights.endswith(SUFFIX) and Path(weights).exists()):
        return Path(weights).expanduser()
    return path_of_name(weights, folder)


@dataclass(frozen=True)
class Saved:
    """Weights in the weights folder: name, size, and time of the last change, ns."""

    name: str
    size_bytes: int
    modified_ns: int


def saved(folder: Path) -> list[Saved]:
    """Return the weights in a folder, sorted by name; none if the folder does not exist."""
    found = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        # A file may be replaced or deleted in the meantime.
        with contextlib.suppress(OSError):
            status = path.stat()
            if _NAME.fullmatch(path.stem) and path.is_file():
                found.append(Saved(path.stem, status.st_size, status.st_mtime_ns))
    return found
