"""Messages from anybody to whoever draws: fields with anything that their types hold."""

from __future__ import annotations

import array
import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from fer_common.core.errors import FerError
from fer_common.core.stamps import to_ns
from fer_faults.fuzzing import fuzz
from fer_faults.ledger import Ledger
from fer_faults.machine import own_mb
from fer_interfaces.msg import (
    Expression,
    ExpressionArray,
    FaceFeatures,
    FaceFeaturesArray,
    MembraneTrace,
    NetworkInfo,
    Potentials,
    Projection,
    Spikes,
    SpikeTrain,
    Weights,
)
from fer_viz.core import messages
from fer_viz.core.drawing.renderer import Renderer
from fer_viz.core.parameters import PictureOptions
from fer_viz.core.scene import EXPRESSION_LAYER, selected_face
from fer_viz.core.scene_builder import GraphTopics, SceneBuilder

pytestmark = pytest.mark.timeout(3600)

GROWTH_MB = 60.0
#: To draw takes many times longer than to read.
LOOK_EVERY = 4
IMAGE = np.full((48, 64, 3), 90, np.uint8)
LABELS = ("neutral", "smile", "surprised")

few = st.integers(0, 5)
uint16 = few | st.integers(0, 2**16 - 1)
uint32 = few | st.integers(0, 2**32 - 1)
faces = st.integers(0, 2) | uint32
float32s = st.floats(0, 1, width=32) | st.floats(width=32)
float64s = st.sampled_from([0.001, 0.0, -1.0, math.nan, math.inf, 1e-300, 1e300]) | st.floats()
texts = st.sampled_from(LABELS) | st.text(max_size=12).filter(lambda text: "\0" not in text)
labels = st.just(list(LABELS)) | st.lists(texts, max_size=5)
layers = st.just(EXPRESSION_LAYER) | texts


def some(values: st.SearchStrategy[Any], code: str, count: int) -> st.SearchStrategy[Any]:
    """Return arrays that have `count` elements, or another number."""
    counts = st.just(count) | few
    return counts.flatmap(lambda n: st.builds(lambda value: array.array(code, [value] * n), values))


@st.composite
def stamped(draw: st.DrawFn, kind: Any) -> Any:
    message = kind()
    near = draw(st.booleans())
    stamp = message.header.stamp
    stamp.sec = 100 if near else draw(st.integers(-(2**31), 2**31 - 1))
    stamp.nanosec = draw(st.integers(0, 10) if near else uint32)
    return message


def fill_roi(draw: st.DrawFn, roi: Any) -> None:
    roi.x_offset, roi.y_offset = draw(uint32), draw(uint32)
    roi.width, roi.height = draw(uint32), draw(uint32)


@st.composite
def answers(draw: st.DrawFn) -> ExpressionArray:
    message = draw(stamped(ExpressionArray))
    for _ in range(draw(few)):
        face = Expression(face_id=draw(faces), label=draw(texts), confidence=draw(float32s))
        fill_roi(draw, face.roi)
        face.labels = draw(labels)
        face.scores = draw(some(float32s, "f", len(face.labels)))
        face.rates_hz = draw(some(float32s, "f", len(face.labels)))
        message.expressions.append(face)
    return message


@st.composite
def sightings(draw: st.DrawFn) -> FaceFeaturesArray:
    message = draw(stamped(FaceFeaturesArray))
    for _ in range(draw(few)):
        face = FaceFeatures(id=draw(faces))
        fill_roi(draw, face.roi)
        face.landmarks_px = draw(some(float32s, "f", 12))
        message.faces.append(face)
    return message


@st.composite
def spikes(draw: st.DrawFn) -> Spikes:
    message = draw(stamped(Spikes))
    message.dt, message.steps = draw(float64s), draw(uint32)
    for _ in range(draw(few)):
        train = SpikeTrain(face_id=draw(faces), layer=draw(layers), size=draw(uint32))
        train.neuron, train.step = draw(some(uint32, "I", 3)), draw(some(uint16, "H", 3))
        message.trains.append(train)
    return message


