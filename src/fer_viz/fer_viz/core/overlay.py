"""What is drawn into the camera picture: box, label and confidence of each face, and hints."""

from __future__ import annotations

from collections.abc import Sequence

from fer_viz.core.canvas import Box, Picture, disc, fill, write
from fer_viz.core.look import Look
from fer_viz.core.palette import Colour, mix, rgb
from fer_viz.core.scene import Face
from fer_viz.core.text import cap_height_px, fitted, width_px

# On a photograph text stands on a dark plate whatever the theme, so that it can be read on any
# ground.
_PLATE = rgb("#0c0f14")
_ON_PLATE = rgb("#f4f6f8")
_ON_PLATE_FAINT = rgb("#aab3bf")
_PLATE_OPACITY = 0.72
_EDGE_OPACITY = 0.35
_CORNER_SHARE = 0.18
#: Labels' colours are made lighter by this share, so that those for a light ground can be read too.
_LIGHTER = 0.35


def draw_faces(
    picture: Picture, faces: Sequence[Face], focus: Face | None, scale: float, look: Look
) -> None:
    """Mark every face.

    Parameters
    ----------
    picture : (height, width, 3) BGR, drawn into.
    faces : the faces.
    focus : the face that the panel is about; it is drawn last and strongest.
    scale : pixels of the picture for a pixel of the source image.
    look : colours and sizes.
    """
    for face in sorted(faces, key=lambda face: face is focus):
        colour = look.theme.label(face.label_index)
        box = Box(*(round(value * scale) for value in face.box_px))
        _frame(picture, box, colour, look.at_least(2, 3 if face is focus else 2), look)
        if face.label:
            _tag(picture, box, face, look)


def _frame(picture: Picture, box: Box, colour: Colour, thick: int, look: Look) -> None:
    """Draw a fine rectangle with strong corners."""
    thin = look.at_least(1, 1)
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


def _tag(picture: Picture, box: Box, face: Face, look: Look) -> None:
    """Write label, confidence and id on a plate."""
    size, small = 15 * look.unit, look.text_px
    pad, gap = look.px(8), look.px(10)
    colour = look.theme.label(face.label_index)
    name = fitted(face.label, size, max(picture.shape[1] / 3, 80 * look.unit), "semibold")
    percent, number = f"{100 * face.confidence:.0f} %", f"#{face.id}"
    name_width = width_px(name, size, "semibold")
    width = name_width + width_px(percent, size) + width_px(number, small) + 2 * (gap + pad)
    plate = _tag_box(picture, box, round(width), look)
    fill(picture, plate, _PLATE, _PLATE_OPACITY, radius=look.px(4))
    x, baseline = plate.x + pad, plate.y + look.px(18)
    write(picture, name, (x, baseline), size, mix(colour, _ON_PLATE, _LIGHTER), "semibold")
    write(picture, percent, (x + name_width + gap, baseline), size, _ON_PLATE)
    write(picture, number, (plate.right - pad, baseline), small, _ON_PLATE_FAINT, align="right")
    track = Box(x, plate.bottom - look.px(6), plate.width - 2 * pad, look.at_least(2, 2))
    fill(picture, track, _ON_PLATE, 0.22)
    share = min(max(face.confidence, 0.0), 1.0)
    fill(picture, track._replace(width=round(track.width * share)), colour)


def _tag_box(picture: Picture, box: Box, width: int, look: Look) -> Box:
    """Place the plate above the face, or inside its box where there is no room; never outside."""
    height, inset = look.px(29), look.px(6)
    plate = Box(box.x, box.y - look.px(34), width, height)
    if plate.y < 0:
        plate = plate._replace(x=box.x + inset, y=max(box.y, 0) + inset)
    return plate._replace(
        x=max(0, min(plate.x, picture.shape[1] - width)),
        y=max(0, min(plate.y, picture.shape[0] - height)),
    )


def draw_hint(picture: Picture, hint: str, look: Look) -> None:
    """Say at the lower edge what is missing."""
    height, width = picture.shape[:2]
    size, pad = 12.83 * look.unit, look.px(12)
    text = fitted(hint, size, width - 5 * pad)
    plate = Box(0, 0, round(width_px(text, size)) + 3 * pad, look.px(30))
    plate = plate._replace(x=(width - plate.width) // 2, y=height - plate.height - pad)
    fill(picture, plate, _PLATE, 0.8, radius=look.px(6))
    middle = plate.y + plate.height / 2
    disc(picture, (plate.x + pad, middle), 3.5 * look.unit, look.theme.warning)
    at = (plate.x + 2 * pad, middle + cap_height_px(size) / 2)
    write(picture, text, at, size, _ON_PLATE)
