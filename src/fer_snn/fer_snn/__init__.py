"""A spiking neural network that recognises facial expressions and learns while it runs.

The names below are the public interface. They need NumPy and, for speed, numba, but no ROS:

>>> from fer_snn import FaceInput, FeatureFrame, Recogniser, load_weights
>>> recogniser = Recogniser(load_weights(path))
>>> result = recogniser.process(FeatureFrame(stamp_ns, [FaceInput(1, area_px, features)]))

Each name is imported when it is first used, so that a node can set the number of BLAS threads
before NumPy is imported.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fer_snn.core.model import Model as Model
    from fer_snn.core.model import Stage as Stage
    from fer_snn.core.network import FrameActivity as FrameActivity
    from fer_snn.core.network import Network as Network
    from fer_snn.core.network import NetworkParameters as NetworkParameters
    from fer_snn.core.network import RecordedLayers as RecordedLayers
    from fer_snn.core.network import WeightBounds as WeightBounds
    from fer_snn.core.neurons.encoding import FeatureStatistics as FeatureStatistics
    from fer_snn.core.neurons.layers import DriveParameters as DriveParameters
    from fer_snn.core.neurons.lif import LIFParameters as LIFParameters
    from fer_snn.core.neurons.threshold import ThresholdParameters as ThresholdParameters
    from fer_snn.core.readout import Answer as Answer
    from fer_snn.core.readout import ReadoutCalibration as ReadoutCalibration
    from fer_snn.core.readout import ReadoutParameters as ReadoutParameters
    from fer_snn.core.recogniser import FaceInput as FaceInput
    from fer_snn.core.recogniser import FaceResult as FaceResult
    from fer_snn.core.recogniser import FeatureFrame as FeatureFrame
    from fer_snn.core.recogniser import FrameResult as FrameResult
    from fer_snn.core.recogniser import Lesson as Lesson
    from fer_snn.core.recogniser import Recogniser as Recogniser
    from fer_snn.core.recogniser import RecogniserParameters as RecogniserParameters
    from fer_snn.core.synapses.learning import Learning as Learning
    from fer_snn.core.synapses.learning import SupervisedParameters as SupervisedParameters
    from fer_snn.core.synapses.learning import teach as teach
    from fer_snn.core.synapses.stdp import STDPParameters as STDPParameters
    from fer_snn.core.synapses.wiring import Wiring as Wiring
    from fer_snn.core.teaching.learner import Learner as Learner
    from fer_snn.core.untrained import Architecture as Architecture
    from fer_snn.core.untrained import HiddenLayer as HiddenLayer
    from fer_snn.core.untrained import untrained_model as untrained_model
    from fer_snn.core.weights import weights_file, weights_folder

    load_weights, save_weights = weights_file.load, weights_file.save
    default_weights_path = weights_folder.default_path

_NAMES = {
    "model": "Model Stage",
    "network": "FrameActivity Network NetworkParameters RecordedLayers WeightBounds",
    "neurons.encoding": "FeatureStatistics",
    "neurons.layers": "DriveParameters",
    "neurons.lif": "LIFParameters",
    "neurons.threshold": "ThresholdParameters",
    "readout": "Answer ReadoutCalibration ReadoutParameters",
    "recogniser": "FaceInput FaceResult FeatureFrame FrameResult Lesson Recogniser "
    "RecogniserParameters",
    "synapses.learning": "Learning SupervisedParameters teach",
    "synapses.stdp": "STDPParameters",
    "synapses.wiring": "Wiring",
    "teaching.learner": "Learner",
    "untrained": "Architecture HiddenLayer untrained_model",
    "weights.weights_file": "load_weights=load save_weights=save",
    "weights.weights_folder": "default_weights_path=default_path",
}
"""The public names that each module below `fer_snn.core` defines, as NAME or NAME=THERE."""

_PLACES = {
    name: (f"{__name__}.core.{module}", there or name)
    for module, names in _NAMES.items()
    for name, _, there in (each.partition("=") for each in names.split())
}
__all__ = list(_PLACES)


def __getattr__(name: str) -> object:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _PLACES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    module, attribute = _PLACES[name]
    value = globals()[name] = getattr(import_module(module), attribute)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
