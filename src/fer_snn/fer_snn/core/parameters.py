"""All parameters of the snn node: for ROS, training, config/fer.yaml and the documentation."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import cast

from fer_common.core.errors import ParameterError
from fer_common.core.network_links import MAX_AGE
from fer_common.core.parameters import (
    COMMON,
    EVERY_FRAME,
    Parameter,
    ParameterTable,
    Values,
    settings,
)
from fer_snn.core.constants import CONSTANTS, TrainedConstants, number, number_of
from fer_snn.core.labels import canonical
from fer_snn.core.model import Model
from fer_snn.core.network import FEATURE, NetworkParameters, WeightBounds, hidden_name
from fer_snn.core.neurons.layers import DriveParameters
from fer_snn.core.neurons.lif import LIFParameters
from fer_snn.core.neurons.threshold import ThresholdParameters
from fer_snn.core.readout import ReadoutParameters
from fer_snn.core.recogniser import RecogniserParameters
from fer_snn.core.synapses.learning import Learning, SupervisedParameters
from fer_snn.core.synapses.stdp import STDPParameters

NODE = "snn"
DEFAULT_WEIGHTS = "default"
"""Name of the model in the package."""

MAX_HIDDEN_LAYERS = 4
"""Number of hidden layers that can be named in `publish_layers`."""
NO_LAYER = "none"
"""Stands for no layer in `publish_layers`, because ROS has no empty string arrays."""

SPIKES_ONLY = "_spikes"
"""After the name of a layer in `publish_layers`: without its potentials."""

ALL_LABELS = "all"
"""Stands for every label of the network in `labels`."""

_READOUT = ReadoutParameters()
_RECOGNISER = RecogniserParameters()

_ANSWERS = (
    number(
        "decision_window",
        _READOUT.decision_window,
        0.01,
        10.0,
        "Spikes of this last period count for the answer. Multiples of glance flicker least.",
        "s",
    ),
    Parameter(
        "min_spikes",
        _READOUT.min_spikes,
        "With fewer spikes than this in the decision window, the answer is undecided.",
        minimum=0,
        maximum=10000,
    ),
    number(
        "min_confidence",
        _READOUT.min_confidence,
        0.0,
        1.0,
        "With less confidence than this, the answer is undecided.",
    ),
    number(
        "min_fit",
        _READOUT.min_fit,
        -100.0,
        100.0,
        "How well the features must fit a face in which an expression can be read, in standard "
        "deviations of faces; else the answer is undecided. 0 leaves out 1 to 2 % of faces. -100: "
        "every face is answered.",
    ),
    Parameter(
        "labels",
        (ALL_LABELS,),
        "Labels that may be answered, two or more, or all. The spikes of the others do not count, "
        "and their scores are 0. Other names of a label (happy) are accepted.",
    ),
    number(
        "glance",
        _RECOGNISER.glance,
        0.0,
        10.0,
        "The neurons of a face are reset to rest in this interval, as after a saccade. 0: never.",
        "s",
    ),
    Parameter(
        "mirror",
        _RECOGNISER.mirror,
        "Whether every second glance is at the mirrored face, which makes answers more accurate. "
        "Without effect if glance is 0.",
    ),
    number(
        "max_catch_up",
        _RECOGNISER.max_catch_up,
        0.01,
        10.0,
        "Maximum time that is simulated for one frame. A longer gap resets the potentials.",
        "s",
    ),
    Parameter(
        "max_faces",
        _RECOGNISER.max_faces,
        "Maximum number of faces to process; the largest are used.",
        minimum=1,
        maximum=64,
    ),
    number(
        "forget_after",
        _RECOGNISER.forget_after,
        0.1,
        3600.0,
        "The state of a face is dropped when it has not been seen for this long.",
        "s",
    ),
)

_NODE = (
    Parameter(
        "learning",
        _RECOGNISER.learning.value,
        "Mode of learning.",
        choices=tuple(mode.value for mode in Learning),
    ),
    Parameter(
        "weights",
        DEFAULT_WEIGHTS,
        "Weights to start with: a path, a name in weights_dir, or default (those in the package).",
        live=False,
    ),
    Parameter(
        "weights_dir",
        "~/.local/share/fer/weights",
        "Folder in which the services save and load weights.",
        live=False,
    ),
    number(
        "autosave",
        10.0,
        0.0,
        86400.0,
        "Save learnt weights as autosave in this interval, and at the end. 0: never. A node that "
        "was killed continues with them when it is started again.",
        "s",
    ),
    Parameter(
        "rehearsals",
        1,
        "Number of kept faces of other labels that are learnt again after each lesson, so that "
        "these labels are not forgotten.",
        minimum=0,
        maximum=10,
    ),
    Parameter(
        "undo_depth",
        10,
        "Number of changes that the service undo can undo. Their weights are kept in memory.",
        minimum=0,
        maximum=100,
    ),
    Parameter(
        "publish_hri",
        False,
        "Publish expressions below /humans/faces as in REP-155. Needs hri_msgs.",
        live=False,
    ),
    Parameter(
        "publish_layers",
        (NO_LAYER,),
        "Layers whose spikes and potentials are published, besides the expression layer. "
        "feature_spikes: without the potentials, which are large.",
        choices=(
            NO_LAYER,
            FEATURE,
            FEATURE + SPIKES_ONLY,
            *(hidden_name(k) for k in range(MAX_HIDDEN_LAYERS)),
        ),
    ),
    Parameter(
        "publish_weights_limit",
        200000,
        "Projections with more synapses than this are not published on the topic weights.",
        minimum=0,
        maximum=100000000,
    ),
    number(
        "publish_weights_period",
        1.0,
        0.0,
        3600.0,
        "Minimum time, by the stamps, between two messages with changed weights.",
        "s",
    ),
    EVERY_FRAME,
    MAX_AGE,
    number(
        "time_budget",
        0.08,
        0.0,
        10.0,
        "Maximum wall time for a frame, so that answers stay fresh. Steps of the network that do "
        "not fit are skipped, and Spikes.gap is set. 0: no limit. Not with every_frame.",
        "s",
    ),
    number(
        "stale_after",
        0.8,
        0.1,
        3600.0,
        "Diagnostics report STALE when no features have arrived for this long.",
        "s",
    ),
    *COMMON,
)


def _labels(values: Values) -> tuple[str, ...]:
    """Return the labels that may be answered; empty for all."""
    names = cast(tuple[str, ...], values["labels"])
    return () if names == (ALL_LABELS,) else tuple(dict.fromkeys(map(canonical, names)))


def constants_agree(values: Values) -> str | None:
    """Return how constants contradict each other although each is in its range, or None."""
    try:
        network_parameters(values)
    except ValueError as error:
        return str(error)
    return None


def labels_agree(values: Values) -> str | None:
    """Return why these labels cannot be the only answers, or None."""
    names = _labels(values)
    if ALL_LABELS in names:
        return f"labels is {', '.join(names)}: give '{ALL_LABELS}' alone, or the labels"
    if len(names) == 1:
        return (
            f"labels is {names[0]} alone, which would be the answer for every face: "
            f"give two labels or more, or '{ALL_LABELS}'"
        )
    return None


TABLE = ParameterTable(NODE, (*CONSTANTS, *_ANSWERS, *_NODE), (constants_agree, labels_agree))
"""All parameters of the node, as `ros2 param list` shows them."""


def network_parameters(values: Values) -> NetworkParameters:
    """Return the constants of the network."""
    return settings(
        NetworkParameters,
        values,
        lif=settings(LIFParameters, values),
        stdp=settings(STDPParameters, values),
        threshold=settings(ThresholdParameters, values, delta=values["theta_delta"]),
        hidden=settings(DriveParameters, values, "hidden_"),
        expression=settings(DriveParameters, values),
        hidden_weights=settings(WeightBounds, values, "hidden_"),
    )


def supervised_parameters(values: Values) -> SupervisedParameters:
    """Return the constants of the supervised rule."""
    return settings(SupervisedParameters, values)


def readout_parameters(values: Values) -> ReadoutParameters:
    """Return the constants of the read-out."""
    return settings(ReadoutParameters, values, labels=_labels(values))


def time_budget_s(values: Values) -> float:
    """Return the maximum wall time of a frame, seconds; infinite for no limit.

    With `every_frame` there is no limit, so that the results depend on the stamps alone.
    """
    budget = number_of(values, "time_budget")
    return math.inf if values["every_frame"] or not budget else budget


def recogniser_parameters(values: Values) -> RecogniserParameters:
    """Return everything that can change between two frames.

    Raises
    ------
    ParameterError
        if constants contradict each other.
    """
    try:
        return settings(
            RecogniserParameters,
            values,
            network=network_parameters(values),
            learning=Learning(values["learning"]),
            supervised=supervised_parameters(values),
            readout=readout_parameters(values),
        )
    except ValueError as error:
        raise ParameterError(f"node '{NODE}': {error}") from error


def trained_values(
    model: Model, given: Values = MappingProxyType({})
) -> tuple[Values, TrainedConstants]:
    """Return the given values, else the constants that a model was trained with, else the defaults.

    What differs is returned too.
    """
    values = TABLE.merged(TABLE.defaults(), given)
    constants = TrainedConstants.of(model, values, given)
    return TABLE.merged(values, constants.taken), constants
