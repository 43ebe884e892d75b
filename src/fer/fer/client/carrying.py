"""`fer weights pull` and `push`: weights from one robot to another, by name and version."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer.bringup.graph import SNN, absolute
from fer.commands.verbs import add_verb
from fer_common.core.errors import FerError

if TYPE_CHECKING:
    from fer.client.service_client import ServiceClient

BYTES_PER_MB = 1e6


def add_verbs(verbs: Any) -> None:
    """Declare both verbs."""
    pull = add_verb(verbs, "pull", _pull, "fetch weights of a robot into the weights folder here")
    pull.add_argument("robot", metavar="ROBOT", help="namespace of its graph, such as robot1")
    pull.add_argument(
        "name",
        nargs="?",
        default="",
        metavar="NAME",
        help="which weights, as `fer weights list` shows them (default: the present ones)",
    )
    push = add_verb(verbs, "push", _push, "put weights into the weights folder of a robot")
    push.add_argument("weights", metavar="FILE|NAME", help="a file, or a name in the folder here")
    push.add_argument("robot", metavar="ROBOT", help="namespace of its graph, such as robot2")
    push.add_argument("--load", action="store_true", help="and let its network take them at once")
    for verb in (pull, push):
        verb.add_argument(
            "--as",
            dest="new_name",
            metavar="NAME",
            help="name there (default: the same; ROBOT-vVERSION for present weights)",
        )
        verb.add_argument(
            "--folder", type=Path, metavar="FOLDER", help="weights folder here (default: the usual)"
        )


def _pull(arguments: argparse.Namespace) -> int:
    from fer.client.service_client import connected
    from fer_snn.core.weights import transfer as carriage
    from fer_snn.core.weights import weights_folder as models

    folder = arguments.folder or models.default_folder()
    with connected(arguments.robot, SNN) as client:
        first, data = _fetch(client, arguments.name)
    present = f"{absolute(arguments.robot).strip('/').replace('/', '-')}-v{first.version}"
    name = arguments.new_name or arguments.name or present
    path = models.path_to_save(name, folder)
    model = carriage.store(data, first.digest, path)
    print(f"{path}: {', '.join(model.labels)}, {len(data) / BYTES_PER_MB:.1f} MB")
    return 0


def _fetch(client: ServiceClient, name: str) -> tuple[Any, bytes]:
    """Return the first response and the whole file."""
    from fer_interfaces.srv import FetchWeights
    from fer_snn.core.weights.transfer import MAX_BYTES

    first = response = client.ask(FetchWeights, "fetch_weights", FetchWeights.Request(name=name))
    data = response.data.tobytes()
    # A size that is none would let us wait for ever, or fill the memory.
    while len(data) < min(first.size, MAX_BYTES) and response.data:
        request = FetchWeights.Request(name=name, offset=len(data), digest=first.digest)
        response = client.ask(FetchWeights, "fetch_weights", request)
        data += response.data.tobytes()
    return first, data


def _push(arguments: argparse.Namespace) -> int:
    from fer.bringup.preflight import resolved_weights
    from fer.client.service_client import connected
    from fer_interfaces.srv import LoadWeights
    from fer_snn.core.weights import weights_file
    from fer_snn.core.weights import weights_folder as models

    folder = arguments.folder or models.default_folder()
    path = models.resolve(resolved_weights(arguments.weights), folder)
    # Refused here rather than there, after all of it was sent.
    weights_file.load(path)
    name = arguments.new_name or path.stem
    if name == models.DEFAULT:
        raise FerError(f"every robot has its own '{name}': choose another name with --as")
    with connected(arguments.robot, SNN) as client:
        print(f"{arguments.robot}: {_store(client, name, path.read_bytes())}")
        if arguments.load:
            loaded = client.ask(LoadWeights, "load_weights", LoadWeights.Request(name=name))
            print(f"{arguments.robot} has loaded {loaded.message}")
    return 0


def _store(client: ServiceClient, name: str, data: bytes) -> str:
    from fer_interfaces.srv import StoreWeights
    from fer_snn.core.weights.transfer import PIECE_BYTES, digest_of

    digest, message = digest_of(data), ""
    for offset in range(0, len(data), PIECE_BYTES):
        request = StoreWeights.Request(name=name, size=len(data), digest=digest, offset=offset)
        request.data.frombytes(data[offset : offset + PIECE_BYTES])
        message = client.ask(StoreWeights, "store_weights", request).message
    return message
