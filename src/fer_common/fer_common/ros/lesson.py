"""A lesson: from the change of the learning mode to what was learnt."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from fer_common.core.errors import FerError
from fer_common.core.graph_names import SNN
from fer_common.ros.graph_client import GraphClient
from fer_common.ros.node_parameters import NodeParameters
from fer_interfaces.srv import LearningReport, Teach

_LEARNING, _SUPERVISED = "learning", "supervised"
_POLL_S = 0.1
#: A lesson may take longer than its duration, because the network's time is that of the frames.
_LONGEST_FACTOR, _GRACE_S = 4.0, 5.0


@dataclass(frozen=True)
class Lesson:
    """What was known before and after a lesson: responses of LearningReport."""

    before: Any
    after: Any

    def faces(self, label: str) -> int:
        """Return from how many faces a label was learnt."""
        before, after = (
            next((each.faces for each in report.labels if each.label == label), 0)
            for report in (self.before, self.after)
        )
        return int(after - before)


def teach(client: GraphClient, request: Teach.Request, on_begin: Callable[[str], None]) -> Lesson:
    """Teach in the mode that it needs, wait for the end, and return what came of it.

    Parameters
    ----------
    client : reaches the graph.
    request : what to teach.
    on_begin : called with what the network says when the lesson begins.

    Raises
    ------
    FerError
        if the network does not run, refuses, or gets no frames.
    """
    with _supervised_learning(client):
        before = _report(client)
        on_begin(client.ask(Teach, "teach", request).message)
        deadline_s = time.monotonic() + _LONGEST_FACTOR * request.duration + _GRACE_S
        while (after := _report(client)).teaching:
            if time.monotonic() > deadline_s:
                raise FerError("the lesson does not end, because no frames come: is the camera on?")
            client.wait(lambda: False, _POLL_S)
    return Lesson(before, after)


@contextlib.contextmanager
def _supervised_learning(client: GraphClient) -> Iterator[None]:
    """Set `learning` to supervised for the block, and back afterwards."""
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


def _report(client: GraphClient) -> Any:
    return client.call(LearningReport, "learning_report", LearningReport.Request())
