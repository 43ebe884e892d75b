"""What `fer teach` says of a lesson; that it teaches is tested with the whole graph."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import pytest

from fer.commands import teach
from fer_common.core.errors import FerError


class Graph:
    """A graph in which a lesson raises the number of learnt faces of `smile` as told."""

    def __init__(self, before: int, after: int) -> None:
        self._faces = iter((before, after))

    def ask(self, *_: object) -> SimpleNamespace:
        return SimpleNamespace(message="learning")

    def call(self, *_: object) -> SimpleNamespace:
        labels = [
            SimpleNamespace(label="neutral", faces=7),
            SimpleNamespace(label="smile", faces=next(self._faces)),
        ]
        return SimpleNamespace(teaching=False, labels=labels)


@pytest.mark.parametrize(("before", "after"), [(0, 0), (5, 5), (0, 3), (5, 6)])
def test_a_lesson_without_a_face_is_an_error(
    monkeypatch: pytest.MonkeyPatch, before: int, after: int
) -> None:
    @contextmanager
    def connect(namespace: str) -> Iterator[Graph]:
        yield Graph(before, after)

    monkeypatch.setattr("fer.client.connect", connect)
    monkeypatch.setattr(teach, "supervised_learning", nullcontext)
    asked = argparse.Namespace(label="happy", new=False, face=0, duration=1.0, namespace="fer")
    if after > before:
        assert teach.run(asked) == 0
        return
    with pytest.raises(FerError, match="no face was learnt"):
        teach.run(asked)
