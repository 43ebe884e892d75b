"""Where models are: in the package, in the weights folder by name, anywhere by path."""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from fer_common.core.errors import FerError
from fer_snn.core.parameters import TABLE

_MODELS = Path(__file__).resolve().parents[2] / "models"
DEFAULT = "default"
SUFFIX = ".npz"
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")


#: Can neither be read nor made, and its name says what to do.
NO_FOLDER = Path(os.devnull, "no home: set weights_dir")


class WeightsNameError(FerError):
    """A name that weights cannot have."""


def default_path() -> Path:
    """Return where the model in the package is."""
    return _MODELS / f"{DEFAULT}{SUFFIX}"


def folder(weights_dir: str) -> Path:
    """Return the weights folder; `NO_FOLDER` where it would lie in a home that there isn't."""
    try:
        return Path(weights_dir).expanduser()
    except RuntimeError:
        return NO_FOLDER


def default_folder() -> Path:
    """Return the weights folder of a node that was not given another."""
    return folder(str(TABLE["weights_dir"].default))


def path_of_name(name: str, folder: Path) -> Path:
    """Return the file of the weights called `name`: in `folder`, or the model in the package.

    Raises
    ------
    WeightsNameError
        if the name could lead elsewhere.
    """
    stem = name.removesuffix(SUFFIX)
    if not _NAME.fullmatch(stem):
        raise WeightsNameError(
            f"{name!r} is no name for weights: use up to 100 letters, digits, '-', '_' and '.', "
            "and no '.' at the start"
        )
    return default_path() if stem == DEFAULT else folder / f"{stem}{SUFFIX}"


def path_to_save(name: str, folder: Path) -> Path:
    """Return the file to save weights called `name` in.

    Raises
    ------
    WeightsNameError
        if the name could lead elsewhere, or is that of the model in the package.
    """
    path = path_of_name(name, folder)
    if path.parent != folder:
        raise WeightsNameError(
            f"'{DEFAULT}' is the model in the package and stays as it is: choose another name"
        )
    return path


def resolve(weights: str, folder: Path) -> Path:
    """Return the file that the parameter `weights` means: a path, or a name."""
    if "/" in weights or (weights.endswith(SUFFIX) and Path(weights).exists()):
        return Path(weights).expanduser()
    return path_of_name(weights, folder)


@dataclass(frozen=True)
class Saved:
    """Weights in the weights folder: name, size, and when they were last written, ns."""

    name: str
    size_bytes: int
    modified_ns: int


def saved(folder: Path) -> list[Saved]:
    """Return the weights in a folder, in the order of their names; none if it is not there."""
    found = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        # One may be replaced or deleted while we look.
        with contextlib.suppress(OSError):
            status = path.stat()
            if _NAME.fullmatch(path.stem) and path.is_file():
                found.append(Saved(path.stem, status.st_size, status.st_mtime_ns))
    return found
