"""`fer weights`: what is in a file, and the weights of the running network."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from fer.bringup.graph import NAMESPACE, SNN
from fer.client import carrying
from fer.client.carrying import BYTES_PER_MB
from fer.commands.verbs import Function, add_verb, run_verb


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    verb = add_verb(verbs, "show", _show, "show what is in a file: labels, shapes, training data")
    verb.add_argument(
        "file", type=Path, nargs="?", metavar="FILE", help="(default: the model in the package)"
    )
    _live(verbs, "list", _list, "list what the running network can load")
    _named(_live(verbs, "save", _save, "save the weights of the running network"))
    _named(_live(verbs, "load", _load, "load weights into the running network"))
    carrying.add_verbs(verbs)
    verb = _live(verbs, "undo", _undo, "take back the last lesson, load or reset")
    verb.add_argument(
        "steps", type=int, nargs="?", default=1, metavar="N", help="how many (default: 1)"
    )
    _live(verbs, "reset", _reset, "put the weights back to those that the node started with")
    _live(verbs, "report", _report, "tell what was learnt since the weights were loaded")


def run(arguments: argparse.Namespace) -> int:
    """Do what the verb says."""
    return run_verb(arguments)


def _live(verbs: Any, name: str, function: Function, text: str) -> argparse.ArgumentParser:
    verb = add_verb(verbs, name, function, text)
    verb.add_argument(
        "--namespace", default=NAMESPACE, help="namespace of the graph (default: %(default)s)"
    )
    return verb


def _named(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("name", metavar="NAME", help="a name in the node's weights folder")


def _show(arguments: argparse.Namespace) -> int:
    from fer_snn.core.weights import weights_file, weights_folder

    file = arguments.file or weights_folder.default_path()
    print(weights_file.describe(weights_file.load(file)))
    return 0


def _call(arguments: argparse.Namespace, kind: Any, name: str, request: Any) -> Any:
    from fer.client.service_client import connected

    with connected(arguments.namespace, SNN) as client:
        return client.call(kind, name, request)


def _ask(arguments: argparse.Namespace, kind: Any, name: str, request: Any) -> int:
    from fer.client.service_client import connected

    with connected(arguments.namespace, SNN) as client:
        print(client.ask(kind, name, request).message)
    return 0


def _save(arguments: argparse.Namespace) -> int:
    from fer_interfaces.srv import SaveWeights

    return _ask(arguments, SaveWeights, "save_weights", SaveWeights.Request(name=arguments.name))


def _load(arguments: argparse.Namespace) -> int:
    from fer_interfaces.srv import LoadWeights

    return _ask(arguments, LoadWeights, "load_weights", LoadWeights.Request(name=arguments.name))


def _undo(arguments: argparse.Namespace) -> int:
    from fer_interfaces.srv import Undo

    return _ask(arguments, Undo, "undo", Undo.Request(steps=max(arguments.steps, 1)))


def _reset(arguments: argparse.Namespace) -> int:
    from fer_interfaces.srv import Reset

    return _ask(arguments, Reset, "reset", Reset.Request(what=Reset.Request.WEIGHTS))


def _list(arguments: argparse.Namespace) -> int:
    from fer_interfaces.srv import ListWeights

    for file in _call(arguments, ListWeights, "list_weights", ListWeights.Request()).files:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(file.modified.sec))
        print(f"{file.name}  {file.bytes / BYTES_PER_MB:.1f} MB  {when}")
    print("default  the model in the package")
    return 0


def _report(arguments: argparse.Namespace) -> int:
    from fer_interfaces.srv import LearningReport

    report = _call(arguments, LearningReport, "learning_report", LearningReport.Request())
    for each in report.labels:
        # NaN, the one value that is not equal to itself: there was no such label.
        moved = "new" if each.field_change != each.field_change else f"{each.field_change:.2%}"
        print(f"{each.label}: {each.faces} faces, {each.rehearsed} again, field moved {moved}")
    for each in report.projections:
        print(
            f"{each.pre} -> {each.post}: {each.changed} of {each.size} weights changed, "
            f"by {each.change:.2%} in all"
        )
    print("undo: " + (", ".join(report.undo) or "nothing"))
    return 0
