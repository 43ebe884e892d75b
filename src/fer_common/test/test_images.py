"""Image messages: every encoding, padded rows, and data that does not fit its header."""

from __future__ import annotations

import array
import contextlib
import sys
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import ClassVar

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_common.core import images
from fer_common.core.errors import ImageError
from fer_common.ros.image_reader import bgr_reader

COLOUR = (30, 120, 200)  # blue, green, red


@dataclass
class FakeImage:
    height: int = 0
    width: int = 0
    encoding: str = ""
    is_bigendian: int = 0
    step: int = 0
    data: array.array[int] = field(default_factory=lambda: array.array("B"))


@dataclass
class FakeCompressed:
    format: str = ""
    data: array.array[int] = field(default_factory=lambda: array.array("B"))


def message_of(
    pixels: np.ndarray, encoding: str, padding: int = 0, bigendian: int = 0
) -> FakeImage:
    """Make a message whose rows end with `padding` bytes of rubbish, but for the last."""
    rows = pixels.reshape(len(pixels), -1)
    padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=255)
    height = len(pixels) * 2 // 3 if encoding.startswith("nv") else len(pixels)
    message = FakeImage(height, pixels.shape[1], encoding, bigendian, padded.shape[1])
    message.data.frombytes(padded.tobytes()[: padded.size - padding])
    return message


def plain(height: int, width: int, channels: int) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (height, width, channels), np.uint8)


def mosaic(first: str) -> np.ndarray:
    """Return what a Bayer sensor sees of one colour, with the pattern named as ROS does."""
    values = dict(zip("bgr", COLOUR, strict=True))
    tile = np.array([values[letter] for letter in first], np.uint8).reshape(2, 2)
    return np.tile(tile, (8, 8))


def one_colour(*, order: str) -> np.ndarray:
    values = dict(zip("bgra", (*COLOUR, 255), strict=True))
    return np.full((16, 16, len(order)), [values[letter] for letter in order], np.uint8)


def yuv_values() -> dict[str, int]:
    """Return the colour in YUV (BT.601, studio range)."""
    b, g, r = (value / 255 for value in COLOUR)
    luma = 0.299 * r + 0.587 * g + 0.114 * b
    return {
        "y": round(16 + 219 * luma),
        "u": round(128 + 224 * (b - luma) / 1.772),
        "v": round(128 + 224 * (r - luma) / 1.402),
    }


def yuv(order: str) -> np.ndarray:
    """Return the colour in YUV 4:2:2, packed in the given order."""
    row = [yuv_values()[letter] for letter in order]
    return np.tile(np.array(row, np.uint8).reshape(1, 2, 2), (16, 8, 1))


def two_planes(order: str) -> np.ndarray:
    """Return the colour in YUV 4:2:0: a plane of y, and below it one of u and v in turn."""
    values = yuv_values()
    colour = np.tile(np.array([values[letter] for letter in order], np.uint8), (8, 8))
    return np.vstack([np.full((16, 16), values["y"], np.uint8), colour])


PICTURES = {
    "bgr8": one_colour(order="bgr"),
    "8UC3": one_colour(order="bgr"),
    "rgb8": one_colour(order="rgb"),
    "bgra8": one_colour(order="bgra"),
    "rgba8": one_colour(order="rgba"),
    "yuv422": yuv("uyvy"),
    "uyvy": yuv("uyvy"),
    "yuv422_yuy2": yuv("yuyv"),
    "yuyv": yuv("yuyv"),
    "nv12": two_planes("uv"),
    "nv21": two_planes("vu"),
    **{f"bayer_{pattern}8": mosaic(pattern) for pattern in ("rggb", "bggr", "gbrg", "grbg")},
}


def test_every_encoding_is_tried_here() -> None:
    assert set(images.ENCODINGS) == {*PICTURES, "mono8", "8UC1"}


@pytest.mark.parametrize("padding", [0, 5])
@pytest.mark.parametrize("encoding", PICTURES)
def test_colour_of_every_encoding(encoding: str, padding: int) -> None:
    bgr = images.to_bgr(message_of(PICTURES[encoding], encoding, padding))
    assert bgr.shape == (16, 16, 3)
    np.testing.assert_allclose(bgr, np.broadcast_to(COLOUR, bgr.shape), atol=3)


