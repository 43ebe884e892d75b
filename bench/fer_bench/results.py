"""Results as data: measurements, targets, a file of them, and the comparison of two files."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fer_bench.measure import Peer
from fer_common.core.atomic import write_atomically
from fer_common.core.errors import FerError

TOLERANCE = 0.35
"""A ratio may fall by so much of its committed value: another machine has other caches, and other
programs on a busy one take their share of them."""

SIGNIFICANT_DIGITS = 4


@dataclass(frozen=True)
class Measurement:
    """One figure.

    Attributes
    ----------
    part : of the benchmarks: micro, network, frame, pipeline, start, training.
    name : what was measured.
    unit : of `value` and of the peers' values.
    value : ours.
    peers : what others took for the same work in the same run, by name.
    series, x : the curve in the scaling plots that it belongs to, and its place there.
    """

    part: str
    name: str
    unit: str
    value: float
    peers: Mapping[str, Peer] = field(default_factory=dict)
    series: str = ""
    x: float = 0.0


@dataclass(frozen=True)
class Target:
    """A figure that shall be reached: at most, or `at_least`, the limit."""

    what: str
    value: float
    limit: float
    unit: str
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether it is reached."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit


@dataclass(frozen=True)
class Hotspot:
    """A line of source and the share (0..1) of a node's busy time that is spent in it."""

    place: str
    text: str
    share: float


@dataclass(frozen=True)
class Results:
    """Everything that a run came to; `profiles` by the name of the node."""

    machine: Mapping[str, str] = field(default_factory=dict)
    measurements: tuple[Measurement, ...] = ()
    targets: tuple[Target, ...] = ()
    profiles: Mapping[str, tuple[Hotspot, ...]] = field(default_factory=dict)

    def replaced(self, newer: Results) -> Results:
        """Return these results with the parts that `newer` has taken from there."""
        parts = {measurement.part for measurement in newer.measurements}
        kept = [m for m in self.measurements if m.part not in parts]
        names = {target.what for target in newer.targets}
        kept_targets = [target for target in self.targets if target.what not in names]
        return Results(
            newer.machine,
            (*kept, *newer.measurements),
            (*kept_targets, *newer.targets),
            newer.profiles or self.profiles,
        )


def save(results: Results, path: Path) -> None:
    """Write results as JSON."""
    text = json.dumps(_rounded(asdict(results)), indent=1)
    write_atomically(path, f"{text}\n".encode())


def load(path: Path) -> Results:
    """Read results.

    Raises
    ------
    FerError
        if there is no such file, or it has no results in it.
    """
    try:
        return _from_plain(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise FerError(
            f"{path} cannot be read ({error.strerror}): run `make bench` first"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise FerError(f"{path} holds no results: run `make bench` to write it anew") from error


def _from_plain(plain: Any) -> Results:
    measurements = tuple(
        Measurement(**{**m, "peers": {name: Peer(**p) for name, p in m["peers"].items()}})
        for m in plain["measurements"]
    )
    profiles = {
        node: tuple(Hotspot(**spot) for spot in spots) for node, spots in plain["profiles"].items()
    }
    targets = tuple(Target(**target) for target in plain["targets"])
    return Results(plain["machine"], measurements, targets, profiles)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list | tuple) else value


def regressions(
    committed: Results, new: Results, tolerance: float = TOLERANCE
) -> Sequence[tuple[str, float, float]]:
    """Return (what, committed ratio, new ratio) where a ratio fell by more than `tolerance`.

    Raises
    ------
    FerError
        if the two have no ratio in common, so that nothing was compared.
    """
    before, now = _ratios(committed.measurements), _ratios(new.measurements)
    common = [name for name in now if name in before]
    if not common:
        raise FerError("the committed results have none of these figures: run `make bench` first")
    return [
        (name, before[name], now[name])
        for name in common
        if now[name] < before[name] * (1 - tolerance)
    ]


def _ratios(measurements: Iterable[Measurement]) -> dict[str, float]:
    return {
        f"{m.part}: {m.name}, against {peer}": figure.ratio
        for m in measurements
        for peer, figure in m.peers.items()
    }
