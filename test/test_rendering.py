"""Rendered heads: geometry in closed form, honest splits, and what the pictures show."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_features.core.pipeline import FeaturePipeline
from fer_testing.rendering import facs, sets
from fer_testing.rendering.looks import Face, Light, Person, View, Worn
from fer_testing.rendering.mesh import mesh
from fer_testing.rendering.people import (
    AGES,
    GENDERS,
    SKINS,
    SPLIT_BY,
    Group,
    Region,
    balanced_groups,
    random_details,
    random_person,
)
from fer_testing.rendering.raster import interpolate, rasterise
from fer_testing.rendering.renderer import render

VIEW = View(face_px=120)
GREY = np.full((VIEW.height, VIEW.width, 3), 0.5, np.float32)


@pytest.fixture(scope="module")
def person() -> Person:
    group = Group("medium", "female", "young")
    return random_person(group, Region.TESTING, np.random.default_rng(0))


def shown(person: Person, face: Face, view: View = VIEW, light: Light | None = None) -> np.ndarray:
    return render(person, face, view, light or Light(), GREY).astype(int)


def test_the_nearer_triangle_is_seen_and_values_are_linear_in_it() -> None:
    corners = [(0, 0), (8, 0), (0, 8)]
    points = np.array(corners + corners, np.float32)
    depth = np.array([2, 2, 2, 3, 1, 3], np.float32)
    triangles = np.array([[0, 1, 2], [3, 4, 5]])
    nearest, inside, distance = rasterise(points, depth, triangles, 10, 10)
    x, y = np.meshgrid(np.arange(10) + 0.5, np.arange(10) + 0.5)
    covered = x + y <= 8
    # The second lies from 3 at the left to 1 at the right, before the first from x = 4 on.
    assert np.array_equal(nearest, np.where(covered, np.where(x > 4, 1, 0), -1))
    np.testing.assert_allclose(distance[covered], np.minimum(2, 3 - x / 4)[covered], rtol=1e-6)
    assert np.isinf(distance[~covered]).all()
    values = interpolate(points, triangles, nearest[covered], inside[covered])
    np.testing.assert_allclose(values, np.stack([x[covered], y[covered]], axis=1), atol=1e-5)


@pytest.mark.parametrize("label", facs.LABELS)
def test_units_of_a_label_are_known_and_move_the_face(label: str) -> None:
    for seed in range(30):
        units = facs.expression(label, np.random.default_rng(seed))
        moved = np.abs(mesh().expression(facs.shapes(units)))
        assert moved.max() < 1.0
        if label != "neutral":
            assert moved.max() > 0.03, units


def test_contempt_is_on_one_side_and_the_others_are_on_both() -> None:
    corners = (mesh().lip > 0.3) & (np.abs(mesh().base[:, 0]) > 0.2)
    for label in set(facs.LABELS) - {"neutral"}:
        for units in facs.PROTOTYPES[label]:
            up = mesh().expression(facs.shapes(units))[corners, 1]
            left = mesh().base[corners, 0] > 0
            sides = np.abs(up[left]).mean(), np.abs(up[~left]).mean()
            assert (max(sides) > 3 * min(sides)) == (label == "contempt"), (label, units)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_no_identity_is_in_both_regions(seed: int, age: float) -> None:
    race = np.array([0.2, 0.3, 0.5], np.float32)
    for region in Region:
        details = random_details(race, age, region, np.random.default_rng(seed))
        amounts = [details[name] for name in SPLIT_BY]
        assert np.sign(amounts).prod() == region.value
        assert min(map(abs, amounts)) >= 0.25
        assert set(details) <= set(mesh().detail_names)


def test_groups_are_balanced() -> None:
    groups = balanced_groups(60, np.random.default_rng(0))
    for names, column in (
        (SKINS, [group.skin for group in groups]),
        (GENDERS, [group.gender for group in groups]),
        (AGES, [group.age for group in groups]),
    ):
        assert set(Counter(column).values()) == {60 // len(names)}


def test_a_set_has_its_first_people_and_more_with_each_skin_under_every_light() -> None:
    kind = sets.TESTING
    first, cast = sets.cast_of(kind, kind.people), sets.cast_of(kind)
    assert cast.groups[: kind.people] == first.groups
    more = cast.groups[kind.people :]
    assert set(Counter(more).values()) == {48 // (len(GENDERS) * len(AGES))}
    for label, lights in cast.lights.items():
        assert lights[: kind.people] == first.lights[label]
        of_more = zip((group.skin for group in more), lights[kind.people :], strict=True)
        assert set(Counter(of_more).values()) == {48 // len(sets.LIGHTS)}


def test_lighter_skins_are_brighter() -> None:
    def brightness(skin: str) -> float:
        group = Group(skin, "male", "young")
        people = [
            random_person(group, Region.TRAINING, np.random.default_rng(k)) for k in range(20)
        ]
        return float(np.mean([person.skin for person in people]))

    values = [brightness(skin) for skin in SKINS]
    assert values == sorted(values)


def test_light_comes_from_its_side(person: Person) -> None:
    middle = slice(80, 160)
    for side in (-1, 1):
        picture = shown(person, Face(), light=Light(direction=(side, 0.2, 0.5), fill=0.0))
        left, right = picture[middle, 85:115].mean(), picture[middle, 125:155].mean()
        assert (right - left) * side > 20


def test_a_mask_hides_the_mouth_and_a_blindfold_the_eyes(person: Person) -> None:
    frown = {"15": 1.0, "20": 1.0}

    def changed(worn: Worn) -> int:
        pictures = [shown(person, Face(units, worn)) for units in (frown, {})]
        return int((np.abs(pictures[0] - pictures[1]) > 30).sum())

    # The cheeks beside the mask still move a little.
    assert changed(Worn.MASK) < 0.2 * changed(Worn.NOTHING)
    aside = replace(VIEW, gaze=(0.8, 0.0))
    assert np.abs(shown(person, Face(), aside) - shown(person, Face())).max() > 30
    blind, aside_too = (shown(person, Face(worn=Worn.BLINDFOLD), v) for v in (VIEW, aside))
    assert np.array_equal(blind, aside_too)


def test_glasses_are_before_the_eyes(person: Person) -> None:
    plain, dark = (shown(person, Face(worn=worn)) for worn in (Worn.NOTHING, Worn.DARK_GLASSES))
    changed = np.abs(dark - plain).max(axis=2) > 30
    face = FeaturePipeline().process_still(plain.astype(np.uint8))[0]
    for x, y in face.landmarks_px[:2]:
        assert changed[int(y) - 5 : int(y) + 5, int(x) - 5 : int(x) + 5].mean() > 0.5
    assert not changed[int(face.landmarks_px[2, 1]) + 10 :].any()


def written(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.*"))}


def test_statues_have_one_colour_and_covers_differ(tmp_path: Path) -> None:
    sets.write_unreadable(sets.TRAINING, tmp_path, 1)
    kinds = {path.parent.name: path for path in tmp_path.rglob("*.png")}
    assert sorted(kinds) == ["blindfold", "dark_glasses", "mask", "statue"]
    assert len({path.read_bytes() for path in kinds.values()}) == len(kinds)


def test_stone_hides_brows_lips_and_eyes(person: Person) -> None:
    stone = shown(replace(person, stone=(0.6, 0.6, 0.6)), Face())
    face = stone[60:160, 90:150]
    # Living skin is redder, and its parts differ in colour.
    assert np.abs(face[..., 0] - face[..., 2]).mean() < 12
    assert np.abs(shown(person, Face())[60:160, 90:150, 0] - face[..., 0]).mean() > 12


def test_a_set_is_reproducible_and_can_be_continued(tmp_path: Path) -> None:
    sets.write(sets.TESTING, tmp_path / "a", 1)
    sets.write(sets.TESTING, tmp_path / "b", 1)
    first = written(tmp_path / "a")
    assert written(tmp_path / "b") == first
    (tmp_path / "a" / "sad" / "0000.png").unlink()
    sets.write(sets.TESTING, tmp_path / "a", 1)
    assert written(tmp_path / "a") == first
    with (tmp_path / "a" / sets.GROUPS).open() as file:
        rows = list(csv.DictReader(file))
    assert [row["label"] for row in rows] == list(facs.LABELS)
    assert all((tmp_path / "a" / row["picture"]).exists() for row in rows)


@pytest.mark.parametrize("column", sets.CONDITIONS)
def test_the_detector_finds_the_faces_of_the_pose_sets(column: str) -> None:
    group = Group("dark", "male", "old")
    for value, change in sets.CONDITIONS[column].items():
        front = sets.from_the_front(change)
        picture = sets.picture(sets.POSES, 0, group, "angry", "front", front)
        # A face whose eyes are covered need not be found.
        found = FeaturePipeline().process_still(picture)
        assert found or value == Worn.BLINDFOLD.value, value


def test_the_table_of_poses_has_the_plain_faces_in_each_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {"yaw": {"30": sets.CONDITIONS["yaw"]["30"]}, "worn": {}}
    monkeypatch.setattr(sets, "CONDITIONS", changes)
    sets.write_poses(tmp_path, 1)
    with (tmp_path / sets.GROUPS).open() as file:
        rows = list(csv.DictReader(file))
    assert all((tmp_path / row["picture"]).exists() for row in rows)
    cells = Counter((row["yaw"], row["worn"]) for row in rows)
    assert cells == {("0", "nothing"): 8, ("30", ""): 8}
