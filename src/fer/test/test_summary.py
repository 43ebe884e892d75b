"""The arithmetic of the summary, against cases that can be counted by hand."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer.report.summary import PATIENCE_NS, FaceAnswer, NodeUsage, RunRecord, summary_text

MS = 1_000_000
PERIOD_NS = 33 * MS


def answer(label: str, face_id: int = 1, area_px: int = 100) -> FaceAnswer:
    return FaceAnswer(face_id, label, area_px)


def frame(record: RunRecord, k: int, *answers: FaceAnswer, latency_ms: float = 10.0) -> None:
    """Publish frame k and answer it."""
    record.published(k * PERIOD_NS, k)
    record.answered(k * PERIOD_NS, latency_ms / 1e3, answers)


def frames(record: RunRecord) -> dict[str, int]:
    counted = record.to_dict({})["frames"]
    assert isinstance(counted, dict)
    return counted


def test_every_answered_frame_counts() -> None:
    record = RunRecord()
    record.begin(0)
    for k in range(100):
        frame(record, k, answer("smile"), latency_ms=k + 1)
    summary = record.to_dict({"snn": NodeUsage(12.34, 56.78, 1)})
    assert summary["frames"] == {"published": 100, "processed": 100, "skipped": 0}
    assert summary["latency_ms"] == {"p50": 50.0, "p99": 99.0, "max": 100.0}
    assert summary["labels"] == {"smile": 100}
    assert summary["faces"] == 1
    assert summary["nodes"] == {"snn": {"cpu_percent": 12.3, "rss_mb": 56.8, "restarts": 1}}
    assert "balanced_accuracy" not in summary
    json.dumps(summary)


def test_frames_that_nobody_answers_are_skipped() -> None:
    record = RunRecord()
    record.begin(0)
    for k in range(10):
        if k % 5 == 2:
            record.published(k * PERIOD_NS, k)
        else:
            frame(record, k)
    assert record.skipped == 2
    assert frames(record) == {"published": 10, "processed": 8, "skipped": 2}


def test_the_announcement_may_come_after_the_answer() -> None:
    record = RunRecord()
    record.begin(0)
    record.answered(PERIOD_NS, 0.1, [])
    record.published(PERIOD_NS, 1)
    record.answered(2 * PERIOD_NS, 0.1, [])
    record.published(2 * PERIOD_NS, 2)
    assert frames(record) == {"published": 2, "processed": 2, "skipped": 0}


def test_an_answer_without_announcement_counts_once() -> None:
    record = RunRecord()
    record.begin(0)
    record.answered(PERIOD_NS, 0.1, [])
    frame(record, 1 + PATIENCE_NS // PERIOD_NS + 1)
    assert frames(record) == {"published": 2, "processed": 2, "skipped": 0}


def test_counting_begins_with_the_first_answer_and_loses_nothing_from_then_on() -> None:
    record = RunRecord()
    for k in range(5):
        record.published(k * PERIOD_NS, k)
    record.answered(4 * PERIOD_NS, 0.001, [])
    frame(record, 5)
    record.published(6 * PERIOD_NS, 6)
    # The observer hears of frame 4 first, and only then tells the record to begin with it.
    record.begin(4 * PERIOD_NS)
    frame(record, 7)
    assert frames(record) == {"published": 4, "processed": 3, "skipped": 1}


def test_nothing_counts_before_the_beginning() -> None:
    record = RunRecord()
    frame(record, 0, answer("smile"))
    record.published(PERIOD_NS, 1)
    summary = record.to_dict({})
    assert summary["frames"] == {"published": 0, "processed": 0, "skipped": 0}
    assert summary["latency_ms"] == {"p50": None, "p99": None, "max": None}


def test_frames_from_the_end_on_do_not_count() -> None:
    record = RunRecord()
    record.begin(0)
    record.end(10 * PERIOD_NS)
    for k in range(9):
        frame(record, k)
    record.published(9 * PERIOD_NS, 9)
    assert not record.complete
    frame(record, 10)
    assert record.complete
    assert frames(record) == {"published": 10, "processed": 9, "skipped": 1}


def test_an_earlier_end_wins() -> None:
    record = RunRecord()
    record.begin(0)
    record.end(5 * PERIOD_NS)
    record.end(10 * PERIOD_NS)
    for k in range(8):
        frame(record, k)
    assert frames(record)["published"] == 5


def test_balanced_accuracy_is_the_mean_of_the_recalls() -> None:
    truth = {
        0: "neutral",
        1: "neutral",
        2: "neutral",
        3: "neutral",
        4: "smile",
        5: "smile",
        7: "surprised",
    }
    said = ["neutral", "neutral", "neutral", "smile", "smile", "undecided", "smile", "surprised"]
    record = RunRecord()
    record.begin(0, truth)
    for k, label in enumerate(said):
        frame(record, k, answer(label))
    summary = record.to_dict({})
    assert summary["balanced_accuracy"] == pytest.approx((3 / 4 + 1 / 2 + 1) / 3, abs=1e-4)
    assert summary["confusion_labels"] == ["neutral", "smile", "surprised", "undecided"]
    assert summary["confusion"] == [[3, 1, 0, 0], [0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 0]]
    assert summary["labels"] == {"neutral": 3, "smile": 3, "surprised": 1, "undecided": 1}


def test_a_face_that_is_not_found_is_a_wrong_answer() -> None:
    record = RunRecord()
    record.begin(0, {0: "smile", 1: "smile"})
    frame(record, 0)
    frame(record, 1, answer("smile"))
    summary = record.to_dict({})
    assert summary["balanced_accuracy"] == 0.5
    assert summary["confusion_labels"] == ["smile", "undecided"]


def test_the_largest_face_is_judged() -> None:
    record = RunRecord()
    record.begin(0, {0: "smile"})
    frame(record, 0, answer("neutral", 1, 50), answer("smile", 2, 80), answer("neutral", 3, 10))
    summary = record.to_dict({})
    assert summary["balanced_accuracy"] == 1.0
    assert summary["faces"] == 3


def test_labels_without_a_counted_frame_do_not_spoil_the_mean() -> None:
    record = RunRecord()
    record.begin(0, {0: "smile", 99: "surprised"})
    frame(record, 0, answer("smile"))
    assert record.to_dict({})["balanced_accuracy"] == 1.0
    empty = RunRecord()
    empty.begin(0, {99: "surprised"})
    assert empty.to_dict({})["balanced_accuracy"] is None


@settings(max_examples=60, deadline=None)
@given(
    answered=st.lists(st.booleans(), min_size=1, max_size=60),
    late=st.lists(st.booleans(), min_size=60, max_size=60),
)
def test_published_is_processed_and_skipped_in_whatever_order_they_arrive(
    answered: list[bool], late: list[bool]
) -> None:
    record = RunRecord()
    record.begin(0)
    for k, (reply, swapped) in enumerate(zip(answered, late, strict=False)):
        stamp_ns = k * PERIOD_NS
        if not (reply and swapped):
            record.published(stamp_ns, k)
        if reply:
            record.answered(stamp_ns, 0.001, [])
        if reply and swapped:
            record.published(stamp_ns, k)
    assert frames(record) == {
        "published": len(answered),
        "processed": sum(answered),
        "skipped": len(answered) - sum(answered),
    }


def test_latencies_that_are_not_known_are_left_out() -> None:
    record = RunRecord()
    record.begin(PERIOD_NS)
    for k, latency_s in enumerate((math.nan, 0.02, 0.04), start=1):
        record.published(k * PERIOD_NS, k)
        record.answered(k * PERIOD_NS, latency_s, [])
    summary: Any = record.to_dict({})
    assert summary["frames"]["processed"] == 3
    assert summary["latency_ms"] == {"p50": 20.0, "p99": 40.0, "max": 40.0}
    summary["latency_ms"] = dict.fromkeys(summary["latency_ms"])
    assert "latency" not in summary_text(summary)
