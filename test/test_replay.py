"""What is recorded live gives the same spikes, weights and answers, however it is replayed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from fer.bags.player import PICTURES as PICTURE_TYPES
from fer.bags.reading import opened
from fer.bags.selection import DERIVED
from fer_interfaces.msg import ExpressionArray, Spikes
from fer_testing.ros import Graph, end, reserved_domain, wait_for
from fer_testing.whole_graph import KEPT_UP, start_fer

SECONDS = 2.0
RATE_HZ = 30.0
LEARNING = "/**/snn:\n  ros__parameters:\n    learning: unsupervised\n"

pytestmark = pytest.mark.timeout(180)


#: This node takes the newest frame; it shall not cut it short, however busy the machine is.
WHOLE = ("-p", "time_budget:=0.0")


def done(*arguments: object, code: int = 0) -> str:
    """Run a command to its end and return what it says."""
    process = start_fer(*arguments)
    output, _ = process.communicate(timeout=90)
    assert process.returncode == code, output
    return output


def pictures_of(graph: Graph) -> list[str]:
    """Return the topics of pictures that are known."""
    names = dict(graph.node.get_topic_names_and_types())
    return sorted(name for name, types in names.items() if {*types} & {*PICTURE_TYPES})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Some seconds of the live demo, in `live`, and parameters with which the network learns."""
    folder = tmp_path_factory.mktemp("replay")
    (folder / "learning.yaml").write_text(LEARNING)
    with reserved_domain() as domain:
        graph = Graph(domain)
        answers = graph.collect(ExpressionArray, "/fer/expressions")
        up = start_fer("up", "--source", "demo", "--no-window")
        wait_for(lambda: answers, "the live graph", 60.0)
        wait_for(lambda: len(pictures_of(graph)) > len(DERIVED), "all topics of pictures", 60.0)
        (folder / "pictures").write_text("\n".join(pictures_of(graph)))
        done("bag", "record", "--output", folder / "live", "--duration", SECONDS)
        assert end(up, signal.SIGINT)[0] == 0
        graph.close()
        yield folder


def replay(folder: Path, name: str, source: str, *options: object) -> Path:
    """Play a bag through fresh nodes and return the bag of what they said."""
    out = folder / name
    params = folder / "learning.yaml"
    given = ("--graph", "--record", out, "--params", params, *options)
    output = done("bag", "play", folder / source, *given)
    assert "were not" not in output
    return out


def test_the_recording_holds_the_graph(folder: Path) -> None:
    with opened(folder / "live") as bag:
        topics = bag.topics
        assert topics["/fer/image_raw"].messages >= KEPT_UP * SECONDS * RATE_HZ
        assert topics["/fer/expressions"].messages > 0
        latched = topics["/fer/weights"].qos[0].durability.name
        assert latched == "TRANSIENT_LOCAL"
        assert not {"/fer/overlay", "/rosout"} & set(topics)


def test_what_is_drawn_for_listeners_is_not_recorded_unasked(folder: Path) -> None:
    pictures = (folder / "pictures").read_text().split()
    assert pictures == sorted(f"/fer/{topic}" for topic in (*DERIVED, "image_raw"))


def test_every_replay_is_the_same_bit_for_bit(folder: Path) -> None:
    slow = replay(folder, "slow", "live", "--clock")
    # In one process, which hands pictures and features over.
    fast = replay(folder, "fast", "live", "--rate", 50, "--compose")
    recorded = replay(folder, "recorded", "slow", "--rate", 5, "--topics", "features")
    with opened(folder / "live") as bag, opened(slow) as run:
        assert run.topics["/fer/spikes"].messages == bag.topics["/fer/image_raw"].messages
        assert run.topics["/fer/weights"].messages > SECONDS
    for other in (fast, recorded):
        assert "the runs agree" in done("bag", "diff", slow, other)


def test_another_network_is_told_apart(folder: Path) -> None:
    (folder / "learning.yaml").write_text(LEARNING + "    tau_m: 0.021\n")
    other = replay(folder, "other", "slow", "--rate", 50, "--topics", "features")
    assert "part first" in done("bag", "diff", folder / "slow", other, code=1)


def test_a_loop_into_a_running_graph_repeats_itself(folder: Path) -> None:
    graph = Graph(int(os.environ["ROS_DOMAIN_ID"]))
    with opened(folder / "slow") as bag:
        frames = bag.topics["/fer/features"].messages
    try:
        # Deep: the player waits for its own answers, not for ours.
        answers = graph.collect(ExpressionArray, "/fer/expressions", 1000)
        spikes = graph.collect(Spikes, "/fer/spikes", 1000)
        graph.start(
            "fer_snn.ros.node", "--ros-args", "-r", "__ns:=/fer", "-r", "__node:=snn", *WHOLE
        )
        graph.wait_until_heard("/fer/expressions", "/fer/spikes")
        given = ("--topics", "features", "--rate", 20, "--expect", "snn", "--wait", 60)
        player = start_fer("bag", "play", folder / "slow", "--loop", *given)
        wait_for(lambda: len(answers) > 2 * frames, "the second repetition", 60.0)
        code, output = end(player, signal.SIGINT)
        assert code == 0 and "were not" not in output
    finally:
        graph.close()
    # This node takes the newest frame: nothing was skipped because the player waited for it.
    assert not any(answer.skipped for answer in answers)
    first, again = answers[:frames], answers[frames : 2 * frames]
    assert first == again
    assert {answer.weights_version for answer in answers} == {first[0].weights_version}
    gaps = [k for k, message in enumerate(spikes[: 2 * frames]) if message.gap]
    assert frames in gaps and 0 not in gaps
