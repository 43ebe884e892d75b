"""What is drawn into the camera image: box, label and confidence of each face, and hints."""

from __future__ import annotations

from collections.abc import Sequence

from fer_viz.core.drawing.canvas import Box, Picture, disc, fill
from fer_viz.core.drawing.style import Colour, Style, readable, rgb
from fer_viz.core.drawing.text import baseline, fitted, width_px, write
from fer_viz.core.scene import Face

# Text on a photograph has a dark plate in both themes, so that it is readable on any background.
_PLATE = rgb("#0c0f14")
_ON_PLATE = rgb("#f4f6f8")
_ON_PLATE_FAINT = rgb("#aab3bf")
_PLATE_OPACITY = 0.72
_EDGE_OPACITY = 0.35
_CORNER_SHARE = 0.18


def draw_faces(
    picture: Picture, faces: Sequence[Face], focus: Face | None, scale: float, style: Style
) -> None:
    """Mark every face.

    Parameters
    ----------
    picture : (height, width, 3) BGR, drawn into.
    focus : the face that is shown in detail; it is drawn last and strongest.
    scale : pixels of the picture for one pixel of the source image.
    """
    for face in sorted(faces, key=lambda face: face is focus):
        colour = style.theme.label(face.label_index)
        box = Box(*(round(value * scale) for value in face.box_px))
        _draw_frame(picture, box, colour, style.at_least(2, 3 if face is focus else 2), style)
        if face.label:
            _draw_tag(picture, box, face, style)


def _draw_frame(picture: Picture, box: Box, colour: Colour, thick: int, style: Style) -> None:
    """Draw a thin rectangle with strong corners."""
    thin = style.at_least(1, 1)
    length = max(thick, round(_CORNER_SHARE * min(box.width, box.height)))
    for y in (box.y, box.bottom - thin):
        fill(picture, Box(box.x, y, box.width, thin), colour, _EDGE_OPACITY)
    for x in (box.x, box.right - thin):
        fill(picture, Box(x, box.y, thin, box.height), colour, _EDGE_OPACITY)
    for x in (box.x, box.right - length):
        for y in (box.y, box.bottom - thick):
            fill(picture, Box(x, y, length, thick), colour)
    for x in (box.x, box.right - thick):
        for y in (box.y, box.bottom - length):
            fill(picture, Box(x, y, thick, length), colour)


def _draw_tag(picture: Picture, box: Box, face: Face, style: Style) -> None:
    """Write label, confidence and id on a plate."""
    size, small = 15 * style.unit, style.text_px
    pad, gap = style.px(8), style.px(10)
    colour = style.theme.label(face.label_index)
    name = fitted(face.label, size, max(picture.shape[1] / 3, 80 * style.unit), "semibold")
    percent, number = f"{100 * face.confidence:.0f} %", f"#{face.id}"
    name_width = width_px(name, size, "semibold")
    width = name_width + width_px(percent, size) + width_px(number, small) + 2 * (gap + pad)
    plate = _tag_box(picture, box, round(width), style)
    fill(picture, plate, _PLATE, _PLATE_OPACITY, radius=style.px(4))
    x, y = plate.x + pad, plate.y + style.px(18)
    write(picture, name, (x, y), size, readable(colour, _PLATE), "semibold")
    write(picture, percent, (x + name_width + gap, y), size, _ON_PLATE)
    write(picture, number, (plate.right - pad, y), small, _ON_PLATE_FAINT, align="right")
    track = Box(x, plate.bottom - style.px(6), plate.width - 2 * pad, style.at_least(2, 2))
    fill(picture, track, _ON_PLATE, 0.22)
    share = min(max(face.confidence, 0.0), 1.0)
    fill(picture, track._replace(width=round(track.width * share)), colour)


def _tag_box(picture: Picture, box: Box, width: int, style: Style) -> Box:
    """Place the plate above the face, or inside its box where there is no room above."""
    height, inset = style.px(29), style.px(6)
    plate = Box(box.x, box.y - style.px(34), width, height)
    if plate.y < 0:
        plate = plate._replace(x=box.x + inset, y=max(box.y, 0) + inset)
    return plate._replace(
        x=max(0, min(plate.x, picture.shape[1] - width)),
        y=max(0, min(plate.y, picture.shape[0] - height)),
    )


def draw_hint(picture: Picture, hint: str, style: Style) -> None:
    """Write at the lower edge what is missing."""
    height, width = picture.shape[:2]
    size, pad = 12.83 * style.unit, style.px(12)
    text = fitted(hint, size, width - 5 * pad)
    plate = Box(0, 0, round(width_px(text, size)) + 3 * pad, style.px(30))
    plate = plate._replace(x=(width - plate.width) // 2, y=height - plate.height - pad)
    fill(picture, plate, _PLATE, 0.8, radius=style.px(6))
    middle = plate.x + pad, plate.y + plate.height / 2
    disc(picture, middle, 3.5 * style.unit, style.theme.warning)
    write(picture, text, (plate.x + 2 * pad, baseline(plate, size)), size, _ON_PLATE)
