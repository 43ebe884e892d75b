"""A spiking neural network that recognises facial expressions and learns while it runs.

The names below are the public interface. They need NumPy and, for speed, numba, but no ROS:

>>> from fer_snn import FaceInput, Frame, Recogniser, load_weights
>>> recogniser = Recogniser(load_weights(path))
>>> result = recogniser.process(Frame(stamp_ns, [FaceInput(1, area_px, features)]))

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
    from fer_snn.core.network import Recording as Recording
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
    from fer_snn.core.recogniser import Frame as Frame
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
    from fer_snn.core.untrained import untrained_model as untrained_model
    from fer_snn.core.weights import weights_file, weights_folder

    load_weights, save_weights = weights_file.load, weights_file.save
    default_weights_path = weights_folder.default_path

_PLACES = {
    "Answer": "readout.Answer",
    "Architecture": "untrained.Architecture",
    "DriveParameters": "neurons.layers.DriveParameters",
    "FaceInput": "recogniser.FaceInput",
    "FaceResult": "recogniser.FaceResult",
    "FeatureStatistics": "neurons.encoding.FeatureStatistics",
    "Frame": "recogniser.Frame",
    "FrameActivity": "network.FrameActivity",
    "FrameResult": "recogniser.FrameResult",
    "LIFParameters": "neurons.lif.LIFParameters",
    "Learner": "teaching.learner.Learner",
    "Learning": "synapses.learning.Learning",
    "Lesson": "recogniser.Lesson",
    "Model": "model.Model",
    "Network": "network.Network",
    "NetworkParameters": "network.NetworkParameters",
    "ReadoutCalibration": "readout.ReadoutCalibration",
    "ReadoutParameters": "readout.ReadoutParameters",
    "Recogniser": "recogniser.Recogniser",
    "RecogniserParameters": "recogniser.RecogniserParameters",
    "Recording": "network.Recording",
    "STDPParameters": "synapses.stdp.STDPParameters",
    "Stage": "model.Stage",
    "SupervisedParameters": "synapses.learning.SupervisedParameters",
    "ThresholdParameters": "neurons.threshold.ThresholdParameters",
    "WeightBounds": "network.WeightBounds",
    "Wiring": "synapses.wiring.Wiring",
    "default_weights_path": "weights.weights_folder.default_path",
    "load_weights": "weights.weights_file.load",
    "save_weights": "weights.weights_file.save",
    "teach": "synapses.learning.teach",
    "untrained_model": "untrained.untrained_model",
}
"""Where each public name is defined, below `fer_snn.core`."""

__all__ = list(_PLACES)


def __getattr__(name: str) -> object:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _PLACES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    module, _, attribute = _PLACES[name].rpartition(".")
    value = globals()[name] = getattr(import_module(f"{__name__}.core.{module}"), attribute)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