@st.composite
def potentials(draw: st.DrawFn) -> Potentials:
    message = draw(stamped(Potentials))
    message.dt, message.steps = draw(float64s), draw(uint32)
    message.v_rest, message.v_reset = draw(float32s), draw(float32s)
    for _ in range(draw(few)):
        size = draw(uint32)
        trace = MembraneTrace(face_id=draw(faces), layer=draw(layers), size=size)
        trace.potential = draw(some(float32s, "f", min(size * message.steps, 40)))
        trace.threshold = draw(some(float32s, "f", min(size, 40)))
        message.traces.append(trace)
    return message


@st.composite
def weights(draw: st.DrawFn) -> Weights:
    message = draw(stamped(Weights))
    message.labels = draw(labels)
    message.neuron_label = draw(some(uint32, "I", 4))
    field = message.receptive_fields = Projection(channels=draw(uint32))
    field.rows, field.cols, field.channel_names = draw(uint16), draw(uint16), draw(labels)
    count = len(message.labels) * field.channels * field.rows * field.cols
    field.weights = draw(some(float32s, "f", min(count, 400)))
    return message


@st.composite
def networks(draw: st.DrawFn) -> NetworkInfo:
    message = draw(stamped(NetworkInfo))
    message.model, message.labels, message.learning = draw(texts), draw(labels), draw(texts)
    return message


class Viewer:
    """What the viz node does with its messages, without a graph."""

    def __init__(self) -> None:
        topics = GraphTopics("image", "features", "expressions")
        self._builder: SceneBuilder[Any] = SceneBuilder(topics, 0.0)
        self._renderer = Renderer(PictureOptions())
        self._now_s = 0.0
        self._stamp_ns = 0
        self._fields: Any = None

    def take(self, message: Any) -> None:
        """Take a message, or refuse it."""
        self._now_s += 0.1
        take: dict[type, Callable[[Any], None]] = {
            ExpressionArray: self._answers,
            FaceFeaturesArray: self._sightings,
            Spikes: lambda m: self._builder.add_spikes(messages.spikes(m, EXPRESSION_LAYER)),
            Potentials: self._potentials,
            Weights: self._weights,
            NetworkInfo: lambda m: self._builder.set_network(messages.network(m)),
        }
        try:
            take[type(message)](message)
        except FerError as error:
            assert str(error)
            return
        self._stamp_ns = to_ns(message.header.stamp)

    def look(self) -> None:
        """Draw the picture that goes with the last message."""
        shown = self._builder.add_image(self._stamp_ns, IMAGE, self._now_s)
        shown = shown or self._builder.stalled(self._now_s + 10.0)
        assert shown is not None
        picture = self._renderer.draw(IMAGE, self._builder.scene(shown, self._now_s))
        assert picture.shape == self._renderer.shape(IMAGE)

    def _answers(self, message: ExpressionArray) -> None:
        read = messages.results(message)
        self._builder.add_results(read, self._now_s, 0.01)
        selected_face(read.faces, 0)

    def _sightings(self, message: FaceFeaturesArray) -> None:
        self._builder.add_detections(messages.detections(message), self._now_s)

    def _potentials(self, message: Potentials) -> None:
        frames = messages.potentials(message, EXPRESSION_LAYER)
        self._builder.add_potentials(frames)
        if self._fields is not None:
            for frame in frames.values():
                frame.label_means_v(len(self._fields.labels), self._fields.neuron_label)

    def _weights(self, message: Weights) -> None:
        self._fields = messages.receptive_fields(message)
        self._builder.set_fields(self._fields)


KINDS = (answers, sightings, spikes, potentials, weights, networks)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_whatever_comes_the_next_picture_is_drawn(
    ledger: Ledger, long: bool, kind: Callable[[], st.SearchStrategy[Any]]
) -> None:
    """One viewer for all inputs: what one of them leaves behind must not harm the next."""
    viewer = Viewer()
    before_mb = own_mb(os.getpid())
    # Among messages of the other kinds, since a picture shows what all of them say.
    others = st.one_of(*(other() for other in KINDS))

    def check(sent: tuple[Any, Any, int]) -> None:
        *both, turn = sent
        for message in both:
            viewer.take(message)
        if turn == 0:
            viewer.look()

    fuzz(
        f"viz: {kind.__name__}",
        st.tuples(others, kind(), st.integers(0, LOOK_EVERY - 1)),
        check,
        ledger,
        long,
        share=len(KINDS) if long else 1,
    )
    assert own_mb(os.getpid()) - before_mb < GROWTH_MB