@pytest.mark.parametrize("encoding", PICTURES)
def test_every_encoding_gives_the_same_grey(encoding: str) -> None:
    b, g, r = COLOUR
    bgr = images.to_bgr(message_of(PICTURES[encoding], encoding))
    grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    np.testing.assert_allclose(grey, 0.299 * r + 0.587 * g + 0.114 * b, atol=2)


@pytest.mark.parametrize("encoding", ["mono8", "8UC1"])
def test_grey(encoding: str) -> None:
    grey = plain(5, 7, 1)[..., 0]
    bgr = images.to_bgr(message_of(grey, encoding, padding=3))
    np.testing.assert_array_equal(bgr, np.repeat(grey[..., None], 3, axis=2))


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 9), st.integers(0, 9))
def test_view_shares_memory_and_leaves_the_padding_out(
    height: int, width: int, padding: int, more: int
) -> None:
    pixels = plain(height, width, 3)
    message = message_of(pixels, "bgr8", padding)
    message.data.extend([1] * more)
    view = images.view(message)
    np.testing.assert_array_equal(view, pixels)
    assert not view.flags.writeable
    message.data[0] ^= 255
    assert view[0, 0, 0] == pixels[0, 0, 0] ^ 255


@settings(max_examples=200, deadline=None)
@given(
    st.integers(-5, 40),
    st.integers(-5, 40),
    st.integers(-5, 150),
    st.integers(0, 6000),
    st.sampled_from([*images.ENCODINGS, "", "mono16", "32FC1", "jpeg"]),
)
def test_any_header_is_read_or_refused(
    height: int, width: int, step: int, length: int, encoding: str
) -> None:
    message = FakeImage(height, width, encoding, 0, step, array.array("B", bytes(length)))
    try:
        bgr = images.to_bgr(message)
    except ImageError:
        return
    assert bgr.shape == (height, width, 3)
    assert length >= (height - 1) * step + width


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (FakeImage(2, 2, "rgb", 0, 6, array.array("B", bytes(12))), "'rgb' .* publish one of bgr8"),
        (FakeImage(4, 3, "nv12", 0, 4, array.array("B", bytes(24))), "nv12: both must be even"),
        (FakeImage(4, 4, "nv21", 0, 4, array.array("B", bytes(20))), "6 rows of 4 need 24"),
        (FakeImage(0, 0, "bgr8"), "size 0x0 is outside"),
        (FakeImage(2, 20000, "mono8", 0, 20000), "size 20000x2 is outside"),
        (FakeImage(2, 4, "bgr8", 0, 11, array.array("B", bytes(24))), "step 11 is shorter"),
        (FakeImage(2, 4, "bgr8", 0, 12, array.array("B", bytes(23))), "the message was cut"),
        (FakeImage(4, 5, "uyvy", 0, 10, array.array("B", bytes(40))), "cannot be uyvy"),
    ],
)
def test_what_is_wrong_is_named(message: FakeImage, reason: str) -> None:
    with pytest.raises(ImageError, match=reason):
        images.to_bgr(message)


@pytest.mark.parametrize(
    "encoding", ["16UC1", "mono16", "32FC1", "64FC3", "rgb16", "bgra16", "bayer_rggb16"]
)
def test_more_than_8_bits_are_refused_with_what_to_do(encoding: str) -> None:
    message = FakeImage(2, 2, encoding, 1, 24, array.array("B", bytes(48)))
    with pytest.raises(
        ImageError, match=f"'{encoding}' .* colour or infrared .* or let its driver"
    ):
        images.to_bgr(message)
    picture = FakeCompressed(f"{encoding}; compressedDepth", array.array("B", b"any"))
    with pytest.raises(ImageError, match=f"'{encoding}' .* more than 8 bits"):
        images.decode(picture)


@pytest.mark.parametrize("pixels", [plain(6, 9, 3), plain(6, 9, 3)[:, ::-1], plain(6, 9, 3)[::2]])
def test_what_is_filled_is_read_back(pixels: np.ndarray) -> None:
    message = FakeImage()
    images.fill(message, pixels, "bgr8")
    assert (message.height, message.width, message.step) == (len(pixels), 9, 27)
    np.testing.assert_array_equal(images.view(message), pixels)


def test_grey_is_filled_and_read_back() -> None:
    grey = plain(6, 9, 1)[..., 0]
    message = FakeImage()
    images.fill(message, grey, "mono8")
    assert message.step == 9
    np.testing.assert_array_equal(images.view(message), grey)


