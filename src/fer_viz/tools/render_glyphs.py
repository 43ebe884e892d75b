"""Render the glyph atlas of fer_viz (atlas.png, atlas.json) from the Inter typeface.

Run only to change typeface or characters; the result is part of the package. Needs Pillow:

    python tools/render_glyphs.py FOLDER_WITH_OTF_FILES fer_viz/glyphs
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

WEIGHTS = {"regular": "Inter-Regular.otf", "semibold": "Inter-SemiBold.otf"}
#: Pixels of the em: four times the usual size of text, so that shrinking it gives smooth edges.
EM_PX = 44
#: Capital H above the baseline, in em.
CAP_HEIGHT_EM = 8 / 11
ATLAS_WIDTH_PX = 1024
#: Latin, Greek and Cyrillic letters, and the signs that figures need.
RANGES = ((0x20, 0x7E), (0xA0, 0x17F), (0x391, 0x3CE), (0x401, 0x45F))
SIGNS = "\u2013\u2014\u2018\u2019\u201c\u201d\u2022\u2026\u2212\u2264\u2265\u2248\u2192\u25a1"
DIGITS = "0123456789"
#: A code point that no font has: its picture is that of every missing character.
MISSING = "\uffff"


class Glyph(NamedTuple):
    """Bitmap of a character, its left upper corner from the pen (px, y down), its advance (px)."""

    bitmap: npt.NDArray[np.uint8]
    left: int
    top: int
    advance: float


def main() -> None:
    """Render every weight into one picture and write its table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("fonts", type=Path, help="folder with " + ", ".join(WEIGHTS.values()))
    parser.add_argument("output", type=Path, help="folder for atlas.png and atlas.json")
    arguments = parser.parse_args()
    glyphs = {weight: _render(arguments.fonts / file) for weight, file in WEIGHTS.items()}
    atlas, table = _pack(glyphs)
    Image.fromarray(atlas).save(arguments.output / "atlas.png", optimize=True)
    (arguments.output / "atlas.json").write_text(
        json.dumps(table, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8"
    )


def _characters() -> Iterator[str]:
    for low, high in RANGES:
        yield from (chr(code) for code in range(low, high + 1))
    yield from SIGNS


def _render(file: Path) -> dict[str, Glyph]:
    font = ImageFont.truetype(str(file), EM_PX, layout_engine=ImageFont.Layout.BASIC)
    # Figures that change must not dance: every digit gets the widest advance.
    digit_advance = max(font.getlength(digit) for digit in DIGITS)
    missing = bytes(font.getmask(MISSING))
    glyphs = {}
    for character in _characters():
        if bytes(font.getmask(character)) == missing:
            continue
        left, top, right, bottom = (int(edge) for edge in font.getbbox(character, anchor="ls"))
        advance = font.getlength(character)
        picture = Image.new("L", (max(right - left, 1), max(bottom - top, 1)))
        ImageDraw.Draw(picture).text((-left, -top), character, fill=255, font=font, anchor="ls")
        if character in DIGITS:
            left += round((digit_advance - advance) / 2)
            advance = digit_advance
        glyphs[character] = Glyph(np.array(picture), left, top, advance)
    return glyphs


def _pack(
    weights: Mapping[str, Mapping[str, Glyph]],
) -> tuple[npt.NDArray[np.uint8], dict[str, object]]:
    """Lay the glyphs in rows; the table gives x, y, width, height, left, top, advance in px."""
    rows: list[npt.NDArray[np.uint8]] = []
    tables: dict[str, dict[str, list[float]]] = {}
    y = 0
    for weight, glyphs in weights.items():
        table = tables[weight] = {}
        by_height = sorted(glyphs.items(), key=lambda item: item[1].bitmap.shape[0])
        while by_height:
            x, taken = 0, []
            while by_height and x + by_height[0][1].bitmap.shape[1] + 1 <= ATLAS_WIDTH_PX:
                character, glyph = by_height.pop(0)
                height, width = glyph.bitmap.shape
                table[character] = [
                    x,
                    y,
                    width,
                    height,
                    glyph.left,
                    glyph.top,
                    round(glyph.advance, 2),
                ]
                taken.append((x, glyph.bitmap))
                x += width + 1
            row = np.zeros((taken[-1][1].shape[0] + 1, ATLAS_WIDTH_PX), np.uint8)
            for x, bitmap in taken:
                row[: bitmap.shape[0], x : x + bitmap.shape[1]] = bitmap
            rows.append(row)
            y += row.shape[0]
    head = {"typeface": "Inter 4.0", "em_px": EM_PX, "cap_height_em": round(CAP_HEIGHT_EM, 4)}
    return np.concatenate(rows), {**head, "weights": tables}


if __name__ == "__main__":
    main()
