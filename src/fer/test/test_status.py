"""What people see of a running graph."""

from __future__ import annotations

import math
import re

import pytest

from fer.client.run_monitor import RunStatus
from fer.report.status import Screen, open_screen, starting_text, status_text


def run_status(**changes: object) -> RunStatus:
    values: dict[str, object] = {
        "label": "smile",
        "confidence": 0.931,
        "faces": 1,
        "rate_hz": 29.97,
        "latency_ms": 21.4,
        "age_s": 0.02,
        "skipped": 3,
    }
    return RunStatus(**{**values, **changes})  # type: ignore[arg-type]


def test_the_status_line_tells_expression_rate_latency_and_loss() -> None:
    assert re.fullmatch(
        r"smile 0\.93 +\| 30\.0 fps \| latency 21 ms \| skipped 3", status_text(run_status())
    )


def test_the_status_line_tells_what_is_not_as_it_should_be() -> None:
    assert status_text(run_status(faces=0)).startswith("no face ")
    assert status_text(run_status(faces=3)).startswith("smile 0.93 (+2) ")
    assert status_text(run_status(age_s=4.2)).endswith("nothing new for 4 s")
    assert status_text(run_status(trouble="camera: no device")).endswith("| camera: no device")
    waiting = run_status(faces=0, age_s=math.inf, latency_ms=math.nan, trouble="camera: no device")
    assert status_text(waiting) == "waiting for the first picture | camera: no device"
    assert starting_text(["snn", "viz"]) == "starting: snn, viz"


def test_without_a_terminal_there_are_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    screen = open_screen()
    assert type(screen) is Screen
    screen.log("snn", "hello")
    screen.status("first")
    screen.status("too soon for another")
    screen.close()
    assert capsys.readouterr().out == "     snn | hello\nfirst\n"
