"""The parameter table and what is made of it."""

from __future__ import annotations

import pytest

from fer_common.core.errors import ParameterError
from fer_common.core.parameters import Value
from fer_snn.core.constants import constants_in
from fer_snn.core.network import NetworkParameters
from fer_snn.core.parameters import TABLE, readout_parameters, recogniser_parameters
from fer_snn.core.recogniser import RecogniserParameters
from fer_snn.core.synapses.learning import SupervisedParameters


def test_defaults_of_the_table_are_those_of_the_core() -> None:
    made = recogniser_parameters(TABLE.defaults())
    assert made == RecogniserParameters()
    assert made.network == NetworkParameters()
    assert made.supervised == SupervisedParameters()


def test_every_number_has_a_range_and_every_parameter_a_description() -> None:
    for parameter in TABLE:
        assert parameter.description.endswith(".")
        if parameter.element_type is float:
            assert parameter.minimum is not None and parameter.maximum is not None


def test_constants_of_the_design_are_there() -> None:
    names = (
        "dt tau_m r_m v_rest v_th v_reset t_ref a_pre a_post tau_pre tau_post w_min w_max "
        "s_target alpha decision_window learning max_catch_up"
    )
    assert all(name in TABLE for name in names.split())
    constants = constants_in(TABLE.defaults())
    assert "dt" in constants and "learning" not in constants


CONTRADICTIONS: list[dict[str, Value]] = [
    {"v_th": -0.08},
    {"v_rest": 0.0},
    {"v_reset": 0.0},
    {"w_min": 0.5, "w_max": 0.2},
    {"hidden_w_min": 0.9, "hidden_w_max": 0.5},
]


@pytest.mark.parametrize(
    "changes",
    [
        *CONTRADICTIONS,
        {"dt": -1.0},
        {"learning": "sometimes"},
        {"publish_layers": ["expression"]},
        {"labels": []},
        {"labels": ["smile"]},
        {"labels": ["smile", "happy"]},
        {"labels": ["all", "smile"]},
    ],
)
def test_contradictions_are_refused_as_a_whole(changes: dict[str, object]) -> None:
    with pytest.raises(ParameterError):
        TABLE.merged(TABLE.defaults(), changes)


@pytest.mark.parametrize("changes", CONTRADICTIONS)
def test_the_network_refuses_contradictions_too(changes: dict[str, Value]) -> None:
    with pytest.raises(ParameterError, match=r"node 'snn': .* must lie below"):
        recogniser_parameters({**TABLE.defaults(), **changes})


def test_labels_are_read_by_all_their_names() -> None:
    values = TABLE.merged(TABLE.defaults(), {"labels": ["happiness", "Neutral", "smile"]})
    assert readout_parameters(values).labels == ("smile", "neutral")
    assert readout_parameters(TABLE.defaults()).labels == ()
