"""Hundreds of changes of live parameters, good and bad, while frames come thirty times a second."""

from __future__ import annotations

import array
import os
import random
import subprocess
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rcl_interfaces.srv import GetParameters, SetParametersAtomically
from rclpy.parameter import Parameter as RosParameter
from rclpy.parameter import parameter_value_to_python

from fer.cli import main
from fer.environment import graph_environment
from fer.installed import config_folder
from fer_common import qos
from fer_common.errors import ParameterError
from fer_common.parameters import DIAGNOSTICS_PERIOD, Parameter, Value
from fer_common.stamps import split_ns
from fer_common.testing import Graph, end, ros_arguments, wait_for
from fer_interfaces.msg import ExpressionArray, FaceFeatures, FaceFeaturesArray, Spikes
from fer_snn import weights_file
from fer_snn.parameters import TABLE, recogniser_parameters
from fer_snn.testing import SHAPE, SPEC, small_model, synthetic

CHANGES = 200
PERIOD_S = 1 / 30
#: A frame follows the one before where the network may catch up with their distance.
LEAST_CATCH_UP_S = 0.1
DEEP = 1000
FEATURES, _ = synthetic(8, seed=2)
LIVE = [parameter for parameter in TABLE if parameter.live]


class Camera:
    """Sends features of a face at the rate of a camera, in a thread of its own."""

    def __init__(self, graph: Graph) -> None:
        self.sent = 0
        self._publisher = graph.node.create_publisher(
            FaceFeaturesArray, "features", qos.EVERY_FRAME
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        wait_for(lambda: self._publisher.get_subscription_count() == 1, "the node's subscription")
        self._thread.start()

    def close(self) -> None:
        """End after the frame in hand."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        channels, rows, cols = SHAPE
        while not self._stop.wait(PERIOD_S):
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


def good(rng: random.Random, current: dict[str, Value]) -> dict[str, Value]:
    """Return a random change that the node has to take."""
    while True:
        parameter = rng.choice(LIVE)
        change = {parameter.name: any_value(rng, parameter)}
        try:
            merged = TABLE.merged(current, change)
            recogniser_parameters(merged)
        except ParameterError:
            continue
        if merged["max_catch_up"] >= LEAST_CATCH_UP_S:  # type: ignore[operator]
            return change


def any_value(rng: random.Random, parameter: Parameter) -> Value:
    """Return a random value within the range of a parameter."""
    kind = parameter.element_type
    if parameter.choices:
        value: Any = rng.choice(parameter.choices)
        return (value,) if isinstance(parameter.default, tuple) else value
    if kind is bool:
        return rng.random() < 0.5
    low, high = parameter.minimum, parameter.maximum
    assert low is not None and high is not None
    if kind is int:
        return rng.randint(int(low), int(high))
    # Mostly near the default, where networks live.
    default = float(parameter.default)  # type: ignore[arg-type]
    near = default * rng.uniform(0.5, 1.5)
    return near if low <= near <= high and rng.random() < 0.8 else rng.uniform(low, high)


def bad(rng: random.Random) -> dict[str, Any]:
    """Return a random change that the node has to refuse."""
    parameter = rng.choice([each for each in LIVE if each.element_type is not bool])
    limits = [each for each in (parameter.minimum, parameter.maximum) if each is not None]
    beyond: list[Any] = ["no such choice", True]
    if limits and parameter.element_type is float:
        beyond += [limits[0] - 1e-3 - abs(limits[0]), limits[-1] * 2 + 1.0, float("nan")]
    elif limits:
        beyond += [int(limits[0]) - 1, int(limits[-1]) + 1, 0.5]
    tables: list[dict[str, Any]] = [
        {parameter.name: rng.choice(beyond)},
        {"tau_m": 0.02, "no_such_parameter": 1.0},
        {"v_th": -0.1, "v_rest": -0.05},
        {"tau_m": 0.03, "w_min": 1.0, "w_max": 0.5},
        {"weights": "other"},
    ]
    return rng.choice([tables[0]] * 4 + tables[1:])


@pytest.fixture
def node(graph: Graph, tmp_path: Path) -> subprocess.Popen[str]:
    """A running snn node with a small network."""
    weights_file.save(small_model(), tmp_path / "small.npz")
    given = ros_arguments(weights="small", weights_dir=tmp_path, every_frame="true")
    return graph.start("fer_snn.node", *given)


def set_all(graph: Graph, values: dict[str, Any]) -> tuple[bool, str]:
    """Set parameters as a whole."""
    parameters = [
        RosParameter(
            name, value=list(value) if isinstance(value, tuple) else value
        ).to_parameter_msg()
        for name, value in values.items()
    ]
    request = SetParametersAtomically.Request(parameters=parameters)
    kind = SetParametersAtomically
    result = graph.call(kind, "snn/set_parameters_atomically", request).result
    return result.successful, result.reason


def values_of(graph: Graph) -> dict[str, Any]:
    """Return the present value of every parameter of the table."""
    names = [parameter.name for parameter in TABLE]
    values = graph.call(GetParameters, "snn/get_parameters", GetParameters.Request(names=names))
    plain = [parameter_value_to_python(value) for value in values.values]
    return dict(zip(names, plain, strict=True))


def test_no_frame_is_lost_and_bad_changes_are_refused(
    graph: Graph, node: subprocess.Popen[str]
) -> None:
    answers = graph.collect(ExpressionArray, "expressions", DEEP)
    spikes = graph.collect(Spikes, "spikes", DEEP)
    graph.wait_until_heard("expressions", "spikes")
    camera = Camera(graph)
    rng = random.Random(5)
    current = values_of(graph)
    try:
        for _ in range(CHANGES):
            change = good(rng, current)
            assert set_all(graph, change) == (True, ""), change
            current |= change
            wrong = bad(rng)
            taken, reason = set_all(graph, wrong)
            assert not taken and reason, wrong
    finally:
        camera.close()
    assert camera.sent > 30
    wait_for(lambda: len(answers) == len(spikes) == camera.sent, "an answer to every frame")
    assert not any(answer.skipped for answer in answers)
    # The first frame has none before it; no other begins anew.
    assert not any(message.gap for message in spikes)
    after = values_of(graph)
    assert {name: plain(after[name]) for name in current} == {
        name: plain(value) for name, value in current.items()
    }


def plain(value: Any) -> Any:
    """Return arrays as tuples, so that they can be compared."""
    return value if isinstance(value, (str, bool, int, float)) else tuple(value)


def test_a_dump_starts_a_node_with_the_same_values(
    graph: Graph, node: subprocess.Popen[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in graph_environment(os.environ, config_folder()).items():
        monkeypatch.setenv(name, value)
    rng = random.Random(6)
    current: dict[str, Any] = values_of(graph)
    period_s = current[DIAGNOSTICS_PERIOD.name]
    for _ in range(20):
        change = good(rng, current)
        current |= change
        assert set_all(graph, change)[0]
    # Every node that a test starts has this one of its own.
    assert set_all(graph, {DIAGNOSTICS_PERIOD.name: period_s})[0]
    before, dump = values_of(graph), tmp_path / "dump.yaml"
    assert main(["param", "--namespace", "/", "dump", "snn", "-o", str(dump)]) == 0
    end(node)
    # Else its successor might be asked for through the services of the dead.
    wait_for(
        lambda: ("snn", "/") not in graph.node.get_node_names_and_namespaces(), "the node's end"
    )
    graph.start("fer_snn.node", "--ros-args", "--params-file", str(dump))
    wait_for(lambda: values_of(graph) == before, "the same values")
