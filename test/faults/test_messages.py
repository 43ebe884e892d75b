"""Messages that are wrong, late, too many or about too much."""

from __future__ import annotations

import array
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from sensor_msgs.msg import Image

from fer_common.core import images
from fer_common.ros import qos
from fer_faults.graph import Health
from fer_faults.ledger import Ledger
from fer_faults.machine import own_mb
from fer_interfaces.msg import ExpressionArray, FaceFeatures, FaceFeaturesArray, Spikes
from fer_interfaces.srv import SaveWeights
from fer_snn.core.weights import weights_file
from fer_testing.networks import SHAPE, SPEC, small_model, synthetic
from fer_testing.ros import Graph, end, reserved_domain, ros_arguments, wait_for

PERIOD_NS = 33_333_333
#: Answers are no older, at any load.
FRESH_S = 0.2
FEATURES, _ = synthetic(8, seed=2)
Change = Callable[[Any], None]


def setting(**fields: object) -> Change:
    def change(message: Any) -> None:
        for name, value in fields.items():
            setattr(message, name, value)

    return change


def stamped(sec: int, nanosec: int = 0) -> Change:
    def change(message: Any) -> None:
        message.header.stamp.sec, message.header.stamp.nanosec = sec, nanosec

    return change


BAD_IMAGES = {
    "unknown encoding": setting(encoding="16UC1"),
    "step too short": setting(step=3),
    "size 0": setting(width=0),
    "no data": setting(data=array.array("B")),
    "huge size": setting(width=2**31, height=2**31, step=2**32 - 1),
    "rows that were cut": setting(height=4000),
    "negative stamp": stamped(-1, 10),
    "absurd stamp": stamped(1, 4_000_000_000),
}


def features_of(message: Any, values: Any) -> None:
    message.faces[0].features = array.array("f", np.asarray(values, np.float32).tobytes())


BAD_FEATURES = {
    "another specification": setting(feature_spec="other"),
    "another shape": setting(rows=7),
    "same size of another shape": setting(channels=SHAPE[0] * SHAPE[1], rows=1),
    "huge shape": setting(channels=2**16 - 1, rows=2**16 - 1, cols=2**16 - 1),
    "NaN": lambda m: features_of(m, np.full(SHAPE, np.nan)),
    "infinite": lambda m: features_of(m, np.full(SHAPE, np.inf)),
    "negative": lambda m: features_of(m, -FEATURES[0]),
    "too few": lambda m: features_of(m, FEATURES[0][:1]),
    "negative stamp": stamped(-5),
    "absurd stamp": stamped(1, 4_000_000_000),
}


def image(number: int) -> Image:
    message = Image()
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(number * PERIOD_NS, 10**9)
    images.fill(message, np.zeros((48, 64, 3), np.uint8), "bgr8")
    return message


def features(stamp_ns: int, *faces: tuple[int, int]) -> FaceFeaturesArray:
    """Return features with faces as (id, number of the features)."""
    channels, rows, cols = SHAPE
    message = FaceFeaturesArray(feature_spec=SPEC, channels=channels, rows=rows, cols=cols)
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 10**9)
    for identity, k in faces:
        face = FaceFeatures(id=identity)
        face.roi.width = face.roi.height = 100
        message.faces.append(face)  # type: ignore[attr-defined]
        values = array.array("f", FEATURES[k % len(FEATURES)].tobytes())
        message.faces[-1].features = values  # type: ignore[attr-defined]
    return message


class Fed:
    """A node as a process, fed by this one."""

    def __init__(self, graph: Graph, module: str, ask: str, answer: str, *arguments: str) -> None:
        kinds = {"image_raw": Image, "features": FaceFeaturesArray, "expressions": ExpressionArray}
        self.graph, self.health = graph, Health(graph)
        self.name = f"/{module.split('.', maxsplit=1)[0].removeprefix('fer_')}"
        self.answers: list[Any] = graph.collect(kinds[answer], answer, qos.EVERY_FRAME)
        self._publisher = graph.node.create_publisher(kinds[ask], ask, qos.EVERY_FRAME)
        self.process = graph.start(module, *arguments)
        wait_for(lambda: self._publisher.get_subscription_count() == 1, "the subscription")
        graph.wait_until_heard(answer)

    def send(self, message: Any) -> None:
        self._publisher.publish(message)

    def ask(self, message: Any, within_s: float = 5.0) -> Any:
        """Send a message and return its answer."""
        before = len(self.answers)
        self.send(message)

        def answered() -> bool:
            return any(a.header.stamp == message.header.stamp for a in self.answers[before:])

        wait_for(answered, "an answer", within_s)
        return self.answers[-1]

    def dropped(self) -> int:
        return int(self.health.facts(self.name).get("dropped", "0"))


