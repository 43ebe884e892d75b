"""Scores and spike rates of the last half minute."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg

from fer_viz.core.scene import Floats
from fer_viz.core.trends import TREND_S, Trend
from fer_viz.dashboard.parts import Card, TimePlot
from fer_viz.dashboard.style import Style

#: The axis of rates ends at a multiple of this, so that it changes seldom.
_RATE_STEP_HZ = 10.0


class TrendCard(Card):
    """One line for each label."""

    def __init__(self, title: str, unit: str) -> None:
        super().__init__(title)
        self.note = unit
        self.plot = TimePlot()
        self.plot.set_span(TREND_S)
        self.body.addWidget(self.plot, 1)
        self.lines: list[Any] = []

    def show_scores(self, trend: Trend | None, why: str) -> None:
        """Draw scores, 0..1; without a trend say why there is none."""
        self.plot.set_y(0, 1)
        self._show(trend, None if trend is None else trend.scores, why)

    def show_rates(self, trend: Trend | None, why: str) -> None:
        """Draw rates in Hz; without a trend say why there is none."""
        highest_hz = 0.0 if trend is None else float(trend.rates_hz.max(initial=0.0))
        self.plot.set_y(0, _RATE_STEP_HZ * max(np.ceil(highest_hz / _RATE_STEP_HZ), 1.0))
        self._show(trend, None if trend is None else trend.rates_hz, why)

    def restyle(self, style: Style) -> None:
        """Take colours and sizes."""
        super().restyle(style)
        self.plot.restyle(style)

    def _show(self, trend: Trend | None, values: Floats | None, why: str) -> None:
        self.plot.set_empty(why if trend is None else "")
        wanted = 0 if trend is None else len(trend.labels)
        while len(self.lines) > wanted:
            self.plot.removeItem(self.lines.pop())
        while len(self.lines) < wanted:
            self.lines.append(pg.PlotCurveItem())
            self.plot.addItem(self.lines[-1])
        if trend is None or values is None:
            return
        for index, line in enumerate(self.lines):
            stroke = self.style_now.stroke(self.style_now.theme.label(index))
            line.setData(trend.time_s, values[:, index], **stroke)