@pytest.mark.parametrize(("shape", "encoding"), [((24, 32, 3), "bgr8"), ((24, 32), "mono8")])
def test_jpeg_there_and_back(shape: tuple[int, ...], encoding: str) -> None:
    pixels = np.full(shape, 90, np.uint8)
    message = FakeCompressed()
    images.fill_compressed(message, pixels, 95)
    assert message.format == f"{encoding}; jpeg compressed {encoding}"
    np.testing.assert_allclose(images.decode(message), np.full((24, 32, 3), 90), atol=2)


def huge_png() -> bytes:
    """Return a PNG whose header claims 60000 x 60000 pixels."""
    _, data = cv2.imencode(".png", np.zeros((4, 4, 3), np.uint8))
    raw = bytearray(data.tobytes())
    raw[16:24] = (60000).to_bytes(4, "big") * 2
    return bytes(raw)


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8\xff\xe0 no jpeg", b"text" * 50, huge_png()], ids=range(4)
)
def test_data_that_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(ImageError):
        images.decode(FakeCompressed("jpeg", array.array("B", data)))


def test_a_compressed_picture_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    message = FakeCompressed()
    images.fill_compressed(message, plain(16, 24, 3), 80)
    monkeypatch.setattr(images, "MAX_SIDE_PX", 23)
    with pytest.raises(ImageError, match="too large"):
        images.decode(message)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_jpeg_is_read_or_refused(data: st.DataObject) -> None:
    message = FakeCompressed()
    images.fill_compressed(message, plain(16, 16, 3), 80)
    for _ in range(data.draw(st.integers(1, 6))):
        message.data[data.draw(st.integers(0, len(message.data) - 1))] = data.draw(
            st.integers(0, 255)
        )
    with contextlib.suppress(ImageError):
        assert images.decode(message).ndim == 3


@pytest.mark.parametrize(
    ("suffix", "format_"), [(".jpg", "jpeg"), (".png", "rgb8; png compressed ")]
)
def test_whatever_compressed_image_transport_sends(suffix: str, format_: str) -> None:
    _, data = cv2.imencode(suffix, np.full((24, 32, 3), COLOUR, np.uint8))
    message = FakeCompressed(format_, array.array("B", data.tobytes()))
    np.testing.assert_allclose(images.decode(message), np.broadcast_to(COLOUR, (24, 32, 3)), atol=3)


def noise(encoding: str) -> np.ndarray:
    """Return a picture in which every byte counts."""
    like = PICTURES.get(encoding, PICTURES["bayer_rggb8"])
    return np.random.default_rng(3).integers(0, 256, like.shape, np.uint8)


@pytest.mark.parametrize("bigendian", [0, 1])
@pytest.mark.parametrize("padding", [0, 5])
@pytest.mark.parametrize("encoding", images.ENCODINGS)
def test_reader_reads_what_to_bgr_reads(encoding: str, padding: int, bigendian: int) -> None:
    # By cv_bridge, where it is installed.
    message = message_of(noise(encoding), encoding, padding, bigendian)
    np.testing.assert_array_equal(bgr_reader()(message), images.to_bgr(message))


class CvBridgeError(TypeError):
    """As cv_bridge's own."""


class CvBridge:
    """As strict as cv_bridge: raises for encodings that it does not know, shears padded rows."""

    KNOWN: ClassVar = {"rgb8": cv2.COLOR_RGB2BGR, "yuv422": cv2.COLOR_YUV2BGR_UYVY}

    def imgmsg_to_cv2(self, message: FakeImage, desired_encoding: str) -> np.ndarray:
        assert desired_encoding == "bgr8"
        if message.encoding not in self.KNOWN:
            raise CvBridgeError(message.encoding)
        channels = message.step // message.width
        assert not message.is_bigendian and message.step == message.width * channels
        shape = (message.height, message.width, channels)
        pixels = np.ndarray(shape, np.uint8, message.data)
        return np.asarray(cv2.cvtColor(pixels, self.KNOWN[message.encoding]))


@pytest.mark.parametrize("encoding", images.ENCODINGS)
def test_a_cv_bridge_that_is_there_changes_nothing(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = SimpleNamespace(CvBridge=CvBridge, CvBridgeError=CvBridgeError)
    monkeypatch.setitem(sys.modules, "cv_bridge", stand_in)
    message = message_of(noise(encoding), encoding, padding=5, bigendian=1)
    np.testing.assert_array_equal(bgr_reader()(message), images.to_bgr(message))
