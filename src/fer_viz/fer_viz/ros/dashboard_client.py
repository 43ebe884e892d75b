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

import rclpy
from rcl_interfaces.srv import (
    DescribeParameters,
    GetParameters,
    ListParameters,
    SetParametersAtomically,
)
from rclpy.clock import Clock, ClockType
from rclpy.context import Context
from rclpy.node import Node
from rclpy.parameter import Parameter, parameter_value_to_python
from rclpy.signals import SignalHandlerOptions

from fer_common.core.errors import FerError
from fer_common.core.stamps import to_ns
from fer_common.ros.executor_thread import ExecutorThread, reraise
from fer_common.ros.image_subscription import AnyImage
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

NAMESPACE = "fer"
#: The nodes whose parameters are shown.
NODES = ("snn", "features", "camera", "viz")
#: How long a click on a label teaches, seconds of the images' stamps.
TEACH_S = 2.0
#: A lesson may take longer, because the network's time is that of the frames.
_LONGEST_LESSON_S = 4 * TEACH_S + 5.0
#: How long a running node's service may take to be discovered.
_DISCOVERY_S = 3.0
_POLL_S, _CHECK_PERIOD_S = 0.1, 0.25
_PARAMETERS = "snn/set_parameters_atomically"
#: Without images for this long, results are shown without.
IMAGE_TIMEOUT_S = 1.0
SPAN_S = 0.5
#: A request without a response is given up after this long.
RESPONSE_TIMEOUT_S = 5.0
#: The same error is not repeated within this time.
ERROR_PERIOD_S = 5.0
#: The value of `publish_layers` for no layer.
_NO_LAYER = "none"
#: Parameters of rclpy, which nobody changes while it runs.
_HIDDEN = ("qos_overrides", "use_sim_time")
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
    """

    def __init__(
        self, namespace: str = NAMESPACE, compressed: bool = False, arguments: Sequence[str] = ()
    ) -> None:
        self._context = Context()
        rclpy.init(
            args=list(arguments),
            context=self._context,
            signal_handler_options=SignalHandlerOptions.NO,
        )
        self._node = Node(
            # Several can run in one process, as in rqt.
            f"fer_dashboard_{os.getpid()}_{next(_NUMBERS)}",
            context=self._context,
            namespace="/" + namespace.strip("/"),
            start_parameter_services=False,
        )
        #: The actual namespace: ROS arguments can change it.
        self.namespace: str = self._node.get_namespace()
        topics = graph_topics(self._node, compressed)
        self.state: SceneBuilder[AnyImage] = SceneBuilder(topics, time.monotonic())
        self.state.configure(SPAN_S, IMAGE_TIMEOUT_S, 0)
        self._listener = GraphListener(
            self._node,
            self.state,
            compressed,
            lambda image: self.state.show(image, time.monotonic()),
            self._drop,
        )
        self._clients = {
            name: self._node.create_client(kind, name)
            for name, kind in (
                ("teach", Teach),
                ("undo", Undo),
                ("learning_report", LearningReport),
                ("list_weights", ListWeights),
                ("save_weights", SaveWeights),
                ("load_weights", LoadWeights),
                ("reset", Reset),
                (_PARAMETERS, SetParametersAtomically),
                # Early, because discovery takes a moment.
                *((f"{node}/list_parameters", ListParameters) for node in NODES),
            )
        }
        self._lock = threading.Lock()
        self._notes: deque[Note] = deque(maxlen=32)
        self._error_s: dict[str, float] = {}
        #: The label that is being taught, empty for none.
        self.lesson = ""
        self._wanted_layers: list[str] = []
        self._closing = threading.Event()
        # One thread: requests are sent in their order, each after the response to the last.
        self._requests = ThreadPoolExecutor(1, "requests")
        self._listener.open_latched()
        self._listener.open_streams()
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._node.create_timer(_CHECK_PERIOD_S, self._request_layers, clock=steady)
        self._thread = ExecutorThread(self._node, reraise)

    def close(self) -> None:
        """Leave the graph."""
        self._closing.set()
        self._requests.shutdown(cancel_futures=True)
        self._thread.close()
        self._node.destroy_node()
        self._context.try_shutdown()

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
            self._set_parameter(node, name, value)
            return Note(f"{name} is now {_text(value)}", True)

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
                if self._client(ListParameters, f"{node}/list_parameters", wait_s=0.5):
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

    def _ask_and_tell(self, service: str, request: Any) -> None:
        def done() -> Note:
            response = self._ask(service, request)
            return Note(response.message, response.success)

        self._submit(done)

    def _client(self, kind: Any, service: str, wait_s: float = 0.0) -> Any:
        """Return the client of a service, None where nobody offers it."""
        if service not in self._clients:
            self._clients[service] = self._node.create_client(kind, service)
        client, end_s = self._clients[service], time.monotonic() + wait_s
        while not client.service_is_ready():
            if time.monotonic() >= end_s or self._closing.wait(0.02):
                return None
        return client

    def _ask(self, service: str, request: Any, kind: Any = None) -> Any:
        """Return the response of a service.

        Raises
        ------
        FerError
            if it is not available or does not answer.
        """
        client, name = self._client(kind, service), self._node.resolve_service_name(service)
        node = service.split("/", maxsplit=1)[0] if "/" in service else "snn"
        if client is None:
            raise FerError(f"{name} is not available: is the {node} node up?")
        answered = threading.Event()
        future = client.call_async(request)
        future.add_done_callback(lambda _: answered.set())
        end_s = time.monotonic() + RESPONSE_TIMEOUT_S
        while not answered.wait(0.05):
            if time.monotonic() > end_s or self._closing.is_set():
                client.remove_pending_request(future)
                raise FerError(f"{name} does not answer: see the log of {node}")
        return future.result()

    def _set_parameter(self, node: str, name: str, value: Any) -> None:
        parameter = Parameter(name, value=value).to_parameter_msg()
        request = SetParametersAtomically.Request(parameters=[parameter])
        service = f"{node}/set_parameters_atomically"
        self._client(SetParametersAtomically, service, wait_s=_DISCOVERY_S)
        result = self._ask(service, request, SetParametersAtomically).result
        if not result.successful:
            raise FerError(result.reason)

    def _parameters(self, node: str) -> list[LiveParameter]:
        def asked(kind: Any, service: str, **names: Any) -> Any:
            name = f"{node}/{service}"
            self._client(kind, name, wait_s=_DISCOVERY_S)
            return self._ask(name, kind.Request(**names), kind)

        found = asked(ListParameters, "list_parameters").result.names
        # Groups are named before a dot; what has no group comes first.
        names = sorted(found, key=lambda name: (name.rpartition(".")[0], name))
        descriptors = asked(DescribeParameters, "describe_parameters", names=names).descriptors
        values = asked(GetParameters, "get_parameters", names=names).values
        return [
            _live_parameter(node, descriptor, parameter_value_to_python(value))
            for descriptor, value in zip(descriptors, values, strict=True)
            if not descriptor.read_only and not descriptor.name.startswith(_HIDDEN)
        ]

    def _teach(self, request: Any) -> Note:
        """Teach in the mode that it needs, and say what was learnt."""
        network = self.state.view(time.monotonic())[1].network
        mode = "" if network is None else network.learning
        before = self._learnt(request.label)
        self.lesson = request.label
        try:
            if mode != "supervised":
                self._set_parameter("snn", "learning", "supervised")
            response = self._ask("teach", request)
            if not response.success:
                return Note(response.message, False)
            end_s = time.monotonic() + _LONGEST_LESSON_S
            while (report := self._ask("learning_report", LearningReport.Request())).teaching:
                if time.monotonic() > end_s or self._closing.wait(_POLL_S):
                    return Note("the lesson does not end: no frames come", False)
        finally:
            self.lesson = ""
            if mode not in ("supervised", ""):
                self._set_parameter("snn", "learning", mode)
        faces = {each.label: each.faces for each in report.labels}
        count = faces.get(request.label, 0) - before
        if count <= 0:
            return Note("no face was learnt: was one in view?", False)
        changes = {each.label: each.field_change for each in report.labels}
        change = changes.get(request.label, float("nan"))
        much = f", its weights have changed by {100 * change:.2g} %" if change == change else ""
        return Note(f"learnt {request.label} from {count} faces{much}", True)

    def _learnt(self, label: str) -> int:
        report = self._ask("learning_report", LearningReport.Request())
        return next((each.faces for each in report.labels if each.label == label), 0)

    # In the executor's thread

    def _request_layers(self) -> None:
        if self._wanted_layers and self._clients[_PARAMETERS].service_is_ready():
            layers, self._wanted_layers = self._wanted_layers, []
            self.set_parameter("snn", "publish_layers", layers)

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


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
