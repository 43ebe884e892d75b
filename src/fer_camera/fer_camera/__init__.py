"""Camera of fer: a device, a video, a folder of images or the demo clip as stamped frames."""

import os

from fer_common.core.process import pin_to_one_thread

# OpenCV reads these when it is loaded, so they must stand before any module of this package is:
# one thread for decoding (more cost only switches at 30 Hz), no messages beside our own, and a V4L2
# read that gives up in time.
_OPENCV = {
    "OPENCV_FFMPEG_THREADS": "1",
    "OPENCV_FFMPEG_LOGLEVEL": "-8",
    "OPENCV_LOG_LEVEL": "SILENT",
    "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT": "1",
}

pin_to_one_thread()
for _name, _value in _OPENCV.items():
    os.environ.setdefault(_name, _value)
