"""The node as a process, over real DDS: what it publishes, refuses, counts and says."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from rcl_interfaces.srv import DescribeParameters

from fer_common.ros import qos
from fer_interfaces.msg import Expression, Lesson, NetworkInfo, Potentials, Spikes, Weights
from fer_interfaces.srv import (
    LearningReport,
    ListWeights,
    LoadWeights,
    Reset,
    SaveWeights,
    Teach,
    Undo,
)
from fer_snn.core.neurons.lif import LIFParameters
from fer_snn.core.weights import weights_file
from fer_testing.networks import LABELS, SHAPE, small_model
from fer_testing.ros import Graph, check_throttled, end, facts, ros_arguments, wait_for
from fer_testing.snn_node import FEATURES, Rig, frame


@pytest.fixture
def rig(graph: Graph, tmp_path: Path) -> Iterator[Rig]:
    yield Rig(graph, tmp_path)


def test_answers_carry_the_header_of_their_frame(rig: Rig) -> None:
    spikes: list[Spikes] = rig.graph.collect(Spikes, "spikes")
    potentials: list[Potentials] = rig.graph.collect(Potentials, "potentials")
    rig.graph.wait_until_heard("spikes", "potentials")
    faces = (3, FEATURES[0]), (5, FEATURES[9])
    rig.show(*faces)
    answer = rig.show(*faces)
    wait_for(lambda: spikes[-1].header == potentials[-1].header == answer.header, "same headers")
    assert answer.header.frame_id == "camera_optical"
    assert [e.face_id for e in answer.expressions] == [3, 5]
    expression = answer.expressions[0]
    assert list(expression.labels) == list(LABELS)
    assert expression.label in (*LABELS, Expression.UNDECIDED)
    assert len(expression.scores) == len(expression.rates_hz) == 3
    assert expression.roi.width == 100

    assert (spikes[-1].steps, spikes[-1].dt, spikes[-1].gap) in (
        (33, 0.001, False),
        (34, 0.001, False),
    )
    train = spikes[-1].trains[0]
    assert (train.face_id, train.layer, train.size) == (3, "expression", 6)
    assert len(train.neuron) == len(train.step)
    trace = potentials[-1].traces[1]
    assert (trace.face_id, trace.layer) == (5, "expression")
    assert len(trace.potential) == potentials[-1].steps * trace.size
    assert all(-1.0 < v < 0.0 for v in trace.potential)
    assert len(trace.threshold) == trace.size


def test_nobody_in_view_is_an_answer_too(rig: Rig) -> None:
    assert not rig.show().expressions


def test_late_joiners_get_weights_and_network(rig: Rig) -> None:
    rig.show((1, FEATURES[0]))
    weights: list[Weights] = rig.graph.collect(Weights, "weights", qos.LATCHED)
    network: list[NetworkInfo] = rig.graph.collect(NetworkInfo, "network", qos.LATCHED)
    wait_for(lambda: weights and network, "latched messages")
    assert list(network[-1].layers) == ["feature", "hidden", "expression"]
    assert list(network[-1].sizes) == [288, 32, 6]
    assert network[-1].tau_m == pytest.approx(LIFParameters().tau_m)
    fields = weights[-1].receptive_fields
    assert (fields.size, fields.channels, fields.rows, fields.cols) == (3, 8, 6, 6)
    assert len(fields.weights) == 3 * 8 * 36
    assert fields.channel_names[0] == "ON 4px 0deg" and fields.channel_names[4] == "OFF 4px 0deg"
    assert [p.post for p in weights[-1].projections] == ["hidden", "expression"]
    assert list(weights[-1].neuron_label) == [0, 0, 1, 1, 2, 2]


def test_layers_are_published_on_request(rig: Rig) -> None:
    spikes: list[Spikes] = rig.graph.collect(Spikes, "spikes")
    rig.graph.wait_until_heard("spikes")
    assert rig.set(publish_layers=["feature", "hidden"])[0]

    def layers() -> list[str]:
        rig.show((1, FEATURES[0]))
        return [train.layer for train in spikes[-1].trains] if spikes else []

    wait_for(lambda: layers() == ["feature", "hidden", "expression"], "all layers")
    potentials: list[Potentials] = rig.graph.collect(Potentials, "potentials")
    rig.graph.wait_until_heard("potentials")
    assert rig.set(publish_layers=["feature_spikes"])[0]
    wait_for(lambda: layers() == ["feature", "expression"], "the spikes alone")
    potentials.clear()
    rig.show((1, FEATURES[0]))
    wait_for(lambda: potentials, "potentials")
    assert [trace.layer for trace in potentials[-1].traces] == ["expression"]


def test_labels_restrict_what_is_said_from_the_next_frame(rig: Rig) -> None:
    assert all(rig.show((1, FEATURES[0]), frames=4).expressions[0].scores)
    assert rig.set(labels=["surprise", "happy"]) == (True, "")
    answer = rig.show((1, FEATURES[0])).expressions[0]
    assert list(answer.labels) == list(LABELS)
    assert answer.scores[0] == 0.0 and sum(answer.scores) == pytest.approx(1)
    assert answer.label in ("smile", "surprised", Expression.UNDECIDED)
    for refused, why in (
        (["smile", "wink"], "does not know (it knows neutral, smile, surprised)"),
        (["smile"], "two labels or more"),
        ([], "at least one value"),
    ):
        successful, reason = rig.set(labels=refused)
        assert not successful and why in reason
    assert rig.show((1, FEATURES[0])).expressions[0].scores[0] == 0.0
    assert rig.set(labels=["all"]) == (True, "")
    assert rig.show((1, FEATURES[0])).expressions[0].scores[0] > 0.0


def test_parameters_are_set_as_a_whole_or_not_at_all(rig: Rig) -> None:
    network: list[NetworkInfo] = rig.graph.collect(NetworkInfo, "network", qos.LATCHED)
    assert rig.set(tau_m=0.03, v_th=-0.052) == (True, "")
    wait_for(lambda: network and network[-1].tau_m == pytest.approx(0.03), "the new constants")
    successful, reason = rig.set(tau_m=0.04, v_th=-0.08)
    assert not successful and "below v_th" in reason
    assert not rig.set(tau_m=-1.0)[0]
    assert not rig.set(weights="other")[0]
    rig.show((1, FEATURES[0]))
    assert network[-1].tau_m == pytest.approx(0.03)


def test_parameters_are_described(rig: Rig) -> None:
    request = DescribeParameters.Request(names=["tau_m"])
    described = rig.graph.call(DescribeParameters, "snn/describe_parameters", request)
    assert "Membrane time constant" in described.descriptors[0].description
    assert described.descriptors[0].floating_point_range[0].from_value == pytest.approx(0.001)


BAD = {
    "another specification": {"feature_spec": "other"},
    "another shape": {"rows": 7},
    "a negative stamp": "stamp",
    "too few features": [(1, FEATURES[0][:2])],
    "not a number": [(1, np.full(SHAPE, np.nan))],
    "infinite": [(1, np.full(SHAPE, np.inf))],
    "negative": [(1, -FEATURES[0])],
    "the same id twice": [(1, FEATURES[0]), (1, FEATURES[1])],
}


def test_bad_features_are_dropped_counted_and_named(graph: Graph, tmp_path: Path) -> None:
    rig = Rig(graph, tmp_path, "-p", "every_frame:=true")
    good = rig.show((1, FEATURES[0]))
    begun_s = time.monotonic()
    for bad in list(BAD.values()) * 7:
        message = frame(50, *bad) if isinstance(bad, list) else frame(50, (1, FEATURES[0]))
        for name, value in bad.items() if isinstance(bad, dict) else ():
            setattr(message, name, value)
        if bad == "stamp":
            message.header.stamp.sec = -5
        rig.send(message)
    number = str(7 * len(BAD))
    status = rig.wait_for_status(lambda s: facts(s)["dropped"] == number, "all drops")
    assert rig.answers == [good]
    assert status.level == DiagnosticStatus.WARN
    assert "dropping features" in status.message
    assert rig.show((1, FEATURES[0])).expressions

    def names_the_publisher(status: DiagnosticStatus) -> bool:
        # A node's name is discovered apart from its topics, and may come after the first features.
        rig.send(message)
        return "dropping features from test: " in status.message

    rig.wait_for_status(names_the_publisher, "the name of the publisher")
    code, output = end(rig.process)
    assert code == 0
    check_throttled(output, "features dropped", begun_s)


def test_teaching_changes_the_weights(rig: Rig) -> None:
    weights: list[Weights] = rig.graph.collect(Weights, "weights", qos.LATCHED)
    refused = rig.graph.call(Teach, "teach", Teach.Request(label="smile", duration=0.3))
    assert not refused.success and "learning" in refused.message
    assert rig.set(learning="supervised", publish_weights_period=0.0)[0]
    rig.show((1, FEATURES[0]), frames=2)
    before = weights[-1]
    taught = rig.graph.call(Teach, "teach", Teach.Request(label="happy", duration=0.5))
    assert taught.success and "smile" in taught.message
    answer = rig.show((1, FEATURES[0]), frames=10)
    wait_for(lambda: weights[-1].version == answer.weights_version, "new weights")
    assert weights[-1].version > before.version
    assert weights[-1].projections[1].weights != before.projections[1].weights
    reset = rig.graph.call(Reset, "reset", Reset.Request(what=Reset.Request.WEIGHTS))
    assert reset.success
    wait_for(
        lambda: weights[-1].projections[1].weights == before.projections[1].weights,
        "the first weights",
    )


def test_a_new_label_is_taught_by_topic_reported_and_taken_back(rig: Rig) -> None:
    network: list[NetworkInfo] = rig.graph.collect(NetworkInfo, "network", qos.LATCHED)
    lessons = rig.graph.node.create_publisher(Lesson, "teach", qos.RESULT)
    wait_for(lambda: lessons.get_subscription_count() == 1, "the topic teach")

    def report() -> LearningReport.Response:
        return rig.graph.call(LearningReport, "learning_report", LearningReport.Request())

    assert rig.set(learning="supervised")[0]
    lessons.publish(Lesson(label="wink", duration=0.3))
    lessons.publish(Lesson(label="wink", new_label=True, duration=0.3))
    wait_for(lambda: network and list(network[-1].labels) == [*LABELS, "wink"], "the new label")
    assert report().teaching
    answer = rig.show((1, FEATURES[0]), frames=14)
    assert list(answer.expressions[0].labels) == [*LABELS, "wink"]
    said = report()
    faces = {each.label: each.faces for each in said.labels}
    assert not said.teaching and faces["wink"] >= 3 and faces["smile"] == 0
    assert list(said.undo) == ["lesson 'wink'"]
    assert [each.post for each in said.projections] == ["hidden", "expression"]
    assert any(each.changed for each in said.projections)
    undone = rig.graph.call(Undo, "undo", Undo.Request())
    assert undone.success and undone.version > said.version
    wait_for(lambda: list(network[-1].labels) == list(LABELS), "the labels from before")
    refused = rig.graph.call(Undo, "undo", Undo.Request(steps=2))
    assert not refused.success and "cannot undo" in refused.message
    assert not any(each.changed for each in report().projections)


def test_saved_weights_are_listed(rig: Rig) -> None:
    for name in ("b", "a"):
        rig.graph.call(SaveWeights, "save_weights", SaveWeights.Request(name=name))
    (rig.folder / "notes.txt").write_text("no weights")
    listed = rig.graph.call(ListWeights, "list_weights", ListWeights.Request()).files
    assert [file.name for file in listed] == ["a", "b", "small"]
    assert all(file.bytes > 100 and file.modified.sec > 0 for file in listed)


def test_weights_are_saved_and_loaded_by_name_only(rig: Rig) -> None:
    saved = rig.graph.call(SaveWeights, "save_weights", SaveWeights.Request(name="mine"))
    assert saved.success and (rig.folder / "mine.npz").exists()
    loaded = rig.graph.call(LoadWeights, "load_weights", LoadWeights.Request(name="mine"))
    assert loaded.success and loaded.version > saved.version
    (rig.folder / "cut.npz").write_bytes((rig.folder / "mine.npz").read_bytes()[:1000])
    for name in ("../mine", "/tmp/x", "cut", "none", ""):
        refused = rig.graph.call(LoadWeights, "load_weights", LoadWeights.Request(name=name))
        assert not refused.success and refused.version == loaded.version
    assert not rig.graph.call(SaveWeights, "save_weights", SaveWeights.Request(name="../x")).success
    assert not (rig.folder.parent / "x.npz").exists()
    assert rig.graph.call(Reset, "reset", Reset.Request()).success
    assert not rig.graph.call(Reset, "reset", Reset.Request(what=9)).success


def test_constants_travel_with_the_weights_unless_the_user_sets_them(
    graph: Graph, tmp_path: Path
) -> None:
    """Weights with constants of their own are used, changed, saved and loaded."""
    trained = {"gain": 4.0, "w_max": 2.0, "eta_v": 0.5}
    rig = Rig(graph, tmp_path, *ros_arguments(w_max=3.0), trained=trained)

    def saved() -> list[float]:
        request = SaveWeights.Request(name="mine")
        assert graph.call(SaveWeights, "save_weights", request).success
        parameters = weights_file.load(tmp_path / "mine.npz").parameters
        return [parameters[name] for name in trained]

    assert saved() == [4.0, 3.0, 0.5]
    assert rig.set(gain=5.0)[0]
    assert saved() == [5.0, 3.0, 0.5]
    loaded = graph.call(LoadWeights, "load_weights", LoadWeights.Request(name="small"))
    assert loaded.success
    assert "trained with gain = 4, w_max = 2, but other values are set" in loaded.message
    assert saved() == [5.0, 3.0, 0.5]
    _, output = end(rig.process)
    assert "small.npz: uses the constants of training: gain = 4, eta_v = 0.5" in output
    assert "small.npz was trained with w_max = 2, but other values are set" in output


def test_what_was_learnt_is_saved_at_the_end(graph: Graph, tmp_path: Path) -> None:
    rig = Rig(graph, tmp_path, "-p", "autosave:=3600.0", "-p", "learning:=unsupervised")
    rig.show((1, FEATURES[0]), frames=3)
    code, output = end(rig.process, signal.SIGTERM)
    assert code == 0, output
    saved = weights_file.load(tmp_path / "autosave.npz")
    assert (saved.stages[1].weights != small_model().stages[1].weights).any()


def test_what_was_learnt_survives_a_kill_and_an_end_in_order_begins_anew(
    graph: Graph, tmp_path: Path
) -> None:
    learning = ("-p", "autosave:=0.1", "-p", "learning:=unsupervised")
    saved = tmp_path / "autosave.npz"
    rig = Rig(graph, tmp_path, *learning)
    rig.show((1, FEATURES[0]), frames=3)
    wait_for(saved.exists, "the first autosave")
    version = saved.stat().st_mtime_ns
    rig.show((1, FEATURES[0]), frames=3)
    wait_for(lambda: saved.stat().st_mtime_ns != version, "another autosave")
    rig.process.kill()
    rig.process.wait()
    learnt = weights_file.load(saved).stages[1].weights

    again = Rig(graph, tmp_path, *learning)
    weights: list[Weights] = graph.collect(Weights, "weights", qos.LATCHED)
    wait_for(lambda: weights and weights[-1].model == "autosave", "the weights of before")
    assert np.array_equal(weights[-1].projections[1].weights, learnt.T.ravel())
    code, output = end(again.process, signal.SIGTERM)
    assert code == 0
    assert f"was killed while it learnt: continues with {saved}" in output
    Rig(graph, tmp_path, *learning)
    wait_for(lambda: weights[-1].model != "autosave", "the weights that were asked for")


def test_silence_is_told_after_as_long_as_asked_for(rig: Rig) -> None:
    def silent(status: DiagnosticStatus) -> bool:
        return 1.0 < float(facts(status)["age_s"]) < math.inf

    assert rig.set(stale_after=3600.0)[0]
    rig.show((1, FEATURES[0]))
    status = rig.wait_for_status(silent, "silence")
    assert status.level != DiagnosticStatus.STALE
    assert rig.set(stale_after=0.9)[0]
    status = rig.wait_for_status(lambda s: silent(s) and s.level == DiagnosticStatus.STALE, "stale")
    assert "no features on /features" in status.message


def test_features_that_are_old_are_left_out_and_told(rig: Rig) -> None:
    rig.show((1, FEATURES[0]))
    assert rig.set(max_age=0.4) == (True, "")
    answered = len(rig.answers)
    # Stamped in 1970.
    rig.send(frame(100, (1, FEATURES[0])))
    status = rig.wait_for_status(lambda s: "old on arrival" in s.message, "a warning")
    assert facts(status)["dropped age"] == "1"
    assert len(rig.answers) == answered
    assert rig.set(max_age=0.0) == (True, "")
    rig.show((1, FEATURES[0]))
