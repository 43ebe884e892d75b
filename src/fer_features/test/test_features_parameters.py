"""The parameter table and the settings of the core agree."""

from __future__ import annotations

import pytest

from fer_common.core.errors import ParameterError
from fer_features.core.parameters import TABLE, feature_parameters
from fer_features.core.pipeline import FeatureParameters


def test_defaults_are_those_of_the_core() -> None:
    assert feature_parameters(TABLE.defaults()) == FeatureParameters()


def test_every_number_has_a_range_and_every_parameter_a_description() -> None:
    for parameter in TABLE:
        assert parameter.description.endswith(".")
        if parameter.element_type in (int, float):
            assert parameter.minimum is not None and parameter.maximum is not None, parameter.name


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"gabor.pool": 5}, "gabor.pool 5 does not divide crop.side 48"),
        ({"crop.side": 50}, "gabor.pool 4 does not divide crop.side 50"),
        ({"gabor.wavelengths": [4.0] * 9}, "has 9 values: give at most 8"),
        ({"gabor.orientations": 0}, "range 1 to 32"),
        ({"detector.model": "huge"}, "choose one of short_range, back"),
    ],
)
def test_bad_values_are_refused_with_the_reason(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(ParameterError, match=reason):
        TABLE.merged(TABLE.defaults(), changes)


def test_a_batch_that_fits_together_is_taken() -> None:
    values = TABLE.merged(TABLE.defaults(), {"crop.side": 50, "gabor.pool": 5})
    assert feature_parameters(values).gabor.shape == (24, 10, 10)
