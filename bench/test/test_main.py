from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fer_bench import machine, main
from fer_bench.measure import Context
from fer_bench.results import Measurement


@pytest.mark.parametrize(
    ("noise", "attempts", "kept"),
    [([0.1, 0.0], 1, 1), ([0.0, 0.5, 0.1, 0.2], 2, 2), ([0.9, 0.5, 0.3, 0.4, 0.0, 0.5], 3, 2)],
)
def test_a_part_is_repeated_while_the_host_is_noisy(
    noise: list[float], attempts: int, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    values, made = iter(noise), []

    def part(name: str, context: Context) -> Iterator[Measurement]:
        made.append(name)
        yield Measurement(name, "a step", "us", float(len(made)))

    gauge = machine.Gauge()
    monkeypatch.setattr(gauge, "noise", lambda: next(values))
    monkeypatch.setattr(main, "_measured_part", part)
    loudness, [figure] = main._quietest("micro", Context(Path()), gauge)
    assert len(made) == attempts
    assert isinstance(figure, Measurement) and figure.value == kept
    assert loudness == max(noise[2 * kept - 2 : 2 * kept])


def test_the_gauge_tells_how_much_longer_a_loop_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    gauge, spans = machine.Gauge(), iter([2.0, 1.0] * machine._LOOPS)
    monkeypatch.setattr(gauge, "_loop_s", lambda: next(spans))
    assert gauge.noise() == pytest.approx(0.5)
