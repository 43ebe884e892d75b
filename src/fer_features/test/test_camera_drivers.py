"""Other people's camera drivers: their topics, encodings and habits, over real DDS.

None of them publishes a camera_info that features would need, and none is published here.
"""

from __future__ import annotations

import array
from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from numpy.typing import NDArray
from rclpy.qos import QoSProfile, qos_profile_sensor_data, qos_profile_system_default
from sensor_msgs.msg import CompressedImage, Image

from fer_testing.features import FeaturesRig, image_message
from fer_testing.ros import Graph, facts, ros_arguments, wait_for

Picture = NDArray[np.uint8]


def mosaic(picture: Picture) -> Picture:
    """Return what a Bayer sensor (rggb) sees of a picture."""
    seen = picture[..., 1].copy()
    seen[::2, ::2], seen[1::2, 1::2] = picture[::2, ::2, 2], picture[1::2, 1::2, 0]
    return seen


def planes(picture: Picture) -> tuple[Picture, Picture, Picture]:
    """Return y, and u and v of half its size."""
    height, width = picture.shape[:2]
    flat = cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420).ravel()
    y, u, v = np.split(flat, [height * width, height * width * 5 // 4])
    half = (height // 2, width // 2)
    return y.reshape(height, width), u.reshape(half), v.reshape(half)


def packed(picture: Picture, order: str) -> Picture:
    """Return a picture in YUV 4:2:2, (height, width, 2): y and, in turn, u and v."""
    y, u, v = planes(picture)
    colour = np.stack([u, v], axis=-1).repeat(2, axis=0).reshape(y.shape)
    return np.stack([y, colour] if order == "yuyv" else [colour, y], axis=-1)


def two_planes(picture: Picture) -> Picture:
    y, u, v = planes(picture)
    return np.vstack([y, np.stack([u, v], axis=-1).reshape(len(u), -1)])


def in_encoding(picture: Picture, encoding: str) -> Picture:
    """Return a BGR picture in another encoding."""
    codes = {
        "rgb8": cv2.COLOR_BGR2RGB,
        "mono8": cv2.COLOR_BGR2GRAY,
        "bgra8": cv2.COLOR_BGR2BGRA,
        "rgba8": cv2.COLOR_BGR2RGBA,
    }
    if encoding in codes:
        return np.asarray(cv2.cvtColor(picture, codes[encoding]), np.uint8)
    if encoding == "bayer_rggb8":
        return mosaic(picture)
    if encoding == "nv12":
        return two_planes(picture)
    return packed(picture, "uyvy" if encoding in ("uyvy", "yuv422") else "yuyv")


def driver_message(picture: Picture, stamp_ns: int, encoding: str, padding: int = 0) -> Image:
    """Return a picture as drivers send it, its rows padded by bytes of rubbish."""
    pixels = in_encoding(picture, encoding)
    rows = pixels.reshape(len(pixels), -1)
    message = image_message(np.pad(rows, ((0, 0), (0, padding))), stamp_ns, encoding)
    message.height, message.width = picture.shape[:2]
    return message


def test_a_face_is_the_same_in_every_encoding(graph: Graph, clip: list[Picture]) -> None:
    rig = FeaturesRig(graph)
    (expected,) = rig.ask(image_message(clip[0], 1)).faces
    encodings = ("rgb8", "mono8", "bgra8", "rgba8", "bayer_rggb8")
    for encoding in (*encodings, "yuyv", "yuv422_yuy2", "uyvy", "yuv422", "nv12"):
        message = driver_message(clip[0], 1, encoding, padding=7)
        message.is_bigendian = 1
        (face,) = rig.ask(message).faces
        assert face.roi.width == pytest.approx(expected.roi.width, abs=8), encoding
        # Colour is halved, or guessed between the cells of a sensor; the grey hardly changes.
        difference = np.abs(np.subtract(face.features, expected.features))
        assert difference.mean() < 0.02, encoding


@dataclass(frozen=True)
class Driver:
    """A driver as its launch file starts it.

    Sources: usb_cam launch/camera_config.py, v4l2_camera README (output_encoding), realsense-ros
    README (camera_namespace, camera_name).
    """

    topic: str
    encoding: str
    profile: QoSProfile


DRIVERS = {
    "usb_cam": Driver("/camera1/image_raw", "yuv422_yuy2", qos_profile_system_default),
    "v4l2_camera": Driver("/image_raw", "rgb8", qos_profile_sensor_data),
    "realsense2_camera": Driver(
        "/camera/camera/color/image_raw", "rgb8", qos_profile_system_default
    ),
}


@pytest.mark.parametrize("name", DRIVERS)
def test_a_driver_takes_the_camera_nodes_place(
    name: str, graph: Graph, clip: list[Picture]
) -> None:
    driver = DRIVERS[name]
    remapping = ("--ros-args", "-r", f"image_raw:={driver.topic}")
    rig = FeaturesRig(graph, *remapping, topic=driver.topic, profile=driver.profile)
    message = driver_message(clip[0], 1, driver.encoding)
    rig.wait_for_subscription()

    def seen() -> bool:
        # What is sent best effort before the node has found the sender is lost.
        rig.send(message)
        return bool(rig.answers)

    wait_for(seen, "features")
    (face,) = rig.answers[0].faces
    assert face.id == 1 and rig.answers[0].header == message.header


def test_depth_images_are_refused_with_what_to_do(graph: Graph) -> None:
    topic = "/camera/camera/depth/image_rect_raw"
    rig = FeaturesRig(graph, "--ros-args", "-r", f"image_raw:={topic}", topic=topic)
    message = image_message(np.zeros((48, 128), np.uint8), 1, "mono8")
    message.encoding, message.width = "16UC1", 64
    rig.send(message)
    status = rig.wait_for_status(lambda s: facts(s)["dropped"] == "1", "the drop")
    assert status.level == DiagnosticStatus.WARN
    assert "'16UC1'" in status.message and "subscribe to the colour" in status.message


def compressed(picture: Picture, suffix: str) -> CompressedImage:
    _, data = cv2.imencode(suffix, picture)
    message = CompressedImage(format=f"rgb8; {suffix[1:]} compressed bgr8")
    message.data = array.array("B", data.tobytes())
    return message


@pytest.mark.parametrize(
    ("topic", "remapping"),
    [
        ("/camera/camera/color/image_raw/compressed", "image_raw:=/camera/camera/color/image_raw"),
        # usb_cam's launch file names it so, not as image_transport does.
        ("/camera1/image_compressed", "image_raw/compressed:=/camera1/image_compressed"),
    ],
)
def test_a_driver_that_sends_compressed_images_only(
    topic: str, remapping: str, graph: Graph, clip: list[Picture]
) -> None:
    arguments = (*ros_arguments(image_transport="compressed"), "-r", remapping)
    rig = FeaturesRig(graph, *arguments, topic=topic, kind=CompressedImage)
    for suffix in (".jpg", ".png"):
        assert len(rig.ask(compressed(clip[0], suffix)).faces) == 1


def test_a_wrong_transport_is_named(graph: Graph) -> None:
    graph.node.create_publisher(CompressedImage, "/camera1/image_raw/compressed", 1)
    rig = FeaturesRig(
        graph,
        *ros_arguments(stale_after=0.2),
        "-r",
        "image_raw:=/camera1/image_raw",
        topic="/elsewhere",
    )
    rig.wait_for_status(
        lambda s: (
            "/camera1/image_raw/compressed only: set image_transport to compressed" in s.message
        ),
        "the transport to take",
    )
