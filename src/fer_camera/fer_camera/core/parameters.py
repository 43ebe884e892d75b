"""The parameters of the camera node, and what they mean for the core."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fer_common.core.network_links import PACE_BY_LINK
from fer_common.core.parameters import COMMON, Parameter, ParameterTable, Value

AUTO = "auto"
DEMO = "demo"

TABLE = ParameterTable(
    "camera",
    (
        Parameter(
            "source",
            AUTO,
            "What to show: a device (0, /dev/video0), a video file, a folder of images, 'demo' for "
            "the clip in the package, or 'auto' for the first device that gives a frame, and the "
            "demo clip until there is one.",
            resets="the stream",
        ),
        Parameter(
            "width",
            0,
            "Width of the published image; 0 keeps the source's, or its aspect ratio where a "
            "height is given. With both given, a picture of another aspect ratio loses its edges; "
            "it is never stretched.",
            unit="px",
            minimum=0,
            maximum=8192,
        ),
        Parameter(
            "height",
            0,
            "Height of the published image, as width.",
            unit="px",
            minimum=0,
            maximum=8192,
        ),
        Parameter(
            "rate",
            0.0,
            "Frames per second; 0 for the source's own (a folder of images: 10). A device is asked "
            "for it and may give another.",
            unit="Hz",
            minimum=0.0,
            maximum=240.0,
        ),
        Parameter(
            "loop", True, "Begin a file or folder again at its end; off: stop there and say so."
        ),
        Parameter("flip", False, "Mirror the picture, left to right."),
        Parameter("frame_id", "camera", "Name of the optical frame in every header.", live=False),
        Parameter("encoding", "bgr8", "Encoding of image_raw.", choices=("bgr8", "mono8")),
        Parameter(
            "camera_info_url",
            "",
            "Calibration of the published image, as camera_calibration writes it: a path, "
            "file:///path or package://package/path. Empty: uncalibrated.",
        ),
        Parameter(
            "horizontal_fov",
            0.0,
            "Horizontal field of view of a camera without calibration, published as an ideal "
            "pinhole; 0: not known, and camera_info says uncalibrated (K all 0).",
            unit="rad",
            minimum=0.0,
            maximum=3.0,
        ),
        Parameter(
            "exposure",
            0.0,
            "Exposure time of a device whose driver has it; 0: automatic.",
            unit="s",
            minimum=0.0,
            maximum=1.0,
        ),
        Parameter(
            "gain",
            -1,
            "Gain of a device, in units of its driver; -1: leave it alone.",
            minimum=-1,
            maximum=4096,
        ),
        Parameter(
            "brightness",
            -1,
            "Brightness of a device, in units of its driver; -1: leave it alone.",
            minimum=-1,
            maximum=4096,
        ),
        Parameter(
            "jpeg_quality",
            90,
            "Quality of image_raw/compressed.",
            unit="%",
            minimum=1,
            maximum=100,
        ),
        PACE_BY_LINK,
        *COMMON,
    ),
)


@dataclass(frozen=True)
class Settings:
    """The parameters that the core works with, by their names and with their units; see `TABLE`."""

    width: int
    height: int
    rate: float
    loop: bool
    flip: bool
    encoding: str
    exposure: float
    gain: int
    brightness: int
    frame_id: str
    horizontal_fov: float
    jpeg_quality: int

    @classmethod
    def of(cls, values: Mapping[str, Value]) -> Settings:
        """Take the settings out of the values of all parameters."""
        return cls(**{name: values[name] for name in cls.__dataclass_fields__})  # type: ignore[arg-type]


#: As they are when nothing is said.
DEFAULTS = Settings.of(TABLE.defaults())
