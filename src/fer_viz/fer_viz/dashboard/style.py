"""Fonts and the style sheet of the dashboard, in the colours of all drawings."""

from __future__ import annotations

from importlib import resources

from pyqtgraph.Qt import QtCore, QtGui

from fer_viz.core.drawing.style import Colour, Style, mix, readable

_FONT = "Inter"


def load_fonts() -> None:
    """Make the typeface of the drawings known to Qt, which forgets it when its application ends."""
    application = QtCore.QCoreApplication.instance()
    if application.property(_FONT):
        return
    application.setProperty(_FONT, True)
    for file in (resources.files("fer_viz.core.drawing") / "fonts").iterdir():
        if file.name.endswith(".otf"):
            QtGui.QFontDatabase.addApplicationFontFromData(QtCore.QByteArray(file.read_bytes()))


def code(colour: Colour) -> str:
    """Return "#rrggbb"."""
    blue, green, red = colour
    return f"#{red:02x}{green:02x}{blue:02x}"


def grounds(style: Style) -> dict[str, Colour]:
    """Return the colours of the grounds on which text of the controls stands."""
    theme = style.theme
    return {
        "ground": theme.ground,
        "raised": mix(theme.plate, theme.normal, 0.10),
        "hover": mix(theme.plate, theme.normal, 0.20),
        "pressed": mix(theme.plate, theme.labels[0], 0.45),
    }


def label_sheet(style: Style, index: int) -> str:
    """Return the style of a button that teaches a label."""
    theme = style.theme
    colour = theme.label(index)
    ground = mix(theme.plate, colour, 0.16)
    return (
        f"QToolButton {{ background: {code(ground)}; color: {code(readable(colour, ground))};"
        f" border: 1px solid {code(mix(theme.plate, colour, 0.75))}; font-weight: 600; }}"
        f"QToolButton:hover {{ background: {code(mix(theme.plate, colour, 0.32))};"
        f" color: {code(theme.strong)}; }}"
        f"QToolButton:pressed {{ background: {code(mix(theme.plate, colour, 0.45))}; }}"
    )


def sheet(style: Style) -> str:
    """Return the style sheet of the dashboard and its dialogs."""
    theme, px = style.theme, style.px
    raised, hover, pressed = (grounds(style)[name] for name in ("raised", "hover", "pressed"))
    line = mix(theme.plate, theme.normal, 0.28)
    accent = code(readable(theme.labels[0], theme.plate))
    text, small = style.text_px, style.small_px
    return f"""
#dashboard, #dashboard QDialog, #dashboard #drawer, #dashboard QScrollArea {{
    background: {code(theme.ground)};
}}
#dashboard QWidget {{
    color: {code(theme.normal)}; font-family: "{_FONT}"; font-size: {round(text)}px;
}}
#dashboard QLabel {{ background: transparent; }}
#dashboard #title {{ font-weight: 600; color: {code(theme.strong)}; }}
#dashboard #note, #dashboard #unit {{
    color: {code(theme.faint)}; font-size: {round(small)}px;
}}
#dashboard #unit {{ min-width: {px(22)}px; }}
ParameterRow QLineEdit {{ max-width: {px(96)}px; }}
#dashboard #figure {{ color: {code(theme.strong)}; }}
QToolButton, QPushButton, QComboBox, QLineEdit {{
    background: {code(raised)}; border: 1px solid {code(line)}; border-radius: {px(3)}px;
    padding: {px(2)}px {px(6)}px; min-height: {px(13)}px; color: {code(theme.normal)};
}}
QToolButton:hover, QPushButton:hover, QComboBox:hover {{
    background: {code(hover)}; color: {code(theme.strong)};
}}
QToolButton:pressed, QToolButton:checked {{
    background: {code(pressed)}; color: {code(readable(theme.strong, pressed))};
}}
QToolButton:disabled, QComboBox:disabled {{ color: {code(readable(theme.faint, raised))}; }}
QToolButton:focus, QComboBox:focus, QLineEdit:focus, QPushButton:focus {{
    border-color: {accent};
}}
QToolButton::menu-indicator {{ image: none; }}
QComboBox {{ padding-right: {px(16)}px; }}
QComboBox::drop-down {{ border: none; width: {px(14)}px; }}
QComboBox::down-arrow {{ image: none; }}
QComboBox QAbstractItemView, QMenu, QListView, QTreeView {{
    background: {code(raised)}; color: {code(theme.normal)}; border: 1px solid {code(line)};
    selection-background-color: {code(hover)}; selection-color: {code(theme.strong)};
}}
QMenu::item {{ padding: {px(4)}px {px(14)}px; }}
QMenu::item:selected {{ background: {code(hover)}; color: {code(theme.strong)}; }}
QMenu::separator {{ height: 1px; background: {code(line)}; }}
QCheckBox::indicator {{ width: {px(11)}px; height: {px(11)}px; }}
QSlider::groove:horizontal {{ height: {px(3)}px; background: {code(line)}; border-radius: 1px; }}
QSlider::sub-page:horizontal {{ background: {accent}; }}
QSlider::handle:horizontal {{
    width: {px(10)}px; margin: -{px(4)}px 0; border-radius: {px(5)}px; background: {accent};
}}
QProgressBar {{ background: {code(line)}; border: none; border-radius: {px(2)}px; }}
QProgressBar::chunk {{ background: {accent}; }}
QScrollBar:vertical {{ background: transparent; width: {px(8)}px; }}
QScrollBar::handle:vertical {{
    background: {code(line)}; border-radius: {px(4)}px; min-height: {px(20)}px;
}}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; }}
QToolTip {{
    background: {code(raised)}; color: {code(theme.strong)}; border: 1px solid {code(line)};
    padding: {px(3)}px;
}}
"""
