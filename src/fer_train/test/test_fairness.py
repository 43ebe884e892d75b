"""Groups of people: read from folders and tables, and compared without being unfair to chance."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_testing.training import write_picture
from fer_train import dataset, fairness, figures
from fer_train.tables import DatasetError

LABELS = ("neutral", "smile", "sad")


def faces(rights: dict[str, tuple[int, ...]], n: int) -> fairness.Kind:
    """Compare groups with `n` faces of each label, and that many right answers of each."""
    group_of = np.repeat(list(rights), n * 2)
    truth = np.tile(np.repeat([0, 1], n), len(rights))
    answers = [np.arange(n) < right for each in rights.values() for right in each]
    said = np.where(np.concatenate(answers), truth, 1 - truth)
    return fairness.compare(group_of.tolist(), truth, said, LABELS)


def test_the_gap_is_that_of_the_best_and_the_worst_group() -> None:
    kind = faces({"dark": (70, 80), "light": (90, 90), "tan": (85, 90)}, 100)
    assert kind.labels == ("neutral", "smile")
    assert list(kind.groups) == ["dark", "light", "tan"]
    dark = kind.groups["dark"]
    assert (dark.n, dark.accuracy, dark.balanced_accuracy) == (200, 0.75, 0.75)
    assert dark.ci95[0] < 0.75 < dark.ci95[1] and dark.accuracy_ci95[0] < 0.75
    for gap in (kind.gap, kind.accuracy_gap):
        assert (gap.best, gap.worst) == ("light", "dark")
        assert gap.value == pytest.approx(0.15)
        assert 0.05 < gap.ci95[0] < 0.15 < gap.ci95[1] < 0.25
        assert gap.by_chance < 0.12


def test_few_faces_differ_by_chance() -> None:
    kind = faces({"few": (3, 4), "others": (4, 4)}, 5)
    assert kind.gap.value == pytest.approx(0.1)
    assert kind.gap.by_chance > 0.2


def test_groups_are_compared_by_the_labels_that_all_of_them_show() -> None:
    group_of = ["a", "a", "b", "b", ""]
    truth, said = np.array([0, 1, 0, 2, 1]), np.array([0, 0, 0, -1, 0])
    kind = fairness.compare(group_of, truth, said, LABELS)
    assert kind.labels == ("neutral",)
    assert kind.groups["a"].balanced_accuracy == kind.groups["b"].balanced_accuracy == 1.0
    assert kind.groups["b"].accuracy == 0.5 and kind.groups["b"].n == 2
    assert (kind.groups["a"].undecided, kind.groups["b"].undecided) == (0.0, 0.5)
    for groups in (["a", "b", "b", "b", "b"], ["a"] * 5):
        with pytest.raises(DatasetError, match="cannot be compared"):
            fairness.compare(groups, np.array([0, 1, 1, 2, 1]), said, LABELS)


def test_groups_are_in_the_order_of_their_numbers_or_of_their_text() -> None:
    for names in (["-30", "0", "9", "15"], ["15", "9", "old"]):
        kind = fairness.compare(names[::-1], *np.zeros((2, len(names)), np.int64), LABELS)
        assert list(kind.groups) == names


def test_columns_of_a_table_are_kinds_of_groups(tmp_path: Path) -> None:
    table = tmp_path / "list.csv"
    rows = [f"{k}.png,smile,{'dark' if k % 2 else 'light'},{k},," for k in range(40)]
    rows[0] = "0.png,smile,,0,night,"
    rows[1] = "1.png,smile,dark,0,day,"
    table.write_text("\n".join(("picture,label,skin,number,light,note", *rows)))
    told: list[str] = []
    kinds = fairness.in_table(table, told.append)
    assert list(kinds) == ["skin", "light"]
    assert kinds["skin"][tmp_path / "1.png"] == "dark" and kinds["skin"][tmp_path / "0.png"] == ""
    assert kinds["light"][tmp_path / "0.png"] == "night"
    assert "'number' left out: it names 39 groups" in told[0] and "'note'" in told[1]
    assert len(dataset.find(table)) == 40
    table.write_text("picture,label\na.png,smile\nb.png,sad\n")
    with pytest.raises(DatasetError, match="names no groups"):
        fairness.in_table(table, told.append)


def test_folders_are_groups(tmp_path: Path) -> None:
    for name in ("old/smile/a.png", "old/sad/b.png", "young/smile/a.png", ".git/smile/c.png"):
        write_picture(tmp_path / name)
    pictures, kinds = fairness.in_folders(tmp_path, dataset.find)
    assert sorted(kinds["group"][p.path] for p in pictures) == ["old", "old", "young"]
    write_picture(tmp_path / "old" / "neutral" / "c.png")
    for folder in ("young", "old"):
        with pytest.raises(DatasetError, match=r"two groups: .* or a table groups\.csv"):
            fairness.in_folders(tmp_path / folder, dataset.find)


def test_text_and_plot_show_every_group() -> None:
    kinds = {
        "skin": faces({"dark": (7, 8), "light": (9, 9)}, 10),
        "age": faces({f"{k}-{k + 9}": (5, k // 10) for k in range(20, 90, 10)}, 10),
    }
    text = fairness.as_text(kinds)
    assert "\ndark           20  0.750 (0.5" in text
    assert "80-89" in text and "by chance" in text and "balanced over neutral, smile" in text
    assert max(map(len, text.splitlines())) <= 80
    data = figures.encoded(figures.groups(kinds))
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None and picture.shape[1] > 900
