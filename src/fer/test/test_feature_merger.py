"""The faces of several robots as one stream."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from fer.client.feature_merger import FaceIds, FeatureMerger
from fer.commands.merge import run
from fer_common.core.errors import FerError
from fer_common.core.stamps import split_ns

MS = 1_000_000
NOW_NS = 10**18


def message(stamp_ms: int, *ids: int, spec: str = "gabor") -> Any:
    sec, nanosec = split_ns(NOW_NS + stamp_ms * MS)
    header = SimpleNamespace(stamp=SimpleNamespace(sec=sec, nanosec=nanosec), frame_id="camera")
    faces = [SimpleNamespace(id=identity) for identity in ids]
    return SimpleNamespace(
        header=header, faces=faces, feature_spec=spec, channels=1, rows=1, cols=1, skipped=0
    )


@pytest.fixture
def names() -> list[tuple[int, str, int]]:
    return []


@pytest.fixture
def merger(names: list[tuple[int, str, int]]) -> FeatureMerger:
    return FeatureMerger(("a", "b"), FaceIds(lambda *name: names.append(name)))


def ids(merged: Any) -> list[int]:
    return [face.id for face in merged.faces]


def test_faces_of_equal_ids_stay_apart(
    merger: FeatureMerger, names: list[tuple[int, str, int]]
) -> None:
    assert ids(merger.add("a", message(0, 7), 0.0)) == [1]
    assert merger.add("b", message(10, 7, 8), 0.01) is None
    merged = merger.add("a", message(33, 7), 0.033)
    assert ids(merged) == [1, 2, 3]
    assert merged.header.stamp.nanosec == 33 * MS
    assert names == [(1, "a", 7), (2, "b", 7), (3, "b", 8)]


def test_a_face_is_passed_on_once(merger: FeatureMerger) -> None:
    merger.add("a", message(0, 7), 0.0)
    merger.add("b", message(10, 7), 0.01)
    assert ids(merger.add("a", message(33, 7), 0.033)) == [1, 2]
    assert ids(merger.add("a", message(66, 7), 0.066)) == [1]


def test_messages_are_left_as_they_were(merger: FeatureMerger) -> None:
    given = message(0, 7, 9)
    merger.add("a", given, 0.0)
    assert ids(given) == [7, 9]


def test_the_next_leads_when_the_first_is_silent(merger: FeatureMerger) -> None:
    merger.add("a", message(0, 7), 0.0)
    assert merger.add("b", message(400, 7), 0.4) is None
    assert ids(merger.add("b", message(600, 7), 0.6)) == [2]
    assert ids(merger.add("a", message(700, 7), 0.7)) == [1]


def test_time_does_not_go_back(merger: FeatureMerger) -> None:
    merger.add("a", message(100, 7), 0.0)
    assert merger.add("a", message(100, 7), 0.0) is None
    assert merger.add("a", message(50, 7), 0.0) is None
    # But a clock that was set is followed.
    assert merger.add("a", message(-60_000, 7), 0.0) is not None


def test_what_is_old_or_of_another_kind_is_left_out(merger: FeatureMerger) -> None:
    merger.add("b", message(0, 7), 0.0)
    assert ids(merger.add("a", message(200, 7), 0.2)) == [2]
    merger.add("b", message(210, 7, spec="other"), 0.21)
    assert ids(merger.add("a", message(233, 7), 0.233)) == [2]
    assert merger.unlike == 1


@pytest.mark.parametrize(
    ("robots", "into"), [(["a"], "s"), (["a", "a"], "s"), (["a", "/a"], "s"), (["a", "b"], "b")]
)
def test_circles_are_refused(robots: list[str], into: str) -> None:
    with pytest.raises(FerError):
        run(SimpleNamespace(robots=robots, into=into))  # type: ignore[arg-type]
