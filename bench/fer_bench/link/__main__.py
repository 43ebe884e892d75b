"""`make bench-network`: measures the graph on two hosts, and writes docs/distributed.md."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from fer.bringup.environment import NETWORK_PROFILE, config_folder
from fer_bench import machine, page
from fer_bench.link import discovery, run
from fer_bench.link.hosts import enter_namespace
from fer_common.core.errors import FerError

SPLITS = ("features", "camera")
EXIT_REFUSED = 2
#: About a compressed picture of the demo clip.
_STREAM_BYTES = 33_000
_SHORT_S, _SHORT_CUT_S = 3.0, 3.0
_STREAM_CONDITIONS = tuple(
    condition for condition in run.CONDITIONS if condition is not run.CLEAN and not condition.cut_s
)
_DOCS = Path(__file__).resolve().parents[3] / "docs"
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


@dataclass(frozen=True)
class Series:
    """The figures of one set of programs under each condition."""

    title: str
    figures: tuple[run.Figures, ...]


def main() -> int:
    """Measure; return the exit code."""
    parser = argparse.ArgumentParser(prog="make bench-network", description=__doc__)
    add = parser.add_argument
    text = "for each condition (default: %(default)s)"
    add("--seconds", type=float, default=20.0, help=text)
    text = "features over a clean link, at 5 %% loss, and over one that is cut for 3 s"
    add("--short", action="store_true", help=text)
    text = "only the traffic of discovery: docs/scaling.md"
    add("--discovery", action="store_true", help=text)
    text = "write the figures there, and no page"
    add("--output", type=Path, metavar="FILE.json", help=text)
    arguments = parser.parse_args()
    try:
        enter_namespace()
        if not arguments.discovery:
            series = _short() if arguments.short else _all(arguments.seconds)
            if arguments.output:
                arguments.output.write_text(json.dumps([asdict(each) for each in series], indent=1))
                return 0
            page.replace(_DOCS / "distributed.md", "figures", _series_text(series))
        found = []
        for each in discovery.measure():
            found.append(each)
            print(f"discovery: {each}", file=sys.stderr, flush=True)
        page.replace(_DOCS / "scaling.md", "discovery", _discovery_text(found))
    except FerError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_REFUSED
    return 0


def _short() -> list[Series]:
    conditions = (run.CLEAN, run.LOSS, run.Condition("cut", cut_s=_SHORT_CUT_S))
    return [_measure("features", run.graph("features"), conditions, _SHORT_S)]


def _all(seconds: float) -> list[Series]:
    series = [
        _measure(f"Split at `{split}`", run.graph(split), run.CONDITIONS, seconds)
        for split in SPLITS
    ]
    ours = config_folder() / NETWORK_PROFILE
    for name, paced, profile in (
        ("Fast DDS with its defaults", False, None),
        (NETWORK_PROFILE, False, ours),
        (f"{NETWORK_PROFILE}, pace_by_link", True, ours),
    ):
        running = run.bare_stream(_STREAM_BYTES, paced, profile)
        series.append(_measure(f"33 kB at 30 Hz, {name}", running, _STREAM_CONDITIONS, seconds / 2))
    return series


def _measure(
    title: str, running: run.Programs, conditions: Sequence[run.Condition], seconds: float
) -> Series:
    figures = []
    with run.two_hosts(running) as pair:
        for condition in conditions:
            figures.append(pair.measure(condition, seconds))
            cells = zip(_HEAD, _cells(figures[-1]), strict=True)
            line = ", ".join(f"{name} {cell}" for name, cell in cells)
            print(f"{title}: {line}", file=sys.stderr, flush=True)
    return Series(title, tuple(figures))


def _series_text(series: Sequence[Series]) -> str:
    parts = [_machine({"link": "forwarder in user space between two TAP devices"})]
    for each in series:
        rows = map(_cells, each.figures)
        parts.append(f"### {each.title}\n\n{page.table(_HEAD, rows, range(1, len(_HEAD)))}")
    return "\n\n".join(parts)


def _discovery_text(found: Sequence[discovery.Discovery]) -> str:
    head = ("graphs", "participants", "until all have met, kB", "then, kB/s")
    rows = [
        (
            str(each.graphs),
            str(each.participants),
            f"{each.meeting_bytes / 1e3:.0f}",
            f"{each.quiet_bps / 1e3:.1f}",
        )
        for each in found
    ]
    return f"{_machine({})}\n\n{page.table(head, rows, range(len(head)))}"


def _machine(more: Mapping[str, str]) -> str:
    load = f"{machine.load_per_core():.1f} busy processes a core"
    facts = {**machine.describe_today(), **more, "load": load}
    return "\n".join(f"- {name}: {value}" for name, value in facts.items())


def _cells(figures: run.Figures) -> tuple[str, ...]:
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


if __name__ == "__main__":
    sys.exit(main())
