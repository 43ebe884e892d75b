"""The dashboard's connection to the graph: a node of its own that listens and sends requests."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

import rclpy
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.client import Client
from rclpy.clock import Clock, ClockType
from rclpy.context import Context
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future

from fer_common.core.errors import FerError
from fer_common.ros.executor_thread import ExecutorThread, reraise
from fer_common.ros.image_subscription import AnyImage
from fer_interfaces.srv import LoadWeights, Reset, SaveWeights, Teach
from fer_viz.core.dashboard_state import TEACH_S, DashboardState, Note
from fer_viz.ros.listener import GraphListener, graph_topics

NAMESPACE = "fer"
_PARAMETERS = "snn/set_parameters_atomically"
_SERVICES = {
    "teach": Teach,
    "save_weights": SaveWeights,
    "load_weights": LoadWeights,
    "reset": Reset,
    _PARAMETERS: SetParametersAtomically,
}
#: A request without a response is given up after this long.
RESPONSE_TIMEOUT_S = 5.0
#: The same error is not repeated within this time.
ERROR_PERIOD_S = 5.0
_CHECK_PERIOD_S = 0.25
#: The value of `publish_layers` for no layer.
_NO_LAYER = "none"


class DashboardClient:
    """Listens to a graph and sends it requests, in a thread and context of its own.

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
            f"fer_dashboard_{os.getpid()}",
            context=self._context,
            namespace="/" + namespace.strip("/"),
            start_parameter_services=False,
        )
        #: The actual namespace: ROS arguments can change it.
        self.namespace: str = self._node.get_namespace()
        topics = graph_topics(self._node, compressed)
        self.state: DashboardState[AnyImage] = DashboardState(topics, time.monotonic())
        self._listener = GraphListener(
            self._node,
            self.state,
            compressed,
            lambda image: self.state.show(image, time.monotonic()),
            self._drop,
            lambda topic, message, data: self.state.add_message(topic, message),
        )
        self._clients = {
            name: self._node.create_client(kind, name) for name, kind in _SERVICES.items()
        }
        self._pending: dict[Future[Any], tuple[Client[Any, Any], float]] = {}
        self._lock = threading.Lock()
        self._notes: deque[Note] = deque(maxlen=32)
        self._error_s: dict[str, float] = {}
        self._wanted_layers: list[str] = []
        self._listener.open_latched()
        self._listener.open_streams()
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._node.create_timer(_CHECK_PERIOD_S, self._check_requests, clock=steady)
        self._thread = ExecutorThread(self._node, reraise)

    def close(self) -> None:
        """Leave the graph."""
        self._thread.close()
        self._node.destroy_node()
        self._context.try_shutdown()

    # Requests

    def teach(self, label: str, face_id: int, new_label: bool = False) -> None:
        """Teach that a face (0: the largest) shows an expression, for `TEACH_S` seconds."""
        request = Teach.Request(label=label, new_label=new_label, face_id=face_id, duration=TEACH_S)
        self._call("teach", request)

    def set_learning(self, mode: str) -> None:
        """Set the learning mode, one of `LEARNING_MODES`."""
        self._set_parameter("learning", mode)

    def save_weights(self, name: str) -> None:
        """Save the weights under a name."""
        self._call("save_weights", SaveWeights.Request(name=name))

    def load_weights(self, name: str) -> None:
        """Load the weights with a name; "default" is the model of the package."""
        self._call("load_weights", LoadWeights.Request(name=name))

    def reset(self, weights: bool) -> None:
        """Reset potentials and results, and on demand the weights."""
        what = Reset.Request.WEIGHTS if weights else Reset.Request.STATE
        self._call("reset", Reset.Request(what=what))

    def publish_layers(self, layers: Sequence[str]) -> None:
        """Request spikes and potentials of other layers, as soon as the snn node is running."""
        self._wanted_layers = list(layers) or [_NO_LAYER]
        self._request_layers()

    def notes(self) -> list[Note]:
        """Return the outcome of requests, and errors, since the last call."""
        with self._lock:
            notes = list(self._notes)
            self._notes.clear()
            return notes

    def _set_parameter(self, name: str, value: str | list[str]) -> None:
        parameter = Parameter(name, value=value).to_parameter_msg()
        text = value if isinstance(value, str) else ", ".join(value)
        request = SetParametersAtomically.Request(parameters=[parameter])
        self._call(_PARAMETERS, request, f"{name} is now {text}")

    def _call(self, service: str, request: Any, done: str = "") -> None:
        client = self._clients[service]
        if not client.service_is_ready():
            self._add_note(f"{client.service_name} is not available: is the snn node up?", False)
            return
        future = client.call_async(request)
        with self._lock:
            self._pending[future] = (client, time.monotonic() + RESPONSE_TIMEOUT_S)
        future.add_done_callback(lambda future: self._finish(future, done))

    def _finish(self, future: Future[Any], done: str) -> None:
        with self._lock:
            self._pending.pop(future, None)
        response = future.result()
        if response is None:
            return
        if hasattr(response, "result"):
            good = response.result.successful
            self._add_note(done if good else response.result.reason, good)
        else:
            self._add_note(response.message, response.success)

    def _request_layers(self) -> None:
        if self._wanted_layers and self._clients[_PARAMETERS].service_is_ready():
            layers, self._wanted_layers = self._wanted_layers, []
            self._set_parameter("publish_layers", layers)

    def _check_requests(self) -> None:
        """Send requests that had to wait, and give up those without a response."""
        self._request_layers()
        now_s = time.monotonic()
        with self._lock:
            late = {
                future: client for future, (client, end_s) in self._pending.items() if now_s > end_s
            }
            for future in late:
                del self._pending[future]
        for future, client in late.items():
            client.remove_pending_request(future)
            self._add_note(f"{client.service_name} does not answer: see the log of snn", False)

    # In the executor's thread

    def _drop(self, topic: str, error: FerError) -> None:
        now_s = time.monotonic()
        if now_s - self._error_s.get(topic, float("-inf")) > ERROR_PERIOD_S:
            self._error_s[topic] = now_s
            self._add_note(f"message dropped on {topic}: {error}", False)

    def _add_note(self, text: str, good: bool) -> None:
        with self._lock:
            self._notes.append(Note(text, good))
