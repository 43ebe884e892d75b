"""`fer weights`: weights files, and the weights of the running network."""

from __future__ import annotations

import argparse
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import filesize

from fer.client import connect
from fer.commands.options import add_verb, add_verbs, positive_integer, run_verb
from fer_common.core.errors import FerError
from fer_common.core.graph_names import absolute

if TYPE_CHECKING:
    from fer_common.ros.graph_client import GraphClient


run = run_verb


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    verbs = add_verbs(parser)
    live = partial(add_verb, verbs, namespace=True)
    verb = add_verb(verbs, "show", _show, "show what is in a file: labels, shapes, training data")
    text = "(default: the model in the package)"
    verb.add_argument("file", nargs="?", metavar="FILE|NAME", help=text)
    live("list", _list, "list the weights that the running network can load")
    for verb in (
        live("save", _save, "save the weights of the running network"),
        live("load", _load, "load weights into the running network"),
    ):
        verb.add_argument("name", metavar="NAME", help="a name in the node's weights folder")
    verb = add_verb(verbs, "pull", _pull, "copy weights of a robot into the weights folder here")
    verb.add_argument("robot", metavar="ROBOT", help="namespace of its graph, such as robot1")
    text = "which weights, as listed by `fer weights list` (default: the current ones)"
    verb.add_argument("name", nargs="?", default="", metavar="NAME", help=text)
    _add_target(verb)
    verb = add_verb(verbs, "push", _push, "copy weights into the weights folder of a robot")
    verb.add_argument("weights", metavar="FILE|NAME", help="a file, or a name in the folder here")
    verb.add_argument("robot", metavar="ROBOT", help="namespace of its graph, such as robot2")
    verb.add_argument("--load", action="store_true", help="load them there, too")
    _add_target(verb)
    verb = live("undo", _undo, "undo the last lesson, load or reset")
    text = "how many (default: 1)"
    verb.add_argument("steps", type=positive_integer, nargs="?", default=1, metavar="N", help=text)
    live("reset", _reset, "set the weights back to those that the node started with")
    live("report", _report, "show what was learnt since the weights were loaded")


def _add_target(verb: argparse.ArgumentParser) -> None:
    text = "name of the copy (default: the same; ROBOT-vVERSION for current weights)"
    verb.add_argument("--as", dest="new_name", metavar="NAME", help=text)
    text = "weights folder here (default: the usual)"
    verb.add_argument("--folder", type=Path, metavar="FOLDER", help=text)


def _show(arguments: argparse.Namespace) -> int:
    from fer_snn.core.weights import weights_file, weights_folder

    folder = weights_folder.default_folder()
    path = weights_folder.resolve(arguments.file or weights_folder.DEFAULT, folder)
    print(weights_file.describe(weights_file.load(path)))
    return 0


def _ask(namespace: str, kind: Any, service: str, **request: Any) -> int:
    with connect(namespace) as client:
        print(client.ask(kind, service, kind.Request(**request)).message)
    return 0


def _save(arguments: argparse.Namespace) -> int:
    from fer_interfaces.srv import SaveWeights

    return _ask(arguments.namespace, SaveWeights, "save_weights", name=arguments.name)


def _load(arguments: argparse.Namespace) -> int:
    from fer_interfaces.srv import LoadWeights

    return _ask(arguments.namespace, LoadWeights, "load_weights", name=arguments.name)


def _undo(arguments: argparse.Namespace) -> int:
    from fer_interfaces.srv import Undo

    return _ask(arguments.namespace, Undo, "undo", steps=arguments.steps)


def _reset(arguments: argparse.Namespace) -> int:
    from fer_interfaces.srv import Reset

    return _ask(arguments.namespace, Reset, "reset", what=Reset.Request.WEIGHTS)


def _list(arguments: argparse.Namespace) -> int:
    from fer_interfaces.srv import ListWeights

    with connect(arguments.namespace) as client:
        files = client.call(ListWeights, "list_weights", ListWeights.Request()).files
    for file in files:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(file.modified.sec))
        print(f"{file.name}  {filesize.decimal(file.bytes)}  {when}")
    print("default  the model in the package")
    return 0


def _report(arguments: argparse.Namespace) -> int:
    from fer_interfaces.srv import LearningReport

    with connect(arguments.namespace) as client:
        report = client.call(LearningReport, "learning_report", LearningReport.Request())
    for each in report.labels:
        # NaN, the one value that is not equal to itself: there was no such label.
        moved = "new" if each.field_change != each.field_change else f"{each.field_change:.2%}"
        print(
            f"{each.label}: {each.faces} faces learnt, {each.rehearsed} rehearsed, "
            f"receptive field changed by {moved}"
        )
    for each in report.projections:
        print(
            f"{each.pre} -> {each.post}: {each.changed} of {each.size} weights changed, "
            f"by {each.change:.2%} in all"
        )
    print("can be undone: " + (", ".join(report.undo) or "nothing"))
    return 0


def _pull(arguments: argparse.Namespace) -> int:
    from fer_snn.core.weights import transfer, weights_folder

    folder = arguments.folder or weights_folder.default_folder()
    with connect(arguments.robot) as client:
        first, data = _fetch(client, arguments.name)
    current = f"{absolute(arguments.robot).strip('/').replace('/', '-')}-v{first.version}"
    name = arguments.new_name or arguments.name or current
    path = weights_folder.path_to_save(name, folder)
    model = transfer.store(data, first.digest, path)
    print(f"{path}: {', '.join(model.labels)}, {filesize.decimal(len(data))}")
    return 0


def _fetch(client: GraphClient, name: str) -> tuple[Any, bytes]:
    """Return the first response and the whole file."""
    from fer_interfaces.srv import FetchWeights
    from fer_snn.core.weights.transfer import MAX_BYTES

    first = response = client.ask(FetchWeights, "fetch_weights", FetchWeights.Request(name=name))
    data = response.data.tobytes()
    # A wrong size would make us wait for ever, or fill the memory.
    while len(data) < min(first.size, MAX_BYTES) and response.data:
        request = FetchWeights.Request(name=name, offset=len(data), digest=first.digest)
        response = client.ask(FetchWeights, "fetch_weights", request)
        data += response.data.tobytes()
    return first, data


def _push(arguments: argparse.Namespace) -> int:
    from fer_interfaces.srv import LoadWeights
    from fer_snn.core.weights import weights_file, weights_folder

    folder = arguments.folder or weights_folder.default_folder()
    path = weights_folder.resolve(arguments.weights, folder)
    # Refused here rather than there, after all of it was sent.
    weights_file.load(path)
    name = arguments.new_name or path.stem
    if name == weights_folder.DEFAULT:
        raise FerError(f"every robot has its own '{name}': choose another name with --as")
    with connect(arguments.robot) as client:
        print(f"{arguments.robot}: {_store(client, name, path.read_bytes())}")
        if arguments.load:
            loaded = client.ask(LoadWeights, "load_weights", LoadWeights.Request(name=name))
            print(f"{arguments.robot} has loaded {loaded.message}")
    return 0


def _store(client: GraphClient, name: str, data: bytes) -> str:
    from fer_interfaces.srv import StoreWeights
    from fer_snn.core.weights.transfer import PIECE_BYTES, digest_of

    digest, message = digest_of(data), ""
    for offset in range(0, len(data), PIECE_BYTES):
        request = StoreWeights.Request(name=name, size=len(data), digest=digest, offset=offset)
        request.data.frombytes(data[offset : offset + PIECE_BYTES])
        message = client.ask(StoreWeights, "store_weights", request).message
    return message
