"""Kinds of pictures without an expression to read that nobody taught: a test only.

They are built in other ways than the kinds of `fer_train`. Neither teaching nor any choice may use
them: what is said about them would then say nothing about the next kind.
"""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_features.core.detector import LEFT_EYE, MOUTH, RIGHT_EYE
from fer_train.drawings import SIDE_PX, SMOOTH, Picture, Points, line, point, random_colour
from fer_train.stylised import eye_distance

Random: TypeAlias = np.random.Generator

_BLACK, _WHITE = (20, 20, 20), (250, 250, 250)


def pencil(picture: Picture, landmarks_px: Points, rng: Random) -> Picture:
    """Return the tones of a picture divided by those around each pixel ("colour dodge")."""
    grey = _grey(picture)
    around = cv2.GaussianBlur(
        255 - grey, (0, 0), eye_distance(landmarks_px) * rng.uniform(0.05, 0.2)
    )
    return _as_colours(cv2.divide(grey, 255 - around, scale=255))


def posterised(picture: Picture, landmarks_px: Points, rng: Random) -> Picture:
    """Return a picture in three steps of each colour."""
    smooth = cv2.bilateralFilter(picture, 9, 60, 9)
    return np.asarray(smooth // 86 * 86 + 43, np.uint8)


def negative(picture: Picture, landmarks_px: Points, rng: Random) -> Picture:
    """Return a picture with light and dark exchanged."""
    return 255 - picture


def blurred(picture: Picture, landmarks_px: Points, rng: Random) -> Picture:
    """Return a picture out of focus."""
    return np.asarray(
        cv2.GaussianBlur(picture, (0, 0), 0.25 * eye_distance(landmarks_px)), np.uint8
    )


def woodcut(picture: Picture, landmarks_px: Points, rng: Random) -> Picture:
    """Return a picture as grooves along the grain of wood, the lighter the wider."""
    grey = cv2.createCLAHE(3, (4, 4)).apply(_grey(picture)) / 255
    y, x = np.mgrid[: grey.shape[0], : grey.shape[1]]
    apart = eye_distance(landmarks_px)
    bend = apart * rng.uniform(0.02, 0.2) * np.sin(2 * np.pi * x / (apart * rng.uniform(1, 4)))
    ridge = (y + bend) / (apart * rng.uniform(0.07, 0.13)) % 1
    groove = np.abs(ridge - 0.5) < 0.5 * np.clip(1.3 * grey - 0.15, 0, 1)
    return _as_colours(np.where(groove, 245, 15))


def stippled(picture: Picture, landmarks_px: Points, rng: Random) -> Picture:
    """Return a picture as dots of ink, the denser the darker."""
    grey = cv2.equalizeHist(_grey(picture)) / 255
    sheet, apart = np.full(grey.shape, 250, np.uint8), eye_distance(landmarks_px)
    radius, number = apart * rng.uniform(0.012, 0.025), round(grey.size / (0.0012 * apart**2))
    places = rng.uniform(0, 1, (number, 2)) * (np.array(grey.shape) - 1)
    for y, x in places:
        if rng.random() > grey[int(y), int(x)] ** 0.5:
            centre = (round(16 * x), round(16 * y))
            cv2.circle(sheet, centre, round(16 * radius), 20, -1, SMOOTH, 4)
    return _as_colours(sheet)


def oil_painted(picture: Picture, landmarks_px: Points, rng: Random) -> Picture:
    """Return a picture in strokes: each pixel takes the calmest square beside it (Kuwahara)."""
    side = max(round(eye_distance(landmarks_px) * rng.uniform(0.06, 0.12)), 2)
    image = picture.astype(np.float32)
    grey = _grey(picture).astype(np.float32)
    means, spreads = [], []
    for anchor in ((0, 0), (0, side - 1), (side - 1, 0), (side - 1, side - 1)):
        means.append(cv2.boxFilter(image, -1, (side, side), anchor=anchor))
        mean, square = (cv2.boxFilter(g, -1, (side, side), anchor=anchor) for g in (grey, grey**2))
        spreads.append(square - mean**2)
    calmest = np.argmin(spreads, axis=0)
    return np.take_along_axis(np.stack(means), calmest[None, ..., None], 0)[0].astype(np.uint8)


def embossed(picture: Picture, landmarks_px: Points, rng: Random) -> Picture:
    """Return a picture as a relief in metal, lit from one side."""
    grey = cv2.GaussianBlur(
        _grey(picture).astype(np.float32), (0, 0), 0.015 * eye_distance(landmarks_px)
    )
    turn = rng.uniform(0, 2 * np.pi)
    slope = np.cos(turn) * cv2.Sobel(grey, -1, 1, 0) + np.sin(turn) * cv2.Sobel(grey, -1, 0, 1)
    return _as_colours(np.clip(128 + rng.uniform(0.5, 1.5) * slope, 0, 255))


def pixel_art(picture: Picture, landmarks_px: Points, rng: Random) -> Picture:
    """Return a picture as large pixels of six colours."""
    block = eye_distance(landmarks_px) * rng.uniform(0.12, 0.2)
    height, width = picture.shape[:2]
    size_px = (max(round(width / block), 4), max(round(height / block), 4))
    small = cv2.resize(picture, size_px, interpolation=cv2.INTER_AREA).reshape(-1, 3)
    stop = (cv2.TERM_CRITERIA_MAX_ITER, 10, 0)
    cv2.setRNGSeed(0)
    _, nearest, colours = cv2.kmeans(
        small.astype(np.float32), 6, None, stop, 1, cv2.KMEANS_PP_CENTERS
    )
    art = colours[nearest[:, 0]].reshape(size_px[1], size_px[0], 3)
    return cv2.resize(art, (width, height), interpolation=cv2.INTER_NEAREST).astype(np.uint8)


def crayon(picture: Picture, landmarks_px: Points, rng: Random) -> Picture:
    """Return a picture drawn with wax on rough paper."""
    apart = eye_distance(landmarks_px)
    smooth = cv2.GaussianBlur(picture, (0, 0), 0.03 * apart).astype(np.float64)
    paper = cv2.GaussianBlur(rng.standard_normal(picture.shape[:2]), (0, 0), 0.012 * apart)
    strokes = cv2.GaussianBlur(rng.standard_normal(picture.shape[:2]), (0, 0), 0.1 * apart, None, 1)
    rough = paper / paper.std() + 0.8 * strokes / strokes.std()
    wax = np.clip((255 - smooth) * (1 + 0.3 * rough[..., None]), 0, 255)
    return (255 - wax).astype(np.uint8)


def bar_over_the_eyes(picture: Picture, landmarks_px: Points, rng: Random) -> Picture:
    """Return a picture with a black bar over the eyes."""
    return _barred(picture, landmarks_px, landmarks_px[[RIGHT_EYE, LEFT_EYE]].mean(axis=0))


def bar_over_the_mouth(picture: Picture, landmarks_px: Points, rng: Random) -> Picture:
    """Return a picture with a black bar over the mouth."""
    return _barred(picture, landmarks_px, landmarks_px[MOUTH])


def microphone(picture: Picture, landmarks_px: Points, rng: Random) -> Picture:
    """Return a picture with a microphone before the mouth."""
    drawn, apart = picture.copy(), eye_distance(landmarks_px)
    at = landmarks_px[MOUTH] + apart * rng.uniform(-0.1, 0.1, 2)
    radius = apart * rng.uniform(0.32, 0.45)
    line(
        drawn,
        [at, at + apart * np.array([rng.uniform(-1, 1), 2])],
        _BLACK,
        max(round(0.6 * radius), 1),
    )
    cv2.circle(drawn, point(at), round(radius), (70, 70, 75), -1, SMOOTH)
    for k in np.linspace(-0.9, 0.9, 8):
        half = radius * np.sqrt(1 - k * k)
        for end in (np.array([k * radius, half]), np.array([half, k * radius])):
            line(drawn, [at + end, at + end * np.where(abs(end) == half, -1, 1)], (130,) * 3, 1)
    return drawn


def hair_over_the_eyes(picture: Picture, landmarks_px: Points, rng: Random) -> Picture:
    """Return a picture with strands of hair over both eyes."""
    drawn, apart = picture.copy(), eye_distance(landmarks_px)
    eyes = landmarks_px[[RIGHT_EYE, LEFT_EYE]].mean(axis=0)
    base = rng.integers(15, 120)
    for _ in range(400):
        x = rng.uniform(-1.1, 1.1) * apart
        top = eyes + np.array([0.6 * x, -1.2 * apart])
        end = eyes + np.array([x, apart * rng.uniform(0.15, 0.35)])
        shade = int(base * rng.uniform(0.5, 1.4))
        line(drawn, [top, end], (shade, round(1.1 * shade), round(1.2 * shade)), 2)
    return drawn


FROM_FACES = {
    "pencil": pencil,
    "posterised": posterised,
    "woodcut": woodcut,
    "stippled": stippled,
    "oil paint": oil_painted,
    "embossed": embossed,
    "pixel art": pixel_art,
    "crayon": crayon,
    "negative": negative,
    "blurred": blurred,
    "bar over the eyes": bar_over_the_eyes,
    "bar over the mouth": bar_over_the_mouth,
    "microphone before the mouth": microphone,
    "hair over the eyes": hair_over_the_eyes,
}
"""Made of pictures (h, w, 3) of faces with landmarks (6, 2), by name."""


def emoji(rng: Random) -> Picture:
    """Return a yellow disc with eyes and a mouth."""
    drawn = _sheet(255)
    yellow, brown = (40, int(rng.integers(180, 230)), 255), (30, 50, 90)
    cv2.circle(drawn, (80, 80), int(rng.integers(50, 66)), yellow, -1, SMOOTH)
    for side in (-1, 1):
        size = (int(rng.integers(5, 9)), int(rng.integers(7, 12)))
        at = (80 + side * int(rng.integers(18, 24)), 65)
        cv2.ellipse(drawn, at, size, 0, 0, 360, brown, -1, SMOOTH)
    mouth = (int(rng.integers(18, 32)), int(rng.integers(8, 24)))
    width, y = int(rng.choice([4, -1])), int(rng.integers(85, 98))
    cv2.ellipse(drawn, (80, y), mouth, 0, 0, 180, brown, width, SMOOTH)
    return drawn


def few_strokes(rng: Random) -> Picture:
    """Return a circle with two dots, a nose and a mouth."""
    drawn = _sheet(250)
    cv2.circle(drawn, (80, 80), int(rng.integers(45, 60)), _BLACK, 2, SMOOTH)
    for side in (-1, 1):
        cv2.circle(drawn, (80 + side * 20, 68), 3, _BLACK, -1, SMOOTH)
    cv2.line(drawn, (80, 75), (78, 90), _BLACK, 2, SMOOTH)
    mouth = (20, int(rng.integers(2, 14)))
    cv2.ellipse(drawn, (80, 98), mouth, 0, 0, 180, _BLACK, 2, SMOOTH)
    return drawn


def manga(rng: Random) -> Picture:
    """Return a face with large shining eyes, a tiny nose and a small mouth."""
    drawn = _sheet(int(rng.integers(200, 255)))
    cv2.ellipse(drawn, (80, 85), (46, 56), 0, 0, 360, (205, 225, 250), -1, SMOOTH)
    hair = random_colour(rng, 20, 200)
    cv2.ellipse(drawn, (80, 55), (54, 44), 0, 180, 360, hair, -1, SMOOTH)
    for side in (-1, 1):
        x, y = 80 + side * 21, 82
        cv2.ellipse(drawn, (x, y), (13, 17), 0, 0, 360, _WHITE, -1, SMOOTH)
        cv2.ellipse(drawn, (x, y), (9, 14), 0, 0, 360, random_colour(rng, 20, 180), -1, SMOOTH)
        cv2.circle(drawn, (x - 3, y - 5), 4, _WHITE, -1, SMOOTH)
        cv2.ellipse(drawn, (x, y), (14, 18), 0, 200, 340, _BLACK, 3, SMOOTH)
    cv2.line(drawn, (80, 100), (80, 104), (120, 140, 170), 2, SMOOTH)
    mouth, end = (int(rng.integers(6, 13)), int(rng.integers(2, 8))), int(rng.choice([180, 360]))
    cv2.ellipse(drawn, (80, 118), mouth, 0, 0, end, (60, 60, 120), 2, SMOOTH)
    return drawn


def bear(rng: Random) -> Picture:
    """Return a bear's head with short fur."""
    head, snout = np.zeros((SIDE_PX, SIDE_PX), np.uint8), np.zeros((SIDE_PX, SIDE_PX), np.uint8)
    cv2.ellipse(head, (80, 85), (54, 50), 0, 0, 360, 255, -1)
    for side in (-1, 1):
        cv2.circle(head, (80 + side * 42, 45), 18, 255, -1)
    cv2.ellipse(snout, (80, 108), (26, 20), 0, 0, 360, 255, -1)
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX]
    light = (1.2 - np.hypot(x - 60, y - 60) / 160)[..., None] * (0.8, 0.95, 1.1)
    fur = cv2.GaussianBlur(rng.normal(0, 60, head.shape), (5, 5), 0)[..., None]
    ground = np.full((*head.shape, 3), float(rng.integers(80, 200)))
    drawn = np.where(head[..., None] > 0, rng.integers(50, 140) * light + fur, ground)
    drawn = np.where(snout[..., None] > 0, 0.5 * drawn + 90, drawn)
    drawn = cv2.GaussianBlur(np.clip(drawn, 0, 255).astype(np.uint8), (0, 0), 1.0)
    for side in (-1, 1):
        cv2.circle(drawn, (80 + side * 20, 74), 5, _BLACK, -1, SMOOTH)
        cv2.circle(drawn, (78 + side * 20, 72), 1, _WHITE, -1, SMOOTH)
    cv2.ellipse(drawn, (80, 98), (10, 7), 0, 0, 360, _BLACK, -1, SMOOTH)
    cv2.line(drawn, (80, 104), (80, 114), _BLACK, 2, SMOOTH)
    cv2.ellipse(drawn, (80, 114), (12, 5), 0, 0, 180, _BLACK, 2, SMOOTH)
    return np.asarray(drawn, np.uint8)


