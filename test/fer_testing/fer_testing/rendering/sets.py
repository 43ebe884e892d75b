"""Sets of rendered heads: for training, for testing by group, and for pose, distance and cover."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from fer_testing.rendering import facs
from fer_testing.rendering.backgrounds import random_background
from fer_testing.rendering.looks import Colour, Face, Light, View, Worn
from fer_testing.rendering.people import (
    SKINS,
    Generator,
    Group,
    Region,
    balanced_groups,
    crossed_groups,
    evenly,
    random_person,
)
from fer_testing.rendering.renderer import Picture, render

LIGHTS = ("front", "left", "right", "above", "below", "dim")
GROUPS = "groups.csv"


WORN_COLOURS = ((0.08, 0.08, 0.09), (0.62, 0.75, 0.85), (0.35, 0.22, 0.14), (0.88, 0.88, 0.86))


@dataclass(frozen=True)
class Set:
    """A set of pictures: each person shows every label once.

    Attributes
    ----------
    seed : of everything random.
    glasses : shares of people with clear and with dark glasses.
    people : number of the first people, of every skin equally often.
    more : number of further people of each skin, under each light equally often.
    """

    region: Region
    seed: int
    glasses: tuple[float, float] = (0.0, 0.0)
    people: int = 0
    more: Mapping[str, int] = field(default_factory=dict)


TRAINING = Set(
    Region.TRAINING,
    seed=20,
    glasses=(0.1, 0.03),
    people=600,
    more={"very_dark": 192, "dark": 48, "medium": 24, "light": 24, "very_light": 24},
)
TESTING = Set(Region.TESTING, seed=2020, people=75, more=dict.fromkeys(SKINS, 48))
POSES = Set(Region.TESTING, seed=3030)


@dataclass(frozen=True)
class Shot:
    """What a picture shows, but for the person."""

    face: Face
    view: View
    light: Light


@dataclass(frozen=True)
class Cast:
    """The people of a set, and the light of each picture of a label."""

    groups: list[Group]
    lights: Mapping[str, list[str]]


def cast_of(kind: Set, people: int | None = None) -> Cast:
    """Return all people of a set, or a number of people of every skin."""
    rng = np.random.default_rng(kind.seed)
    count = kind.people if people is None else people
    groups = balanced_groups(count, rng)
    lights = {label: evenly(count, LIGHTS, rng) for label in facs.LABELS}
    if people is None:
        more = crossed_groups(kind.more, rng)
        groups += more
        for of_label in lights.values():
            of_skin = {skin: iter(evenly(n, LIGHTS, rng)) for skin, n in kind.more.items()}
            of_label += [next(of_skin[group.skin]) for group in more]
    return Cast(groups, lights)


def write(kind: Set, folder: Path, people: int | None = None) -> None:
    """Write `folder/LABEL/PERSON.png` and `folder/groups.csv`. Pictures that exist are kept."""
    for label in facs.LABELS:
        (folder / label).mkdir(parents=True, exist_ok=True)
    cast = cast_of(kind, people)
    rows = []
    for number, group in enumerate(cast.groups):
        for label in facs.LABELS:
            name, light = f"{label}/{number:04d}.png", cast.lights[label][number]
            rows.append([name, label, group.skin, group.gender, group.age, light, number])
            if not (folder / name).exists():
                _write(folder / name, picture(kind, number, group, label, light, _same))
    _write_table(folder, ("skin", "gender", "age", "light", "person"), rows)


def _turned(**angles: float) -> Callable[[Shot], Shot]:
    radians = {name: np.radians(angle) for name, angle in angles.items()}
    return lambda shot: replace(shot, view=replace(shot.view, **radians))


def _sized(face_px: float) -> Callable[[Shot], Shot]:
    side = round(max(240.0, 1.6 * face_px))
    return lambda shot: replace(
        shot,
        view=replace(
            shot.view, width=side, height=side, face_px=face_px, y=max(_lowest(side, face_px), 0.0)
        ),
    )


def _wearing(worn: Worn) -> Callable[[Shot], Shot]:
    return lambda shot: replace(shot, face=replace(shot.face, worn=worn))


#: Change of the shot for each value of each column of the table of poses.
CONDITIONS: Mapping[str, Mapping[str, Callable[[Shot], Shot]]] = {
    "yaw": {f"{angle}": _turned(yaw=angle) for angle in (-30, -15, 15, 30)},
    "roll": {f"{angle}": _turned(roll=angle) for angle in (-30, -15, 15, 30)},
    "face_px": {f"{size}": _sized(size) for size in (60, 100, 200, 300)},
    "worn": {worn.value: _wearing(worn) for worn in Worn if worn is not Worn.NOTHING},
}
_PLAIN = {"yaw": "0", "roll": "0", "face_px": f"{View.face_px:.0f}", "worn": Worn.NOTHING.value}


STONES = ((0.82, 0.8, 0.76), (0.6, 0.58, 0.55), (0.42, 0.4, 0.38), (0.35, 0.27, 0.16))
"""Marble, limestone, granite and bronze."""
_COVERS = (Worn.MASK, Worn.BLINDFOLD, Worn.DARK_GLASSES)


def write_unreadable(kind: Set, folder: Path, people: int) -> None:
    """Write `folder/KIND/PERSON.png`: statues and covered faces. Pictures that exist are kept."""
    changes = {"statue": _same, **{worn.value: _wearing(worn) for worn in _COVERS}}
    rng = np.random.default_rng(kind.seed)
    for number, group in enumerate(balanced_groups(people, rng)):
        label, light = (names[number % len(names)] for names in (facs.LABELS, LIGHTS))
        for name, change in changes.items():
            path = folder / name / f"{number:04d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            stone = STONES[number % len(STONES)] if name == "statue" else None
            if not path.exists():
                _write(path, picture(kind, number, group, label, light, change, stone))


def _same(shot: Shot) -> Shot:
    return shot


def write_poses(folder: Path, people: int) -> None:
    """Write `folder/CONDITION/LABEL/PERSON.png` and `folder/groups.csv`.

    The same people with the same faces are in each condition. `plain` is the reference: from the
    front, 140 px wide, nothing worn. Pictures that exist are kept.
    """
    groups = balanced_groups(people, np.random.default_rng(POSES.seed))
    shown: list[tuple[str, Mapping[str, str], Callable[[Shot], Shot]]] = [("plain", _PLAIN, _same)]
    for column, changes in CONDITIONS.items():
        for value, change in changes.items():
            shown.append((f"{column}_{value}", {column: value}, change))
    rows = []
    for condition, cells, change in shown:
        for label in facs.LABELS:
            (folder / condition / label).mkdir(parents=True, exist_ok=True)
            for number, group in enumerate(groups):
                name = f"{condition}/{label}/{number:04d}.png"
                rows.append([name, label, *(cells.get(column, "") for column in CONDITIONS)])
                if not (folder / name).exists():
                    taken = picture(POSES, number, group, label, "front", from_the_front(change))
                    _write(folder / name, taken)
    _write_table(folder, tuple(CONDITIONS), rows)


def _write_table(folder: Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with (folder / GROUPS).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["picture", "label", *columns])
        writer.writerows(rows)


def from_the_front(change: Callable[[Shot], Shot]) -> Callable[[Shot], Shot]:
    """Return a change of a shot from the front, 140 px wide, of a face without anything worn."""

    def changed(shot: Shot) -> Shot:
        view = View(gaze=shot.view.gaze)
        return change(replace(shot, view=view))

    return changed


def picture(
    kind: Set,
    number: int,
    group: Group,
    label: str,
    light: str,
    change: Callable[[Shot], Shot],
    stone: Colour | None = None,
) -> Picture:
    """Return the picture of a person with a label. It does not depend on other pictures.

    Parameters
    ----------
    stone : colour of a statue of the person; None for the person.
    """
    rng = np.random.default_rng([kind.seed, number])
    person = replace(random_person(group, kind.region, rng), stone=stone)
    worn = _random_glasses(kind.glasses, rng)
    rng = np.random.default_rng([kind.seed, number, 1 + facs.LABELS.index(label)])
    colour = WORN_COLOURS[number % len(WORN_COLOURS)]
    face = Face(facs.expression(label, rng), worn, colour)
    shot = change(Shot(face, random_view(rng), random_light(light, rng)))
    view = shot.view
    background = random_background(view.width, view.height, rng)
    drawn = render(person, shot.face, view, shot.light, background)
    noise = rng.normal(0, rng.uniform(0.5, 5), drawn.shape)
    return np.asarray(np.clip(drawn + noise, 0, 255), np.uint8)


def random_view(rng: Generator) -> View:
    """Return a view of a face 60 to 200 px wide, turned a little, in a picture of 240 px."""
    face_px = float(rng.uniform(60, 200))
    room = 0.8 * max(120 - 0.55 * face_px, 0)
    x, y = rng.uniform(-room, room), rng.uniform(max(_lowest(240, face_px), -room), room)
    return View(
        face_px=face_px,
        yaw=float(rng.uniform(-0.25, 0.25)),
        pitch=float(rng.uniform(-0.15, 0.15)),
        roll=float(rng.uniform(-0.15, 0.15)),
        x=float(x),
        y=float(y),
        gaze=(float(rng.normal(0, 0.15)), float(rng.normal(0, 0.1))),
    )


def _lowest(height: int, face_px: float) -> float:
    """Return the least `View.y` at which the bust reaches the bottom of the picture."""
    return height / 2 - 1.45 * face_px


def random_light(kind: str, rng: Generator) -> Light:
    """Return a random light of one of `LIGHTS`."""
    azimuth, elevation = {
        "front": (rng.uniform(-15, 15), rng.uniform(5, 30)),
        "left": (rng.uniform(-80, -45), rng.uniform(0, 40)),
        "right": (rng.uniform(45, 80), rng.uniform(0, 40)),
        "above": (rng.uniform(-25, 25), rng.uniform(50, 75)),
        "below": (rng.uniform(-25, 25), rng.uniform(-60, -30)),
        "dim": (rng.uniform(-40, 40), rng.uniform(0, 40)),
    }[kind]
    a, e = np.radians(azimuth), np.radians(elevation)
    direction = (float(np.sin(a) * np.cos(e)), float(np.sin(e)), float(np.cos(a) * np.cos(e)))
    dim = kind == "dim"
    return Light(
        direction=direction,
        key=float(rng.uniform(0.35, 0.5) if dim else rng.uniform(0.65, 1.05)),
        fill=float(rng.uniform(0.05, 0.12) if dim else rng.uniform(0.1, 0.35)),
        ambient=float(rng.uniform(0.1, 0.18) if dim else rng.uniform(0.15, 0.38)),
        gamma=float(np.exp(rng.uniform(0.0, 0.25) if dim else rng.uniform(-0.35, 0.35))),
    )


def _random_glasses(shares: tuple[float, float], rng: Generator) -> Worn:
    clear, dark = shares
    drawn = rng.random()
    if drawn < clear:
        return Worn.GLASSES
    return Worn.DARK_GLASSES if drawn < clear + dark else Worn.NOTHING


def _write(path: Path, picture: Picture) -> None:
    """Write a picture whole or not at all."""
    written = path.with_suffix(".part.png")
    if not cv2.imwrite(str(written), picture):
        raise OSError(f"{written} cannot be written")
    written.replace(path)
