"""Hundreds of changes of live parameters, good and bad, while frames come thirty times a second."""

from __future__ import annotations

import array
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer.bringup.environment import graph_environment
from fer.cli import main
from fer_common.core.errors import ParameterError
from fer_common.core.parameters import DIAGNOSTICS_PERIOD, Value
from fer_common.core.stamps import split_ns
from fer_common.ros import qos
from fer_faults.changes import Changes, values_of
from fer_interfaces.msg import ExpressionArray, FaceFeatures, FaceFeaturesArray, Spikes
from fer_snn.core.parameters import TABLE, recogniser_parameters
from fer_snn.core.weights import weights_file
from fer_testing.networks import SHAPE, SPEC, small_model, synthetic
from fer_testing.ros import Graph, RepeatingTimer, end, ros_arguments, wait_for

CHANGES = 200
PERIOD_S = 1 / 30
#: A frame follows the one before where the network may catch up with their distance.
LEAST_CATCH_UP_S = 0.1
DEEP = 1000
FEATURES, _ = synthetic(8, seed=2)
CONTRADICTIONS: tuple[dict[str, Any], ...] = (
    {"tau_m": 0.02, "no_such_parameter": 1.0},
    {"v_th": -0.1, "v_rest": -0.05},
    {"tau_m": 0.03, "w_min": 1.0, "w_max": 0.5},
    {"weights": "other"},
)


class Camera(RepeatingTimer):
    """Sends features of a face at the rate of a camera, in a thread of its own."""

    def __init__(self, graph: Graph) -> None:
        self.sent = 0
        self._publisher = graph.node.create_publisher(
            FaceFeaturesArray, "features", qos.EVERY_FRAME
        )
        wait_for(lambda: self._publisher.get_subscription_count() == 1, "the node's subscription")
        super().__init__(self._send, PERIOD_S)

    def _send(self) -> None:
        channels, rows, cols = SHAPE
        message = FaceFeaturesArray(feature_spec=SPEC, channels=channels, rows=rows, cols=cols)
        stamp = message.header.stamp
        stamp.sec, stamp.nanosec = split_ns(10**10 + round(self.sent * PERIOD_S * 1e9))
        face = FaceFeatures(id=1)
        face.roi.width = face.roi.height = 100
        picture = np.ascontiguousarray(FEATURES[self.sent % len(FEATURES)], np.float32)
        face.features = array.array("f", picture.tobytes())
        message.faces = [face]
        self._publisher.publish(message)
        self.sent += 1


def check(values: Mapping[str, Value]) -> None:
    recogniser_parameters(values)
    if values["max_catch_up"] < LEAST_CATCH_UP_S:  # type: ignore[operator]
        raise ParameterError("another frame would begin anew")


@pytest.fixture
def node(graph: Graph, tmp_path: Path) -> subprocess.Popen[str]:
    """A running snn node with a small network."""
    weights_file.save(small_model(), tmp_path / "small.npz")
    given = ros_arguments(weights="small", weights_dir=tmp_path, every_frame="true")
    return graph.start("fer_snn.ros.node", *given)


def test_no_frame_is_lost_and_bad_changes_are_refused(
    graph: Graph, node: subprocess.Popen[str]
) -> None:
    answers = graph.collect(ExpressionArray, "expressions", DEEP)
    spikes = graph.collect(Spikes, "spikes", DEEP)
    graph.wait_until_heard("expressions", "spikes")
    camera = Camera(graph)
    changes = Changes(TABLE, check)
    current = values_of(graph, TABLE)
    try:
        for _ in range(CHANGES):
            change = changes.good(current)
            assert graph.set_parameters("snn", change) == (True, ""), change
            current |= change
            wrong = changes.bad(*CONTRADICTIONS)
            taken, reason = graph.set_parameters("snn", wrong)
            assert not taken and reason, wrong
    finally:
        camera.close()
    assert camera.sent > 30
    wait_for(lambda: len(answers) == len(spikes) == camera.sent, "an answer to every frame")
    assert not any(answer.skipped for answer in answers)
    # The first frame has none before it; no other begins anew.
    assert not any(message.gap for message in spikes)
    assert values_of(graph, TABLE) == current


def test_a_dump_starts_a_node_with_the_same_values(
    graph: Graph, node: subprocess.Popen[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in graph_environment(os.environ).items():
        monkeypatch.setenv(name, value)
    changes = Changes(TABLE, check, seed=6)
    current: dict[str, Any] = values_of(graph, TABLE)
    period_s = current[DIAGNOSTICS_PERIOD.name]
    for _ in range(20):
        change = changes.good(current)
        current |= change
        assert graph.set_parameters("snn", change)[0]
    # Every node that a test starts has this one of its own.
    assert graph.set_parameters("snn", {DIAGNOSTICS_PERIOD.name: period_s})[0]
    before, dump = values_of(graph, TABLE), tmp_path / "dump.yaml"
    assert main(["param", "--namespace", "/", "dump", "snn", "-o", str(dump)]) == 0
    end(node)
    # Else its successor might be asked for through the services of the dead.
    wait_for(
        lambda: ("snn", "/") not in graph.node.get_node_names_and_namespaces(), "the node's end"
    )
    graph.start("fer_snn.ros.node", "--ros-args", "--params-file", str(dump))
    wait_for(lambda: values_of(graph, TABLE) == before, "the same values")
