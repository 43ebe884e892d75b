"""Offline work: training, evaluation, ablation and figures. A robot need not install it."""

import os

# OpenCV reads these when it is loaded: refuse images of more than 134 megapixels before decoding
# them, and print no messages.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(2**27))
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
