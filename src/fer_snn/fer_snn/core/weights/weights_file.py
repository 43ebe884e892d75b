"""Weights files: one versioned .npz, checked before anything in it is used.

The archive contains plain arrays and one JSON text, `metadata`. Nothing is ever unpickled. The
arrays have the checksums of the zip format, and their names, types and shapes must agree with the
metadata.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from fer_common.core.atomic import write_atomically
from fer_common.core.errors import FerError, ParameterError
from fer_snn.core.constants import checked_constants
from fer_snn.core.model import Model, Stage
from fer_snn.core.neurons.encoding import FeatureStatistics
from fer_snn.core.readout import ReadoutCalibration
from fer_snn.core.synapses.homeostasis import l1_norms
from fer_snn.core.synapses.wiring import MapWindow, Wiring

FORMAT = "fer-weights"
VERSION = 1
MAX_BYTES = 512 * 1024 * 1024
MAX_SIDE = 1 << 20
_KINDS = (np.dtype(np.float32), np.dtype(np.int32), np.dtype(np.uint8))


class WeightsFileError(FerError):
    """A weights file that cannot be used or written."""


def save(model: Model, path: Path | str) -> None:
    """Write a model atomically: the path always holds the whole old or the whole new file.

    Raises
    ------
    WeightsFileError
        if the folder cannot be written.
    """
    write(to_bytes(model), Path(path))


def write(data: bytes, path: Path) -> None:
    """Write the contents of a weights file, as `save`."""
    try:
        write_atomically(path, data)
    except OSError as error:
        raise WeightsFileError(
            f"weights file {path} cannot be written ({error.strerror}): choose a writable folder"
        ) from error


def load(path: Path | str) -> Model:
    """Read a model.

    Raises
    ------
    WeightsFileError
        if the file is missing, too large, truncated, corrupt, inconsistent, or of another kind or
        version.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if path.exists() and not path.is_file():
            raise WeightsFileError(f"weights file {path} is not a file: name a weights file")
        if size > MAX_BYTES:
            raise WeightsFileError(
                f"weights file {path} has {size} bytes, more than {MAX_BYTES}: use a weights file"
            )
        data = path.read_bytes()
    except OSError as error:
        raise WeightsFileError(
            f"weights file {path} cannot be read ({error.strerror}): name a file made by "
            "`fer train`, or weights that `fer weights list` shows"
        ) from error
    try:
        return from_bytes(data)
    except WeightsFileError as error:
        raise WeightsFileError(f"weights file {path} {error}") from error


def to_bytes(model: Model) -> bytes:
    """Return the contents of a weights file; equal models give equal bytes."""
    arrays = _arrays(model)
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        "name": model.name,
        "labels": list(model.labels),
        "feature_spec": model.feature_spec,
        "feature_shape": list(model.feature_shape),
        "stages": [_stage_metadata(stage) for stage in model.stages],
        "feature_faces": model.statistics.faces,
        "calibration": vars(model.calibration),
        "live_calibration": vars(model.live_calibration),
        "parameters": dict(model.parameters),
        "provenance": dict(model.provenance),
    }
    text = json.dumps(metadata, indent=1, sort_keys=True).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "metadata", np.frombuffer(text, dtype=np.uint8))
        for name, array in arrays.items():
            _add(archive, name, array)
    return buffer.getvalue()


def _stage_metadata(stage: Stage) -> dict[str, object]:
    wiring = stage.wiring
    return {
        "map_shape": list(wiring.map_shape),
        "windows": [list(window) for window in wiring.windows],
        "width": wiring.width,
        "by_column": wiring.by_column,
        "skips": stage.skips,
    }


def _arrays(model: Model) -> dict[str, np.ndarray[Any, Any]]:
    arrays = {
        "feature_mean": model.statistics.mean,
        "feature_variance": model.statistics.variance,
        "neuron_label": model.neuron_label,
    }
    for k, stage in enumerate(model.stages):
        arrays[f"weights_{k}"] = stage.weights
        arrays[f"theta_{k}"] = stage.theta
    return arrays


def _add(archive: zipfile.ZipFile, name: str, array: np.ndarray[Any, Any]) -> None:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
    # A fixed date, so that equal models give equal bytes.
    entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    # The fastest level: millions of weights are saved while frames arrive.
    archive.writestr(entry, buffer.getvalue(), compresslevel=1)


def from_bytes(data: bytes) -> Model:
    """Return the model in the contents of a weights file.

    Raises
    ------
    WeightsFileError
        with a message that is worded to follow the name of the file.
    """
    arrays = _read_arrays(data)
    metadata = _read_metadata(arrays.pop("metadata", None))
    try:
        return _model(metadata, arrays)
    except (KeyError, TypeError, ValueError, ParameterError) as error:
        raise WeightsFileError(
            f"is inconsistent ({error}): train it again with `fer train`"
        ) from error


