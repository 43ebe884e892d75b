"""Spikes, potentials and expressions of a recording, for other programs.

`tables` gives columns of equal length, with times in nanoseconds since the epoch, exact by the rule
of the stamps: step k of n has the time stamp - (n - 1 - k) dt.

| table | a row for each | columns |
| --- | --- | --- |
| `spikes` | spike | time_ns, face, layer, neuron |
| `potentials` | neuron in a step | time_ns, face, layer, neuron, potential_v |
| `expressions` | face in a frame | time_ns, face, label, confidence, score.LABEL, rate_hz.LABEL |

`neo_block` gives a Segment for each face: a SpikeTrain for each neuron, an AnalogSignal for each
stretch of potentials without a gap, and the answers as an Event. Times are seconds since
`origin_ns`, an annotation of the block; doubles hold them to the nanosecond for a hundred days.
The samples of an AnalogSignal lie one dt apart, up to a step from their stamps, which jitter.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fer_common.core.stamps import NANOSECONDS
from fer_train.recording import Recording
from fer_viz.core.history import PotentialFrame, SpikeFrame

Columns: TypeAlias = "dict[str, NDArray[Any]]"
Files: TypeAlias = "dict[str, bytes]"


def tables(recording: Recording) -> dict[str, Columns]:
    """Return the tables of a recording, without those that have no rows."""
    found = {
        "spikes": _joined(map(_spikes, *_each(recording.spikes))),
        "potentials": _joined(map(_potentials, *_each(recording.potentials))),
        "expressions": _expressions(recording),
    }
    return {name: columns for name, columns in found.items() if columns}


def _each(frames: Mapping[tuple[str, int], Sequence[Any]]) -> tuple[list[Any], list[Any]]:
    """Return the key of each frame, and the frames, in the order of their keys."""
    pairs = [(key, frame) for key in sorted(frames) for frame in frames[key]]
    return [key for key, _ in pairs], [frame for _, frame in pairs]


def _spikes(key: tuple[str, int], frame: SpikeFrame) -> Columns:
    return _rows(key, frame.times_ns) | {"neuron": frame.neuron.astype(np.int64)}


def _potentials(key: tuple[str, int], frame: PotentialFrame) -> Columns:
    steps, neurons = frame.potential_v.shape
    return _rows(key, np.repeat(frame.times_ns, neurons)) | {
        "neuron": np.tile(np.arange(neurons), steps),
        "potential_v": frame.potential_v.ravel(),
    }


def _rows(key: tuple[str, int], time_ns: NDArray[np.int64]) -> Columns:
    layer, face = key
    size = len(time_ns)
    return {"time_ns": time_ns, "face": np.full(size, face), "layer": np.full(size, layer)}


def _joined(parts: Iterator[Columns]) -> Columns:
    found = list(parts)
    names = found[0] if found else ()
    return {name: np.concatenate([part[name] for part in found]) for name in names}


def _expressions(recording: Recording) -> Columns:
    answers = [(frame.stamp_ns, face) for frame in recording.results for face in frame.faces]
    if not answers:
        return {}
    columns = {
        "time_ns": np.array([stamp for stamp, _ in answers]),
        "face": np.array([face.id for _, face in answers]),
        "label": np.array([face.label for _, face in answers]),
        "confidence": np.array([face.confidence for _, face in answers]),
    }
    # A lesson can add a label: before that it has no score.
    for label in dict.fromkeys(label for _, face in answers for label in face.labels):
        for name, field in (("score", "scores"), ("rate_hz", "rates_hz")):
            values = [dict(zip(f.labels, getattr(f, field), strict=True)) for _, f in answers]
            columns[f"{name}.{label}"] = np.array([each.get(label, np.nan) for each in values])
    return columns


def as_csv(recording: Recording) -> Files:
    """Return a CSV file for each table."""
    files = {}
    for name, columns in tables(recording).items():
        lines = [",".join(columns)]
        lines += [",".join(map(str, row)) for row in zip(*columns.values(), strict=True)]
        files[f"{name}.csv"] = "\n".join([*lines, ""]).encode()
    return files


def as_parquet(recording: Recording) -> Files:
    """Return a Parquet file for each table; pandas and others read them."""
    import pyarrow
    from pyarrow import parquet

    files = {}
    for name, columns in tables(recording).items():
        sink = io.BytesIO()
        parquet.write_table(pyarrow.table(columns), sink)
        files[f"{name}.parquet"] = sink.getvalue()
    return files


def as_npz(recording: Recording) -> Files:
    """Return one NumPy archive, with arrays TABLE.COLUMN."""
    arrays = {
        f"{name}.{column}": values
        for name, columns in tables(recording).items()
        for column, values in columns.items()
    }
    sink = io.BytesIO()
    np.savez_compressed(sink, allow_pickle=False, **arrays)
    return {"": sink.getvalue()}


def as_nix(recording: Recording) -> Files:
    """Return the Neo block as a NIX file, which Neo's NixIO reads."""
    from neo.io import NixIO

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "block.nix")
        with NixIO(str(path), "ow") as file:
            file.write_block(neo_block(recording))
        return {"": path.read_bytes()}


