"""The record of injected faults: how many of each, how many survived, time to recover."""

from __future__ import annotations

import json
import math
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from fer_bench import page

PAGE = Path("docs", "reliability.md")


@dataclass
class Row:
    """The trials of one kind of fault."""

    fault: str
    tried: int = 0
    survived: int = 0
    recovery_s: list[float] = field(default_factory=list)
    note: str = ""


class Trial:
    """One fault that was injected.

    Parameters
    ----------
    timed : whether a recovery that takes too long is a failure. It is not on a busy machine.
    """

    def __init__(self, timed: bool) -> None:
        self._timed = timed
        self._injected_s = time.monotonic()
        self.recovery_s: float | None = None

    def injected(self) -> None:
        """Start the time of recovery."""
        self._injected_s = time.monotonic()

    def recovered(self, within_s: float) -> None:
        """End the time of recovery; if `timed`, fail if it was too long."""
        self.recovery_s = time.monotonic() - self._injected_s
        in_time = not self._timed or self.recovery_s <= within_s
        assert in_time, f"took {self.recovery_s:.2f} s, not {within_s:g} s"


class Ledger:
    """Counts trials by fault. A trial that ends without an exception is survived.

    Parameters
    ----------
    timed : whether a recovery that takes too long is a failure.
    """

    def __init__(self, timed: bool = False) -> None:
        self._timed = timed
        self.rows: dict[str, Row] = {}

    @contextmanager
    def trial(self, fault: str) -> Iterator[Trial]:
        """Count a trial of a fault."""
        row = self.rows.setdefault(fault, Row(fault))
        row.tried += 1
        trial = Trial(self._timed)
        yield trial
        row.survived += 1
        if trial.recovery_s is not None:
            row.recovery_s.append(trial.recovery_s)

    def count(self, fault: str, tried: int, note: str = "") -> None:
        """Count trials that were all survived."""
        row = self.rows.setdefault(fault, Row(fault))
        row.tried += tried
        row.survived += tried
        row.note = note or row.note

    def note(self, fault: str, text: str) -> None:
        """Set the remark of a fault, for figures that are neither counts nor times of recovery."""
        self.rows.setdefault(fault, Row(fault)).note = text

    def save(self, path: Path) -> None:
        """Write everything, so that other runs can add to it."""
        path.write_text(json.dumps([asdict(row) for row in self.rows.values()], indent=1) + "\n")


def load(path: Path) -> dict[str, Row]:
    """Return the rows of a saved record by fault; none if there is no file."""
    if not path.is_file():
        return {}
    return {row["fault"]: Row(**row) for row in json.loads(path.read_text())}


def table(rows: Sequence[Row], facts: Mapping[str, str]) -> str:
    """Return the facts and the table for the page."""
    cells = []
    for row in rows:
        p50 = statistics.median(row.recovery_s) if row.recovery_s else math.nan
        longest = max(row.recovery_s, default=math.nan)
        counts = (str(row.tried), str(row.survived))
        cells.append((row.fault, *counts, _seconds(p50), _seconds(longest), row.note))
    head = ("fault", "tried", "survived", "recovery p50", "max", "remark")
    lines = [f"- {name}: {value}" for name, value in facts.items()]
    return "\n".join([*lines, "", page.table(head, cells, range(1, 5))])


def _seconds(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.2f} s"
