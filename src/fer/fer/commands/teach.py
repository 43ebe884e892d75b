"""`fer teach LABEL`: the network learns from what the camera sees now."""

from __future__ import annotations

import argparse
import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fer.bringup.graph import SNN
from fer.commands.options import add_namespace, positive, positive_integer
from fer_common.core.errors import FerError
from fer_snn.core.labels import canonical

if TYPE_CHECKING:
    from fer.client.graph_client import GraphClient

_LEARNING, _SUPERVISED = "learning", "supervised"
_POLL_S = 0.1
#: A lesson may take longer than its duration, because the network's time is that of the frames.
_LONGEST_FACTOR = 4.0
_GRACE_S = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("label", metavar="LABEL", help="what the face shows now, such as smile")
    parser.add_argument("--new", action="store_true", help="LABEL is new to the network")
    parser.add_argument(
        "--duration",
        type=positive,
        default=2.0,
        metavar="SECONDS",
        help="how long to learn (default: %(default)g)",
    )
    parser.add_argument(
        "--face",
        type=positive_integer,
        default=0,
        metavar="ID",
        help="which face (default: the largest)",
    )
    add_namespace(parser)


def run(arguments: argparse.Namespace) -> int:
    """Teach, wait for the end of the lesson, and print what was learnt."""
    from fer.client import connect
    from fer_interfaces.srv import Teach

    request = Teach.Request(
        label=arguments.label,
        new_label=arguments.new,
        face_id=arguments.face,
        duration=arguments.duration,
    )
    with connect(arguments.namespace) as client, supervised_learning(client):
        before = _faces_learnt(_report(client))
        try:
            print(client.ask(Teach, "teach", request).message, flush=True)
        except FerError as error:
            raise FerError(str(error).replace("set new_label", "give --new")) from None
        report = _wait_for_the_end(client, arguments.duration)
    for each in report.labels:
        if each.faces:
            print(f"{each.label}: {each.faces} faces learnt since the weights were loaded")
    label = canonical(arguments.label)
    if _faces_learnt(report)[label] <= before[label]:
        raise FerError("no face was learnt: was one in view, and did no other lesson begin?")
    return 0


@contextlib.contextmanager
def supervised_learning(client: GraphClient) -> Iterator[None]:
    """Set `learning` to supervised for the block, and back afterwards."""
    from fer.client.parameters import NodeParameters

    parameters = NodeParameters(client, SNN)
    before = parameters.get([_LEARNING])[_LEARNING]
    if before == _SUPERVISED:
        yield
        return
    parameters.set({_LEARNING: _SUPERVISED})
    try:
        yield
    finally:
        parameters.set({_LEARNING: before})


def _wait_for_the_end(client: GraphClient, duration_s: float) -> Any:
    """Return the report after the lesson.

    Raises
    ------
    FerError
        if it does not end, because no frames come.
    """
    deadline_s = time.monotonic() + _LONGEST_FACTOR * duration_s + _GRACE_S
    while (last := _report(client)).teaching:
        if time.monotonic() > deadline_s:
            raise FerError("the lesson does not end, because no frames come: is the camera on?")
        time.sleep(_POLL_S)
    return last


def _report(client: GraphClient) -> Any:
    from fer_interfaces.srv import LearningReport

    return client.call(LearningReport, "learning_report", LearningReport.Request())


def _faces_learnt(report: Any) -> Counter[str]:
    return Counter({each.label: each.faces for each in report.labels})
