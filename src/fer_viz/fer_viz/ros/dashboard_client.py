"""The dashboard's connection to the graph: a node of its own that listens and sends requests."""

from __future__ import annotations

import itertools
import os
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

from rcl_interfaces.srv import ListParameters, SetParametersAtomically
from rclpy.clock import Clock, ClockType

from fer_common.core.errors import FerError
from fer_common.core.graph_names import NAMESPACE, SNN
from fer_common.core.stamps import to_ns
from fer_common.ros.executor_thread import reraise
from fer_common.ros.graph_client import GraphClient
from fer_common.ros.image_subscription import AnyImage
from fer_common.ros.lesson import teach
from fer_common.ros.node_parameters import NodeParameters
from fer_interfaces.srv import (
    LearningReport,
    ListWeights,
    LoadWeights,
    Reset,
    SaveWeights,
    Teach,
    Undo,
)
from fer_viz.core.scene import Note
from fer_viz.core.scene_builder import SceneBuilder
from fer_viz.ros.listener import GraphListener, graph_topics

#: The nodes whose parameters are shown.
NODES = (SNN, "features", "camera", "viz")
#: How long a click on a label teaches, seconds of the images' stamps.
TEACH_S = 2.0
#: How long to look for a node whose parameters are shown.
_LOOK_S = 0.5
_CHECK_PERIOD_S = 0.25
#: Without images for this long, results are shown without.
IMAGE_TIMEOUT_S = 1.0
SPAN_S = 0.5
#: The same error is not repeated within this time.
ERROR_PERIOD_S = 5.0
#: The value of `publish_layers` for no layer.
_NO_LAYER = "none"
#: Parameters of rclpy, which nobody changes while it runs.
_HIDDEN = ("qos_overrides", "use_sim_time")
#: Services of the network, and what finds and changes parameters.
_SERVICES = {
    "teach": Teach,
    "undo": Undo,
    "learning_report": LearningReport,
    "list_weights": ListWeights,
    "save_weights": SaveWeights,
    "load_weights": LoadWeights,
    "reset": Reset,
    f"{SNN}/set_parameters_atomically": SetParametersAtomically,
    **{f"{node}/list_parameters": ListParameters for node in NODES},
}
_NUMBERS = itertools.count(1)
_UNIT = re.compile(r" \[([^\]]+)\]")


class Weights(NamedTuple):
    """Weights that can be loaded; `modified_s` since the epoch, 0 for those of the package."""

    name: str
    modified_s: float


@dataclass(frozen=True)
class LiveParameter:
    """A parameter that can be changed, as its node describes it.

    Attributes
    ----------
    low, high : range of a number; equal where it has none.
    choices : the allowed texts; empty for any.
    """

    node: str
    name: str
    value: Any
    description: str
    unit: str
    low: float
    high: float
    choices: tuple[str, ...]


