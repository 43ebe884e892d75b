"""A camera of your own: publishes pictures that fer takes in the place of its camera node.

./fer exec python3 examples/own_camera.py FOLDER --ros-args -r image_raw:=/my_camera/image
./fer up --no-camera --image-topic /my_camera/image
"""

import sys
from contextlib import suppress
from pathlib import Path

import cv2
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from sensor_msgs.msg import Image


class Pictures(Node):
    """Publishes the pictures of a folder again and again, 10 a second."""

    def __init__(self, folder: Path) -> None:
        super().__init__("pictures")
        self.pictures = [cv2.imread(str(path)) for path in sorted(folder.glob("*.png"))]
        self.count = 0
        self.images = self.create_publisher(Image, "image_raw", 2)
        self.create_timer(0.1, self.publish)

    def publish(self) -> None:
        """Send the next picture. The stamp goes through the whole graph."""
        picture = self.pictures[self.count % len(self.pictures)]
        self.count += 1
        height, width, _ = picture.shape
        message = Image(height=height, width=width, step=3 * width, encoding="bgr8")
        message.header.stamp = self.get_clock().now().to_msg()
        message.header.frame_id = "my_camera"
        message.data.frombytes(picture.tobytes())
        self.images.publish(message)


rclpy.init()
with suppress(KeyboardInterrupt, ExternalShutdownException):
    rclpy.spin(Pictures(Path(sys.argv[1])))
