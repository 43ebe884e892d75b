"""The parameter table stands for the style of the pictures, and refuses what cannot be."""

from __future__ import annotations

import pytest

from fer_common.core.errors import ParameterError
from fer_viz.core.parameters import TABLE, PictureOptions, picture_options


def test_defaults_are_those_of_the_core() -> None:
    assert picture_options(TABLE.defaults()) == PictureOptions()


def test_style_follows_the_values() -> None:
    values = TABLE.merged(TABLE.defaults(), {"theme": "light", "max_height": 480})
    assert picture_options(values) == PictureOptions("light", max_height_px=480)


@pytest.mark.parametrize(
    ("name", "value"),
    [("rate", -1.0), ("rate", 0.0), ("theme", "pink"), ("history", 100.0), ("face", -1)],
)
def test_bad_values_are_refused(name: str, value: object) -> None:
    with pytest.raises(ParameterError, match=f"'{name}'"):
        TABLE.merged(TABLE.defaults(), {name: value})


def test_every_parameter_says_what_it_does() -> None:
    for parameter in TABLE:
        assert parameter.description.endswith(".")
        assert parameter.choices or parameter.element_type in (bool, int, float)
