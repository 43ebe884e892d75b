"""Messages from anybody: fields with anything that their types hold, and bytes that are none."""

from __future__ import annotations

import array
import math
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import strategies as st
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage, Image

from fer_common.core import images, stamps
from fer_common.core.errors import FerError
from fer_common.ros import qos
from fer_faults.fuzzing import LONG, SHORT, fuzz
from fer_faults.graph import Health
from fer_faults.ledger import Ledger
from fer_faults.machine import own_mb
from fer_interfaces.msg import ExpressionArray, FaceFeatures, FaceFeaturesArray
from fer_snn.core.recogniser import Recogniser, RecogniserParameters
from fer_snn.core.synapses.learning import Learning
from fer_snn.core.teaching.learner import Learner
from fer_snn.core.weights import weights_file
from fer_snn.ros import messages
from fer_testing.networks import SHAPE, SPEC, small_model
from fer_testing.ros import Graph, end, ros_arguments, wait_for

pytestmark = pytest.mark.timeout(1800)

GROWTH_MB = 40.0

uint32 = st.integers(0, 2**32 - 1)
small = st.integers(0, 40)
sizes = small | uint32
texts = st.text(max_size=20).filter(lambda text: "\0" not in text)
float32s = st.floats(width=32) | st.sampled_from([math.nan, math.inf, -0.0, 1e-45, 3.4e38])


@st.composite
def with_header(draw: st.DrawFn, kind: Any) -> Any:
    message = kind()
    message.header.stamp.sec = draw(st.integers(-(2**31), 2**31 - 1))
    message.header.stamp.nanosec = draw(uint32)
    message.header.frame_id = draw(texts)
    return message


@st.composite
def image_messages(draw: st.DrawFn) -> Image:
    message = draw(with_header(Image))
    message.height, message.width, message.step = draw(sizes), draw(sizes), draw(sizes)
    message.encoding = draw(st.sampled_from(images.ENCODINGS) | texts)
    message.is_bigendian = draw(st.integers(0, 255))
    message.data = array.array("B", draw(st.binary(max_size=600)))
    return message


PICTURE = cv2.imencode(".jpg", np.arange(2700, dtype=np.uint8).reshape(30, 30, 3))[1].tobytes()


@st.composite
def compressed_messages(draw: st.DrawFn) -> CompressedImage:
    message = draw(with_header(CompressedImage))
    message.format = draw(texts)
    data = bytearray(PICTURE)
    for place, value in draw(st.lists(st.tuples(st.integers(0, len(data) - 1), small), max_size=9)):
        data[place] = value
    whole = bytes(data[: draw(st.integers(0, len(data)))])
    message.data = array.array("B", draw(st.just(whole) | st.binary(max_size=300)))
    return message


@st.composite
def features_messages(draw: st.DrawFn) -> FaceFeaturesArray:
    message = draw(with_header(FaceFeaturesArray))
    channels, rows, cols = SHAPE
    fits = draw(st.booleans())
    message.feature_spec = SPEC if fits else draw(texts)
    uint16 = st.integers(0, 2**16 - 1)
    message.channels = channels if fits else draw(uint16)
    message.rows = rows if fits else draw(uint16)
    message.cols = cols if fits else draw(uint16)
    for _ in range(draw(st.integers(0, 4))):
        face = FaceFeatures(id=draw(small | uint32), detection_score=draw(float32s))
        face.roi.width, face.roi.height = draw(uint32), draw(uint32)
        count = draw(st.sampled_from([0, 1, channels * rows * cols]))
        face.features = array.array("f", [draw(float32s)] * count)
        message.faces.append(face)
    return message


def test_images(ledger: Ledger, long: bool) -> None:
    def check(message: Image) -> None:
        try:
            stamps.checked_ns(message.header.stamp)
            picture = images.to_bgr(message)
        except FerError as error:
            assert str(error)
        else:
            assert picture.shape == (message.height, message.width, 3)
            int(picture.sum())

    fuzz("fields of Image", image_messages(), check, ledger, long)


def test_compressed_images(ledger: Ledger, long: bool) -> None:
    def check(message: CompressedImage) -> None:
        try:
            picture = images.decode(message)
        except FerError as error:
            assert str(error)
        else:
            assert picture.ndim == 3

    fuzz("CompressedImage", compressed_messages(), check, ledger, long)


