"""Colours, sizes and the style sheet of the dashboard, from the palette of all drawings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyqtgraph as pg
from pyqtgraph.Qt import QtGui

from fer_viz.core.look import Look
from fer_viz.core.palette import THEMES, Colour, Theme, mix

#: The size at which one unit of the design is one pixel.
DESIGN_WIDTH, DESIGN_HEIGHT = 1280, 800
LEAST_UNIT, MOST_UNIT = 0.85, 3.0
#: Sans-serifs whose figures are equally wide, the first that is installed.
FONTS = '"Inter", "Noto Sans", "Ubuntu", "Cantarell", "DejaVu Sans", sans-serif'
_TEXT_PX, _SMALL_PX, _LARGE_PX = 12, 11, 26
_UNIT_STEP = 0.05


@dataclass(frozen=True)
class Style:
    """How the dashboard looks at one size.

    Attributes
    ----------
    theme_name : key of `palette.THEMES`.
    unit : pixels for one of the design.
    """

    theme_name: str = "dark"
    unit: float = 1.0

    @property
    def theme(self) -> Theme:
        """The colours."""
        return THEMES[self.theme_name]

    @property
    def look(self) -> Look:
        """The same for drawings."""
        return Look(self.theme, self.unit)

    def px(self, units: float) -> int:
        """Return a length of the design in whole pixels, at least one."""
        return max(round(units * self.unit), 1)

    def stroke(self, colour: Colour) -> dict[str, Any]:
        """Return pen and smoothing of a line, as arguments of PlotCurveItem.setData.

        Smooth lines are cheap only where they are one pixel wide (1 ms against 100 ms of 900
        points), so wide ones are not smoothed.
        """
        width = round(self.unit)
        pen = pg.mkPen(qcolour(colour), width=max(width, 1))
        return {"pen": pen, "antialias": width <= 1}

    def font(self, size: str = "text", bold: bool = False) -> Any:
        """Return the QFont of "small", "text" or "large" text."""
        font = QtGui.QFont()
        font.setFamilies([name.strip(' "') for name in FONTS.split(",")])
        units = {"small": _SMALL_PX, "text": _TEXT_PX, "large": _LARGE_PX}[size]
        font.setPixelSize(self.px(units))
        font.setWeight(QtGui.QFont.Weight.DemiBold if bold else QtGui.QFont.Weight.Normal)
        return font


def unit_for(width: int, height: int) -> float:
    """Return the unit with which everything fits a window, in steps so that it changes seldom."""
    wanted = min(width / DESIGN_WIDTH, height / DESIGN_HEIGHT)
    stepped = round(wanted / _UNIT_STEP) * _UNIT_STEP
    return min(max(stepped, LEAST_UNIT), MOST_UNIT)


def code(colour: Colour) -> str:
    """Return "#rrggbb"."""
    blue, green, red = colour
    return f"#{red:02x}{green:02x}{blue:02x}"


def qcolour(colour: Colour, opacity: float = 1.0) -> Any:
    """Return the QColor."""
    blue, green, red = colour
    return QtGui.QColor(red, green, blue, round(255 * opacity))


def sheet(style: Style) -> str:
    """Return the style sheet of everything in the dashboard."""
    theme, px = style.theme, style.px
    raised = mix(theme.plate, theme.normal, 0.10)
    hover = mix(theme.plate, theme.normal, 0.20)
    line = mix(theme.plate, theme.normal, 0.28)
    return f"""
#dashboard, #dashboard QSplitter {{ background: {code(theme.ground)}; }}
#dashboard QWidget {{
    color: {code(theme.normal)}; font-family: {FONTS}; font-size: {px(_TEXT_PX)}px;
}}
#card {{ background: {code(theme.plate)}; border-radius: {px(6)}px; }}
#card QLabel, #bar QLabel {{ background: transparent; }}
#dashboard #title {{ font-weight: 600; color: {code(theme.strong)}; }}
#dashboard #note, #dashboard #caption {{
    color: {code(theme.faint)}; font-size: {px(_SMALL_PX)}px;
}}
#dashboard #figure {{ color: {code(theme.strong)}; }}
#dashboard #empty {{ color: {code(theme.faint)}; background: {code(theme.plate)}; }}
#bar {{ background: transparent; }}
QToolButton, QComboBox {{
    background: {code(raised)}; border: 1px solid {code(line)}; border-radius: {px(4)}px;
    padding: {px(3)}px {px(9)}px; min-height: {px(16)}px;
}}
QToolButton:hover, QComboBox:hover {{
    background: {code(hover)}; color: {code(theme.strong)};
}}
QToolButton:pressed, QToolButton:checked {{
    background: {code(mix(theme.plate, theme.labels[0], 0.45))}; color: {code(theme.strong)};
}}
QToolButton:disabled, QComboBox:disabled {{ color: {code(theme.faint)}; }}
QToolButton:focus, QComboBox:focus {{ border-color: {code(theme.labels[0])}; }}
QToolButton::menu-indicator {{ image: none; }}
QComboBox {{ padding-right: {px(20)}px; }}
QComboBox::drop-down {{ border: none; width: {px(18)}px; }}
QComboBox::down-arrow {{ image: none; }}
QComboBox QAbstractItemView, QMenu {{
    background: {code(raised)}; color: {code(theme.normal)}; border: 1px solid {code(line)};
    selection-background-color: {code(hover)}; selection-color: {code(theme.strong)};
}}
QMenu::item {{ padding: {px(4)}px {px(14)}px; }}
QMenu::item:selected {{ background: {code(hover)}; color: {code(theme.strong)}; }}
QSplitter::handle {{ background: transparent; }}
QToolTip {{
    background: {code(raised)}; color: {code(theme.strong)}; border: 1px solid {code(line)};
}}
"""
