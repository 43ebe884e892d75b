"""Results, spikes, potentials and weights of a graph, read from a bag without ROS."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from fer_common.core.errors import ConfigurationError, MessageError
from fer_common.core.stamps import NANOSECONDS, to_ns
from fer_viz.core import history, messages
from fer_viz.core.history import PotentialFrame, SpikeFrame
from fer_viz.core.messages import ImageFaces
from fer_viz.core.scene import EXPRESSION_LAYER, Raster, ReceptiveFields, Traces

LayerOfFace: TypeAlias = "tuple[str, int]"
TOPICS = ("expressions", "frame_info", "network", "potentials", "spikes", "weights")


@dataclass
class Recording:
    """Messages of one graph in a bag.

    Attributes
    ----------
    results : in the order of the bag.
    frame_index : index of an image in its source, by stamp (nanoseconds).
    spikes, potentials : frames by layer and face id.
    fields : the last receptive fields in the bag, None without any.
    """

    results: list[ImageFaces] = field(default_factory=list)
    frame_index: dict[int, int] = field(default_factory=dict)
    spikes: dict[LayerOfFace, list[SpikeFrame]] = field(default_factory=dict)
    potentials: dict[LayerOfFace, list[PotentialFrame]] = field(default_factory=dict)
    fields: ReceptiveFields | None = None

    @property
    def faces(self) -> list[int]:
        """Ids of the faces with an expression layer, the one seen longest first."""
        count = {
            face: len(self.spikes.get((layer, face), ()))
            + len(self.potentials.get((layer, face), ()))
            for layer, face in {*self.spikes, *self.potentials}
            if layer == EXPRESSION_LAYER
        }
        return sorted(count, key=lambda face: (-count[face], face))

    def window(
        self, face: int, start_s: float, span_s: float
    ) -> tuple[Traces | None, Raster | None]:
        """Return the expression layer of a face, from `start_s` after its first frame.

        Their times are seconds before the end of the window.
        """
        key = (EXPRESSION_LAYER, face)
        potentials, spikes = self.potentials.get(key, []), self.spikes.get(key, [])
        begins = [frames[0].start_ns for frames in (potentials, spikes) if frames]
        if not begins:
            return None, None
        begin_ns = min(begins) + round(start_s * NANOSECONDS)
        end_ns = begin_ns + round(span_s * NANOSECONDS)
        return (
            history.traces([f for f in potentials if begin_ns <= f.start_ns < end_ns], end_ns),
            history.raster([f for f in spikes if begin_ns <= f.start_ns < end_ns], end_ns),
        )

    def add(self, topic: str, message: Any) -> None:
        """Add a message of one of `TOPICS`.

        Raises
        ------
        MessageError
            if its fields are inconsistent.
        """
        if topic == "expressions":
            self.results.append(messages.results(message))
        elif topic == "frame_info":
            self.frame_index[to_ns(message.header.stamp)] = message.index
        elif topic == "spikes":
            for layer in {train.layer for train in message.trains}:
                for face, frame in messages.spikes(message, layer).items():
                    self.spikes.setdefault((layer, face), []).append(frame)
        elif topic == "potentials":
            for layer in {trace.layer for trace in message.traces}:
                for face, trace in messages.potentials(message, layer).items():
                    self.potentials.setdefault((layer, face), []).append(trace)
        elif topic == "weights":
            self.fields = messages.receptive_fields(message)


class OpenBag(Protocol):
    """An open bag, as `fer.bags.reading.opened` gives it."""

    path: Path

    @property
    def topics(self) -> Mapping[str, Any]:
        """Topics by name."""

    def messages(self, topics: Collection[str]) -> Iterable[Any]:
        """Yield messages with `topic` and serialized `data`."""

    def decode(self, topic: str, data: bytes) -> Any:
        """Return a message as an object with its fields."""


def read(bag: OpenBag, namespace: str = "") -> Recording:
    """Read what a bag holds of a graph.

    Parameters
    ----------
    namespace : of the graph; not needed if the bag has only one graph.

    Raises
    ------
    FerError
        if the bag cannot be read, or holds no graph or several graphs.
    """
    recording = Recording()
    for message in bag.messages(_topics(bag, namespace)):
        topic = message.topic.rpartition("/")[2]
        try:
            recording.add(topic, bag.decode(message.topic, message.data))
        except MessageError as error:
            raise ConfigurationError(
                f"a message on {message.topic} cannot be used: {error}"
            ) from error
    return recording


def _topics(bag: OpenBag, namespace: str) -> list[str]:
    """Return the topics of one graph."""
    wanted = "/" + namespace.strip("/") if namespace else None
    found: dict[str, list[str]] = {}
    for topic, recorded in bag.topics.items():
        parent, _, name = topic.rpartition("/")
        ours = name in TOPICS and recorded.type.startswith("fer_interfaces/")
        if ours and wanted in (None, parent or "/"):
            found.setdefault(parent or "/", []).append(topic)
    if not found:
        where = f" in namespace {wanted}" if wanted else ""
        raise ConfigurationError(f"bag {bag.path} holds no topics of fer{where}: record them")
    if len(found) > 1:
        names = ", ".join(sorted(found))
        raise ConfigurationError(f"bag {bag.path} holds several graphs ({names}): give --namespace")
    return next(iter(found.values()))
