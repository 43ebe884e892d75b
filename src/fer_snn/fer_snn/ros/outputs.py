"""The topics of the snn node: who hears them decides what is computed and sent."""

from __future__ import annotations

import math
from collections.abc import Sequence

from std_msgs.msg import Header

from fer_common.core import ros4hri as humans
from fer_common.core import stamps
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
from fer_snn.core.network import EXPRESSION, Network
from fer_snn.core.parameters import NO_LAYER
from fer_snn.core.recogniser import FrameResult
from fer_snn.ros import messages
from fer_snn.ros.humans import Humans


class Outputs:
    """Publishers of the node.

    Latched topics are sent when what they say changes; nothing else is computed for topics that
    nobody hears.

    Raises
    ------
    ConfigurationError
        if a parameter asks for messages of a package that is not installed.
    """

    def __init__(self, node: FerNode) -> None:
        self._node = node
        self._humans = Humans(node) if node.values[humans.PARAMETER] else None
        self._expressions = node.add_publisher(ExpressionArray, "expressions", qos.RESULT)
        self._spikes = node.add_publisher(Spikes, "spikes", qos.RESULT)
        self._potentials = node.add_publisher(Potentials, "potentials", qos.RESULT)
        self._weights = node.add_publisher(Weights, "weights", qos.LATCHED)
        self._network = node.add_publisher(NetworkInfo, "network", qos.LATCHED)
        self._sent_version = -1
        self._sent_s = -math.inf

    def close(self) -> None:
        """Take the publishers away."""
        if self._humans is not None:
            self._humans.close()
        for publisher in (
            self._expressions,
            self._spikes,
            self._potentials,
            self._weights,
            self._network,
        ):
            self._node.destroy_publisher(publisher)

    def spikes_of(self, network: Network) -> Sequence[str]:
        """Return the layers whose spikes somebody wants to hear."""
        return self._layers(network) if subscription_count(self._spikes) else ()

    def potentials_of(self, network: Network) -> Sequence[str]:
        """Return the layers whose potentials somebody wants to hear."""
        return self._layers(network) if subscription_count(self._potentials) else ()

    def _layers(self, network: Network) -> Sequence[str]:
        asked = self._node.values["publish_layers"]
        assert isinstance(asked, tuple)
        wanted = {EXPRESSION, *asked} - {NO_LAYER}
        return [name for name in network.layer_names if name in wanted]

    def publish_frame(
        self,
        source: FaceFeaturesArray,
        result: FrameResult,
        network: Network,
        spikes_of: Sequence[str],
        potentials_of: Sequence[str],
        skipped: int,
    ) -> None:
        """Publish what became of a frame, with the frame's own header."""
        header = source.header
        rois = {face.id: face.roi for face in source.faces}
        answers = messages.expressions_message(header, result, rois, network, skipped)
        self._expressions.publish(answers)
        if self._humans is not None:
            self._humans.publish(answers)
        if spikes_of:
            self._spikes.publish(messages.spikes_message(header, result, spikes_of, network))
        if potentials_of:
            potentials = messages.potentials_message(header, result, potentials_of, network)
            self._potentials.publish(potentials)

    def publish_latched(self, header: Header, network: Network, now: bool = False) -> None:
        """Publish weights and network where they changed, not too often unless `now`."""
        values = self._node.values
        period, limit = values["publish_weights_period"], values["publish_weights_limit"]
        assert isinstance(period, float) and isinstance(limit, int)
        stamp_s = stamps.to_ns(header.stamp) / stamps.NANOSECONDS
        changed = network.version != self._sent_version
        # A stamp before the last one belongs to a recording that began again.
        due = not 0 <= stamp_s - self._sent_s < period
        if now or (changed and due):
            self._weights.publish(messages.weights_message(header, network, limit))
            learning = str(values["learning"])
            self._network.publish(messages.network_message(header, network, learning))
            self._sent_version, self._sent_s = network.version, stamp_s
