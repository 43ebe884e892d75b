"""Sizes, fonts and the style sheet of the dashboard, in the colours of all drawings."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from pyqtgraph.Qt import QtGui

from fer_viz.core.drawing.style import Colour, Style, mix

#: At this size, one unit of the design is one pixel.
DESIGN_WIDTH, DESIGN_HEIGHT = 1280, 800
LEAST_UNIT, MOST_UNIT = 0.85, 3.0
#: Sans-serif fonts with tabular digits; the first one that is installed is used.
FONTS = '"Inter", "Noto Sans", "Ubuntu", "Cantarell", "DejaVu Sans", sans-serif'
_TEXT_PX, _SMALL_PX = 12, 11
_UNIT_STEP = 0.05


def unit_for(width: int, height: int) -> float:
    """Return the unit at which everything fits a window, in steps so that it rarely changes."""
    wanted = min(width / DESIGN_WIDTH, height / DESIGN_HEIGHT)
    stepped = round(wanted / _UNIT_STEP) * _UNIT_STEP
    return min(max(stepped, LEAST_UNIT), MOST_UNIT)


def stroke(style: Style, colour: Colour) -> dict[str, Any]:
    """Return pen and smoothing of a line, as arguments of PlotCurveItem.setData.

    Only lines of one pixel are smoothed: 900 points take 1 ms, and 100 ms in wider lines.
    """
    width = max(style.px(1), 1)
    return {"pen": pg.mkPen(qcolour(colour), width=width), "antialias": width <= 1}


def font(style: Style, small: bool = False) -> Any:
    """Return the QFont of text."""
    font = QtGui.QFont()
    font.setFamilies([name.strip(' "') for name in FONTS.split(",")])
    font.setPixelSize(style.px(_SMALL_PX if small else _TEXT_PX))
    return font


def code(colour: Colour) -> str:
    """Return "#rrggbb"."""
    blue, green, red = colour
    return f"#{red:02x}{green:02x}{blue:02x}"


def qcolour(colour: Colour) -> Any:
    """Return the QColor."""
    blue, green, red = colour
    return QtGui.QColor(red, green, blue)


def sheet(style: Style) -> str:
    """Return the style sheet of the dashboard."""
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