def skull(rng: Random) -> Picture:
    """Return a skull on a dark ground."""
    drawn, bone = _sheet(int(rng.integers(10, 90))), (190, 215, int(rng.integers(215, 235)))
    cv2.ellipse(drawn, (80, 70), (int(rng.integers(42, 52)), 50), 0, 0, 360, bone, -1, SMOOTH)
    jaw = int(rng.integers(24, 32))
    cv2.rectangle(drawn, (80 - jaw, 95), (80 + jaw, int(rng.integers(130, 142))), bone, -1)
    for side in (-1, 1):
        socket = (int(rng.integers(10, 14)), int(rng.integers(10, 15)))
        cv2.ellipse(drawn, (80 + side * 19, 74), socket, 12 * side, 0, 360, _BLACK, -1, SMOOTH)
    nose = np.array([(80, 88), (73, 103), (87, 103)])
    cv2.fillPoly(drawn, [nose], _BLACK, SMOOTH)
    for x in range(80 - jaw + 4, 80 + jaw, 7):
        cv2.line(drawn, (x, 112), (x, 128), _BLACK, 1, SMOOTH)
    cv2.line(drawn, (80 - jaw, 120), (80 + jaw, 120), _BLACK, 2, SMOOTH)
    return cv2.GaussianBlur(drawn, (0, 0), rng.uniform(0.5, 1.5)).astype(np.uint8)