@pytest.fixture(scope="module")
def snn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fed]:
    """One snn node for all tests of this file: none of them may harm it."""
    folder = tmp_path_factory.mktemp("snn")
    weights_file.save(small_model(), folder / "small.npz")
    given = ros_arguments(weights="small", weights_dir=folder, max_faces=20)
    with reserved_domain() as domain:
        graph = Graph(domain)
        fed = Fed(graph, "fer_snn.ros.node", "features", "expressions", *given)
        yield fed
        code, output = end(fed.process)
        graph.close()
    assert code == 0
    assert "Traceback" not in output


def check_drops(
    fed: Fed, bad: dict[str, Change], good: Callable[[int], Any], ledger: Ledger, rounds: int
) -> None:
    number = 1
    fed.ask(good(number))
    for _ in range(rounds):
        for fault, change in bad.items():
            with ledger.trial(f"{fed.name[1:]} gets: {fault}") as trial:
                dropped, answers = fed.dropped(), len(fed.answers)
                number += 2
                message = good(number)
                change(message)
                fed.send(message)
                trial.injected()
                wait_for(lambda: fed.dropped() == dropped + 1, f"the drop of {fault}")  # noqa: B023
                assert len(fed.answers) == answers
                fed.ask(good(number + 1))
                trial.recovered(2.0)
    status = fed.health.of(fed.name)
    assert status is not None and status.level == DiagnosticStatus.WARN
    wait_for(lambda: "from test:" in fed.health.facts(fed.name)["last_drop"], "the publisher")


def test_bad_images_are_dropped_and_the_graph_goes_on(
    graph: Graph, ledger: Ledger, long: bool
) -> None:
    fed = Fed(graph, "fer_features.ros.node", "image_raw", "features")
    check_drops(fed, BAD_IMAGES, image, ledger, 20 if long else 1)
    code, output = end(fed.process)
    assert code == 0
    assert "Traceback" not in output
    # One in five seconds.
    assert output.count("image dropped") <= (60 if long else 3)


def test_bad_features_are_dropped_and_the_graph_goes_on(
    snn: Fed, ledger: Ledger, long: bool
) -> None:
    def good(number: int) -> FaceFeaturesArray:
        return features(10**9 + number * PERIOD_NS, (1, 0))

    check_drops(snn, BAD_FEATURES, good, ledger, 20 if long else 1)


def test_stamps_that_jump_stand_or_burst_cost_no_more_than_the_cap(
    snn: Fed, ledger: Ledger
) -> None:
    spikes: list[Spikes] = snn.graph.collect(Spikes, "spikes", qos.EVERY_FRAME)
    snn.graph.wait_until_heard("spikes")
    now_ns = 10**15
    snn.ask(features(now_ns, (1, 0)))
    jumps = {
        "gap of 10 s": 10 * 10**9,
        "stamps a year ahead": 365 * 86400 * 10**9,
        "clock set back by a year": -2 * 365 * 86400 * 10**9,
        "stamps that stand still": 0,
    }
    for fault, jump_ns in jumps.items():
        with ledger.trial(fault) as trial:
            now_ns = max(now_ns + jump_ns, 1)
            trial.injected()
            snn.send(features(now_ns, (1, 0)))
            for _ in range(3):
                now_ns += PERIOD_NS
                snn.ask(features(now_ns, (1, 0)))
            trial.recovered(1.0)
    with ledger.trial("burst of 200 frames") as trial:
        for _ in range(200):
            now_ns += PERIOD_NS
            snn.send(features(now_ns, (1, 0)))
        trial.injected()
        last = features(now_ns + PERIOD_NS, (1, 0))
        snn.ask(last)
        trial.recovered(1.0)
        skipped = sum(answer.skipped for answer in snn.answers)
        assert skipped > 0 and len(snn.answers) + skipped >= 200
    wait_for(lambda: spikes[-1].header.stamp == last.header.stamp, "the last spikes")
    assert max(message.steps * message.dt for message in spikes) <= 0.2 + 1e-9


def test_many_faces_cost_bounded_work_and_memory(snn: Fed, ledger: Ledger, long: bool) -> None:
    now_ns = 10**12

    def show(first: int, number: int) -> None:
        nonlocal now_ns
        now_ns += PERIOD_NS
        snn.ask(features(now_ns, *((first + k, first + k) for k in range(number))))

    with ledger.trial("20 faces") as trial:
        show(1, 20)
        trial.injected()
        show(1, 20)
        trial.recovered(1.0)
        assert len(snn.answers[-1].expressions) == 20
    for k in range(200):
        show(100 + k, 2)
    before_mb = own_mb(snn.process.pid)
    rounds = 1000 if long else 300
    for k in range(rounds):
        show(1000 + k, 2)
    growth_mb = own_mb(snn.process.pid) - before_mb
    assert growth_mb < 5.0
    ledger.count("faces that come and go", rounds, f"snn grew by {growth_mb:.1f} MB")


