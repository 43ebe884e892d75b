"""Pictures of several people, composed from the heads of the demo clip, with known positions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_camera.core.sources import demo_path
from fer_common.core.errors import ConfigurationError
from fer_testing.rendering.timeline import PEOPLE, PERSON_FRAMES

Picture = NDArray[np.uint8]

# Head and hair in a frame of the clip, px.
_TOP, _BOTTOM, _LEFT, _RIGHT = 40, 420, 150, 490
# Middle and width of the face of each person in that part, when the person's part begins, px.
_FACES = (
    (171.0, 215.0, 212.0),
    (179.0, 167.0, 198.0),
    (156.0, 210.0, 215.0),
    (161.0, 190.0, 194.0),
    (195.0, 227.0, 209.0),
    (160.0, 153.0, 190.0),
    (154.0, 204.0, 197.0),
)
_SOFT_EDGE_PX = 9


@dataclass(frozen=True)
class Head:
    """A head in a picture.

    Attributes
    ----------
    person : at least 0; from `PEOPLE` on, their mirror images.
    x, y : centre of the face, px.
    size : width of the face, px.
    moment : frame in the person's part of the clip, at least 0; played backwards after its end.
    """

    person: int
    x: float
    y: float
    size: float
    moment: int = 5


class Stage:
    """Draws heads on a background of grey blots.

    Parameters
    ----------
    width, height : of the pictures, px.
    seed : of the background.
    """

    def __init__(self, width: int = 640, height: int = 480, seed: int = 0) -> None:
        self._size = (width, height)
        blots = np.random.default_rng(seed).integers(60, 150, (height // 40, width // 40), np.uint8)
        grey = cv2.resize(blots, self._size, interpolation=cv2.INTER_CUBIC)
        self._background = np.repeat(grey[..., None], 3, axis=2)

    @cached_property
    def _heads(self) -> list[Picture]:
        capture = cv2.VideoCapture(str(demo_path()))
        heads = []
        while (taken := capture.read())[0]:
            heads.append(taken[1][_TOP:_BOTTOM, _LEFT:_RIGHT].copy())
        capture.release()
        if len(heads) < PEOPLE * PERSON_FRAMES:
            raise ConfigurationError(
                f"the demo clip ends after {len(heads)} frames: build fer_camera again"
            )
        return heads

    @cached_property
    def _opacity(self) -> NDArray[np.float32]:
        height, width = _BOTTOM - _TOP, _RIGHT - _LEFT
        ys, xs = np.mgrid[:height, :width]
        inside = ((xs - width / 2) / 150) ** 2 + ((ys - height / 2) / 180) ** 2 < 1
        edge = (_SOFT_EDGE_PX, _SOFT_EDGE_PX)
        return np.asarray(cv2.blur(inside.astype(np.float32), edge), np.float32)

    def picture(self, heads: Sequence[Head]) -> Picture:
        """Return a picture (height, width, 3) BGR of heads; later ones cover earlier ones."""
        drawn = self._background.copy()
        for head in heads:
            self._draw(drawn, head)
        return drawn

    def _draw(self, picture: Picture, head: Head) -> None:
        source = self._heads[PERSON_FRAMES * (head.person % PEOPLE) + _to_and_fro(head.moment)]
        face_x, face_y, face_size = _FACES[head.person % PEOPLE]
        if head.person // PEOPLE % 2:
            source = np.ascontiguousarray(source[:, ::-1])
            face_x = source.shape[1] - face_x
        scale = head.size / face_size
        size = (round(source.shape[1] * scale), round(source.shape[0] * scale))
        small = cv2.resize(source, size, interpolation=cv2.INTER_AREA)
        opacity = cv2.resize(self._opacity, size, interpolation=cv2.INTER_AREA)
        # Whole pixels by position, fractions by interpolation, so that motion is smooth.
        left, top = head.x - face_x * scale, head.y - face_y * scale
        x, y = int(np.floor(left)), int(np.floor(top))
        shift = np.array([[1, 0, left - x], [0, 1, top - y]])
        room = (size[0] + 1, size[1] + 1)
        small, opacity = (cv2.warpAffine(part, shift, room) for part in (small, opacity))
        x0, y0 = max(x, 0), max(y, 0)
        x1, y1 = min(x + room[0], self._size[0]), min(y + room[1], self._size[1])
        if x0 >= x1 or y0 >= y1:
            return
        cut = (slice(y0 - y, y1 - y), slice(x0 - x, x1 - x))
        behind = picture[y0:y1, x0:x1]
        share = opacity[cut][..., None]
        behind[:] = np.rint(behind + share * (small[cut].astype(np.float32) - behind))


def _to_and_fro(moment: int) -> int:
    last = PERSON_FRAMES - 1
    return last - abs(moment % (2 * last) - last)
