"""Renders the demo clip and its labels."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from fer_testing.rendering import facs
from fer_testing.rendering.backgrounds import room
from fer_testing.rendering.looks import Face, Light, Person, View
from fer_testing.rendering.people import Group, Region, random_person
from fer_testing.rendering.renderer import Picture, render
from fer_testing.rendering.timeline import EXPRESSIONS, PERSON_FRAMES, RATE_HZ, moments

WIDTH, HEIGHT = 640, 480
#: Group and seed of each person.
CAST = (
    (Group("light", "male", "young"), 7),
    (Group("medium", "female", "young"), 7),
    (Group("very_dark", "male", "middle"), 2),
    (Group("very_light", "female", "middle"), 2),
    (Group("medium", "male", "old"), 9),
    (Group("dark", "female", "young"), 5),
    (Group("light", "female", "old"), 3),
)
_SEED = 40
_BLINK_EVERY, _BLINK_FRAMES = 73, (10, 11, 12)


def write(folder: Path) -> None:
    """Write `folder/demo.mp4` and `folder/demo_labels.csv`."""
    folder.mkdir(parents=True, exist_ok=True)
    kind = cv2.VideoWriter.fourcc(*"mp4v")
    written = folder / "demo.part.mp4"
    video = cv2.VideoWriter(str(written), kind, RATE_HZ, (WIDTH, HEIGHT))
    if not video.isOpened():
        raise OSError(f"{written} cannot be written: OpenCV has no MPEG-4 encoder here")
    with (folder / "demo_labels.csv").open("w", newline="") as file:
        labels = csv.writer(file, lineterminator="\n")
        labels.writerow(["frame", "identity", "label", *(f"w_{name}" for name in EXPRESSIONS)])
        for k in range(len(CAST)):
            person = member(k)
            for number, (label, shown) in enumerate(moments(k), k * PERSON_FRAMES):
                video.write(picture(person, k, number, shown))
                labels.writerow([number, k, label, *(round(value, 3) for value in shown.values())])
    video.release()
    written.replace(folder / "demo.mp4")


def member(k: int) -> Person:
    """Return person k of the cast."""
    group, seed = CAST[k]
    return random_person(group, Region.TESTING, np.random.default_rng([_SEED, k, seed]))


def picture(person: Person, k: int, number: int, shown: Mapping[str, float]) -> Picture:
    """Return frame `number` of the clip, in which person k shows expressions, 0 to 1 each."""
    units: dict[str, float] = {}
    for name, amount in shown.items():
        choices = facs.PROTOTYPES[name]
        for unit, share in choices[k % len(choices)].items():
            units[unit] = units.get(unit, 0.0) + amount * share
    wide_eyed = max(shown["surprised"], shown["afraid"]) > 0.2
    if number % _BLINK_EVERY in _BLINK_FRAMES and not wide_eyed:
        units["43"] = 1.0
    time_s = number / RATE_HZ
    view = View(
        width=WIDTH,
        height=HEIGHT,
        face_px=210.0,
        yaw=0.16 * np.sin(1.3 * time_s),
        pitch=0.05 * np.sin(0.9 * time_s),
        roll=-0.05 * np.sin(0.7 * time_s),
        x=18 * np.sin(0.5 * time_s),
        y=6 * np.sin(0.8 * time_s),
        gaze=(0.15 * np.sin(time_s), 0.0),
    )
    background = room(WIDTH, HEIGHT, np.random.default_rng([_SEED, k]))
    drawn = render(person, Face(units), view, Light(), background)
    noise = np.random.default_rng([_SEED, k, number]).normal(0, 1.5, drawn.shape)
    return np.asarray(np.clip(drawn + noise, 0, 255), np.uint8)
