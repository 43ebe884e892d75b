"""Commands that are made of verbs: `fer param get`, `fer bag play`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

Function = Callable[[argparse.Namespace], int]


def add_verb(verbs: Any, name: str, function: Function, text: str) -> argparse.ArgumentParser:
    """Declare a verb and return the parser for its options.

    Parameters
    ----------
    verbs : what `add_subparsers` returned.
    name : as it is typed.
    function : does it, and returns the exit code.
    text : what it does, in small letters.
    """
    verb: argparse.ArgumentParser = verbs.add_parser(
        name, help=text, description=f"{text.capitalize()}."
    )
    verb.set_defaults(verb=function)
    return verb


def run_verb(arguments: argparse.Namespace) -> int:
    """Do what the chosen verb says."""
    function: Function = arguments.verb
    return function(arguments)
