"""The figures as tables in docs/distributed.md."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fer_bench import machine, markers
from fer_bench.link.figures import Figures

if TYPE_CHECKING:
    from fer_bench.link.discovery import Discovery
    from fer_bench.link.main import Series

_DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE, SCALING_PAGE = _DOCS / "distributed.md", _DOCS / "scaling.md"
_TITLES = {
    "split": "split at `{}`",
    "transport": "33 kB at 30 Hz, {}",
}
_HEAD = (
    "condition",
    "answers/s",
    "p50 ms",
    "p99 ms",
    "oldest ms",
    "robot sends kB/s",
    "workstation sends kB/s",
    "steady again after s",
)


def write(series: Sequence[Series]) -> None:
    """Put the tables into the page, in the place of those before."""
    lines = [*_machine({"link": series[0].medium}), "", *_tables(series)]
    markers.replace(PAGE, "figures", "\n".join(lines))


def write_discovery(found: Sequence[Discovery]) -> None:
    """Put the table of discovery into its page."""
    head = ("graphs", "participants", "until all have met, kB", "then, kB/s")
    rows = [
        f"| {each.graphs} | {each.participants} | {each.meeting_bytes / 1e3:.0f} "
        f"| {each.quiet_bps / 1e3:.1f} |"
        for each in found
    ]
    table = [f"| {' | '.join(head)} |", "| ---: | ---: | ---: | ---: |", *rows]
    markers.replace(SCALING_PAGE, "discovery", "\n".join([*_machine({}), "", *table]))


def _machine(more: Mapping[str, str]) -> list[str]:
    load = f"{machine.load_per_core():.1f} busy processes a core"
    facts = {**machine.describe_today(), **more, "load": load}
    return [f"- {name}: {value}" for name, value in facts.items()]


def line(figures: Figures) -> str:
    """Return figures in a line, for whoever waits."""
    return ", ".join(f"{name} {cell}" for name, cell in zip(_HEAD, _cells(figures), strict=True))


def _tables(series: Sequence[Series]) -> Iterator[str]:
    for each in series:
        yield f"### {_TITLES[each.kind].format(each.name)}".replace("### s", "### S")
        yield ""
        yield f"| {' | '.join(_HEAD)} |"
        yield f"| --- |{' ---: |' * (len(_HEAD) - 1)}"
        for figures in each.figures:
            yield f"| {' | '.join(_cells(figures))} |"
        yield ""


def _cells(figures: Figures) -> tuple[str, ...]:
    return (
        figures.condition,
        f"{figures.rate_hz:.1f}",
        *(_number(value, "{:.0f}") for value in (figures.p50_ms, figures.p99_ms, figures.max_ms)),
        f"{figures.sent_bps / 1e3:.0f}",
        f"{figures.returned_bps / 1e3:.0f}",
        _number(figures.recovery_s, "{:.2f}"),
    )


def _number(value: float, form: str) -> str:
    if math.isnan(value):
        return "-"
    return "never" if math.isinf(value) else form.format(value)
