"""`fer teach LABEL`: the network learns from what the camera sees now."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fer.bringup.graph import NAMESPACE, SNN
from fer_common.core.errors import FerError

if TYPE_CHECKING:
    from fer.client.service_client import ServiceClient

_LEARNING, _SUPERVISED = "learning", "supervised"
_TURN_S = 0.1
#: How much longer than it should a lesson may take: the network's time is that of the frames.
_PATIENCE = 4.0
_GRACE_S = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("label", metavar="LABEL", help="what the face shows now, such as smile")
    parser.add_argument("--new", action="store_true", help="LABEL is new to the network")
    parser.add_argument(
        "--duration",
        type=float,
        default=2.0,
        metavar="SECONDS",
        help="how long to learn (default: %(default)g)",
    )
    parser.add_argument(
        "--face", type=int, default=0, metavar="ID", help="which face (default: the largest)"
    )
    parser.add_argument(
        "--namespace", default=NAMESPACE, help="namespace of the graph (default: %(default)s)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Teach, wait for the end of the lesson, and say what came of it."""
    from fer.client.service_client import connected
    from fer_interfaces.srv import Teach

    if arguments.face < 0:
        raise FerError(f"face {arguments.face} is no id: give one of 1 or more")
    request = Teach.Request(
        label=arguments.label,
        new_label=arguments.new,
        face_id=arguments.face,
        duration=arguments.duration,
    )
    with learning_from_labels(arguments.namespace), connected(arguments.namespace, SNN) as client:
        try:
            print(client.ask(Teach, "teach", request).message, flush=True)
        except FerError as error:
            raise FerError(str(error).replace("set new_label", "give --new")) from None
        report = _wait_for_the_end(client, arguments.duration)
    for each in report.labels:
        if each.faces:
            print(f"{each.label}: {each.faces} faces learnt since the weights were loaded")
    return 0


@contextlib.contextmanager
def learning_from_labels(namespace: str) -> Iterator[None]:
    """Let the network learn from labels meanwhile, and as before afterwards."""
    from fer.client.parameter_client import ParameterClient

    with ParameterClient(namespace) as client:
        before = client.get(SNN, [_LEARNING])[_LEARNING]
        if before != _SUPERVISED:
            client.set(SNN, {_LEARNING: _SUPERVISED})
        try:
            yield
        finally:
            if before != _SUPERVISED:
                client.set(SNN, {_LEARNING: before})


def _wait_for_the_end(client: ServiceClient, duration_s: float) -> Any:
    """Return the report after the lesson.

    Raises
    ------
    FerError
        if it does not end, because no frames come.
    """
    from fer_interfaces.srv import LearningReport

    deadline_s = time.monotonic() + _PATIENCE * duration_s + _GRACE_S
    while (
        report := client.call(LearningReport, "learning_report", LearningReport.Request())
    ).teaching:
        if time.monotonic() > deadline_s:
            raise FerError("the lesson does not end, because no frames come: is the camera on?")
        time.sleep(_TURN_S)
    if not any(each.faces for each in report.labels):
        print("no face was learnt: was one in view?", file=sys.stderr)
    return report
