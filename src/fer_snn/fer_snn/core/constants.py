"""The constants of the network as parameters: everything that affects what is learnt."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from fer_common.core.parameters import Parameter, Values
from fer_snn.core.model import Model
from fer_snn.core.network import HIDDEN, NetworkParameters, WeightBounds
from fer_snn.core.neurons.layers import DriveParameters
from fer_snn.core.synapses.learning import SupervisedParameters

_NETWORK = NetworkParameters()
_LIF, _STDP, _THRESHOLD = _NETWORK.lif, _NETWORK.stdp, _NETWORK.threshold
_RULE = SupervisedParameters()


def number_of(values: Values, name: str) -> float:
    """Return the value of a parameter that is a number."""
    return cast(float, values[name])


def number(
    name: str, default: float, low: float, high: float, text: str, unit: str = ""
) -> Parameter:
    """Return a parameter that is a number."""
    return Parameter(name, default, text, unit, low, high)


_NEURONS = (
    number("dt", _NETWORK.dt, 1e-4, 0.005, "Duration of one step of the network.", "s"),
    number("tau_m", _LIF.tau_m, 0.001, 1.0, "Membrane time constant.", "s"),
    number("r_m", _LIF.r_m, 1e-3, 1e9, "Membrane resistance.", "ohm"),
    number("v_rest", _LIF.v_rest, -0.2, 0.1, "Resting potential.", "V"),
    number("v_th", _LIF.v_th, -0.2, 0.1, "Firing threshold.", "V"),
    number("v_reset", _LIF.v_reset, -0.2, 0.1, "Potential after a spike.", "V"),
    number("t_ref", _LIF.t_ref, 0.0, 0.1, "Refractory period.", "s"),
)


def _layer(prefix: str, layer: str, drive: DriveParameters) -> tuple[Parameter, ...]:
    return (
        number(
            f"{prefix}tau_s", drive.tau_s, 1e-4, 1.0, f"Synaptic time constant, {layer} layer.", "s"
        ),
        number(
            f"{prefix}gain",
            drive.gain,
            0.0,
            1e4,
            f"Current per unit of synaptic drive, in rheobases, {layer} layer.",
        ),
        number(
            f"{prefix}beta",
            drive.beta,
            0.0,
            1.0,
            f"Feed-forward inhibition, {layer} layer: share of the mean current of a column that "
            "is subtracted from each of its neurons.",
        ),
        number(
            f"{prefix}alpha",
            drive.alpha,
            0.0,
            10.0,
            f"Lateral inhibition, {layer} layer: share of the strongest current in a column that "
            "is subtracted from all its other neurons.",
        ),
    )


def _bounds(prefix: str, layer: str, bounds: WeightBounds) -> tuple[Parameter, ...]:
    return (
        number(
            f"{prefix}w_min", bounds.w_min, -100.0, 100.0, f"Smallest weight to the {layer} layer."
        ),
        number(
            f"{prefix}w_max", bounds.w_max, -100.0, 100.0, f"Largest weight to the {layer} layer."
        ),
        number(
            f"{prefix}s_target",
            bounds.s_target,
            0.0,
            1e4,
            f"Homeostasis: L1 norm of the weights of each {layer} neuron. 0: no normalisation.",
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
    number("a_pre", _STDP.a_pre, -1.0, 1.0, "STDP amplitude, pre before post."),
    number("a_post", _STDP.a_post, -1.0, 1.0, "STDP amplitude, post before pre."),
    number("tau_pre", _STDP.tau_pre, 1e-3, 1.0, "STDP window, pre before post.", "s"),
    number("tau_post", _STDP.tau_post, 1e-3, 1.0, "STDP window, post before pre.", "s"),
    number(
        "competition",
        _NETWORK.competition,
        0.0,
        10.0,
        "Lateral inhibition of the expression layer while it learns without labels.",
    ),
    number(
        "tau_w",
        _NETWORK.tau_w,
        0.0,
        1e4,
        "Learning without labels: time constant of the return of the weights to those that were "
        "loaded or taught. 0: no return, so somebody who stares for long overwrites them.",
        "s",
    ),
    number(
        "theta_delta", _THRESHOLD.delta, 0.0, 0.1, "Adaptive threshold: rise at each spike.", "V"
    ),
    number(
        "tau_theta",
        _THRESHOLD.tau_theta,
        0.1,
        1e3,
        "Adaptive threshold: time constant of its decay; at most a million steps.",
        "s",
    ),
    number(
        "eta_w",
        _RULE.eta_w,
        0.0,
        10.0,
        "Supervised learning rate of weights to the hidden layers, as a share of their mean.",
    ),
    number(
        "eta_v",
        _RULE.eta_v,
        0.0,
        1.0,
        "Supervised learning rate of weights to the expression layer.",
    ),
    number(
        "eta_theta",
        _RULE.eta_theta,
        0.0,
        0.1,
        "Supervised learning: change of a hidden neuron's threshold per face.",
        "V",
    ),
    number(
        "rho",
        _RULE.rho,
        0.0,
        1.0,
        "Supervised learning: share of the faces for which a hidden neuron should fire.",
    ),
    number("kappa", _RULE.kappa, 0.0, 100.0, "Supervised learning: evidence of one spike."),
    number(
        "tolerance",
        _RULE.tolerance,
        0.0,
        1.0,
        "Supervised learning: error below which nothing is learnt.",
    ),
    number(
        "presentation",
        _RULE.presentation,
        0.005,
        1.0,
        "Supervised learning: duration of a presentation.",
        "s",
    ),
)

CONSTANTS = (*_NEURONS, *_LAYERS, *_PLASTICITY)
"""All constants; they are stored in the weights file."""


def checked_constants(given: Mapping[str, object]) -> dict[str, float]:
    """Return the constants of a weights file in their own type.

    Raises
    ------
    ParameterError
        if a constant has the wrong type or is out of range.
    """
    known = {constant.name: constant for constant in CONSTANTS}
    # Constants of other versions are kept and not used.
    return {
        name: cast(float, known[name].check(value) if name in known else value)
        for name, value in given.items()
    }


def constants_in(values: Values) -> dict[str, float]:
    """Return the constants among the parameters of the node, as a model holds them."""
    return {constant.name: number_of(values, constant.name) for constant in CONSTANTS}


@dataclass(frozen=True)
class TrainedConstants:
    """Constants that a model was trained with, and that differ from the present values.

    Attributes
    ----------
    taken : constants to use with the model, by name.
    refused : constants that the user set to another value, with the value of the model, by name.
    """

    taken: dict[str, float]
    refused: dict[str, float]

    @staticmethod
    def of(model: Model, present: Values, given: Collection[str]) -> TrainedConstants:
        """Compare a model with the present values, of which the user set those in `given`."""
        differing = {
            constant.name: model.parameters[constant.name]
            for constant in CONSTANTS
            # Files of older versions lack constants that were added since.
            if model.parameters.get(constant.name, present[constant.name]) != present[constant.name]
        }
        return TrainedConstants(
            {name: value for name, value in differing.items() if name not in given},
            {name: value for name, value in differing.items() if name in given},
        )

    def notes(self, weights: Path | str) -> Iterator[str]:
        """Yield what a user should know about the constants of these weights."""
        if self.taken:
            yield f"{weights}: uses the constants of training: {_listed(self.taken)}"
        if self.refused:
            yield (
                f"{weights} was trained with {_listed(self.refused)}, but other values are set: "
                "set these to use the constants of training"
            )


def _listed(constants: dict[str, float]) -> str:
    return ", ".join(f"{name} = {value:g}" for name, value in constants.items())