def test_features_never_harm_the_network(ledger: Ledger, long: bool) -> None:
    parameters = RecogniserParameters(learning=Learning.UNSUPERVISED, max_catch_up=0.02)
    recogniser = Recogniser(small_model(), parameters)

    def check(message: FaceFeaturesArray) -> None:
        try:
            frame = messages.read_features(message, recogniser.network.model)
        except FerError as error:
            assert str(error)
            return
        result = recogniser.process(frame)
        assert all(0.0 <= face.answer.confidence <= 1.0 for face in result.faces)
        for stage in recogniser.network.model.stages:
            assert np.isfinite(stage.weights).all()

    fuzz("fields of FaceFeaturesArray", features_messages(), check, ledger, long)


def test_requests(tmp_path: Path, ledger: Ledger, long: bool) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    supervised = RecogniserParameters(learning=Learning.SUPERVISED)
    learner = Learner(small_model(), supervised, folder)
    names = texts | st.text("./\\~-a", max_size=12)
    lessons = st.tuples(names, st.booleans(), uint32 | st.just(0), st.floats())

    def check(value: tuple[tuple[str, bool, int, float], str]) -> None:
        lesson, name = value
        for ask in (
            lambda: learner.teach(*lesson),
            lambda: learner.load(name),
            lambda: learner.save(name) if len(name) < 3 else "",
        ):
            try:
                ask()
            except FerError as error:
                assert str(error)
        assert list(tmp_path.iterdir()) == [folder]
        if len(learner.recogniser.network.model.labels) > 9:
            learner.reset_weights()

    fuzz("requests to snn", st.tuples(lessons, names), check, ledger, long)


@pytest.mark.parametrize(
    ("module", "topic", "good"),
    [
        ("fer_features.ros.node", "image_raw", Image),
        ("fer_snn.ros.node", "features", FaceFeaturesArray),
    ],
)
def test_bytes_that_are_no_message(
    tmp_path: Path, graph: Graph, ledger: Ledger, long: bool, module: str, topic: str, good: Any
) -> None:
    """Over DDS into the process: what the middleware makes of them is part of it."""
    weights_file.save(small_model(), tmp_path / "small.npz")
    snn = module == "fer_snn.ros.node"
    given = ros_arguments(weights="small", weights_dir=tmp_path) if snn else ()
    answers: list[Any] = graph.collect(
        ExpressionArray if snn else FaceFeaturesArray, "expressions" if snn else "features"
    )
    publisher = graph.node.create_publisher(good, topic, qos.EVERY_FRAME)
    health = Health(graph)
    process = graph.start(module, *given)
    wait_for(lambda: publisher.get_subscription_count() == 1, "the subscription")
    graph.wait_until_heard("expressions" if snn else "features")

    def answer(number: int) -> None:
        message = _good_message(good, number)
        wait_for(lambda: _heard(publisher, message, answers), "an answer")

    answer(1)
    before_mb = own_mb(process.pid)
    whole = serialize_message(_good_message(good, 2))
    draw = np.random.default_rng(5)
    count = LONG if long else SHORT
    for k in range(count):
        data = bytearray(whole[: int(draw.integers(4, len(whole) + 1))] if k % 2 else whole[:4])
        if k % 2:
            for place in draw.integers(4, max(len(data), 5), 8):
                data[min(place, len(data) - 1)] = int(draw.choice([0, 255, draw.integers(256)]))
        else:
            data += draw.bytes(int(draw.integers(0, 300)))
        publisher.publish(bytes(data))
        if k % 500 == 499:
            answer(k)
        # So that most are looked at, and not the newest of many only.
        time.sleep(0.002)
    answer(count + 10)
    name = "/snn" if snn else "/features"

    def refused() -> int:
        return int(health.facts(name).get("malformed", "0"))

    wait_for(lambda: refused() > count // 4, "bytes that were refused")
    growth_mb = own_mb(process.pid) - before_mb
    ledger.count(f"fuzzing: raw bytes to {topic}", count, f"grew by {growth_mb:.0f} MB")
    assert growth_mb < GROWTH_MB
    code, output = end(process)
    assert code == 0
    assert "Traceback" not in output


def _heard(publisher: Any, message: Any, answers: list[Any]) -> bool:
    publisher.publish(message)
    return any(answer.header.stamp == message.header.stamp for answer in answers[-5:])


def _good_message(kind: Any, number: int) -> Any:
    message = kind()
    message.header.stamp.sec = 1000 + number
    if kind is Image:
        images.fill(message, np.zeros((24, 32, 3), np.uint8), "bgr8")
        return message
    message.feature_spec = SPEC
    message.channels, message.rows, message.cols = SHAPE
    return message