def lantern(rng: Random) -> Picture:
    """Return a pumpkin with a carved face, lit from within."""
    drawn = _sheet(int(rng.integers(5, 60)))
    skin, glow = (20, int(rng.integers(90, 130)), 230), (120, 235, 255)
    for rib in (-36, 36, -19, 19, 0):
        cv2.ellipse(drawn, (80 + rib, 85), (26, 52), 0, 0, 360, skin, -1, SMOOTH)
        cv2.ellipse(drawn, (80 + rib, 85), (26, 52), 0, 0, 360, (10, 60, 150), 1, SMOOTH)
    for side in (-1, 1):
        eye = np.array([(-11, 8), (11, 8), (int(rng.integers(-8, 9)), -12)])
        eye += np.array([80 + side * 22, 70])
        cv2.fillPoly(drawn, [eye], glow, SMOOTH)
    cv2.fillPoly(drawn, [np.array([(80, 84), (73, 96), (87, 96)])], glow, SMOOTH)
    x = np.linspace(-34, 34, 9)
    lower = 122 - x**2 * rng.uniform(0.008, 0.02) + rng.uniform(2, 6) * (-1) ** np.arange(9)
    upper = 108 - x**2 * 0.004 + rng.uniform(2, 5) * (-1) ** np.arange(9)
    mouth = np.concatenate([np.stack([80 + x, upper], 1), np.stack([80 + x, lower], 1)[::-1]])
    cv2.fillPoly(drawn, [np.rint(mouth).astype(np.int32)], glow, SMOOTH)
    return cv2.GaussianBlur(drawn, (0, 0), rng.uniform(0.4, 2)).astype(np.uint8)


