"""All work on a frame in features and snn, messages and their serialisation included.

    image -> alignment, Gabor -> features message -> 33 steps with STDP -> three messages

With the model that fer comes with, as the nodes do it, but in one process. The cost of the
transport is in the figures of the whole graph.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from rclpy.serialization import deserialize_message, serialize_message

from fer_bench import scenes
from fer_bench.measure import OWN, Context
from fer_bench.network import STEPS_PER_FRAME
from fer_bench.results import Measurement
from fer_bench.scenes import Picture
from fer_features.core.alignment import CropGeometry, align_face
from fer_features.core.detector import DetectorParameters, FaceDetector
from fer_features.core.gabor import GaborBank, GaborParameters, reference_features
from fer_features.core.pipeline import FaceObservation, FeatureParameters, FeaturePipeline
from fer_features.core.windows import whole_picture
from fer_features.ros.messages import features_message
from fer_interfaces.msg import FaceFeaturesArray
from fer_snn.core.network import EXPRESSION, Network, RecordedLayers
from fer_snn.core.parameters import TABLE, recogniser_parameters
from fer_snn.core.recogniser import Recogniser
from fer_snn.core.synapses.learning import Learning
from fer_snn.ros.messages import (
    expressions_message,
    potentials_message,
    read_features,
    spikes_message,
)

PART = "frame"
PLAIN = "the same, written plainly"
_RECORDING = RecordedLayers((EXPRESSION,), (EXPRESSION,))


class Snn:
    """The snn node's work, without its node."""

    def __init__(self, learning: Learning = Learning.UNSUPERVISED) -> None:
        parameters = replace(recogniser_parameters(TABLE.defaults()), learning=learning)
        self._recogniser = Recogniser(scenes.model(), parameters)

    def work(self, data: bytes) -> None:
        """Read a features message, advance the network, write the answers."""
        message = deserialize_message(data, FaceFeaturesArray)
        network = self._recogniser.network
        result = self._recogniser.process(read_features(message, network.model, _RECORDING))
        for answer in (
            expressions_message(message, result, network, 0),
            spikes_message(message.header, result, network),
            potentials_message(message.header, result, network),
        ):
            serialize_message(answer)


def measure(context: Context) -> Iterator[Measurement]:
    """Measure the work with and without the detector."""
    race = partial(context.race, PART, unit="ms", per_call=1e3)
    works = {OWN: _without_detector(), PLAIN: plain_work(detect=False)}
    name = "alignment, Gabor, 33 steps with STDP, messages"
    yield replace(race(name, works=works), limit=1.2)
    works = {OWN: _whole_work(), PLAIN: plain_work(detect=True)}
    name = "the same with the detector, 640x480"
    yield replace(race(name, works=works), limit=3.5)


def _without_detector() -> Callable[[], object]:
    frame = scenes.clip()[0]
    face = scenes.observe(frame)
    eyes, geometry, bank = scenes.eyes_px(face), CropGeometry(), GaborBank(GaborParameters())
    snn, stamps = Snn(), scenes.Stamps()

    def work() -> None:
        aligned = align_face(frame, eyes, geometry)
        assert aligned is not None
        seen = replace(face, crop=aligned.crop, features=bank.features(aligned.crop))
        snn.work(sent(stamps, frame, [seen]))

    return work


def _whole_work() -> Callable[[], object]:
    pipeline, snn, stamps = FeaturePipeline(), Snn(), scenes.Stamps()
    frames = scenes.clip()
    # There and back again, so that no face jumps.
    following = itertools.cycle([*frames, *frames[-2:0:-1]])

    def work() -> None:
        frame = next(following)
        faces = pipeline.process(frame, stamps.now_ns + scenes.PERIOD_NS)
        snn.work(sent(stamps, frame, faces))

    return work


def sent(stamps: scenes.Stamps, frame: Picture, faces: list[FaceObservation]) -> bytes:
    """Return the features message of a frame as it goes over the wire."""
    size = (frame.shape[1], frame.shape[0])
    message = features_message(stamps.next(), size, FeatureParameters(), faces, 0)
    return bytes(serialize_message(message))


def plain_work(detect: bool) -> Callable[[], object]:
    """Return the work without optimisations: whole frames, filter2D, NumPy."""
    frame = scenes.clip()[0]
    eyes, geometry, bank = scenes.eyes_px(scenes.observe(frame)), CropGeometry(), GaborParameters()
    detector = FaceDetector(DetectorParameters(model="back"))
    whole = whole_picture(frame.shape[1], frame.shape[0])
    network = Network(
        scenes.model(), recogniser_parameters(TABLE.defaults()).network, compiled=False
    )
    advance = partial(network.advance, network.new_face(), plastic=True)

    def work() -> None:
        if detect:
            detector.detect(frame, whole)
        aligned = align_face(frame, eyes, geometry)
        assert aligned is not None
        advance(reference_features(aligned.crop, bank), STEPS_PER_FRAME)

    return work
