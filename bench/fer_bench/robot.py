"""The whole graph on a small robot: with a third of one core, as much as a core of a Pi 5 has.

A core of a Raspberry Pi 5 does about a third of the work of a server's core. What does not fit is
left out by the rule of the newest frame; the age of what is answered must not grow.
"""

from __future__ import annotations

from collections.abc import Iterator

from fer_bench import graph, share
from fer_bench.graph import Camera
from fer_bench.measure import Context
from fer_bench.results import Measurement, Target

PART = "robot"
SHARE = 1 / 3
VGA = Camera(640, 480, 30.0)


def measure(context: Context) -> Iterator[Measurement | Target]:
    """Watch the graph with a third of a core; nobody listens to the overlay."""
    with share.confined(SHARE) as (means, prefix):
        percent = 100 * share.measured(prefix)
        name = f"share of one core, by {means}"
        yield Measurement(PART, name, "% of a core", percent)
        topics = [graph.EXPRESSIONS]
        run = graph.watch(context.root, VGA, context.run_s, topics, prefix=prefix)
    frames, latency_ms = run.summary["frames"], run.summary["latency_ms"]
    rate_hz = frames["processed"] / run.duration_s
    yield Measurement(PART, "answers", "Hz", rate_hz)
    yield Target("third of a core: answers per second", rate_hz, 15.0, "Hz", at_least=True)
    for quantile, value in latency_ms.items():
        yield Measurement(PART, f"age of an answer, {quantile}", "ms", value)
    yield Target("third of a core: age of an answer, p99", latency_ms["p99"], 150.0, "ms")
    total = sum(run.cpu_percent.values())
    yield Measurement(PART, "CPU of all nodes", "% of a core", total)
