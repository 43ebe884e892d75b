"""Weights files: what is written is read, and what is no weights file is refused."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_snn.core.model import Model
from fer_snn.core.weights import weights_file, weights_folder
from fer_snn.core.weights.weights_file import WeightsFileError


def rebuilt(data: bytes, **changes: object) -> bytes:
    """Return the archive with metadata fields (text keys) or arrays (`.npy` appended) replaced."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        arrays = {name: np.load(io.BytesIO(archive.read(name))) for name in archive.namelist()}
    metadata = json.loads(arrays["metadata.npy"].tobytes())
    for name, value in changes.items():
        if f"{name}.npy" in arrays:
            arrays[f"{name}.npy"] = np.asarray(value)
        else:
            metadata[name] = value
    arrays["metadata.npy"] = np.frombuffer(json.dumps(metadata).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, **{name.removesuffix(".npy"): array for name, array in arrays.items()})
    return buffer.getvalue()


def test_what_is_saved_is_loaded(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    model = replace(model, name="test", provenance={"seed": 3}, parameters={"dt": 0.001})
    weights_file.save(model, path)
    loaded = weights_file.load(path)
    for ours, theirs in zip(model.stages, loaded.stages, strict=True):
        assert ours.wiring == theirs.wiring
        np.testing.assert_array_equal(ours.weights, theirs.weights)
        np.testing.assert_array_equal(ours.theta, theirs.theta)
    assert (loaded.labels, loaded.name) == (model.labels, "test")
    assert loaded.calibration == model.calibration
    assert loaded.provenance == {"seed": 3}
    assert weights_file.to_bytes(loaded) == path.read_bytes()
    weights_file.save(weights_file.load(str(path)), str(path.with_name("again.npz")))
    assert path.with_name("again.npz").read_bytes() == path.read_bytes()
    text = weights_file.describe(loaded)
    assert "neutral, smile, surprised" in text and "288 -> 32 -> 6" in text


def test_missing_and_unwritable(model: Model, tmp_path: Path) -> None:
    with pytest.raises(WeightsFileError, match="cannot be read"):
        weights_file.load(tmp_path / "none.npz")
    (tmp_path / "file").write_text("")
    with pytest.raises(WeightsFileError, match="cannot be written"):
        weights_file.save(model, tmp_path / "file" / "weights.npz")


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_cut_or_broken_file_is_refused_or_read_whole(data: st.DataObject) -> None:
    whole = data.draw(st.just(_small()))
    place = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        broken = whole[:place]
    else:
        broken = (
            whole[:place]
            + bytes([whole[place] ^ data.draw(st.integers(1, 255))])
            + whole[place + 1 :]
        )
    try:
        model = weights_file.from_bytes(broken)
    except WeightsFileError:
        return
    # Bits that carry no content (dates, attributes) may change without harm.
    assert weights_file.to_bytes(model) == whole


def _small() -> bytes:
    from fer_snn.core.model import Stage
    from fer_snn.core.neurons.encoding import FeatureStatistics
    from fer_snn.core.synapses.wiring import Wiring

    wiring = Wiring.fully_connected((2, 2, 2), 2)
    stage = Stage(wiring, np.ones((8, 2), np.float32), np.zeros(2, np.float32))
    statistics = FeatureStatistics(np.zeros(4, np.float32), np.ones(4, np.float32), 1)
    names = np.array([0, 1], np.int32)
    return weights_file.to_bytes(Model(("a", "b"), "spec", (1, 2, 2), statistics, (stage,), names))


@pytest.mark.parametrize(
    "content", [b"", b"\x80\x04N.", b"hello, I am text", b"PK\x03\x04 but no more", bytes(1000)]
)
def test_foreign_files_are_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "foreign.npz"
    path.write_bytes(content)
    with pytest.raises(WeightsFileError, match="truncated, corrupt or not a weights file"):
        weights_file.load(path)


def test_no_more_is_read_than_any_network_needs(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "weights.npz"
    weights_file.save(model, path)
    packed = path.stat().st_size
    monkeypatch.setattr(weights_file, "MAX_BYTES", packed)
    with pytest.raises(WeightsFileError, match="unpacks to more than"):
        weights_file.load(path)
    monkeypatch.setattr(weights_file, "MAX_BYTES", packed - 1)
    with pytest.raises(WeightsFileError, match=f"has {packed} bytes, more than"):
        weights_file.load(path)


def test_without_a_home_nothing_is_written_and_the_remedy_is_told(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(number: int) -> None:
        raise KeyError(number)

    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", nobody)
    folder = weights_folder.folder("~/weights")
    with pytest.raises(WeightsFileError, match="set weights_dir"):
        weights_file.save(model, folder / "mine.npz")


def test_devices_are_not_read() -> None:
    with pytest.raises(WeightsFileError, match="is not a file"):
        weights_file.load(Path("/dev/null"))


def test_pickled_objects_are_never_read() -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            raise AssertionError("unpickled")

    buffer = io.BytesIO()
    np.savez(buffer, metadata=np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(WeightsFileError):
        weights_file.from_bytes(buffer.getvalue())


def test_archives_of_others_are_refused() -> None:
    buffer = io.BytesIO()
    np.savez(buffer, weights=np.zeros(3, np.float32))
    with pytest.raises(WeightsFileError, match="no metadata"):
        weights_file.from_bytes(buffer.getvalue())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format": "other"}, "not a weights file of fer"),
        ({"version": 99}, "version 99"),
        ({"labels": ["a", "a", "b"]}, "labels"),
        ({"labels": ["a", "b"]}, "label that does not exist"),
        ({"feature_shape": [4, 6, 7]}, "is inconsistent"),
        ({"feature_shape": [10**9, 10**9, 10**9]}, "is inconsistent"),
        ({"weights_0": np.zeros((3, 3), np.float32)}, "shape of their wiring"),
        ({"weights_0": np.zeros((432, 8), np.float64)}, "not a weights file"),
        ({"theta_1": np.full(6, np.nan, np.float32)}, "not finite"),
        ({"neuron_label": np.zeros(5, np.int32)}, "expression layer"),
        ({"feature_mean": np.zeros(3, np.float32)}, "statistics"),
        ({"stages": []}, "is inconsistent"),
        ({"calibration": {"unknown": 1}}, "is inconsistent"),
        ({"calibration": {"kappa": float("nan")}}, "kappa is nan"),
        ({"calibration": {"kappa": 1e308}}, "kappa is 1e.308, outside 0 to 1000"),
        ({"calibration": {"kappa": 0}}, "kappa is 0"),
        ({"live_calibration": {"kappa": -1}}, "kappa is -1"),
        ({"live_calibration": {"presentation": 0}}, "presentation is 0 s, outside 0 to 60 s"),
        ({"live_calibration": {"presentation": float("inf")}}, "presentation is inf s"),
        ({"parameters": {"dt": float("nan")}}, "parameter 'dt' is nan s"),
        ({"parameters": {"dt": "fast"}}, "give a value of type double"),
    ],
)
def test_contradictions_are_refused(model: Model, changes: dict[str, object], reason: str) -> None:
    with pytest.raises(WeightsFileError, match=reason):
        weights_file.from_bytes(rebuilt(weights_file.to_bytes(model), **changes))


def test_header_that_claims_a_huge_array_takes_no_memory() -> None:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        buffer, {"descr": "<f4", "fortran_order": False, "shape": (2**40,)}
    )
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("metadata.npy", buffer.getvalue())
    with pytest.raises(WeightsFileError):
        weights_file.from_bytes(archive.getvalue())
