"""Image messages: every encoding, padded rows, and data that does not fit its header."""

from __future__ import annotations

import array
import contextlib
from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_common import images
from fer_common.errors import ImageError

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


def message_of(pixels: np.ndarray, encoding: str, padding: int = 0) -> FakeImage:
    """Make a message whose rows end with `padding` bytes of rubbish, but for the last."""
    height, width = pixels.shape[:2]
    rows = pixels.reshape(height, -1)
    padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=255)
    message = FakeImage(height, width, encoding, 0, padded.shape[1])
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


def yuv(order: str) -> np.ndarray:
    """Return one colour in YUV 4:2:2, packed in the given order (BT.601, studio range)."""
    b, g, r = (value / 255 for value in COLOUR)
    luma = 0.299 * r + 0.587 * g + 0.114 * b
    values = {
        "y": 16 + 219 * luma,
        "u": 128 + 224 * (b - luma) / 1.772,
        "v": 128 + 224 * (r - luma) / 1.402,
    }
    row = [round(values[letter]) for letter in order]
    return np.tile(np.array(row, np.uint8).reshape(1, 2, 2), (16, 8, 1))


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
        (FakeImage(2, 2, "mono16", 0, 4, array.array("B", bytes(8))), "encoding 'mono16' cannot"),
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


def test_reader_reads_what_to_bgr_reads() -> None:
    read = images.reader()
    for encoding in ("rgb8", "mono8", "bgr8"):
        pixels = PICTURES.get(encoding, plain(16, 16, 1)[..., 0])
        message = message_of(pixels, encoding)
        np.testing.assert_array_equal(read(message), images.to_bgr(message))
