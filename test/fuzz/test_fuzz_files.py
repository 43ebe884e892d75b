"""Files from anybody: weights, parameters, calibration, video."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from hypothesis import strategies as st

from fer.bringup.graph import parameter_tables
from fer_camera.core import calibration
from fer_common.core.errors import FerError
from fer_common.core.parameter_files import read_parameter_file, to_yaml
from fer_faults.fuzzing import LONG, SHORT, damaged, fuzz
from fer_faults.ledger import Ledger
from fer_snn.core.weights import weights_file
from fer_testing.networks import small_model

pytestmark = pytest.mark.timeout(1800)

TABLES = parameter_tables()
CALIBRATION = b"""image_width: 640
image_height: 480
camera_name: c
camera_matrix: {rows: 3, cols: 3, data: [500, 0, 320, 0, 500, 240, 0, 0, 1]}
distortion_model: plumb_bob
distortion_coefficients: {rows: 1, cols: 5, data: [0, 0, 0, 0, 0]}
rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}
projection_matrix: {rows: 3, cols: 4, data: [500, 0, 320, 0, 0, 500, 240, 0, 0, 0, 1, 0]}
"""


def test_weights_files(ledger: Ledger, long: bool) -> None:
    def check(data: bytes) -> None:
        try:
            weights_file.from_bytes(data)
        except weights_file.WeightsFileError as error:
            assert str(error)

    good = weights_file.to_bytes(small_model())
    fuzz("weights files", damaged(good), check, ledger, long)


#: Whatever a YAML of one word becomes: dates that are none, numbers without end, tags.
words = st.text("0123456789-+.:_ex!&*?<=TZ tfb{}[]", max_size=14) | st.sampled_from(
    ["2001-99-99", "9" * 5000, "!!float x", "!!int x", "!!bool x", "!!timestamp x", "&a [*a]"]
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)


def test_parameter_files(tmp_path: Path, ledger: Ledger, long: bool) -> None:
    path = tmp_path / "parameters.yaml"

    def check(data: bytes) -> None:
        path.write_bytes(data)
        try:
            given = read_parameter_file(path, TABLES)
        except FerError as error:
            assert str(path) in str(error)
        else:
            for node, values in given.items():
                for name, value in values.items():
                    assert TABLES[node][name].check(value) == value

    names = [name for table in TABLES.values() for name in table.defaults()]
    values = st.dictionaries(st.sampled_from(names) | st.text(max_size=8), anything, max_size=3)
    documents = st.builds(
        lambda node, values: {node: {"ros__parameters": values}},
        st.sampled_from(["/**", "/**/snn", "/fer/camera", "features", "x"]) | st.text(max_size=8),
        values,
    )
    written = (documents | anything).map(lambda it: yaml.safe_dump(it).encode())
    text = to_yaml(TABLES.values()).encode()
    odd = words.map(lambda word: f"/**/snn:\n  ros__parameters:\n    dt: {word}\n".encode())
    fuzz("parameter files", written | odd | damaged(text[:3000]), check, ledger, long)


def test_calibration_files(tmp_path: Path, ledger: Ledger, long: bool) -> None:
    path = tmp_path / "camera.yaml"

    def check(data: bytes) -> None:
        path.write_bytes(data)
        try:
            calibration.load(str(path))
        except FerError as error:
            assert str(path) in str(error)

    fields = yaml.safe_load(CALIBRATION)
    changed = st.dictionaries(st.sampled_from(list(fields)), anything, max_size=3).map(
        lambda changes: yaml.safe_dump(fields | changes).encode()
    )
    odd = words.map(lambda word: CALIBRATION.replace(b"500", word.encode()))
    fuzz("calibration files", damaged(CALIBRATION) | changed | odd, check, ledger, long)


#: In a process of its own, since a decoder's fault is no exception. Reads names, one a line, and
#: says for each what became of it.
PLAYER = """
import sys
from pathlib import Path
from fer_camera.core.sources import VideoFile
from fer_common.core.errors import FerError
for line in sys.stdin:
    source = VideoFile(Path(line.strip()))
    frames = 0
    try:
        source.open()
        while frames < 60 and (picture := source.read()) is not None:
            assert picture.ndim == 3
            frames += 1
    except FerError as error:
        assert str(error)
    source.close()
    print(frames, flush=True)
"""


def test_videos(tmp_path: Path, ledger: Ledger, long: bool) -> None:
    good = tmp_path / "good.mp4"
    writer = cv2.VideoWriter(str(good), cv2.VideoWriter.fourcc(*"mp4v"), 30.0, (64, 48))
    draw = np.random.default_rng(2)
    for _ in range(12):
        writer.write(draw.integers(0, 256, (48, 64, 3), dtype=np.uint8))
    writer.release()
    clip = good.read_bytes()
    path = tmp_path / "clip.mp4"
    player = subprocess.Popen(
        [sys.executable, "-c", PLAYER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert player.stdin is not None and player.stdout is not None
    count = LONG if long else SHORT
    for k in range(count):
        path.write_bytes(_damaged_clip(clip, k))
        player.stdin.write(f"{path}\n")
        player.stdin.flush()
        assert player.stdout.readline().strip().isdecimal(), f"input {k} ended the player"
    player.stdin.close()
    assert player.wait(10) == 0
    ledger.count("fuzzing: video files", count)


def _damaged_clip(clip: bytes, k: int) -> bytes:
    draw = np.random.default_rng(k)
    data = bytearray(clip)
    for place in draw.integers(0, len(data), int(draw.integers(1, 40))):
        data[place] = int(draw.integers(256))
    return bytes(data[: int(draw.integers(0, len(data)))] if k % 3 == 0 else data)
