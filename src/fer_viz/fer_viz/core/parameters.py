"""Parameters of the viz node: the one place where their defaults and ranges stand."""

from __future__ import annotations

from typing import Any

from fer_common.core.parameters import COMMON, IMAGE_TRANSPORT, Parameter, ParameterTable, Values
from fer_viz.core.palette import THEMES
from fer_viz.core.renderer import Style

NODE = "viz"

_STYLE = Style()

TABLE = ParameterTable(
    NODE,
    (
        IMAGE_TRANSPORT,
        Parameter("rate", 30.0, "Most pictures per second.", "Hz", 0.1, 120.0),
        Parameter("theme", _STYLE.theme, "Colours of what is drawn.", choices=tuple(THEMES)),
        Parameter(
            "max_height",
            _STYLE.max_height_px,
            "Higher camera pictures are shrunk to this before they are drawn.",
            "px",
            240,
            2160,
        ),
        Parameter(
            "history",
            1.0,
            "How far back membrane potentials and spikes are shown.",
            unit="s",
            minimum=0.2,
            maximum=10.0,
        ),
        Parameter(
            "face",
            0,
            "Whom panel and numbers are about. 0: the largest face; also while that id is away.",
            minimum=0,
            maximum=2**32 - 1,
        ),
        Parameter(
            "result_timeout",
            0.5,
            "Without results for this long, pictures are drawn without, and say what is missing.",
            unit="s",
            minimum=0.1,
            maximum=60.0,
        ),
        Parameter(
            "jpeg_quality",
            85,
            "Quality of the compressed pictures.",
            minimum=1,
            maximum=100,
        ),
        *COMMON,
    ),
)


def style(values: Values) -> Style:
    """Return the style that belongs to the values of the node's parameters."""
    given: Any = values
    return Style(theme=given["theme"], max_height_px=given["max_height"])
