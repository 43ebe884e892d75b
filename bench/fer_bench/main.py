"""Runs benchmarks, writes results and page, compares with what is committed."""

from __future__ import annotations

import argparse
import pkgutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from fer_bench import results
from fer_bench.measure import Context, one_core
from fer_bench.peers import PeerEnvironment
from fer_bench.results import Measurement, Results
from fer_common.core.errors import FerError

if TYPE_CHECKING:
    from fer_bench.machine import Gauge

RESULTS = Path("bench", "results.json")
ALL, CHECK = "all", "check"
#: With more busy processes per core than this, latencies depend on the other programs.
BUSY_LOAD = 0.5
EXIT_SLOWER = 1

#: First what suffers most from what runs before it: latencies; last what uses all cores.
PARTS = {
    "start": "fer_bench.pipeline:measure_start",
    "pipeline": "fer_bench.pipeline:measure",
    "people": "fer_bench.people:measure",
    "robot": "fer_bench.robot:measure",
    "frame": "fer_bench.frame:measure",
    "micro": "fer_bench.micro:measure",
    "network": "fer_bench.network:measure",
    "training": "fer_bench.micro:measure_training",
    "dashboard": "fer_bench.dashboard:measure",
}
#: With more noise of the host before or after a part it is measured again, up to so often in all.
NOISY, MOST_ATTEMPTS = 0.2, 3
#: Parts whose ratios do not depend on what else runs.
CHECKED = ("frame", "micro", "network", "training")
#: Parts whose contestants take turns on one core; a whole graph, and a training, may use all cores.
ON_ONE_CORE = ("frame", "micro", "network")
NAMES = (ALL, CHECK, *PARTS)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    text = (
        f"what to measure: {', '.join(NAMES)} (default: {ALL}; {CHECK}: compare ratios with the "
        "committed ones, write nothing)"
    )
    add("names", nargs="*", default=[ALL], metavar="NAME", help=text)
    text = "turns of each contestant (%(default)s)"
    add("--rounds", type=int, default=Context.rounds, help=text)
    text = "how long the whole graph is watched at 640x480 (%(default)s)"
    add("--seconds", type=float, default=Context.run_s, help=text)
    add("--no-peers", action="store_true", help="without Brian2, which `make peers` sets up")
    text = "write the results there instead of bench/results.json and docs/performance.md"
    add("--output", type=Path, metavar="FILE.json", help=text)


def run(arguments: argparse.Namespace, root: Path) -> int:
    """Measure what was asked for.

    Returns
    -------
    0, or 1 if a ratio fell.
    """
    names = _names(arguments.names)
    context = Context(
        root,
        rounds=max(arguments.rounds, 1),
        run_s=max(arguments.seconds, 1.0),
        peers=None if arguments.no_peers else PeerEnvironment(root),
    )
    # Not at the top: --help must not wait for what the nodes import.
    from fer_bench import machine, page

    if machine.load_per_core() > BUSY_LOAD:
        _say("the machine is busy: latencies will be longer than on an idle one")
    if CHECK in arguments.names:
        return _check(_measured(CHECKED, context), results.load(root / RESULTS))
    new = _measured(names, context)
    if arguments.output:
        results.save(new, arguments.output)
        return 0
    merged = results.load(root / RESULTS).replaced(new) if (root / RESULTS).is_file() else new
    results.save(merged, root / RESULTS)
    page.write(merged, root)
    _say(f"{RESULTS} and {page.PAGE} are written")
    return 0


def _names(given: Sequence[str]) -> tuple[str, ...]:
    unknown = [name for name in given if name not in NAMES]
    if unknown:
        raise FerError(f"no benchmark is called {unknown[0]!r}: choose among {', '.join(NAMES)}")
    return tuple(name for name in PARTS if ALL in given or name in given)


def _measured(names: Sequence[str], context: Context) -> Results:
    import cv2

    from fer_bench import machine

    # As in the nodes. OpenCV ignores the variables that `fer bench` sets.
    cv2.setNumThreads(1)
    found: list[Measurement] = []
    noise: dict[str, float] = {}
    gauge = machine.Gauge()
    for name in names:
        noise[name], figures = _quietest(name, context, gauge)
        found += figures
    versions = context.peers.versions() if context.peers else {}
    return Results(machine.describe() | versions, tuple(found), noise)


def _quietest(name: str, context: Context, gauge: Gauge) -> tuple[float, list[Measurement]]:
    """Return the noise of the host and the figures of a part, of its quietest attempt."""
    attempts = []
    for _ in range(MOST_ATTEMPTS):
        before, begin_s = gauge.noise(), time.monotonic()
        figures = []
        for figure in _measured_part(name, context):
            _say(f"[{time.monotonic() - begin_s:4.0f} s] {_line(figure)}")
            figures.append(figure)
        after = gauge.noise()
        attempts.append((max(before, after), figures))
        _say(f"{name}: a fixed loop took {before:.0%} longer before and {after:.0%} after")
        if attempts[-1][0] <= NOISY:
            break
        _say(f"{name} was disturbed")
    return min(attempts, key=itemgetter(0))


def _measured_part(name: str, context: Context) -> Iterator[Measurement]:
    with one_core() if name in ON_ONE_CORE else nullcontext():
        yield from pkgutil.resolve_name(PARTS[name])(context)


def _line(found: Measurement) -> str:
    peers = "".join(f", {p.ratio:.3g} times faster than {name}" for name, p in found.peers.items())
    verdict = "reached" if found.met else "missed"
    limit = "" if found.limit is None else f" (limit {found.limit:g}: {verdict})"
    return f"{found.part}: {found.what}: {found.value:.4g} {found.unit}{limit}{peers}"


def _check(new: Results, committed: Results) -> int:
    slower = results.regressions(committed, new)
    for name, before, now in slower:
        _say(f"slower: {name}: {now:.3g} times faster, and {before:.3g} is committed")
    if not slower:
        _say(f"no ratio fell by more than {results.TOLERANCE:.0%}")
    return EXIT_SLOWER if slower else 0


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)
