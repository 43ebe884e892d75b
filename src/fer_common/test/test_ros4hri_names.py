"""Names and lifetimes of faces by REP-155, and packages that may be missing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_common.core.errors import ConfigurationError
from fer_common.core.ros4hri import Roster, face_name
from fer_common.ros.messages import optional_messages

SECOND = 10**9


@pytest.mark.parametrize(
    ("namespace", "name"),
    [("/fer", "fer_7"), ("/robot1/fer", "robot1_fer_7"), ("/", "face_7"), ("", "face_7")],
)
def test_ids_are_names_and_tell_robots_apart(namespace: str, name: str) -> None:
    assert face_name(namespace, 7) == name
    assert name.isidentifier()


def test_a_face_leaves_when_it_was_out_of_sight_for_long_enough() -> None:
    roster = Roster(departure_s=1.0)
    assert roster.update(0, [1, 2]) == []
    assert roster.update(SECOND, [1]) == []
    assert roster.present == [1, 2]
    assert roster.update(SECOND + 1, [1, 3]) == [2]
    assert roster.present == [1, 3]


def test_a_face_that_comes_back_in_time_has_not_left() -> None:
    roster = Roster(departure_s=1.0)
    for k in range(10):
        assert roster.update(k * SECOND // 2, [1] if k % 2 else []) == []
    assert roster.present == [1]


def test_when_the_stamps_jump_back_all_leave_that_are_not_seen() -> None:
    roster = Roster()
    roster.update(5 * SECOND, [1, 2])
    assert roster.update(5 * SECOND - 1, [2]) == [1]
    assert roster.update(5 * SECOND, []) == []
    assert roster.present == [2]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**10), st.sets(st.integers(1, 5))), max_size=20))
def test_who_is_seen_is_present_and_who_left_is_not(frames: list[tuple[int, set[int]]]) -> None:
    roster, before = Roster(), set[int]()
    for stamp_ns, seen in frames:
        left = set(roster.update(stamp_ns, seen))
        assert seen <= set(roster.present) == (before | seen) - left
        assert not left & seen
        before = set(roster.present)


def test_a_missing_package_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_DISTRO", "kilted")
    with pytest.raises(
        ConfigurationError, match=r"'p' needs .* no_such_msgs, .* ros-kilted-no-such"
    ):
        optional_messages("no_such_msgs", "p")
    assert optional_messages("sensor_msgs", "p").Image.__name__ == "Image"