def toy(rng: Random) -> Picture:
    """Return the head of a plastic figure: a shaded cylinder with a printed face."""
    x = np.arange(SIDE_PX)
    shade = np.clip(1.1 - ((x - rng.uniform(55, 90)) / 75) ** 2, 0.3, 1.1)
    drawn = np.full((SIDE_PX, SIDE_PX, 3), float(rng.integers(60, 230)))
    plastic = np.array([40, rng.integers(170, 215), 245])
    drawn[38:138, 34:126] = shade[None, 34:126, None] * plastic
    drawn[20:38, 58:102] = 0.9 * shade[None, 58:102, None] * plastic
    drawn = np.clip(drawn, 0, 255).astype(np.uint8)
    apart, y = int(rng.integers(14, 20)), int(rng.integers(72, 82))
    for side in (-1, 1):
        cv2.circle(drawn, (80 + side * apart, y), 5, _BLACK, -1, SMOOTH)
        cv2.circle(drawn, (78 + side * apart, y - 2), 1, _WHITE, -1, SMOOTH)
        cv2.ellipse(drawn, (80 + side * apart, y - 9), (8, 4), 0, 190, 350, _BLACK, 2, SMOOTH)
    mouth = (int(rng.integers(10, 20)), int(rng.integers(2, 10)))
    cv2.ellipse(drawn, (80, y + 28), mouth, 0, 0, 180, _BLACK, 2, SMOOTH)
    return drawn


DRAWN = {
    "emoji": emoji,
    "face of a few strokes": few_strokes,
    "manga face": manga,
    "bear": bear,
    "skull": skull,
    "pumpkin lantern": lantern,
    "plastic figure": toy,
}
"""Drawn from nothing, (`SIDE_PX`, `SIDE_PX`, 3), by name."""


def _barred(picture: Picture, landmarks_px: Points, at: Points) -> Picture:
    drawn, half = picture.copy(), eye_distance(landmarks_px) * np.array([1.0, 0.28])
    cv2.rectangle(drawn, point(at - half), point(at + half), (0, 0, 0), -1)
    return drawn


def _grey(picture: Picture) -> Picture:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)


def _as_colours(grey: NDArray[np.generic]) -> Picture:
    return np.asarray(cv2.cvtColor(grey.astype(np.uint8), cv2.COLOR_GRAY2BGR), np.uint8)


def _sheet(grey: int) -> Picture:
    return np.full((SIDE_PX, SIDE_PX, 3), grey, np.uint8)
