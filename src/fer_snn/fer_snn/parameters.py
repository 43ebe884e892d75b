"""Every parameter of the snn node, once: for ROS, training, config/fer.yaml and documentation."""

from __future__ import annotations

import math
from typing import cast

from fer_common.crossing import MAX_AGE
from fer_common.errors import ParameterError
from fer_common.parameters import COMMON, Parameter, ParameterTable, Values
from fer_snn.layers import DriveParameters
from fer_snn.learning import Learning, SupervisedParameters
from fer_snn.lif import LIFParameters
from fer_snn.network import FEATURE, HIDDEN, NetworkParameters, WeightBounds
from fer_snn.readout import ReadoutParameters
from fer_snn.recogniser import RecogniserParameters
from fer_snn.stdp import STDPParameters
from fer_snn.threshold import ThresholdParameters

NODE = "snn"
DEFAULT_WEIGHTS = "default"
"""Name of the model in the package."""

NO_LAYER = "none"
"""Stands for no layer in `publish_layers`: a parameter of ROS has no empty array of text."""

_NETWORK = NetworkParameters()
_LIF, _STDP, _THRESHOLD = _NETWORK.lif, _NETWORK.stdp, _NETWORK.threshold
_RULE = SupervisedParameters()
_READOUT = ReadoutParameters()
_RECOGNISER = RecogniserParameters()


def _number(
    name: str, default: float, low: float, high: float, text: str, unit: str = ""
) -> Parameter:
    return Parameter(name, default, text, unit, low, high)


_NEURONS = (
    _number("dt", _NETWORK.dt, 1e-4, 0.005, "Length of one step of the network.", "s"),
    _number("tau_m", _LIF.tau_m, 0.001, 1.0, "Membrane time constant.", "s"),
    _number("r_m", _LIF.r_m, 1e-3, 1e9, "Membrane resistance.", "ohm"),
    _number("v_rest", _LIF.v_rest, -0.2, 0.1, "Resting potential.", "V"),
    _number("v_th", _LIF.v_th, -0.2, 0.1, "Firing threshold.", "V"),
    _number("v_reset", _LIF.v_reset, -0.2, 0.1, "Potential after a spike.", "V"),
    _number("t_ref", _LIF.t_ref, 0.0, 0.1, "Refractory period.", "s"),
)


def _layer(prefix: str, layer: str, drive: DriveParameters) -> tuple[Parameter, ...]:
    return (
        _number(
            f"{prefix}tau_s", drive.tau_s, 1e-4, 1.0, f"Synaptic time constant, {layer} layer.", "s"
        ),
        _number(
            f"{prefix}gain",
            drive.gain,
            0.0,
            1e4,
            f"Current per unit of synaptic drive, in rheobases, {layer} layer.",
        ),
        _number(
            f"{prefix}beta",
            drive.beta,
            0.0,
            1.0,
            f"Feed-forward inhibition: share of a column's mean current that is taken from each of "
            f"its neurons, {layer} layer.",
        ),
        _number(
            f"{prefix}alpha",
            drive.alpha,
            0.0,
            10.0,
            f"Lateral inhibition: share of a column's strongest current that is taken from all its "
            f"other neurons, {layer} layer.",
        ),
    )


def _bounds(prefix: str, layer: str, bounds: WeightBounds) -> tuple[Parameter, ...]:
    return (
        _number(
            f"{prefix}w_min", bounds.w_min, -100.0, 100.0, f"Smallest weight to the {layer} layer."
        ),
        _number(
            f"{prefix}w_max", bounds.w_max, -100.0, 100.0, f"Largest weight to the {layer} layer."
        ),
        _number(
            f"{prefix}s_target",
            bounds.s_target,
            0.0,
            1e4,
            f"Homeostasis: L1 norm of the weights of every neuron of the {layer} layer; 0: free.",
        ),
    )


_HIDDEN_BOUNDS, _EXPRESSION_BOUNDS = _NETWORK.weight_bounds(2)
_LAYERS = (
    *_layer("", "expression", _NETWORK.expression),
    *_bounds("", "expression", _EXPRESSION_BOUNDS),
    *_layer("hidden_", HIDDEN, _NETWORK.hidden),
    *_bounds("hidden_", HIDDEN, _HIDDEN_BOUNDS),
)

