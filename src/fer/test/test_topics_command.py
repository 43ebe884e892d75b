"""`fer topics`, `fer echo` and `fer hz` over real DDS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from fer.cli import main
from fer_common.ros import qos
from fer_interfaces.msg import ExpressionArray, NetworkInfo, Spikes, SpikeTrain
from fer_testing.ros import Graph, RepeatingTimer


@pytest.fixture
def played(graph: Graph) -> Iterator[Graph]:
    """A graph with one message of each sort of topic again and again, 50 times a second."""
    node = graph.node
    spikes = node.create_publisher(Spikes, "/fer/spikes", qos.RESULT)
    network = node.create_publisher(NetworkInfo, "/fer/network", qos.LATCHED)
    node.create_publisher(ExpressionArray, "/fer/expressions", qos.RESULT)
    network.publish(NetworkInfo(model="played", labels=["a", "b"]))
    train = SpikeTrain(face_id=3, layer="expression", size=9, neuron=list(range(40)), step=[0] * 40)
    timer = RepeatingTimer(lambda: spikes.publish(Spikes(dt=0.001, steps=33, trains=[train])), 0.02)
    yield graph
    timer.close()


def test_topics_are_listed(played: Graph, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["topics"]) == 0
    assert "/fer/spikes [fer_interfaces/msg/Spikes] 1 to 0\n" in capsys.readouterr().out


def test_messages_are_shown_as_yaml(played: Graph, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["echo", "spikes", "-n", "2"]) == 0
    first, second, rest = capsys.readouterr().out.split("---\n")
    assert first == second and not rest
    (train,) = yaml.safe_load(first)["trains"]
    assert (train["face_id"], train["layer"]) == (3, "expression")
    assert train["neuron"] == [*range(16), "... 40 in all"]
    assert main(["echo", "/fer/spikes", "-n", "1", "--full"]) == 0
    shown = yaml.safe_load(capsys.readouterr().out.partition("---")[0])
    assert shown["trains"][0]["neuron"] == [*range(40)]


def test_a_latched_message_is_shown(played: Graph, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["echo", "network", "-n", "1"]) == 0
    assert yaml.safe_load(capsys.readouterr().out.partition("---")[0])["labels"] == ["a", "b"]


def test_the_rate_is_shown(played: Graph, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hz", "spikes", "-n", "1"]) == 0
    rate, unit, *_ = capsys.readouterr().out.split()
    assert unit == "Hz," and 0 < float(rate) <= 55


@pytest.mark.parametrize(
    ("topic", "why"),
    [("nothing", "nobody publishes /fer/nothing"), ("a b", "cannot be the name of a topic")],
)
def test_a_topic_that_is_not_there(
    played: Graph, capsys: pytest.CaptureFixture[str], topic: str, why: str
) -> None:
    assert main(["echo", topic]) == 2
    assert why in capsys.readouterr().err
