"""The dashboard's tie to the graph: a node of its own that listens, and asks when told to."""

from __future__ import annotations

import contextlib
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
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future

from fer_common.core.errors import FerError
from fer_common.ros.image_subscription import AnyImage
from fer_interfaces.srv import LoadWeights, Reset, SaveWeights, Teach
from fer_viz.core.commands import TEACH_S, Note
from fer_viz.core.live import Shot
from fer_viz.core.state import State
from fer_viz.ros.listener import GraphListener, topics

NAMESPACE = "fer"
_PARAMETERS = "snn/set_parameters_atomically"
#: A request without answer for this long is given up.
ANSWER_TIMEOUT_S = 5.0
#: The same complaint is not repeated within this time.
COMPLAINT_PERIOD_S = 5.0
_CHECK_PERIOD_S = 0.25
#: How `publish_layers` says that it is none.
_NO_LAYER = "none"


class Link:
    """Listens to a graph in a thread of its own, in a context of its own; `Commands` too.

    The newest message wins and nobody waits for us, so a window that is slow or frozen costs the
    graph nothing.

    Parameters
    ----------
    namespace : of the graph.
    compressed : take compressed images.
    arguments : command line with ROS arguments, such as remappings.
    """

    def __init__(
        self,
        namespace: str = NAMESPACE,
        compressed: bool = False,
        arguments: Sequence[str] = (),
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
        #: As it came to be: a ROS argument can change it.
        self.namespace: str = self._node.get_namespace()
        self.state: State[AnyImage] = State(topics(self._node, compressed), time.monotonic())
        self._listener = GraphListener(
            self._node, self.state.live, compressed, self._offer, self._drop, self._take
        )
        self._clients = {
            name: self._node.create_client(kind, name)
            for name, kind in (
                ("teach", Teach),
                ("save_weights", SaveWeights),
                ("load_weights", LoadWeights),
                ("reset", Reset),
                (_PARAMETERS, SetParametersAtomically),
            )
        }
        self._pending: dict[Future[Any], tuple[Client[Any, Any], float]] = {}
        self._lock = threading.Lock()
        self._notes: deque[Note] = deque(maxlen=32)
        self._complained_s: dict[str, float] = {}
        self._layers: list[str] | None = None
        self._listener.open_latched()
        self._listener.open_streams()
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._node.create_timer(_CHECK_PERIOD_S, self._look_after, clock=steady)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._spin, name="dashboard", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Leave the graph."""
        self._executor.shutdown()
        self._thread.join()
        self._node.destroy_node()
        self._context.try_shutdown()

    # Requests

    def teach(self, label: str, face_id: int, new_label: bool = False) -> None:
        """Learn that a face (0: the largest) shows an expression."""
        request = Teach.Request(label=label, new_label=new_label, face_id=face_id, duration=TEACH_S)
        self._ask("teach", request)

    def set_learning(self, mode: str) -> None:
        """Set the parameter `learning` of the network's node."""
        self._set("learning", mode)

    def save_weights(self, name: str) -> None:
        """Keep the weights under a name."""
        self._ask("save_weights", SaveWeights.Request(name=name))

    def load_weights(self, name: str) -> None:
        """Take the weights of a name."""
        self._ask("load_weights", LoadWeights.Request(name=name))

    def reset(self, weights: bool) -> None:
        """Put the network back."""
        what = Reset.Request.WEIGHTS if weights else Reset.Request.STATE
        self._ask("reset", Reset.Request(what=what))

    def publish_layers(self, layers: Sequence[str]) -> None:
        """Set the parameter `publish_layers` of the network's node, as soon as that is there."""
        self._layers = list(layers) or [_NO_LAYER]
        self._ask_for_layers()

    def notes(self) -> list[Note]:
        """Return what has come of requests, and complaints, since the last call."""
        with self._lock:
            notes = list(self._notes)
            self._notes.clear()
            return notes

    def _set(self, name: str, value: str | list[str]) -> None:
        parameter = Parameter(name, value=value).to_parameter_msg()
        text = value if isinstance(value, str) else ", ".join(value)
        request = SetParametersAtomically.Request(parameters=[parameter])
        self._ask(_PARAMETERS, request, f"{name} is now {text}")

    def _ask(self, service: str, request: Any, done: str = "") -> None:
        client = self._clients[service]
        if not client.service_is_ready():
            self._note(f"nobody offers {client.service_name}: is the snn node up?", False)
            return
        future = client.call_async(request)
        with self._lock:
            self._pending[future] = (client, time.monotonic() + ANSWER_TIMEOUT_S)
        future.add_done_callback(lambda future: self._answered(future, done))

    def _answered(self, future: Future[Any], done: str) -> None:
        with self._lock:
            self._pending.pop(future, None)
        response = future.result()
        if response is None:
            return
        if hasattr(response, "result"):
            good = response.result.successful
            self._note(done if good else response.result.reason, good)
        else:
            self._note(response.message, response.success)

    def _ask_for_layers(self) -> None:
        if self._layers is not None and self._clients[_PARAMETERS].service_is_ready():
            layers, self._layers = self._layers, None
            self._set("publish_layers", layers)

    def _look_after(self) -> None:
        """Ask for what had to wait, and give up what was not answered."""
        self._ask_for_layers()
        now_s = time.monotonic()
        with self._lock:
            late = [
                (future, client)
                for future, (client, end_s) in self._pending.items()
                if now_s > end_s
            ]
            for future, _ in late:
                del self._pending[future]
        for future, client in late:
            client.remove_pending_request(future)
            self._note(f"{client.service_name} does not answer: see the log of snn", False)

    # What arrives, in the executor's thread

    def _offer(self, shot: Shot[AnyImage]) -> None:
        self.state.offer(shot, time.monotonic())

    def _take(self, topic: str, message: Any) -> None:
        self.state.take(topic, message, time.monotonic())

    def _drop(self, topic: str, error: FerError) -> None:
        now_s = time.monotonic()
        if now_s - self._complained_s.get(topic, float("-inf")) > COMPLAINT_PERIOD_S:
            self._complained_s[topic] = now_s
            self._note(f"message dropped on {topic}: {error}", False)

    def _note(self, text: str, good: bool) -> None:
        with self._lock:
            self._notes.append(Note(text, good))

    def _spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            self._executor.spin()