_PLASTICITY = (
    _number("a_pre", _STDP.a_pre, -1.0, 1.0, "STDP amplitude, pre before post."),
    _number("a_post", _STDP.a_post, -1.0, 1.0, "STDP amplitude, post before pre."),
    _number("tau_pre", _STDP.tau_pre, 1e-3, 1.0, "STDP window, pre before post.", "s"),
    _number("tau_post", _STDP.tau_post, 1e-3, 1.0, "STDP window, post before pre.", "s"),
    _number(
        "competition",
        _NETWORK.competition,
        0.0,
        10.0,
        "Lateral inhibition of the expression layer while it learns without labels.",
    ),
    _number(
        "theta_delta", _THRESHOLD.delta, 0.0, 0.1, "Adaptive threshold: rise at each spike.", "V"
    ),
    _number(
        "tau_theta",
        _THRESHOLD.tau_theta,
        0.1,
        1e5,
        "Adaptive threshold: time constant of its decay.",
        "s",
    ),
    _number(
        "eta_w", _RULE.eta_w, 0.0, 1.0, "Supervised learning rate of weights to the hidden layer."
    ),
    _number(
        "eta_v",
        _RULE.eta_v,
        0.0,
        1.0,
        "Supervised learning rate of weights to the expression layer.",
    ),
    _number(
        "eta_theta",
        _RULE.eta_theta,
        0.0,
        0.1,
        "Supervised learning: change of a hidden neuron's threshold per face.",
        "V",
    ),
    _number(
        "rho",
        _RULE.rho,
        0.0,
        1.0,
        "Supervised learning: share of the faces for which a hidden neuron shall fire.",
    ),
    _number("kappa", _RULE.kappa, 0.0, 100.0, "Supervised learning: what a spike is worth."),
    _number(
        "tolerance",
        _RULE.tolerance,
        0.0,
        1.0,
        "Supervised learning: error below which nothing is learnt.",
    ),
    _number(
        "presentation",
        _RULE.presentation,
        0.005,
        1.0,
        "Supervised learning: what a lesson lasts.",
        "s",
    ),
)

_ANSWERS = (
    _number(
        "decision_window",
        _READOUT.decision_window,
        0.01,
        10.0,
        "Spikes of so long before count for the answer; whole glances flicker least.",
        "s",
    ),
    Parameter(
        "min_spikes",
        _READOUT.min_spikes,
        "Fewer spikes than this in the window: undecided.",
        minimum=0,
        maximum=10000,
    ),
    _number(
        "min_confidence",
        _READOUT.min_confidence,
        0.0,
        1.0,
        "Less confidence than this: undecided.",
    ),
    _number(
        "glance",
        _RECOGNISER.glance,
        0.0,
        10.0,
        "After so long the neurons of a face begin at rest again, as after a saccade; 0: never.",
        "s",
    ),
    _number(
        "max_catch_up",
        _RECOGNISER.max_catch_up,
        0.01,
        10.0,
        "Longest stretch that is simulated for one frame; a longer gap resets the potentials.",
        "s",
    ),
    Parameter(
        "max_faces",
        _RECOGNISER.max_faces,
        "So many faces are looked at, the largest.",
        minimum=1,
        maximum=64,
    ),
    _number(
        "forget_after",
        _RECOGNISER.forget_after,
        0.1,
        3600.0,
        "The state of a face that is gone so long is dropped.",
        "s",
    ),
)

_NODE = (
    Parameter(
        "learning",
        _RECOGNISER.learning.value,
        "How the network learns.",
        choices=tuple(mode.value for mode in Learning),
    ),
    Parameter(
        "weights",
        DEFAULT_WEIGHTS,
        "Model to start with: a path, a name in weights_dir, or default (the one in the package).",
        live=False,
    ),
    Parameter(
        "weights_dir",
        "~/.local/share/fer/weights",
        "Folder in which the services save and load.",
        live=False,
    ),
    _number(
        "autosave",
        10.0,
        0.0,
        86400.0,
        "Save what was learnt as autosave so often, and at the end; 0: never. A node that was "
        "killed goes on with it when it is started again.",
        "s",
    ),
    Parameter(
        "rehearsals",
        1,
        "Kept faces of other labels that are learnt again after each lesson, so that these labels "
        "are not forgotten.",
        minimum=0,
        maximum=10,
    ),
    Parameter(
        "undo_depth",
        10,
        "So many earlier weights are kept in memory, for the service undo.",
        minimum=0,
        maximum=100,
    ),
    Parameter(
        "publish_hri",
        False,
        "Publish expression below /humans/faces as REP-155 says; needs hri_msgs.",
        live=False,
    ),
    Parameter(
        "publish_layers",
        (NO_LAYER,),
        "Layers whose spikes and potentials are published besides the expression layer's.",
        choices=(NO_LAYER, FEATURE, HIDDEN),
    ),
    Parameter(
        "publish_weights_limit",
        200000,
        "Projections of more synapses are left out of the topic weights.",
        minimum=0,
        maximum=100000000,
    ),
    _number(
        "publish_weights_period",
        1.0,
        0.0,
        3600.0,
        "Shortest time between two messages of changed weights, by the stamps.",
        "s",
    ),
    Parameter(
        "every_frame",
        False,
        "Work on every frame, however late, instead of on the newest: for replays.",
        live=False,
    ),
    MAX_AGE,
    _number(
        "time_budget",
        0.08,
        0.0,
        10.0,
        "Most time that a frame may take, so that answers stay fresh. Steps of the network that do "
        "not fit are left out, and the frame is marked by Spikes.gap. 0: no limit, as always with "
        "every_frame.",
        "s",
    ),
    _number(
        "stale_after",
        0.8,
        0.1,
        3600.0,
        "Diagnostics say STALE when no features came for this long.",
        "s",
    ),
    *COMMON,
)


