"""What the commands share: verbs, the option --namespace, and numbers with a range."""

from __future__ import annotations

import argparse
import contextlib
import math
import sys
from collections.abc import Callable, Iterator
from typing import Any

from fer_common.core.errors import FerError
from fer_common.core.graph_names import NAMESPACE

Function = Callable[[argparse.Namespace], int]


def add_namespace(parser: argparse.ArgumentParser, default: str = NAMESPACE) -> None:
    """Declare the option --namespace."""
    parser.add_argument(
        "--namespace", default=default, help=f"namespace of the graph (default: {NAMESPACE})"
    )


def add_verbs(parser: argparse.ArgumentParser) -> Any:
    """Return what `add_verb` takes. The namespace may be given before or after the verb."""
    add_namespace(parser)
    return parser.add_subparsers(title="verbs", metavar="VERB", required=True)


def add_verb(
    verbs: Any, name: str, function: Function, text: str, namespace: bool = False
) -> argparse.ArgumentParser:
    """Declare a verb and return the parser for its options.

    Parameters
    ----------
    text : what it does, in small letters.
    """
    verb: argparse.ArgumentParser = verbs.add_parser(
        name, help=text, description=f"{text[0].upper()}{text[1:]}."
    )
    verb.set_defaults(verb=function)
    if namespace:
        add_namespace(verb, argparse.SUPPRESS)
    return verb


def run_verb(arguments: argparse.Namespace) -> int:
    """Run the chosen verb."""
    function: Function = arguments.verb
    return function(arguments)


@contextlib.contextmanager
def needs(
    *requirements: str, pip: str = f"{sys.executable} -m pip install", otherwise: str = ""
) -> Iterator[None]:
    """Raise FerError if an optional library is not installed.

    Parameters
    ----------
    requirements : what pip has to install, as "neo==0.14.6".
    pip : the command that installs it.
    otherwise : what else the user can do, as the end of the error.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if not any(each.partition("==")[0] == name for each in requirements):
            raise
        raise FerError(
            f"this needs the Python package {name}: run `{pip} {' '.join(requirements)}`{otherwise}"
        ) from error


def positive(text: str) -> float:
    """Return a finite number above 0, for `type=` of argparse."""
    return _number(text, lambda value: value > 0, "a number above 0")


def not_negative(text: str) -> float:
    """Return a finite number of 0 or more, for `type=` of argparse."""
    return _number(text, lambda value: value >= 0, "a number of 0 or more")


def positive_integer(text: str) -> int:
    """Return an integer of 1 or more, for `type=` of argparse."""
    wanted = "a whole number of 1 or more"
    return int(_number(text, lambda value: value >= 1 and value == int(value), wanted))


def _number(text: str, allowed: Callable[[float], bool], wanted: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or not allowed(value):
        raise argparse.ArgumentTypeError(f"'{text}' is out of range: give {wanted}")
    return value
