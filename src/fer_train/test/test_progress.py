"""Progress without a terminal: a line from time to time."""

from __future__ import annotations

import time

import pytest

from fer_train import progress

DEADLINE_S = 20.0


def test_lines_are_written_while_the_work_goes_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "LINE_PERIOD_S", 0.01)
    text, deadline = "", time.monotonic() + DEADLINE_S
    with progress.shown_progress() as report:
        while "starting" not in text and time.monotonic() < deadline:
            text += capsys.readouterr().out
        report("learning", 25, 100)
        while "learning: 25 of 100 (25%), 0:0" not in text and time.monotonic() < deadline:
            text += capsys.readouterr().out
    assert "starting\n" in text
    assert "learning: 25 of 100 (25%), 0:0" in text and " left\n" in text


def test_short_work_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.shown_progress() as report:
        report("learning", 1, 1)
    assert capsys.readouterr().out == ""
