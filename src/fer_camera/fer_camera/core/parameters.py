"""Parameters of the camera node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fer_common.core.network_links import PACE_BY_LINK
from fer_common.core.parameters import COMMON, Parameter, ParameterTable, Value, Values, settings

AUTO = "auto"
DEMO = "demo"


def _quarter_turns(values: Values) -> str | None:
    if values["rotation"] in (0, 90, 180, 270):
        return None
    return f"rotation is {values['rotation']} deg: choose 0, 90, 180 or 270"


TABLE = ParameterTable(
    "camera",
    (
        Parameter(
            "source",
            AUTO,
            "Source of the images: a device (0, /dev/video0), the address of a network camera "
            "(rtsp://, http://), a video file, a folder of images, 'demo' for the clip in the "
            "package, or 'auto' for the first device that sends a frame, and the demo clip until "
            "there is one.",
            resets="the stream",
        ),
        Parameter(
            "width",
            0,
            "Width of the published image. 0 keeps the width of the source, or its aspect ratio if "
            "a height is given. If both are given, an image of another aspect ratio is cropped, "
            "never stretched.",
            "px",
            0,
            8192,
        ),
        Parameter("height", 0, "Height of the published image, see width.", "px", 0, 8192),
        Parameter(
            "rate",
            0.0,
            "Frame rate; 0 for that of the source (10 Hz for a folder of images). A device may "
            "choose another rate than requested.",
            "Hz",
            0.0,
            240.0,
        ),
        Parameter("loop", True, "Play a file or folder again when it ends. Off: stop at its end."),
        Parameter("flip", False, "Mirror the image horizontally."),
        Parameter(
            "rotation",
            0,
            "Turn the image clockwise by 0, 90, 180 or 270 degrees, for a camera that is mounted "
            "on its side or upside down. width, height, flip and the calibration are those of the "
            "turned image.",
            "deg",
            0,
            270,
        ),
        Parameter("frame_id", "camera", "Optical frame in every header.", live=False),
        Parameter("encoding", "bgr8", "Encoding of image_raw.", choices=("bgr8", "mono8")),
        Parameter(
            "camera_info_url",
            "",
            "Calibration of the published image, as camera_calibration writes it: a path, "
            "file:///path or package://package/path. ${NAME} is the node's name, ${ROS_HOME} the "
            "folder ~/.ros. Empty: uncalibrated.",
        ),
        Parameter(
            "horizontal_fov",
            0.0,
            "Horizontal field of view of a camera without calibration, published as an ideal "
            "pinhole camera. 0: unknown, camera_info says uncalibrated (K all 0).",
            "rad",
            0.0,
            3.0,
        ),
        Parameter(
            "exposure",
            0.0,
            "Exposure time of a device, if its driver can set it. 0: automatic.",
            "s",
            0.0,
            1.0,
        ),
        Parameter(
            "gain", -1, "Gain of a device in units of its driver. -1: not changed.", "", -1, 4096
        ),
        Parameter(
            "brightness",
            -1,
            "Brightness of a device in units of its driver. -1: not changed.",
            "",
            -1,
            4096,
        ),
        Parameter("jpeg_quality", 90, "JPEG quality of image_raw/compressed.", "%", 1, 100),
        PACE_BY_LINK,
        *COMMON,
    ),
    (_quarter_turns,),
)


@dataclass(frozen=True)
class CameraSettings:
    """The parameters that the core uses, with the names and units of `TABLE`."""

    width: int
    height: int
    rate: float
    loop: bool
    flip: bool
    rotation: int
    encoding: str
    exposure: float
    gain: int
    brightness: int
    frame_id: str
    horizontal_fov: float
    jpeg_quality: int

    @property
    def source_size(self) -> tuple[int, int]:
        """Width and height to ask the source for; 0 for its own."""
        turned = self.rotation in (90, 270)
        return (self.height, self.width) if turned else (self.width, self.height)

    @classmethod
    def of(cls, values: Mapping[str, Value]) -> CameraSettings:
        """Select the settings from the values of all parameters."""
        return settings(cls, values)


DEFAULTS = CameraSettings.of(TABLE.defaults())
