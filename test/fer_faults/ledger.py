"""The book of trials: which fault was tried how often, what was survived, how long it took."""

from __future__ import annotations

import json
import math
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

PAGE = Path("docs", "reliability.md")


@dataclass
class Row:
    """What became of one kind of fault."""

    fault: str
    tried: int = 0
    survived: int = 0
    recovery_s: list[float] = field(default_factory=list)
    note: str = ""


class Trial:
    """One fault that was injected.

    Parameters
    ----------
    timed : whether a recovery that takes too long is a failure. Where other programs run beside it,
        a second says nothing.
    """

    def __init__(self, timed: bool) -> None:
        self._timed = timed
        self._injected_s = time.monotonic()
        self.recovery_s: float | None = None

    def injected(self) -> None:
        """Recovery counts from now."""
        self._injected_s = time.monotonic()

    def recovered(self, within_s: float) -> None:
        """Take the time; where times count, fail if it was too long."""
        self.recovery_s = time.monotonic() - self._injected_s
        in_time = not self._timed or self.recovery_s <= within_s
        assert in_time, f"took {self.recovery_s:.2f} s, not {within_s:g} s"


class Ledger:
    """Counts trials by fault; survived is what ends without an exception.

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
        """Add a figure that is neither a count nor a time of recovery."""
        self.rows.setdefault(fault, Row(fault)).note = text

    def save(self, path: Path) -> None:
        """Write everything, so that other runs can add to it."""
        path.write_text(json.dumps([asdict(row) for row in self.rows.values()], indent=1) + "\n")


def load(path: Path) -> dict[str, Row]:
    """Return the rows of a saved book, by fault; none where there is no file."""
    if not path.is_file():
        return {}
    return {row["fault"]: Row(**row) for row in json.loads(path.read_text())}


def table(rows: Sequence[Row], facts: Mapping[str, str]) -> str:
    """Return the table for the page."""
    lines = [
        *(f"- {name}: {value}" for name, value in facts.items()),
        "",
        "| fault | tried | survived | recovery p50 | max | remark |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for row in rows:
        p50 = statistics.median(row.recovery_s) if row.recovery_s else math.nan
        longest = max(row.recovery_s, default=math.nan)
        cells = (row.fault, row.tried, row.survived, _seconds(p50), _seconds(longest), row.note)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def _seconds(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.2f} s"