def _read_arrays(data: bytes) -> dict[str, np.ndarray[Any, Any]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > MAX_BYTES:
                raise WeightsFileError(
                    f"unpacks to more than {MAX_BYTES} bytes: use a weights file"
                )
            return {
                entry.filename.removesuffix(".npy"): _read_array(archive.read(entry))
                for entry in entries
            }
    except (
        zipfile.BadZipFile,
        zlib.error,
        ValueError,
        EOFError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise WeightsFileError(
            f"is truncated, corrupt or not a weights file ({error}): use a file made by `fer train`"
        ) from error


def _read_array(data: bytes) -> np.ndarray[Any, Any]:
    """Return a read-only view of `data`: `Stage` makes the only copy of the weights."""
    # Not numpy.load, which allocates the shape in the header before it looks at the data.
    buffer = io.BytesIO(data)
    if np.lib.format.read_magic(buffer) != (1, 0):
        raise ValueError("unknown array format version")
    shape, fortran, kind = np.lib.format.read_array_header_1_0(buffer)
    size = len(data) - buffer.tell()
    if fortran or kind not in _KINDS or math.prod(shape) * kind.itemsize != size:
        raise ValueError("array header does not match its data")
    return np.frombuffer(data, dtype=kind, offset=buffer.tell()).reshape(shape)


def _read_metadata(array: np.ndarray[Any, Any] | None) -> dict[str, Any]:
    if array is None or array.dtype != np.uint8:
        raise WeightsFileError("has no metadata: use a file made by `fer train`")
    try:
        metadata = json.loads(array.tobytes())
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise WeightsFileError(
            f"has unreadable metadata ({error}): train it again with `fer train`"
        ) from error
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        raise WeightsFileError("is not a weights file of fer: use a file made by `fer train`")
    if metadata.get("version") != VERSION:
        raise WeightsFileError(
            f"has version {metadata.get('version')}, but this fer reads version {VERSION}: "
            "train it again with `fer train`"
        )
    return metadata


def _model(metadata: dict[str, Any], arrays: dict[str, np.ndarray[Any, Any]]) -> Model:
    mean, variance = _floats(arrays, "feature_mean"), _floats(arrays, "feature_variance")
    return Model(
        labels=tuple(str(label) for label in metadata["labels"]),
        feature_spec=str(metadata["feature_spec"]),
        feature_shape=_shape(metadata["feature_shape"]),
        statistics=FeatureStatistics(mean, variance, int(metadata["feature_faces"])),
        stages=tuple(
            Stage(
                _wiring(stage),
                _floats(arrays, f"weights_{k}", 2),
                _floats(arrays, f"theta_{k}").copy(),
                bool(stage.get("skips", False)),
            )
            for k, stage in enumerate(metadata["stages"])
        ),
        neuron_label=_typed(arrays, "neuron_label", np.int32, 1),
        calibration=_calibration(metadata["calibration"]),
        live_calibration=_calibration(metadata["live_calibration"]),
        name=str(metadata["name"]),
        parameters=checked_constants(dict(metadata["parameters"])),
        provenance=dict(metadata["provenance"]),
    )


def _calibration(fields: dict[str, Any]) -> ReadoutCalibration:
    return ReadoutCalibration(**{name: float(value) for name, value in fields.items()})


def _wiring(stage: dict[str, Any]) -> Wiring:
    windows = tuple(MapWindow(*(int(edge) for edge in window)) for window in stage["windows"])
    # Files from before several hidden layers have neither `by_column` nor `skips`.
    return Wiring(
        _shape(stage["map_shape"]),
        windows,
        int(stage["width"]),
        bool(stage.get("by_column", False)),
    )


def _shape(values: Any) -> tuple[int, int, int]:
    channels, rows, cols = (int(value) for value in values)
    if not (0 < channels <= MAX_SIDE and 0 < rows <= MAX_SIDE and 0 < cols <= MAX_SIDE):
        raise ValueError(f"feature map of {channels} x {rows} x {cols}")
    return channels, rows, cols


def _floats(
    arrays: dict[str, np.ndarray[Any, Any]], name: str, ndim: int = 1
) -> np.ndarray[Any, Any]:
    array = _typed(arrays, name, np.float32, ndim)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} is not finite")
    return array


def _typed(
    arrays: dict[str, np.ndarray[Any, Any]], name: str, kind: type, ndim: int
) -> np.ndarray[Any, Any]:
    array = arrays[name]
    if array.dtype != kind or array.ndim != ndim:
        raise ValueError(f"{name} is {array.dtype} with {array.ndim} dimensions")
    return array


def describe(model: Model) -> str:
    """Return what `fer weights show` prints: labels, shapes, parameters, training data."""
    sizes = " -> ".join(str(n) for n in model.sizes)
    lines = [
        f"model         {model.name}",
        f"labels        {', '.join(model.labels)}",
        f"features      {model.feature_spec}, shape {' x '.join(map(str, model.feature_shape))}",
        f"layers        {sizes} neurons",
        f"synapses      {sum(stage.weights.size for stage in model.stages)}",
    ]
    lines += [f"projection {k}  {_describe_stage(stage)}" for k, stage in enumerate(model.stages)]
    lines += [
        f"{title:13} kappa {calibration.kappa:g}, presentation {calibration.presentation:g} s"
        for title, calibration in (
            ("calibration", model.calibration),
            ("  live", model.live_calibration),
        )
    ]
    for title, table in (("parameters", model.parameters), ("provenance", model.provenance)):
        lines.append(title)
        lines += [f"  {key:20} {_text(value)}" for key, value in table.items()]
    return "\n".join(lines)


def _describe_stage(stage: Stage) -> str:
    weights, columns = stage.weights, len(stage.wiring.windows)
    norms = np.concatenate([l1_norms(block) for _, block in stage.wiring.blocks(weights)])
    return (
        f"{stage.wiring.n_pre} to {stage.wiring.n_post} neurons in {columns} column(s), "
        f"weights {weights.min():.4g} to {weights.max():.4g}, "
        f"L1 norms {norms.min():.4g} to {norms.max():.4g}"
    )


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