FORMATS: dict[str, Callable[[Recording], Files]] = {
    "csv": as_csv,
    "npz": as_npz,
    "parquet": as_parquet,
    "neo": as_nix,
}
"""Each returns files by their names in a folder; the name of a single file is empty."""


def neo_block(recording: Recording) -> Any:
    """Return a `neo.Block` of a recording."""
    import neo

    frames = [
        frame for store in (recording.spikes, recording.potentials) for frame in _each(store)[1]
    ]
    stamps = [result.stamp_ns for result in recording.results]
    origin_ns = min([*(frame.start_ns for frame in frames), *stamps], default=0)
    end_ns = max([*(frame.end_ns for frame in frames), *stamps], default=0)
    block = neo.Block(name="fer", origin_ns=origin_ns)
    faces = {face for _, face in {*recording.spikes, *recording.potentials}}
    for face in sorted(faces | {face.id for each in recording.results for face in each.faces}):
        segment = neo.Segment(name=f"face {face}", face=face)
        block.segments.append(segment)
        segment.spiketrains.extend([*_trains(recording, face, origin_ns, end_ns)])
        for (layer, owner), traces in recording.potentials.items():
            if owner == face:
                segment.analogsignals.extend([*_signals(layer, traces, origin_ns)])
        answers = [(r.stamp_ns, f) for r in recording.results for f in r.faces if f.id == face]
        if answers:
            event = neo.Event(
                times=_seconds([stamp for stamp, _ in answers], origin_ns),
                labels=[answer.label for _, answer in answers],
                units="s",
                name="expressions",
                array_annotations={"confidence": [answer.confidence for _, answer in answers]},
            )
            segment.events.append(event)
    return block


def _seconds(time_ns: Any, origin_ns: int) -> NDArray[np.float64]:
    return (np.asarray(time_ns, np.int64) - origin_ns) / NANOSECONDS


def _trains(recording: Recording, face: int, origin_ns: int, end_ns: int) -> Iterator[Any]:
    import neo

    for (layer, owner), frames in recording.spikes.items():
        if owner != face:
            continue
        time_ns = np.concatenate([frame.times_ns for frame in frames])
        fired = np.concatenate([frame.neuron for frame in frames])
        for neuron in range(max(frame.size for frame in frames)):
            yield neo.SpikeTrain(
                _seconds(time_ns[fired == neuron], origin_ns),
                units="s",
                t_start=0.0,
                t_stop=_seconds(end_ns, origin_ns),
                name=f"{layer} {neuron}",
                layer=layer,
                neuron=neuron,
            )


def _signals(layer: str, frames: Sequence[PotentialFrame], origin_ns: int) -> Iterator[Any]:
    import neo
    from quantities import Quantity

    for stretch in _stretches([frame for frame in frames if len(frame.potential_v)]):
        first = stretch[0]
        yield neo.AnalogSignal(
            np.concatenate([frame.potential_v for frame in stretch]),
            units="V",
            sampling_period=Quantity(first.dt_s, "s"),
            t_start=Quantity(_seconds(first.times_ns[0], origin_ns), "s"),
            name=layer,
            layer=layer,
        )


def _stretches(frames: Sequence[PotentialFrame]) -> Iterator[list[PotentialFrame]]:
    """Yield frames that follow each other without a gap, together."""
    stretch: list[PotentialFrame] = []
    samples = 0
    for frame in frames:
        step_ns = frame.dt_s * NANOSECONDS
        if stretch:
            first = stretch[0]
            late_ns = int(frame.times_ns[0] - first.times_ns[0]) - samples * step_ns
            same = (frame.layout, frame.dt_s) == (first.layout, first.dt_s)
            if not same or abs(late_ns) > step_ns:
                yield stretch
                stretch, samples = [], 0
        stretch.append(frame)
        samples += len(frame.potential_v)
    if stretch:
        yield stretch
