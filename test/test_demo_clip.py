"""The demo clip is what its script makes, and its labels are true."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict

import cv2
import numpy as np

from fer_camera.core.sources import demo_path
from fer_testing.rendering import clip, facs, timeline


def label_rows() -> list[dict[str, str]]:
    with demo_path().with_name("demo_labels.csv").open() as file:
        return list(csv.DictReader(file))


def test_the_labels_follow_the_timeline() -> None:
    rows = label_rows()
    expected = [
        (str(person), label) for person in range(timeline.PEOPLE)
        for label, _ in timeline.moments(person)
    ]  # fmt: skip
    assert [(row["identity"], row["label"]) for row in rows] == expected
    assert [int(row["frame"]) for row in rows] == list(range(len(rows)))
    assert len(rows) == timeline.PEOPLE * timeline.PERSON_FRAMES == 819


def test_two_people_show_each_expression_and_all_are_neutral() -> None:
    people = defaultdict(set)
    for row in label_rows():
        people[row["label"]].add(row["identity"])
    counts = Counter({label: len(who) for label, who in people.items()})
    assert set(counts) == {*facs.LABELS, "transition"}
    assert all(counts[label] == 2 for label in timeline.EXPRESSIONS)
    assert counts["neutral"] == timeline.PEOPLE == len(clip.CAST)


def test_an_expression_is_labelled_once_it_is_clear() -> None:
    nothing = dict.fromkeys(timeline.EXPRESSIONS, 0.0)
    assert timeline.label_of(nothing) == "neutral"
    assert timeline.label_of({**nothing, "sad": 0.5}) == "transition"
    assert timeline.label_of({**nothing, "sad": 0.8, "smile": 0.1}) == "sad"


def test_the_clip_is_what_the_script_renders() -> None:
    capture = cv2.VideoCapture(str(demo_path()))
    for person in (0, timeline.PEOPLE - 1):
        moment = timeline.PERSON_FRAMES - 1
        number = person * timeline.PERSON_FRAMES + moment
        capture.set(cv2.CAP_PROP_POS_FRAMES, number)
        taken, frame = capture.read()
        assert taken
        shown = list(timeline.moments(person))[moment][1]
        drawn = clip.picture(clip.member(person), person, number, shown)
        # The video is compressed.
        assert np.abs(frame.astype(int) - drawn).mean() < 5
    capture.release()
