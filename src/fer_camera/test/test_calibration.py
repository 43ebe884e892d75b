"""Calibration files: read, scaled, refused with file and field; and the assumed pinhole."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_camera.core import calibration
from fer_camera.ros.node import share_folder
from fer_common.core.errors import ConfigurationError

GOOD: dict[str, Any] = {
    "image_width": 640,
    "image_height": 480,
    "camera_name": "cam",
    "camera_matrix": {"rows": 3, "cols": 3, "data": [500, 0, 320.5, 0, 510.0, 241, 0, 0, 1]},
    "distortion_model": "plumb_bob",
    "distortion_coefficients": {"rows": 1, "cols": 5, "data": [0.1, -0.2, 0.001, 0.002, 0.0]},
    "rectification_matrix": {"rows": 3, "cols": 3, "data": [1, 0, 0, 0, 1, 0, 0, 0, 1]},
    "projection_matrix": {
        "rows": 3,
        "cols": 4,
        "data": [490.0, 0, 321, 0, 0, 495, 240, 0, 0, 0, 1, 0],
    },
}
MATRICES = [name for name in GOOD if isinstance(GOOD[name], dict)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cam.yaml"
    path.write_text(yaml.safe_dump(GOOD))
    return path


def changed(file: Path, field: str, value: object) -> str:
    document = copy.deepcopy(GOOD)
    document[field] = value
    file.write_text(yaml.safe_dump(document))
    return str(file)


def message() -> SimpleNamespace:
    return SimpleNamespace(
        width=0, height=0, distortion_model="", d=[], k=[0.0] * 9, r=[0.0] * 9, p=[0.0] * 12
    )


def test_file_is_read_by_path_and_by_url(file: Path) -> None:
    loaded = calibration.load(str(file))
    assert loaded == calibration.load(f"file://{file}")
    assert loaded is not None
    info = message()
    calibration.fill(info, 640, 480, loaded)
    assert info.k == GOOD["camera_matrix"]["data"]
    assert info.d == GOOD["distortion_coefficients"]["data"]
    assert info.r == GOOD["rectification_matrix"]["data"]
    assert info.p == GOOD["projection_matrix"]["data"]
    assert (info.width, info.height, info.distortion_model) == (640, 480, "plumb_bob")


def test_package_url(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    share = tmp_path / "share" / "robot"
    share.mkdir(parents=True)
    (share / "cam.yaml").write_bytes(file.read_bytes())
    index = tmp_path / "share" / "ament_index" / "resource_index" / "packages"
    index.mkdir(parents=True)
    (index / "robot").touch()
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    assert calibration.load("package://robot/cam.yaml", share_folder) == calibration.load(str(file))
    with pytest.raises(ConfigurationError, match="package 'nobody' is not installed"):
        calibration.load("package://nobody/cam.yaml", share_folder)


def test_urls_are_substituted_as_by_camera_info_manager(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROS_HOME", str(file.parent))
    loaded = calibration.load("file://${ROS_HOME}/${NAME}.yaml", camera_name="cam")
    assert loaded == calibration.load(str(file))
    with pytest.raises(ConfigurationError, match=r"\$\{USER\} is unknown: use \$\{NAME\}"):
        calibration.load("${USER}.yaml")


@pytest.mark.parametrize(
    ("model", "count", "published"),
    [
        ("fisheye", 4, "equidistant"),
        ("rational_polynomial", 12, "rational_polynomial"),
        ("rational_polynomial", 14, "rational_polynomial"),
    ],
)
def test_models_of_opencv_are_read(file: Path, model: str, count: int, published: str) -> None:
    changed(file, "distortion_coefficients", {"data": [0.1] * count})
    document = {**yaml.safe_load(file.read_text()), "distortion_model": model}
    file.write_text(yaml.safe_dump(document))
    loaded = calibration.load(str(file))
    assert loaded is not None
    assert (loaded.distortion_model, len(loaded.d)) == (published, count)


def test_focal_length_0_is_refused_as_uncalibrated(file: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"uncalibrated.*leave camera_info_url empty"):
        calibration.load(changed(file, "camera_matrix", {"data": [0.0] * 9}))


def test_uncalibrated_is_all_zero() -> None:
    assert calibration.load("") is None
    info = message()
    calibration.fill(info, 640, 480, None)
    assert info == SimpleNamespace(**{**vars(message()), "width": 640, "height": 480})


def test_pinhole_sees_its_field_of_view() -> None:
    pinhole = calibration.pinhole(640, 480, math.radians(60))
    assert pinhole.k[0] == pytest.approx(320 / math.tan(math.radians(30)))
    assert pinhole.k[4] == pinhole.k[0]
    # The edges of the image lie half a pixel beyond the centres of its first and last column.
    for x, angle in ((-0.5, -30), (639.5, 30)):
        assert math.atan((x - pinhole.k[2]) / pinhole.k[0]) == pytest.approx(math.radians(angle))


@pytest.mark.parametrize("factor", [0.5, 2.0, 1.5])
def test_scaled_calibration_projects_to_the_scaled_pixel(file: Path, factor: float) -> None:
    full = calibration.load(str(file))
    assert full is not None
    scaled = full.of_size(round(640 * factor), round(480 * factor))
    assert scaled is not None
    points = np.array([[0.1, -0.2, 1.0], [-0.4, 0.3, 1.5], [0, 0, 2.0]])

    def project(of: calibration.Intrinsics) -> np.ndarray:
        k = np.reshape(of.k, (3, 3))
        pixels, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), k, np.array(of.d))
        return np.asarray(pixels)

    np.testing.assert_allclose(project(scaled), (project(full) + 0.5) * factor - 0.5, rtol=1e-6)
    assert scaled.p[0] == full.p[0] * factor


def test_other_shape_is_not_calibrated(file: Path) -> None:
    full = calibration.load(str(file))
    assert full is not None
    assert full.of_size(640, 360) is None


def test_what_can_be_left_out(file: Path) -> None:
    document = {k: v for k, v in GOOD.items() if k not in ("rectification_matrix", "camera_name")}
    del document["projection_matrix"]
    file.write_text(yaml.safe_dump(document))
    loaded = calibration.load(str(file))
    assert loaded is not None
    assert loaded.r == (1, 0, 0, 0, 1, 0, 0, 0, 1)
    assert loaded.p == (500, 0, 320.5, 0, 0, 510, 241, 0, 0, 0, 1, 0)


@pytest.mark.parametrize("field", MATRICES)
@pytest.mark.parametrize(
    "value",
    [
        7,
        {},
        {"data": 3},
        {"data": [1.0, 2.0]},
        {"data": ["a"] * 9},
        {"data": [math.nan] * 12},
        {"data": [True] * 5},
    ],
)
def test_bad_matrix_is_refused_with_file_and_field(file: Path, field: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=rf"cam\.yaml': field '{field}' must"):
        calibration.load(changed(file, field, value))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("image_width", 0),
        ("image_height", "480"),
        ("image_width", True),
        ("distortion_model", "fisheye"),
        ("distortion_model", ["plumb_bob"]),
        ("distortion_model", "equidistant"),
        ("camera_matrix", {"data": [0.0] * 9}),
    ],
)
def test_bad_field_is_refused_with_its_name(file: Path, field: str, value: object) -> None:
    named = "distortion_coefficients" if value in ("equidistant", "fisheye") else field
    with pytest.raises(ConfigurationError, match=f"field '{named}'"):
        calibration.load(changed(file, field, value))


@pytest.mark.parametrize(
    "content", [b"", b"[1, 2]", b"a: [", b"\xff\xfe\x00", b"text", b"!!python/x"]
)
def test_what_is_no_calibration_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"cam\.yaml"):
        calibration.load(str(file))


@pytest.mark.parametrize("url", ["/no/such.yaml", "file:///no/such.yaml", "http://host/cam.yaml"])
def test_unusable_urls_are_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="calibration '"):
        calibration.load(url)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=13) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=20,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(list(GOOD)), JSON))
def test_any_document_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, changes: dict[str, object]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(yaml.safe_dump({**GOOD, **changes}))
    try:
        loaded = calibration.load(str(path))
    except ConfigurationError:
        return
    assert loaded is not None
    assert all(math.isfinite(value) for value in (*loaded.k, *loaded.d, *loaded.p))
