"""Listens to a running graph: is every node up, which frames were published, what was answered."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from rclpy.clock import Clock, ClockType
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions

from fer.bringup.graph import CAMERA, absolute
from fer.report.summary import Answer, RunRecord
from fer_common.core.stamps import to_ns
from fer_common.core.statistics import StreamStatistics
from fer_interfaces.msg import ExpressionArray, FrameInfo

NODE_NAME = "fer_up"
_ASK_PERIOD_S = 0.1
_ANSWER_TIMEOUT_S = 2.0
#: Deep, so that a busy moment of ours does not look like a loss of the graph's.
_COUNTING = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=200, reliability=ReliabilityPolicy.RELIABLE
)


@dataclass(frozen=True)
class View:
    """What the graph does now.

    Attributes
    ----------
    label, confidence : of the largest face, empty and 0 without a face.
    faces : number of faces in view.
    rate_hz : expression messages per second over the last seconds.
    latency_ms : median time from image stamp to expression over the last seconds, NaN for none.
    age_s : time since the last expression message, infinite before the first.
    skipped : frames that counted and were not answered.
    trouble : what the node in the worst state says of itself, empty while all is well.
    """

    label: str
    confidence: float
    faces: int
    rate_hz: float
    latency_ms: float
    age_s: float
    skipped: int
    trouble: str = ""


class Observer:
    """A ROS node of its own context that spins in a thread of its own.

    Parameters
    ----------
    namespace : namespace of the graph.
    nodes : names of the nodes that have to come up.
    record : takes what is received.
    """

    def __init__(self, namespace: str, nodes: Iterable[str], record: RunRecord) -> None:
        self._record = record
        self._statistics = StreamStatistics()
        self._last: ExpressionArray | None = None
        self._first_stamp_ns: int | None = None
        self._source = ""
        self._states: dict[str, str] = dict.fromkeys(nodes, "silent")
        self._context = Context()
        rclpy.init(context=self._context, signal_handler_options=SignalHandlerOptions.NO)
        self._node = Node(
            NODE_NAME,
            namespace=absolute(namespace),
            context=self._context,
            start_parameter_services=False,
        )
        self._node.create_subscription(FrameInfo, "frame_info", self._on_frame, _COUNTING)
        self._node.create_subscription(
            ExpressionArray, "expressions", self._on_expressions, _COUNTING
        )
        self._node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)
        self._health: dict[str, DiagnosticStatus] = {}
        self._state_clients = {
            name: self._node.create_client(GetState, f"{name}/get_state") for name in self._states
        }
        self._asked: dict[str, tuple[Any, float]] = {}
        self._timer = self._node.create_timer(
            _ASK_PERIOD_S, self._ask_states, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._spin, name="observer", daemon=True)
        self._thread.start()

    @property
    def not_active(self) -> dict[str, str]:
        """State of every node that has not been active yet; "silent": it has not answered."""
        return {name: state for name, state in self._states.items() if state != "active"}

    @property
    def first_stamp_ns(self) -> int | None:
        """Stamp of the first answer after every node was active and the camera heard, else None."""
        return self._first_stamp_ns

    @property
    def source(self) -> str:
        """What the camera node plays (FrameInfo.source), empty before the first frame."""
        return self._source

    def view(self) -> View:
        """Return what the graph does now."""
        now_s = time.monotonic()
        last = self._last
        expressions = last.expressions if last else []
        largest = max(expressions, key=_area_px, default=None)
        return View(
            label=largest.label if largest else "",
            confidence=largest.confidence if largest else 0.0,
            faces=len(expressions),
            rate_hz=self._statistics.rate_hz(now_s),
            latency_ms=self._statistics.latency_ms(0.5),
            age_s=self._statistics.age_s(now_s),
            skipped=self._record.skipped,
            trouble=self._trouble(),
        )

    def close(self) -> None:
        """Leave the graph."""
        self._executor.shutdown()
        self._thread.join()
        self._node.destroy_node()
        self._context.try_shutdown()

    def _spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            self._executor.spin()

    def _on_frame(self, message: FrameInfo) -> None:
        self._source = message.source
        self._record.published(to_ns(message.header.stamp), message.index)

    def _on_expressions(self, message: ExpressionArray) -> None:
        received_ns = time.time_ns()
        stamp_ns = to_ns(message.header.stamp)
        answers = [Answer(face.face_id, face.label, _area_px(face)) for face in message.expressions]
        self._record.answered(stamp_ns, received_ns, answers)
        self._statistics.add(time.monotonic(), (received_ns - stamp_ns) / 1e9)
        self._last = message
        # Answers may be heard before the camera is, and then nobody knows yet what is played.
        knows_source = bool(self._source) or CAMERA not in self._states
        if self._first_stamp_ns is None and not self.not_active and knows_source:
            self._first_stamp_ns = stamp_ns

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        prefix = absolute(self._node.get_namespace()).rstrip("/") + "/"
        for status in message.status:
            if status.name.startswith(prefix):
                self._health[status.name.removeprefix(prefix)] = status

    def _trouble(self) -> str:
        worst = max(list(self._health.items()), key=lambda item: item[1].level, default=None)
        if worst is None or worst[1].level == DiagnosticStatus.OK:
            return ""
        return f"{worst[0]}: {worst[1].message}"

    def _ask_states(self) -> None:
        now_s = time.monotonic()
        for name in self.not_active:
            self._take_state(name, now_s)
            client = self._state_clients[name]
            if name not in self._asked and client.service_is_ready():
                self._asked[name] = (client.call_async(GetState.Request()), now_s)
        if not self.not_active:
            self._timer.cancel()

    def _take_state(self, name: str, now_s: float) -> None:
        future, since_s = self._asked.get(name, (None, 0.0))
        if future is None:
            return
        if future.done():
            state = future.result().current_state
            self._states[name] = "active" if state.id == State.PRIMARY_STATE_ACTIVE else state.label
        elif now_s - since_s < _ANSWER_TIMEOUT_S:
            return
        else:
            # A node that died in between never answers.
            self._state_clients[name].remove_pending_request(future)
        del self._asked[name]


def _area_px(expression: Any) -> int:
    return int(expression.roi.width) * int(expression.roi.height)
