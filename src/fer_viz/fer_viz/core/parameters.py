"""Parameters of the viz node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fer_common.core.parameters import COMMON, IMAGE_TRANSPORT, Parameter, ParameterTable, Values
from fer_viz.core.drawing.style import THEMES

NODE = "viz"


@dataclass(frozen=True)
class PictureOptions:
    """How pictures are drawn.

    Attributes
    ----------
    theme : "dark" or "light".
    whole : the whole dashboard, instead of the image with its faces.
    max_height_px : larger images are shrunk to this.
    """

    theme: str = "dark"
    whole: bool = True
    max_height_px: int = 720


_DEFAULTS = PictureOptions()

TABLE = ParameterTable(
    NODE,
    (
        IMAGE_TRANSPORT,
        Parameter("rate", 30.0, "Highest rate of the pictures.", "Hz", 0.1, 120.0),
        Parameter("theme", _DEFAULTS.theme, "Colours of the pictures.", choices=tuple(THEMES)),
        Parameter(
            "max_height",
            _DEFAULTS.max_height_px,
            "Larger camera images are shrunk to this height before they are drawn.",
            "px",
            240,
            2160,
        ),
        Parameter("history", 1.0, "How far back potentials and spikes are shown.", "s", 0.2, 10.0),
        Parameter(
            "face",
            0,
            "Id of the face that panel and numbers show. 0: the largest face, which also replaces "
            "a face that is not in view.",
            minimum=0,
            maximum=2**32 - 1,
        ),
        Parameter(
            "result_timeout",
            0.5,
            "Without results for this long, images are drawn without them and say what is missing.",
            "s",
            0.1,
            60.0,
        ),
        Parameter(
            "jpeg_quality", 85, "Quality of the compressed pictures.", minimum=1, maximum=100
        ),
        Parameter(
            "web_port",
            0,
            "Port on 127.0.0.1 of a page that shows the topic dashboard in a browser. 0: no page.",
            minimum=0,
            maximum=65535,
        ),
        *COMMON,
    ),
)


def picture_options(values: Values) -> PictureOptions:
    """Return the options that the values of the node's parameters stand for."""
    given: Any = values
    return PictureOptions(theme=given["theme"], max_height_px=given["max_height"])
