"""What users get wrong: one line that names the mistake and the remedy, and no traceback."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fer_snn.core.weights import weights_file
from fer_snn.core.weights import weights_folder as models

#: Writes a bad file into a folder and returns the options that name it.
MakeOptions = Callable[[Path], list[str]]


def no_such_video(folder: Path) -> list[str]:
    return ["--source", str(folder / "missing.mp4")]


def text_called_video(folder: Path) -> list[str]:
    (folder / "text.mp4").write_text("this is no video\n")
    return ["--source", str(folder / "text.mp4")]


def empty_folder(folder: Path) -> list[str]:
    (folder / "pictures").mkdir()
    return ["--source", str(folder / "pictures")]


def broken_labels(folder: Path) -> list[str]:
    from fer_camera.core.sources import demo_path

    shutil.copy(demo_path(), folder / "clip.mp4")
    (folder / "clip_labels.csv").write_text("time,mood\n0,fine\n")
    return ["--source", str(folder / "clip.mp4")]


def no_such_weights(folder: Path) -> list[str]:
    return ["--weights", str(folder / "missing.npz")]


def weights_cut_in_half(folder: Path) -> list[str]:
    data = models.default_path().read_bytes()
    (folder / "cut.npz").write_bytes(data[: len(data) // 2])
    return ["--weights", str(folder / "cut.npz")]


def weights_of_another_shape(folder: Path) -> list[str]:
    model = weights_file.load(models.default_path())
    weights_file.save(
        replace(model, feature_spec=model.feature_spec.replace("crop=48", "crop=64")),
        folder / "shape.npz",
    )
    return ["--weights", str(folder / "shape.npz")]


def weights_that_contradict_themselves(folder: Path) -> list[str]:
    path = folder / "odd.npz"
    with np.load(models.default_path()) as archive:
        arrays = dict(archive)
    arrays["weights_0"] = arrays["weights_0"][:, :-1]
    np.savez(path, **arrays)
    return ["--weights", str(path)]


def parameters(text: str, folder: Path) -> list[str]:
    (folder / "bad.yaml").write_text(text)
    return ["--params", str(folder / "bad.yaml")]


def unknown_parameter(folder: Path) -> list[str]:
    return parameters("/**/snn:\n  ros__parameters:\n    learnin: supervised\n", folder)


def rate_below_zero(folder: Path) -> list[str]:
    return parameters("/**/camera:\n  ros__parameters:\n    rate: -1.0\n", folder)


def no_yaml(folder: Path) -> list[str]:
    return parameters("camera: [1\n", folder)


def no_such_parameter_file(folder: Path) -> list[str]:
    return ["--params", str(folder / "missing.yaml")]


def summary_in_no_folder(folder: Path) -> list[str]:
    return ["--summary", str(folder / "missing" / "out.json")]


def bad_namespace(folder: Path) -> list[str]:
    return ["--namespace", "my robot"]


@pytest.mark.parametrize(
    ("make_options", "thing", "remedy"),
    [
        (no_such_video, "missing.mp4", "name a"),
        (text_called_video, "text.mp4", "convert it"),
        (empty_folder, "pictures", "put some there"),
        (broken_labels, "clip_labels.csv", "needs a column"),
        (no_such_weights, "missing.npz", "fer train"),
        (weights_cut_in_half, "cut.npz", "fer train"),
        (weights_of_another_shape, "shape.npz", "fer train"),
        (weights_that_contradict_themselves, "odd.npz", "fer train"),
        (unknown_parameter, "'learnin'", "did you mean 'learning'"),
        (rate_below_zero, "'rate' is -1 Hz", "must be in the range 0 to"),
        (no_yaml, "bad.yaml", "not valid YAML"),
        (no_such_parameter_file, "missing.yaml", "name a file"),
        (summary_in_no_folder, "out.json", "folder that exists"),
        (bad_namespace, "'my robot'", "use letters"),
    ],
)
def test_mistakes_are_named(
    make_options: MakeOptions, thing: str, remedy: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "fer.cli", "up", *make_options(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 2, result.stdout + result.stderr
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("error: ")
    assert thing in lines[0]
    assert remedy in lines[0]
