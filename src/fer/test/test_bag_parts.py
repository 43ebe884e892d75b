"""The parts of `fer bag` that need neither files nor a graph, and the comparison of two runs."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml
from rclpy.serialization import serialize_message

from fer.bags.difference import compare, first_difference
from fer.bags.flow import Flow, Pace, stamp_ns
from fer.bags.reading import opened
from fer.bags.selection import Selection
from fer.bags.topics import BagError
from fer.bringup.environment import config_folder
from fer.cli import main
from fer_testing.bags import BEGIN_NS, EXPRESSIONS, PERIOD_NS, SPIKES, answer, spikes, write_bag
from fer_testing.ros import wait_for
from fer_testing.whole_graph import LATCHED, PICTURES, STREAMS


def never() -> bool:
    return False


def test_stamps_are_read_from_serialized_messages() -> None:
    assert stamp_ns(serialize_message(answer(3))) == BEGIN_NS + 3 * PERIOD_NS


def test_no_more_frames_are_on_their_way_than_the_window_has_room_for() -> None:
    flow = Flow(window=2, patience_s=20.0)
    for stamp in (1, 2):
        flow.send(stamp, never)
    sent: list[float] = []
    sender = threading.Thread(target=lambda: sent.append(flow.send(3, never)))
    sender.start()
    sender.join(0.1)
    assert not sent
    flow.answered(1)
    wait_for(lambda: sent, "room for the third frame")
    assert sent[0] > 0.05
    assert (flow.answers, flow.lost) == (1, 0)


def test_an_answer_stands_for_the_frames_before_it() -> None:
    flow = Flow(window=3, patience_s=20.0)
    for stamp in (1, 2, 3):
        flow.send(stamp, never)
    flow.answered(99)
    flow.answered(3)
    flow.drain(never)
    assert (flow.answers, flow.lost) == (1, 2)


def test_a_frame_that_nothing_is_heard_of_is_given_up() -> None:
    flow = Flow(window=1, patience_s=0.05)
    flow.send(1, never)
    flow.send(2, never)
    flow.drain(never)
    assert (flow.answers, flow.lost) == (0, 2)


def test_waiting_ends_when_the_player_is_stopped() -> None:
    flow = Flow(window=1, patience_s=20.0)
    flow.send(1, never)
    assert flow.send(2, lambda: True) < 1.0


def test_time_of_a_bag() -> None:
    pace = Pace(rate=2.0, first_ns=10**9, now_s=100.0)
    assert pace.due_s(3 * 10**9) == 101.0
    assert pace.time_ns(101.0) == 3 * 10**9
    pace.held_up(0.5)
    assert pace.due_s(3 * 10**9) == 101.5


def test_selection_of_topics() -> None:
    everything = Selection("fer")
    assert everything.records("/fer/spikes") and everything.records("/diagnostics")
    for drawn in ("/fer/overlay", "/fer/image_raw/compressed", "/other/spikes", "/rosout"):
        assert not everything.records(drawn)
    assert everything.plays("/other/spikes")
    some = Selection("robots/a", ["image*", "/tf"], ["image_raw/*"])
    assert some.records("/robots/a/image_raw") and some.plays("/tf")
    assert not some.records("/robots/a/image_raw/compressed") and not some.plays("/fer/spikes")


def bags(tmp_path: Path, *runs: dict[str, list[Any]]) -> list[Path]:
    return [write_bag(tmp_path / f"run{k}", run) for k, run in enumerate(runs)]


RUN = {EXPRESSIONS: [answer(k) for k in range(9)], SPIKES: [spikes(k, k % 3) for k in range(9)]}


@pytest.mark.parametrize(
    ("other", "topic", "frame", "reason"),
    [
        ({**RUN, SPIKES: [spikes(k, k % 3 + (k == 4)) for k in range(9)]}, SPIKES, 4, "neuron[0]"),
        ({**RUN, SPIKES: [spikes(k, k % 3) for k in range(9) if k != 5]}, SPIKES, 5, "lacks"),
        ({**RUN, EXPRESSIONS: RUN[EXPRESSIONS][:7]}, EXPRESSIONS, 7, "ends before"),
        ({EXPRESSIONS: RUN[EXPRESSIONS]}, SPIKES, 0, "does not have it"),
        (
            {**RUN, EXPRESSIONS: [answer(k, skipped=k // 8) for k in range(9)]},
            EXPRESSIONS,
            8,
            "skip",
        ),
    ],
)
def test_runs_that_part_are_told_with_the_first_frame(
    tmp_path: Path, other: dict[str, list[Any]], topic: str, frame: int, reason: str
) -> None:
    with opened(bags(tmp_path, RUN, other)[0]) as a, opened(tmp_path / "run1") as b:
        first = first_difference(compare(a, b))
    assert first is not None
    assert (first.topic, first.stamp) == (topic, BEGIN_NS + frame * PERIOD_NS)
    assert reason in first.difference


def test_runs_that_agree_agree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = map(str, bags(tmp_path, RUN, RUN))
    assert main(["bag", "diff", a, b]) == 0
    assert "the runs agree" in capsys.readouterr().out
    other = {**RUN, SPIKES: [spikes(k, 7) for k in range(9)]}
    c = str(write_bag(tmp_path / "run2", other))
    assert main(["bag", "diff", a, c]) == 1
    assert "part first in /fer/spikes" in capsys.readouterr().out
    assert main(["bag", "diff", a, c, "--topics", "expressions"]) == 0
    assert main(["bag", "diff", a, c, "--topics", "nothing"]) == 2


def test_a_comparison_goes_on_behind_a_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lacking = [spikes(k, k % 3) for k in range(9) if k not in (2, 3)]
    lacking[-1].trains[0].size = 9
    other = {EXPRESSIONS: RUN[EXPRESSIONS], SPIKES: lacking}
    a, b = map(str, bags(tmp_path, RUN, other))
    assert main(["bag", "diff", a, b]) == 1
    shown = capsys.readouterr().out
    assert f"{SPIKES}: 6 messages agree, 1 differ, 2 only in {a}\n" in shown
    assert f"{EXPRESSIONS}: 9 messages agree\n" in shown
    assert main(["bag", "diff", b, a]) == 1
    assert f"6 messages agree, 1 differ, 2 only in {b}\n".replace(b, a) in capsys.readouterr().out


def test_values_are_shown_as_numbers(tmp_path: Path) -> None:
    other = [answer(k) for k in range(9)]
    other[0].expressions[0].confidence = 0.25
    bags(tmp_path, RUN, {**RUN, EXPRESSIONS: other, SPIKES: [spikes(k, 7) for k in range(9)]})
    with opened(tmp_path / "run0") as a, opened(tmp_path / "run1") as b:
        found = {each.topic: each.difference for each in compare(a, b)}
    assert found[EXPRESSIONS] == "expressions[0].confidence is 0.5 and 0.25"
    assert found[SPIKES] == "trains[0].neuron[0] is 0 and 7"


def test_a_run_that_repeats_itself_is_compared_repetition_by_repetition(tmp_path: Path) -> None:
    loop = {SPIKES: [spikes(k % 3, k) for k in range(9)]}
    lacking = {SPIKES: [each for k, each in enumerate(loop[SPIKES]) if k != 4]}
    bags(tmp_path, loop, loop, lacking)
    with opened(tmp_path / "run0") as a, opened(tmp_path / "run1") as b:
        assert [each.equal for each in compare(a, b)] == [9]
        with opened(tmp_path / "run2") as c:
            (found,) = compare(a, c)
    assert (found.equal, found.unequal, found.only_a, found.only_b) == (8, 0, 1, 0)


def test_bags_without_runs_are_no_agreement(tmp_path: Path) -> None:
    kind = {"/fer/trains": [spikes(0).trains[0]]}
    bags(tmp_path, kind, kind)
    with (
        opened(tmp_path / "run0") as a,
        opened(tmp_path / "run1") as b,
        pytest.raises(BagError, match="hold no spikes"),
    ):
        compare(a, b)


def test_info_shows_topics(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = bags(tmp_path, RUN)[0]
    assert main(["bag", "info", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert "9 /fer/spikes  fer_interfaces/msg/Spikes" in shown
    assert "messages  18" in shown and "duration  0.267 s" in shown
    # Small files have a size, too.
    assert re.search(r"^file      \S+, [1-9][0-9.]* (bytes|kB)$", shown, re.MULTILINE)


def test_what_is_latched_stays_latched_under_ros2_bag() -> None:
    overrides = yaml.safe_load((config_folder() / "bag_qos.yaml").read_text())
    latched = {name for name, qos in overrides.items() if qos["durability"] == "transient_local"}
    assert latched == {f"/fer/{topic}" for topic in LATCHED}
    assert overrides.keys() - latched <= {f"/fer/{topic}" for topic in {**STREAMS, **PICTURES}}


@pytest.mark.parametrize(
    "arguments",
    [
        ["info", "/no/such/bag"],
        ["record", "--split", "5x"],
        ["record", "--duration", "-1"],
        ["play", "/no/such/bag"],
        ["play", "b", "--rate", "0"],
        ["play", "b", "--remap", "a"],
    ],
)
def test_mistakes_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = main(["bag", *arguments])
    except SystemExit as end:
        code = int(str(end.code))
    assert code == 2
    assert "error: " in capsys.readouterr().err
