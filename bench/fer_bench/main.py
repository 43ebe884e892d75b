"""Runs benchmarks, writes results and page, compares with what is committed."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path

from fer_bench import results
from fer_bench.context import Context
from fer_bench.measure import one_core
from fer_bench.peers import PeerEnvironment
from fer_bench.results import Measurement, Results, Target
from fer_common.core.errors import FerError

RESULTS = Path("bench", "results.json")
PROFILE, ALL, CHECK = "profile", "all", "check"
#: Above this many busy processes per core, latencies are those of the other programs.
BUSY_LOAD = 0.5
EXIT_SLOWER = 1

#: Modules of that name have a function `measure`.
PARTS = ("network", "micro", "frame", "training", "start", "pipeline", "people", "dashboard")
#: Parts whose ratios do not depend on what else runs.
CHECKED = ("network", "micro", "frame", "training")
#: Parts in which contestants take turns; a whole graph, and a training, may have every core.
ON_ONE_CORE = ("network", "micro", "frame")
NAMES = (ALL, CHECK, *PARTS, PROFILE)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "names",
        nargs="*",
        default=[ALL],
        metavar="NAME",
        help=f"what to measure: {', '.join(NAMES)} (default: {ALL}; {CHECK}: compare ratios with "
        "the committed ones, write nothing)",
    )
    parser.add_argument(
        "--rounds", type=int, default=Context.rounds, help="turns of each contestant (%(default)s)"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=Context.run_s,
        help="how long the whole graph is watched at 640x480 (%(default)s)",
    )
    parser.add_argument(
        "--no-peers", action="store_true", help="without Brian2 and py-spy, which are set up once"
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE.json",
        help="write the results there, and neither bench/results.json nor docs/performance.md",
    )


def run(arguments: argparse.Namespace, root: Path) -> int:
    """Measure what was asked for.

    Returns
    -------
    0, or 1 where a ratio fell.
    """
    names = _names(arguments.names)
    context = Context(
        root,
        rounds=max(arguments.rounds, 1),
        run_s=max(arguments.seconds, 1.0),
        peers=None if arguments.no_peers else PeerEnvironment(root),
    )
    # Only here, so that --help need not wait for what the nodes import.
    from fer_bench import machine, report

    if machine.load_per_core() > BUSY_LOAD:
        _say("the machine is busy with other things: latencies will not be those of an idle one")
    if CHECK in names:
        return _check(_measured(CHECKED, context), results.load(root / RESULTS))
    new = _measured(names, context)
    if arguments.output:
        results.save(new, arguments.output)
        return 0
    merged = results.load(root / RESULTS).replaced(new) if (root / RESULTS).is_file() else new
    results.save(merged, root / RESULTS)
    report.write(merged, root)
    _say(f"{RESULTS} and {report.PAGE} are written")
    return 0


def _names(given: Sequence[str]) -> tuple[str, ...]:
    unknown = [name for name in given if name not in NAMES]
    if unknown:
        raise FerError(f"no benchmark is called {unknown[0]!r}: choose among {', '.join(NAMES)}")
    return (*PARTS, PROFILE) if ALL in given else tuple(dict.fromkeys(given))


def _measured(names: Sequence[str], context: Context) -> Results:
    import cv2

    from fer_bench import machine, profiling

    # As in the nodes. OpenCV heeds none of the variables that `fer bench` sets.
    cv2.setNumThreads(1)
    measurements: list[Measurement] = []
    targets: list[Target] = []
    begin_s = time.monotonic()
    for name in names:
        if name == PROFILE:
            continue
        for found in _measured_part(name, context):
            elapsed_s = time.monotonic() - begin_s
            _say(f"[{elapsed_s:4.0f} s] {_line(found)}")
            if isinstance(found, Target):
                targets.append(found)
            else:
                measurements.append(found)
    profiles = {}
    if PROFILE in names and context.peers is not None:
        profiles = profiling.profile(context)
    facts = machine.describe() | (context.peers.versions() if context.peers else {})
    return Results(facts, tuple(measurements), tuple(targets), profiles)


def _measured_part(name: str, context: Context) -> Iterator[Measurement | Target]:
    with one_core() if name in ON_ONE_CORE else nullcontext():
        yield from importlib.import_module(f"fer_bench.{name}").measure(context)


def _line(found: Measurement | Target) -> str:
    if isinstance(found, Target):
        verdict = "reached" if found.met else "missed"
        return f"target {verdict}: {found.what}: {found.value:.4g} {found.unit} ({found.limit:g})"
    peers = "".join(f", {p.ratio:.3g} times faster than {name}" for name, p in found.peers.items())
    return f"{found.part}: {found.name}: {found.value:.4g} {found.unit}{peers}"


def _check(new: Results, committed: Results) -> int:
    slower = results.regressions(committed, new)
    for name, before, now in slower:
        _say(f"slower: {name}: {now:.3g} times faster, and {before:.3g} is committed")
    if not slower:
        _say(f"no ratio fell by more than {results.TOLERANCE:.0%}")
    return EXIT_SLOWER if slower else 0


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)
