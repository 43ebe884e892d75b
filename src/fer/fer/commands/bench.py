"""`fer bench`: the benchmarks, which are in the repository, not in the installed packages."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from fer_common.core.errors import FerError

_MARK = Path("bench", "fer_bench", "main.py")
_FOLDERS = ("bench", "test/fer_testing")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    try:
        _benchmarks().add_arguments(parser)
    except FerError:
        # So that --help works everywhere; without the sources `run` says what is missing.
        parser.add_argument("names", nargs="*", metavar="NAME", help="what to measure")


def run(arguments: argparse.Namespace) -> int:
    """Run the benchmarks that were named."""
    if importlib.util.find_spec("pytest") is None:
        raise FerError("the benchmarks use helpers of the tests: run ./fer setup --test first")
    return int(_benchmarks().run(arguments, _root()))


def _benchmarks() -> ModuleType:
    folders = [str(_root() / name) for name in _FOLDERS]
    sys.path[:0] = [folder for folder in folders if folder not in sys.path]
    return importlib.import_module("fer_bench.main")


def _root() -> Path:
    """Return the repository that the package is linked to, or that of the current folder.

    Raises
    ------
    FerError
        if there is none.
    """
    here = Path.cwd() / "here"
    for place in (*Path(__file__).resolve().parents, *here.parents):
        if (place / _MARK).is_file():
            return place
    raise FerError("the benchmarks are in the sources of fer: run `fer bench` in a clone of them")
