"""`make bench-network`: measures the graph on two hosts, and writes docs/distributed.md."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from fer.bringup.installed import config_folder
from fer_bench.link import discovery, page
from fer_bench.link.figures import Figures
from fer_bench.link.hosts import enter_namespace
from fer_bench.link.run import (
    CLEAN,
    CONDITIONS,
    LOSS,
    Condition,
    Programs,
    bare_stream,
    graph,
    two_hosts,
)
from fer_common.core.errors import FerError

SPLITS = ("features", "camera")
EXIT_REFUSED = 2
#: About a compressed picture of the demo clip.
_STREAM_BYTES = 33_000
_SHORT_S, _SHORT_CUT_S = 3.0, 3.0
_STREAM_CONDITIONS = tuple(
    condition for condition in CONDITIONS if condition is not CLEAN and not condition.cut_s
)


@dataclass(frozen=True)
class Series:
    """What one set of programs came to.

    Attributes
    ----------
    kind : "split" for the graph, "transport" for a bare stream.
    name : which split, or which transport.
    medium : how the link was made.
    figures : under each condition.
    """

    kind: str
    name: str
    medium: str
    figures: tuple[Figures, ...]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure; return the exit code."""
    parser = argparse.ArgumentParser(prog="make bench-network", description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=20.0, help="for each condition (default: %(default)s)"
    )
    parser.add_argument(
        "--short",
        action="store_true",
        help="features over a clean link, at 5 %% loss, and over one that is cut for 3 s",
    )
    parser.add_argument(
        "--discovery", action="store_true", help="only what discovery sends: docs/scaling.md"
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE.json", help="write the figures there, and no page"
    )
    arguments = parser.parse_args(argv)
    try:
        enter_namespace()
        if arguments.discovery:
            return _discovery()
        series = _short() if arguments.short else _all(arguments.seconds)
    except FerError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_REFUSED
    if arguments.output:
        arguments.output.write_text(json.dumps([asdict(each) for each in series], indent=1))
    else:
        page.write(series)
        return _discovery()
    return 0


def _discovery() -> int:
    found = []
    for each in discovery.measure():
        found.append(each)
        print(f"discovery: {each}", file=sys.stderr, flush=True)
    page.write_discovery(found)
    return 0


def _short() -> list[Series]:
    conditions = (CLEAN, LOSS, Condition("cut", cut_s=_SHORT_CUT_S))
    return [_measure("split", "features", graph("features"), conditions, _SHORT_S)]


def _all(seconds: float) -> list[Series]:
    series = [_measure("split", split, graph(split), CONDITIONS, seconds) for split in SPLITS]
    ours = config_folder() / "fastdds_network.xml"
    for name, paced, profile in (
        ("Fast DDS as it comes", False, None),
        ("fastdds_network.xml", False, ours),
        ("fastdds_network.xml, pace_by_link", True, ours),
    ):
        programs = bare_stream(_STREAM_BYTES, paced, profile)
        series.append(_measure("transport", name, programs, _STREAM_CONDITIONS, seconds / 2))
    return series


def _measure(
    kind: str, name: str, programs: Programs, conditions: Sequence[Condition], seconds: float
) -> Series:
    figures = []
    with two_hosts(programs) as pair:
        for condition in conditions:
            figures.append(pair.measure(condition, seconds))
            print(f"{name}: {page.line(figures[-1])}", file=sys.stderr, flush=True)
        return Series(kind, name, pair.medium.name, tuple(figures))