def _constants_agree(values: Values) -> str | None:
    if not max(_float(values, "v_rest"), _float(values, "v_reset")) < _float(values, "v_th"):
        return "v_rest and v_reset must lie below v_th"
    for prefix in ("", "hidden_"):
        if not _float(values, f"{prefix}w_min") < _float(values, f"{prefix}w_max"):
            return f"{prefix}w_min must lie below {prefix}w_max"
    return None


_CONSTANTS = (*_NEURONS, *_LAYERS, *_PLASTICITY)
TABLE = ParameterTable(NODE, (*_CONSTANTS, *_ANSWERS, *_NODE), (_constants_agree,))
"""What `ros2 param list` shows of the node."""

MODEL_CONSTANTS = tuple(parameter.name for parameter in _CONSTANTS)
"""The parameters that make a difference to what is learnt; they stand in the weights file."""


def _float(values: Values, name: str) -> float:
    return cast(float, values[name])


def network_parameters(values: Values) -> NetworkParameters:
    """Return the constants of the network from the values of the parameters."""

    def some(prefix: str, *names: str) -> list[float]:
        return [_float(values, prefix + name) for name in names]

    lif = LIFParameters(*some("", "tau_m", "r_m", "v_rest", "v_th", "v_reset", "t_ref"))
    stdp = STDPParameters(*some("", "a_pre", "a_post", "tau_pre", "tau_post", "w_min", "w_max"))
    return NetworkParameters(
        dt=_float(values, "dt"),
        lif=lif,
        stdp=stdp,
        threshold=ThresholdParameters(*some("", "theta_delta", "tau_theta")),
        hidden=DriveParameters(*some("hidden_", "tau_s", "gain", "beta", "alpha")),
        expression=DriveParameters(*some("", "tau_s", "gain", "beta", "alpha")),
        hidden_weights=WeightBounds(*some("hidden_", "w_min", "w_max", "s_target")),
        s_target=_float(values, "s_target"),
        competition=_float(values, "competition"),
    )


def supervised_parameters(values: Values) -> SupervisedParameters:
    """Return the constants of the supervised rule."""
    names = ("eta_w", "eta_v", "eta_theta", "rho", "kappa", "tolerance", "presentation")
    return SupervisedParameters(*(_float(values, name) for name in names))


def readout_parameters(values: Values) -> ReadoutParameters:
    """Return when the network may speak."""
    return ReadoutParameters(
        _float(values, "decision_window"),
        int(_float(values, "min_spikes")),
        _float(values, "min_confidence"),
    )


def time_budget_s(values: Values) -> float:
    """Return how long a frame may take; infinite for no limit.

    Where every frame counts, what comes out depends on the stamps and on nothing else.
    """
    budget = _float(values, "time_budget")
    return math.inf if values["every_frame"] or not budget else budget


def recogniser_parameters(values: Values) -> RecogniserParameters:
    """Return everything that can change from frame to frame.

    Raises
    ------
    ParameterError
        if constants contradict each other in a way that the table cannot see.
    """
    try:
        return RecogniserParameters(
            network=network_parameters(values),
            learning=Learning(values["learning"]),
            supervised=supervised_parameters(values),
            readout=readout_parameters(values),
            glance=_float(values, "glance"),
            max_catch_up=_float(values, "max_catch_up"),
            max_faces=int(_float(values, "max_faces")),
            forget_after=_float(values, "forget_after"),
        )
    except ValueError as error:
        raise ParameterError(f"node '{NODE}': {error}") from error