class DashboardClient:
    """Listens to a graph and sends it requests, in threads and a context of its own.

    The newest message wins and no node waits for this one, so a window that is slow or frozen
    costs the graph nothing. Requests do not block; `notes` returns their outcome.

    Parameters
    ----------
    namespace : of the graph.
    compressed : subscribe to compressed images.
    arguments : command line with ROS arguments, such as remappings.

    Raises
    ------
    FerError
        if the namespace is no ROS name, or if ROS cannot start in this environment.
    """

    def __init__(
        self, namespace: str = NAMESPACE, compressed: bool = False, arguments: Sequence[str] = ()
    ) -> None:
        # Several can run in one process, as in rqt.
        name = f"fer_dashboard_{os.getpid()}_{next(_NUMBERS)}"
        self._graph = GraphClient(namespace, name, arguments=arguments, on_failure=reraise)
        self.namespace = self._graph.namespace
        node = self._graph.node
        self.state: SceneBuilder[AnyImage] = SceneBuilder(
            graph_topics(node, compressed), time.monotonic()
        )
        self.state.configure(SPAN_S, IMAGE_TIMEOUT_S, 0)
        self._lock = threading.Lock()
        self._notes: deque[Note] = deque(maxlen=32)
        self._error_s: dict[str, float] = {}
        #: The label that is being taught, empty for none.
        self.lesson = ""
        self._wanted_layers: list[str] = []
        # One thread: requests are sent in their order, each after the response to the last.
        self._requests = ThreadPoolExecutor(1, "requests")
        # Early, because discovery takes a moment.
        for service, kind in _SERVICES.items():
            self._graph.client(kind, service)
        self._listener = GraphListener(
            node,
            self.state,
            compressed,
            lambda image: self.state.show(image, time.monotonic()),
            self._drop,
        )
        self._listener.open_latched()
        self._listener.open_streams()
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        node.create_timer(_CHECK_PERIOD_S, self._request_layers, clock=steady)

    def close(self) -> None:
        """Leave the graph."""
        self._graph.abandon()
        self._requests.shutdown(cancel_futures=True)
        self._graph.close()

    # Requests

    def teach(self, label: str, face_id: int, new_label: bool = False) -> None:
        """Teach that a face (0: the largest) shows an expression, for `TEACH_S` seconds.

        The learning mode is changed for the lesson, and back afterwards.
        """
        request = Teach.Request(label=label, new_label=new_label, face_id=face_id, duration=TEACH_S)
        self._submit(lambda: self._teach(request))

    def undo(self) -> None:
        """Undo the last lesson, load or reset."""
        self._ask_and_tell("undo", Undo.Request())

    def save_weights(self, name: str) -> None:
        """Save the weights under a name."""
        self._ask_and_tell("save_weights", SaveWeights.Request(name=name))

    def load_weights(self, name: str) -> None:
        """Load the weights with a name; "default" is the model of the package."""
        self._ask_and_tell("load_weights", LoadWeights.Request(name=name))

    def reset(self, weights: bool) -> None:
        """Reset potentials and results, and on demand the weights."""
        what = Reset.Request.WEIGHTS if weights else Reset.Request.STATE
        self._ask_and_tell("reset", Reset.Request(what=what))

    def publish_layers(self, layers: Sequence[str]) -> None:
        """Request spikes and potentials of other layers, as soon as the snn node is running."""
        self._wanted_layers = list(layers) or [_NO_LAYER]
        self._request_layers()

    def set_parameter(self, node: str, name: str, value: Any) -> None:
        """Set a parameter."""

        def done() -> Note:
            NodeParameters(self._graph, node).set({name: value})
            return Note(f"{name} is now {shown(value)}", True)

        self._submit(done)

    def list_weights(self, tell: Callable[[list[Weights]], None]) -> None:
        """Call `tell`, in another thread, with the weights that can be loaded."""

        def listed() -> None:
            files = self._ask("list_weights", ListWeights.Request()).files
            found = [Weights(file.name, to_ns(file.modified) / 1e9) for file in files]
            tell([Weights("default", 0.0), *sorted(found, key=lambda each: -each.modified_s)])

        self._submit(listed)

    def list_parameters(self, tell: Callable[[list[LiveParameter]], None]) -> None:
        """Call `tell`, in another thread, with the live parameters of each running node."""

        def listed() -> None:
            for node in NODES:
                service = self._graph.client(ListParameters, f"{node}/list_parameters")
                if self._graph.wait(service.service_is_ready, _LOOK_S):
                    tell(self._parameters(node))

        self._submit(listed)

    def notes(self) -> list[Note]:
        """Return the outcome of requests, and errors, since the last call."""
        with self._lock:
            notes = list(self._notes)
            self._notes.clear()
            return notes

    # In the thread of the requests

    def _submit(self, request: Callable[[], Note | None]) -> None:
        def run() -> None:
            try:
                note = request()
            except FerError as error:
                note = Note(str(error), False)
            if note is not None:
                self._add_note(note)

        self._requests.submit(run)

    def _ask(self, service: str, request: Any) -> Any:
        """Return the response of a service, which was found long ago where there is one."""
        return self._graph.call(_SERVICES[service], service, request, found_within_s=0.0)

    def _ask_and_tell(self, service: str, request: Any) -> None:
        def done() -> Note:
            response = self._ask(service, request)
            return Note(response.message, response.success)

        self._submit(done)

    def _parameters(self, node: str) -> list[LiveParameter]:
        parameters = NodeParameters(self._graph, node)
        # Groups are named before a dot; what has no group comes first.
        names = sorted(parameters.names(), key=lambda name: (name.rpartition(".")[0], name))
        values = parameters.get(names)
        return [
            _live_parameter(node, descriptor, values[descriptor.name])
            for descriptor in parameters.descriptors(names)
            if not descriptor.read_only and not descriptor.name.startswith(_HIDDEN)
        ]

    def _teach(self, request: Teach.Request) -> Note:
        """Teach, and say what was learnt."""
        self.lesson = request.label
        try:
            lesson = teach(self._graph, request, lambda begun: None)
        finally:
            self.lesson = ""
        faces = lesson.faces(request.label)
        if faces <= 0:
            return Note("no face was learnt: was one in view?", False)
        changes = {each.label: each.field_change for each in lesson.after.labels}
        change = changes.get(request.label, float("nan"))
        much = f", its weights have changed by {100 * change:.2g} %" if change == change else ""
        return Note(f"learnt {request.label} from {faces} faces{much}", True)

    # In the executor's thread

    def _request_layers(self) -> None:
        service = self._graph.client(SetParametersAtomically, f"{SNN}/set_parameters_atomically")
        if self._wanted_layers and service.service_is_ready():
            layers, self._wanted_layers = self._wanted_layers, []
            self.set_parameter(SNN, "publish_layers", layers)

    def _drop(self, topic: str, error: FerError) -> None:
        now_s = time.monotonic()
        if now_s - self._error_s.get(topic, float("-inf")) > ERROR_PERIOD_S:
            self._error_s[topic] = now_s
            self._add_note(Note(f"message dropped on {topic}: {error}", False))

    def _add_note(self, note: Note) -> None:
        with self._lock:
            self._notes.append(note)


def _live_parameter(node: str, descriptor: Any, value: Any) -> LiveParameter:
    ranges = [*descriptor.integer_range, *descriptor.floating_point_range]
    low, high = (ranges[0].from_value, ranges[0].to_value) if ranges else (0.0, 0.0)
    unit = _UNIT.search(descriptor.description)
    choices = descriptor.additional_constraints.removeprefix("one of ")
    known = choices != descriptor.additional_constraints
    return LiveParameter(
        node,
        descriptor.name,
        value,
        _UNIT.sub("", descriptor.description),
        unit[1] if unit else "",
        float(low),
        float(high),
        tuple(choices.split(", ")) if known else (),
    )


def shown(value: Any) -> str:
    """Return the value of a parameter as people read it."""
    if isinstance(value, float):
        return f"{value:g}"
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
