"""`make bench-network`: measures the graph on two hosts, and writes docs/distributed.md."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from fer_bench import machine, page
from fer_bench.link import run
from fer_bench.link.hosts import enter_namespace
from fer_common.core.errors import FerError

SPLITS = ("features", "camera")
EXIT_REFUSED = 2
_SHORT_S = 3.0
_SHORT = (run.CLEAN, run.LOSS, run.Condition("cut", cut_s=3.0))
_PAGE = Path(__file__).resolve().parents[3] / "docs" / "distributed.md"
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


Figures = Mapping[str, Sequence[run.Figures]]
"""The figures of each split of the graph under each condition."""


def main() -> int:
    """Measure; return the exit code."""
    parser = argparse.ArgumentParser(prog="make bench-network", description=__doc__)
    add = parser.add_argument
    text = "for each condition (default: %(default)s)"
    add("--seconds", type=float, default=20.0, help=text)
    text = "features over a clean link, at 5 %% loss, and over one that is cut for 3 s"
    add("--short", action="store_true", help=text)
    text = "write the figures there, and no page"
    add("--output", type=Path, metavar="FILE.json", help=text)
    arguments = parser.parse_args()
    try:
        enter_namespace()
        if arguments.short:
            figures = {"features": _measure("features", _SHORT, _SHORT_S)}
        else:
            figures = {s: _measure(s, run.CONDITIONS, arguments.seconds) for s in SPLITS}
        if arguments.output:
            plain = {split: [asdict(each) for each in found] for split, found in figures.items()}
            arguments.output.write_text(json.dumps(plain, indent=1))
        else:
            page.replace(_PAGE, "figures", _text(figures))
    except FerError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_REFUSED
    return 0


def _measure(split: str, conditions: Sequence[run.Condition], seconds: float) -> list[run.Figures]:
    figures = []
    with run.two_hosts(split) as pair:
        for condition in conditions:
            figures.append(pair.measure(condition, seconds))
            cells = zip(_HEAD, _cells(figures[-1]), strict=True)
            line = ", ".join(f"{name} {cell}" for name, cell in cells)
            print(f"{split}: {line}", file=sys.stderr, flush=True)
    return figures


def _text(figures: Figures) -> str:
    facts = {
        **machine.describe_today(),
        "link": "forwarder in user space between two TAP devices",
        "load": f"{machine.load_per_core():.1f} busy processes a core",
    }
    parts = ["\n".join(f"- {name}: {value}" for name, value in facts.items())]
    for split, found in figures.items():
        rows = map(_cells, found)
        parts.append(f"### Split at `{split}`\n\n{page.table(_HEAD, rows, range(1, len(_HEAD)))}")
    return "\n\n".join(parts)


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
