"""The whole graph, as real processes started by `fer up` on the demo clip."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from fer.bringup.graph import NODES
from fer_testing.networks import EIGHT
from fer_testing.ros import Graph, end, reserved_domain, wait_for
from fer_testing.whole_graph import (
    KEPT_UP,
    LATCHED,
    PICTURES,
    SERVICES,
    STREAMS,
    Listener,
    all_gone,
    check_rate,
    check_spike_times,
    check_stamps,
    children,
    start_fer,
)

RATE_HZ = 30.0
# Long enough for the last expression of the clip to begin, after 12.8 s.
DURATION_S = 14.0
LABELS = set(EIGHT)
NAMES = [node.name for node in NODES]

pytestmark = pytest.mark.timeout(180)


def start(*options: str) -> subprocess.Popen[str]:
    """Start `fer up` in the domain of this process."""
    return start_fer("up", *options)


@dataclass
class Run:
    """A finished run of `fer up`, and what was heard of it."""

    exit_code: int
    output: str
    summary: dict[str, Any]
    listener: Listener
    topics: dict[str, list[str]]
    processes: dict[str, psutil.Process]


def offers(graph: Graph, services: Sequence[str]) -> bool:
    """Whether somebody offers every one of the services."""
    names = [name for name, _ in graph.node.get_service_names_and_types()]
    return all(any(name.endswith(f"/{service}") for name in names) for service in services)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """One run over a part of the demo clip, to the end of its duration."""
    path = tmp_path_factory.mktemp("run") / "summary.json"
    with reserved_domain() as domain:
        graph = Graph(domain)
        listener = Listener(graph, "/fer")
        process = start("--source", "demo", "--duration", str(DURATION_S), "--summary", str(path))
        wait_for(lambda: process.poll() is not None or listener.expressions, "expressions", 60.0)
        processes = children(process)
        listener.join_late()
        listener.look_at_pictures(5)
        topics = dict(graph.node.get_topic_names_and_types())
        wait_for(partial(offers, graph, SERVICES), f"the services {', '.join(SERVICES)}")
        output, _ = process.communicate(timeout=DURATION_S + 30.0)
        graph.close()
    summary = json.loads(path.read_text()) if path.exists() else {}
    yield Run(process.returncode, output, summary, listener, topics, processes)


def test_it_ends_by_itself_cleanly(run: Run) -> None:
    assert run.exit_code == 0, run.output
    assert "Traceback" not in run.output
    assert "error" not in run.output.lower()
    assert all_gone(run.processes.values())


def test_every_node_is_a_process_of_its_own(run: Run) -> None:
    assert sorted(run.processes) == sorted(NAMES)
    assert len({process.pid for process in run.processes.values()}) == len(NAMES)


def test_topics_are_there(run: Run) -> None:
    for topic, kind in {**STREAMS, **PICTURES, **LATCHED}.items():
        package = kind.__module__.split(".")[0]
        assert run.topics[f"/fer/{topic}"] == [f"{package}/msg/{kind.__name__}"]
    assert run.topics["/diagnostics"] == ["diagnostic_msgs/msg/DiagnosticArray"]


def test_the_header_of_the_image_travels_unchanged(run: Run) -> None:
    check_stamps(run.listener)


def test_no_neuron_fires_within_its_refractory_period(run: Run) -> None:
    check_spike_times(run.listener)


def test_nothing_falls_behind(run: Run) -> None:
    for topic in ("frame_info", "features", "expressions"):
        check_rate(run.listener, topic, RATE_HZ)


def test_who_joins_late_gets_weights_and_description(run: Run) -> None:
    for topic, messages in run.listener.latched.items():
        assert len(messages) >= 2, topic
        assert set(messages[-1].labels) == LABELS


def test_answers_are_complete_and_consistent(run: Run) -> None:
    answers = [face for message in run.listener.expressions for face in message.expressions]
    assert answers
    for answer in answers:
        assert set(answer.labels) == LABELS
        assert len(answer.scores) == len(answer.rates_hz) == len(LABELS)
        assert 0.0 <= answer.confidence <= 1.0
        assert sum(answer.scores) == pytest.approx(1.0, abs=1e-3) or not any(answer.scores)
        assert answer.label in LABELS | {"undecided"}


def test_the_summary_counts_what_happened(run: Run) -> None:
    frames = run.summary["frames"]
    assert KEPT_UP * DURATION_S * RATE_HZ < frames["published"] < 1.05 * DURATION_S * RATE_HZ
    assert frames["published"] == frames["processed"] + frames["skipped"]
    assert frames["processed"] >= KEPT_UP * frames["published"]
    latency = run.summary["latency_ms"]
    # Frames that queue anywhere would be seconds old by the end.
    assert 0 < latency["p50"] <= latency["p99"] <= latency["max"] < 2000
    assert sorted(run.summary["nodes"]) == sorted(NAMES)
    for usage in run.summary["nodes"].values():
        assert usage["cpu_percent"] > 0
        assert usage["rss_mb"] > 10
        assert usage["restarts"] == 0
    assert run.summary["faces"] >= 1
    assert sum(run.summary["labels"].values()) >= 0.9 * frames["processed"]


def test_expressions_of_the_demo_are_recognised(run: Run) -> None:
    assert run.summary["balanced_accuracy"] >= 0.85
    assert set(run.summary["confusion_labels"]) >= LABELS


def test_ctrl_c_ends_all_within_three_seconds(graph: Graph) -> None:
    listener = Listener(graph, "/robots/a")
    process = start("--source", "demo", "--namespace", "robots/a", "--no-viz")
    wait_for(lambda: listener.expressions, "expressions", 60.0)
    processes = children(process)
    assert sorted(processes) == ["camera", "features", "snn"]
    before_s = time.monotonic()
    exit_code, output = end(process, signal.SIGINT)
    assert time.monotonic() - before_s < 3.0
    assert exit_code == 0
    assert "Traceback" not in output
    assert all_gone(processes.values())


def test_a_killed_node_comes_back(graph: Graph, tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    listener = Listener(graph, "/fer")
    process = start("--source", "demo", "--no-viz", "--summary", str(path))
    wait_for(lambda: listener.expressions, "expressions", 60.0)
    before = children(process)
    before["snn"].kill()
    wait_for(lambda: "snn" in children(process) and all_gone([before["snn"]]), "the snn process")
    back = len(listener.expressions)
    wait_for(lambda: len(listener.expressions) > back + 30, "expressions of the new snn node")
    assert children(process)["camera"].pid == before["camera"].pid
    assert end(process, signal.SIGTERM)[0] == 0
    summary = json.loads(path.read_text())
    assert {name: node["restarts"] for name, node in summary["nodes"].items()} == {
        "camera": 0,
        "features": 0,
        "snn": 1,
    }


def test_nothing_outlives_fer_up_when_it_is_killed(graph: Graph) -> None:
    listener = Listener(graph, "/fer")
    process = start("--source", "demo", "--no-viz")
    wait_for(lambda: listener.expressions, "expressions", 60.0)
    processes = list(children(process).values())
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    wait_for(lambda: all_gone(processes), "the nodes to end")