def test_faces_that_cross_do_not_mix(snn: Fed, ledger: Ledger) -> None:
    def scores(*faces: tuple[int, int]) -> dict[int, list[float]]:
        for step in range(8):
            # The one after the other in the message, and the other way round.
            order = faces if step % 2 else faces[::-1]
            answer = snn.ask(features(start_ns + step * PERIOD_NS, *order))
        return {face.face_id: list(face.scores) for face in answer.expressions}

    with ledger.trial("two faces that cross"):
        alone = {}
        for k, face in enumerate([(1, 0), (2, 9)]):
            start_ns = 10**9 * (100 - 10 * k)
            alone |= scores(face)
        start_ns = 10**9
        assert scores((1, 0), (2, 9)) == alone


def test_who_is_slower_than_real_time_takes_the_newest_and_answers_in_time(
    graph: Graph, tmp_path: Path, ledger: Ledger, long: bool
) -> None:
    # Ten times the steps for many faces: several seconds of work for each second.
    given = ros_arguments(weights_dir=tmp_path, max_faces=60, dt=1e-4)
    snn = Fed(graph, "fer_snn.ros.node", "features", "expressions", *given)
    shape = (24, 12, 12)
    ages_s: list[float] = []

    def take(message: ExpressionArray) -> None:
        stamp = message.header.stamp
        ages_s.append(time.time() - stamp.sec - stamp.nanosec / 1e9)

    def crowd() -> FaceFeaturesArray:
        message = features(time.time_ns(), *((k + 1, k) for k in range(60)))
        message.feature_spec = "gabor-2;crop=48;o=8;wl=4,6,9;pool=4"
        message.channels, message.rows, message.cols = shape
        for face in message.faces:
            face.features = values
        return message

    def left_out_s() -> float:
        return float(snn.health.facts("/snn").get("left_out_s", 0.0))

    values = array.array("f", np.full(shape, 0.3, np.float32).tobytes())
    graph.node.create_subscription(ExpressionArray, "expressions", take, qos.EVERY_FRAME)
    spikes: list[Spikes] = graph.collect(Spikes, "spikes", qos.EVERY_FRAME)
    snn.graph.wait_until_heard("spikes")
    with ledger.trial("snn slower than real time"):
        end_s = due_s = time.monotonic()
        end_s += 20.0 if long else 3.0
        # A fast machine leaves less out in the same time.
        while time.monotonic() < end_s or len(ages_s) < 20 or left_out_s() <= 1.0:
            assert time.monotonic() < end_s + 30.0, f"only {left_out_s()} s were left out"
            snn.send(crowd())
            due_s += PERIOD_NS / 1e9
            time.sleep(max(due_s - time.monotonic(), 0.0))
        assert snn.health.says("/snn", DiagnosticStatus.WARN, "slower than real time")
        facts = snn.health.facts("/snn")
        assert float(facts["real_time_factor"]) < 1.0
        assert float(facts["simulated_lag_ms"]) > 0.0
        assert any(answer.skipped for answer in snn.answers)
        assert sum(message.gap for message in spikes) > len(spikes) // 2
        late_s = sorted(ages_s[len(ages_s) // 4 :])
        p50, p95, worst = (late_s[int(q * (len(late_s) - 1))] for q in (0.5, 0.95, 1.0))
        note = f"age p50 {p50 * 1e3:.0f}, p95 {p95 * 1e3:.0f}, max {worst * 1e3:.0f} ms"
        ledger.note("snn slower than real time", note)
        assert p95 <= (FRESH_S if long else 2 * FRESH_S), note
    assert end(snn.process)[0] == 0


@pytest.mark.parametrize("fault", ["disk full", "weights folder that cannot be written"])
def test_no_room_for_weights_is_told_and_the_answers_go_on(
    graph: Graph, ledger: Ledger, tmp_path: Path, fault: str
) -> None:
    weights_file.save(small_model(), tmp_path / "small.npz")
    (tmp_path / "file").touch()
    full = fault == "disk full"
    # Nobody, not even root, can make a folder below a file.
    folder = tmp_path / "weights" if full else tmp_path / "file" / "weights"
    given = ros_arguments(
        weights=tmp_path / "small.npz", weights_dir=folder, autosave=0.2, learning="unsupervised"
    )
    module = "fer_faults.limited_process" if full else "fer_snn.ros.node"
    with ledger.trial(fault):
        snn = Fed(graph, module, "features", "expressions", *given)
        stamp_ns = 10**9
        before_s = time.monotonic()
        while time.monotonic() < before_s + 1.5:
            stamp_ns += PERIOD_NS
            snn.ask(features(stamp_ns, (1, 0)))
        answer = graph.call(SaveWeights, "save_weights", SaveWeights.Request(name="mine"))
        assert not answer.success
        assert "mine.npz cannot be written" in answer.message
        snn.ask(features(stamp_ns + PERIOD_NS, (1, 0)))
        code, output = end(snn.process)
        assert code == 0
        assert "autosave.npz cannot be written" in output
        assert "Traceback" not in output
    assert not list(tmp_path.glob("weights/*"))
