"""Camera node of fer: publishes a device, a video, a folder of images or the demo clip."""

import os

from fer_common.core.process import pin_to_one_thread

# OpenCV reads these when it is loaded, so set them before any module of this package.
# Decode in one thread (more threads only add context switches at 30 Hz), print no messages, let a
# blocked V4L2 read time out, and refuse images of more than 134 megapixels before decoding them.
_OPENCV = {
    "OPENCV_FFMPEG_THREADS": "1",
    "OPENCV_FFMPEG_LOGLEVEL": "-8",
    "OPENCV_LOG_LEVEL": "SILENT",
    "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT": "1",
    "OPENCV_IO_MAX_IMAGE_PIXELS": str(2**27),
}

pin_to_one_thread()
for _name, _value in _OPENCV.items():
    os.environ.setdefault(_name, _value)
