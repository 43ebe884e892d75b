"""Watches a running graph: which nodes are up, which frames were published, what was answered."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from rclpy.clock import Clock, ClockType
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy

from fer.bringup.graph import CAMERA
from fer.client import connect
from fer.report.summary import FaceAnswer, RunRecord
from fer_common.core.errors import FerError
from fer_common.core.graph_names import SNN
from fer_common.core.stamps import to_ns
from fer_common.core.statistics import StreamStatistics
from fer_common.ros.clock import age_s
from fer_common.ros.node_parameters import NodeParameters
from fer_interfaces.msg import ExpressionArray, FrameInfo
from fer_snn.core.labels import canonical
from fer_snn.core.parameters import ALL_LABELS

NODE_NAME = "fer_up"
_ASK_PERIOD_S = 0.1
_ANSWER_TIMEOUT_S = 2.0
#: Deep, so that a busy moment of ours does not look like a loss in the graph.
_COUNTING = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=200, reliability=ReliabilityPolicy.RELIABLE
)


@dataclass(frozen=True)
class RunStatus:
    """What the graph does now.

    Attributes
    ----------
    label, confidence : of the largest face, empty and 0 without a face.
    faces : number of faces in view.
    rate_hz : expression messages per second over the last seconds.
    latency_ms : median time from image stamp to expression over the last seconds, NaN for none.
    age_s : time since the last expression message, infinite before the first.
    skipped : frames that count and were not answered.
    trouble : report of the node in the worst state, empty while all are well.
    """

    label: str
    confidence: float
    faces: int
    rate_hz: float
    latency_ms: float
    age_s: float
    skipped: int
    trouble: str = ""


class RunMonitor:
    """Listens to frames and answers in a thread of its own.

    Parameters
    ----------
    namespace : namespace of the graph.
    nodes : names of the nodes that have to come up.
    record : takes what is received.
    use_sim_time : whether the graph takes the time from /clock.

    Attributes
    ----------
    first_stamp_ns : stamp of the first answer after every node was active and the camera heard.
    source : what the camera node plays (FrameInfo.source), empty before the first frame.
    """

    def __init__(
        self, namespace: str, nodes: Iterable[str], record: RunRecord, use_sim_time: bool = False
    ) -> None:
        self._record = record
        self._statistics = StreamStatistics()
        self._last: ExpressionArray | None = None
        self.first_stamp_ns: int | None = None
        self.source = ""
        self._states: dict[str, str] = dict.fromkeys(nodes, "silent")
        self._asked: dict[str, tuple[Any, float]] = {}
        self._client = connect(namespace, NODE_NAME, use_sim_time)
        node = self._client.node
        self._state_clients = {
            name: node.create_client(GetState, f"{name}/get_state") for name in self._states
        }
        node.create_subscription(FrameInfo, "frame_info", self._on_frame, _COUNTING)
        node.create_subscription(ExpressionArray, "expressions", self._on_expressions, _COUNTING)
        self._client.watch_health()
        self._timer = node.create_timer(
            _ASK_PERIOD_S, self._ask_states, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

    @property
    def not_active(self) -> dict[str, str]:
        """State of every node that has not been active yet; "silent": it has not answered."""
        return {name: state for name, state in self._states.items() if state != "active"}

    @property
    def now_ns(self) -> int:
        """Present time by the clock of the stamps."""
        return int(self._client.node.get_clock().now().nanoseconds)

    def allowed_labels(self) -> frozenset[str]:
        """Return the labels that the network may answer, empty for all or if it does not say."""
        try:
            names = NodeParameters(self._client, SNN).get(["labels"])["labels"]
        except FerError:
            return frozenset()
        return frozenset() if names == (ALL_LABELS,) else frozenset(map(canonical, names))

    def others(self, own: Collection[int]) -> dict[str, int]:
        """Return the process ids of nodes that have a name of ours, by name.

        Parameters
        ----------
        own : process ids of our nodes, past ones included.
        """
        ours = {"", *map(str, own)}
        return {
            name: int(pid)
            for name, pids in list(self._client.reporters.items())
            for pid in pids
            if name in self._states and pid not in ours
        }

    def status(self) -> RunStatus:
        """Return what the graph does now."""
        now_s = time.monotonic()
        last = self._last
        expressions = last.expressions if last else []
        largest = max(expressions, key=_area_px, default=None)
        return RunStatus(
            label=largest.label if largest else "",
            confidence=largest.confidence if largest else 0.0,
            faces=len(expressions),
            rate_hz=self._statistics.rate_hz(now_s),
            latency_ms=self._statistics.latency_ms(0.5),
            age_s=self._statistics.age_s(now_s),
            skipped=self._record.skipped,
            trouble=self._client.worst_health(),
        )

    def close(self) -> None:
        """Leave the graph."""
        self._client.close()

    def _on_frame(self, message: FrameInfo) -> None:
        self.source = message.source
        self._record.published(to_ns(message.header.stamp), message.index)

    def _on_expressions(self, message: ExpressionArray) -> None:
        stamp_ns = to_ns(message.header.stamp)
        latency_s = age_s(self._client.node, stamp_ns)
        answers = [
            FaceAnswer(face.face_id, face.label, _area_px(face)) for face in message.expressions
        ]
        self._record.answered(stamp_ns, latency_s, answers)
        self._statistics.add(time.monotonic(), latency_s)
        self._last = message
        # Answers may be heard before the camera is, and then the source is not known yet.
        knows_source = bool(self.source) or CAMERA not in self._states
        if self.first_stamp_ns is None and not self.not_active and knows_source:
            self.first_stamp_ns = stamp_ns

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
