"""The pieces of a frame's work, and training, each beside the plain way to do the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import Image

from fer_bench import scenes
from fer_bench.measure import OWN, Contestant, Context, compared, interleaved
from fer_bench.network import N_INPUT, NUMPY, STEPS_PER_FRAME, Case, Own
from fer_bench.results import Measurement
from fer_bench.scenes import Picture
from fer_common.core import images
from fer_features.core.alignment import CropGeometry, align_face, similarity
from fer_features.core.detector import DetectorParameters, FaceDetector
from fer_features.core.gabor import GaborBank, GaborParameters, reference_features
from fer_features.core.pipeline import FaceObservation, FeatureParameters
from fer_features.core.search import MARGIN, SMALLEST_PART
from fer_features.core.windows import whole_picture, windows_around
from fer_features.ros.messages import features_message
from fer_interfaces.msg import FaceFeatures, FaceFeaturesArray
from fer_snn.core.network import Network
from fer_snn.core.parameters import TABLE, network_parameters, supervised_parameters
from fer_snn.core.synapses.learning import teach
from fer_snn.ros.messages import read_features
from fer_train.training import PRESENTATIONS_PER_FACE

PART = "micro"
_FACES = 64
_TRAINING_FACES = 30_000
_US_PER_MINUTE = 60e6
_GEOMETRY = CropGeometry()


def measure(context: Context) -> Iterator[Measurement]:
    """Measure all pieces."""
    case = Case(1, plastic=False)
    steps = {OWN: Own(case).frame, NUMPY: Own(case, compiled=False).frame}
    yield context.race(PART, f"LIF step, {N_INPUT} neurons", "us", steps, STEPS_PER_FRAME)
    yield _stdp(context)
    for name, works in (_vision() | _messages()).items():
        yield context.race(PART, name, "us", works)


def measure_training(context: Context) -> Iterator[Measurement]:
    """Measure a presentation of a face, and learning from it."""
    learners = {OWN: _learner(True), NUMPY: _learner(False)}
    shown = context.race("training", "a face shown and learnt", "us", learners)
    yield shown
    presentations = PRESENTATIONS_PER_FACE * _TRAINING_FACES
    name = f"a training of {presentations} faces shown"
    yield Measurement("training", name, "min", shown.value * presentations / _US_PER_MINUTE)


def _stdp(context: Context) -> Measurement:
    """Return what STDP adds to a step: the difference between steps with and without it."""

    def contestant(compiled: bool) -> Contestant:
        on, off = (Own(Case(30, plastic), compiled) for plastic in (True, False))
        return lambda: max(on.step_us(context.least_s) - off.step_us(context.least_s), 1e-3)

    costs = interleaved({OWN: contestant(True), NUMPY: contestant(False)}, context.rounds)
    return Measurement(PART, f"STDP step, {N_INPUT} x 30 synapses", "us", *compared(costs))


def _learner(compiled: bool) -> Callable[[], object]:
    """Return what shows a random face to the default network and teaches it."""
    values, model = TABLE.defaults(), scenes.model()
    rule, rng = supervised_parameters(values), np.random.default_rng(0)
    network = Network(model, network_parameters(values), compiled=compiled)
    n_steps = network.parameters.steps(rule.presentation)
    features = scenes.observe(scenes.clip()[0]).features
    assert features is not None
    faces = np.abs(features + rng.normal(0, 0.05, (_FACES, *features.shape))).astype(np.float32)

    def work() -> None:
        counts = network.present(faces[rng.integers(_FACES)], n_steps).counts
        teach(network, counts, int(rng.integers(len(model.labels))), rule)

    return work


Works = dict[str, dict[str, Callable[[], object]]]
"""The ways to do each piece of work."""


def _vision() -> Works:
    frame = scenes.clip()[0]
    face = scenes.observe(frame)
    eyes = scenes.eyes_px(face)
    assert face.crop is not None
    crop, parameters = face.crop, GaborParameters()
    bank = GaborBank(parameters)
    detector = FaceDetector(DetectorParameters())
    far = FaceDetector(DetectorParameters(model="back"))
    box = np.array(face.roi, dtype=np.float64)
    window, _ = windows_around([box], MARGIN, SMALLEST_PART)[0]
    whole = whole_picture(frame.shape[1], frame.shape[0])
    return {
        "Gabor features of a face": {
            OWN: lambda: bank.features(crop),
            "filter2D, kernel by kernel": lambda: reference_features(crop, parameters),
        },
        "detector, 640x480": {
            OWN: lambda: detector.detect(frame, window),
            "BlazeFace of as far a reach, whole frame": lambda: far.detect(frame, whole),
        },
        "alignment, 640x480": {
            OWN: lambda: align_face(frame, eyes, _GEOMETRY),
            "whole frame in grey, then warped": lambda: _plain_alignment(frame, eyes),
        },
    }


def _plain_alignment(frame: Picture, eyes_px: NDArray[np.float64]) -> Picture:
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    blurred = cv2.GaussianBlur(grey, (0, 0), 1.5)
    side = _GEOMETRY.side_px
    matrix = similarity(eyes_px, _GEOMETRY.eyes_px)
    warped = cv2.warpAffine(blurred, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


def _messages() -> Works:
    frame, face = scenes.clip()[0], scenes.observe(scenes.clip()[0])
    image = scenes.image_message(frame)
    parameters, header, model = FeatureParameters(), scenes.Stamps().next(), scenes.model()
    features = features_message(header, scenes.VGA, parameters, [face], 0)
    height, width, _ = frame.shape
    return {
        "image message, built": {
            OWN: lambda: scenes.image_message(frame),
            "bytes assigned": lambda: Image(
                data=frame.tobytes(), height=height, width=width, step=3 * width
            ),
        },
        "image message, read": {
            OWN: lambda: images.view(image),
            "copied, as cv_bridge does": lambda: (
                np.frombuffer(image.data, np.uint8).reshape(frame.shape).copy()
            ),
        },
        "features message, built": {
            OWN: lambda: features_message(header, scenes.VGA, parameters, [face], 0),
            "a list of floats": lambda: FaceFeaturesArray(faces=[_listed(face)]),
        },
        "features message, read": {
            OWN: lambda: read_features(features, model),
            "a list of floats": lambda: [float(value) for value in features.faces[0].features],
        },
    }


def _listed(face: FaceObservation) -> FaceFeatures:
    assert face.features is not None
    return FaceFeatures(features=face.features.ravel().tolist())
