"""The topics of the snn node. Only what somebody subscribes to is computed and sent."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

from rclpy.publisher import Publisher
from std_msgs.msg import Header

from fer_common.core import ros4hri, stamps
from fer_common.ros import qos
from fer_common.ros.node import FerNode, subscription_count
from fer_interfaces.msg import (
    ExpressionArray,
    FaceFeaturesArray,
    NetworkInfo,
    Potentials,
    Spikes,
    Weights,
)
from fer_snn.core.network import EXPRESSION, Network, RecordedLayers
from fer_snn.core.parameters import SPIKES_ONLY
from fer_snn.core.recogniser import FrameResult
from fer_snn.ros import messages
from fer_snn.ros.hri import HriExpressions


class SnnOutputs:
    """Publishers of the node.

    Latched topics are sent when their content changes.

    Raises
    ------
    ConfigurationError
        if a parameter needs messages of a package that is not installed.
    """

    def __init__(self, node: FerNode) -> None:
        self._node = node
        self._hri = HriExpressions(node) if node.values[ros4hri.PARAMETER] else None
        self._expressions = node.add_publisher(ExpressionArray, "expressions", qos.RESULT)
        self._spikes = node.add_publisher(Spikes, "spikes", qos.RESULT)
        self._potentials = node.add_publisher(Potentials, "potentials", qos.RESULT)
        self._weights = node.add_publisher(Weights, "weights", qos.LATCHED)
        self._network = node.add_publisher(NetworkInfo, "network", qos.LATCHED)
        self._header = Header()
        self._sent_version = -1
        self._sent_s = -math.inf

    def close(self) -> None:
        """Destroy the publishers."""
        if self._hri is not None:
            self._hri.close()
        topics = (self._expressions, self._spikes, self._potentials, self._weights, self._network)
        for publisher in topics:
            self._node.destroy_publisher(publisher)

    def recording(self, network: Network) -> RecordedLayers:
        """Return the layers to record in the next frame, given the present subscribers."""
        asked = self._node.values["publish_layers"]
        assert isinstance(asked, tuple)
        with_potentials = {EXPRESSION, *asked}
        with_spikes = {str(name).removesuffix(SPIKES_ONLY) for name in with_potentials}

        def layers(wanted: Collection[object], publisher: Publisher[Any]) -> tuple[str, ...]:
            heard = subscription_count(publisher)
            return tuple(name for name in network.layer_names if heard and name in wanted)

        return RecordedLayers(
            layers(with_spikes, self._spikes), layers(with_potentials, self._potentials)
        )

    def publish_frame(
        self, source: FaceFeaturesArray, result: FrameResult, network: Network, skipped: int
    ) -> None:
        """Publish the result of a frame, with the header of its message `source`."""
        self._header = source.header
        recording = result.frame.recording
        # First, because a picture is drawn when its answer comes.
        if recording.spikes:
            self._spikes.publish(messages.spikes_message(source.header, result, network))
        if recording.potentials:
            self._potentials.publish(messages.potentials_message(source.header, result, network))
        answers = messages.expressions_message(source, result, network, skipped)
        self._expressions.publish(answers)
        if self._hri is not None:
            self._hri.publish(answers)
        self.publish_latched(network)

    def publish_latched(self, network: Network, now: bool = False) -> None:
        """Publish weights and network if they have changed; `now` ignores the minimum period."""
        values = self._node.values
        period, limit = values["publish_weights_period"], values["publish_weights_limit"]
        assert isinstance(period, float) and isinstance(limit, int)
        stamp_s = stamps.to_ns(self._header.stamp) / stamps.NANOSECONDS
        changed = network.version != self._sent_version
        # A stamp before the last one means that a recording started again.
        due = not 0 <= stamp_s - self._sent_s < period
        if now or (changed and due):
            self._weights.publish(messages.weights_message(self._header, network, limit))
            learning = str(values["learning"])
            self._network.publish(messages.network_message(self._header, network, learning))
            self._sent_version, self._sent_s = network.version, stamp_s
