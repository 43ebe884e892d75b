"""What `fer teach` says of a lesson; that it teaches is tested with the whole graph."""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from fer.commands import teach
from fer_common.core.errors import FerError
from fer_common.ros.lesson import Lesson


def report(faces: int) -> SimpleNamespace:
    """Return what the network says when it has learnt `smile` from so many faces."""
    labels = [
        SimpleNamespace(label="neutral", faces=7),
        SimpleNamespace(label="smile", faces=faces),
    ]
    return SimpleNamespace(teaching=False, labels=labels)


@pytest.mark.parametrize(("before", "after"), [(0, 0), (5, 5), (0, 3), (5, 6)])
def test_a_lesson_without_a_face_is_an_error(
    monkeypatch: pytest.MonkeyPatch, before: int, after: int
) -> None:
    lesson = Lesson(report(before), report(after))
    monkeypatch.setattr("fer.client.connect", nullcontext)
    monkeypatch.setattr("fer_common.ros.lesson.teach", lambda *_: lesson)
    asked = argparse.Namespace(label="happy", new=False, face=0, duration=1.0, namespace="fer")
    if after > before:
        assert teach.run(asked) == 0
        return
    with pytest.raises(FerError, match="no face was learnt"):
        teach.run(asked)
