"""How well groups of people are recognised, and how far the groups are apart.

The gap of a kind of groups, say of age, is the difference between its best and its worst group. Its
interval comes from a bootstrap: the faces of each group and label are drawn again. Where faces are
few, groups differ although the network treats them alike. So the report also has the gap by chance:
the 95 % quantile of the gap if the faces of each label are dealt to the groups at random.

Groups that show other labels are compared by the labels that all of them show.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fer_train.dataset import LABEL_COLUMNS, LabelledPicture, Warn
from fer_train.metrics import SAMPLES, Floats, Ints, Shares, mean_recall_interval
from fer_train.tables import Columns, DatasetError

FILE = "groups.csv"
"""Table of the groups of a folder of classes."""
FOLDERS = "group"
"""Name of the kind of groups that folders are."""
MAX_GROUPS = 30
"""A column with more different texts names no groups."""
NEEDS = "columns 'picture', 'label' and one for each kind of group"

GroupOf = Mapping[Path, str]
"""The group of each picture; empty for none."""


def in_table(table: Path, warn: Warn) -> dict[str, GroupOf]:
    """Return the groups of the pictures of a table, for each column that names groups.

    Raises
    ------
    DatasetError
        if no column does.
    """
    read = Columns.read(table, NEEDS)
    kinds: dict[str, GroupOf] = {}
    for k, name in enumerate(read.names):
        groups = {path: cells[k] for path, cells in read.cells.items()}
        count = len(set(groups.values()) - {""})
        if name.lower() in LABEL_COLUMNS:
            continue
        if 1 < count <= MAX_GROUPS:
            kinds[name] = groups
        else:
            warn(
                f"{table}: column '{name}' left out: it names {count} groups, not 2 to {MAX_GROUPS}"
            )
    if not kinds:
        raise DatasetError(f"{table} names no groups: it needs {NEEDS}")
    return kinds


def in_folders(
    folder: Path, find: Callable[[Path], list[LabelledPicture]]
) -> tuple[list[LabelledPicture], dict[str, GroupOf]]:
    """Return the pictures of FOLDER/group/label, and their groups.

    Raises
    ------
    DatasetError
        if there are not two groups with folders of labels.
    """
    groups = sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")
    flat = any(not any(below.is_dir() for below in group.iterdir()) for group in groups)
    if len(groups) < 2 or flat:  # noqa: PLR2004 (there is nothing to compare)
        raise DatasetError(
            f"{folder} does not hold two groups: it needs folders group/label/picture, or a table "
            f"{FILE} with {NEEDS}"
        )
    found = {group.name: find(group) for group in groups}
    group_of = {picture.path: name for name, pictures in found.items() for picture in pictures}
    return [picture for pictures in found.values() for picture in pictures], {FOLDERS: group_of}


@dataclass(frozen=True)
class Group:
    """Results of a group: shares of right answers with 95 % intervals, and of undecided ones."""

    n: int
    undecided: float
    accuracy: float
    accuracy_ci95: tuple[float, float]
    balanced_accuracy: float
    ci95: tuple[float, float]


@dataclass(frozen=True)
class Gap:
    """Difference between the best and the worst group.

    Attributes
    ----------
    value, ci95 : the difference, and its 95 % bootstrap interval.
    by_chance : 95 % quantile of the difference of groups that are treated alike.
    best, worst : names of the groups.
    """

    value: float
    ci95: tuple[float, float]
    by_chance: float
    best: str
    worst: str


@dataclass(frozen=True)
class Kind:
    """Results of a kind of groups, by `Evaluation`'s names.

    Attributes
    ----------
    labels : the labels over which the balanced accuracy is a mean.
    groups : results by name.
    accuracy_gap, gap : difference between groups in accuracy, and in balanced accuracy.
    """

    labels: tuple[str, ...]
    groups: Mapping[str, Group]
    accuracy_gap: Gap
    gap: Gap


def compare(group_of: Sequence[str], truth: Ints, said: Ints, labels: Sequence[str]) -> Kind:
    """Compare groups.

    Parameters
    ----------
    group_of : group of each face (faces); empty for none.
    truth, said : index in `labels` of the true label, and of the answer; -1 for undecided (faces).

    Raises
    ------
    DatasetError
        if the faces are not of two groups that show the same label.
    """
    names = _in_order(set(group_of) - {""})
    total = np.zeros((len(names), len(labels)), np.int64)
    right, undecided = np.zeros_like(total), np.zeros(len(names), np.int64)
    place = {name: k for k, name in enumerate(names)}
    for name, true, answer in zip(group_of, truth, said, strict=True):
        if name:
            total[place[name], true] += 1
            right[place[name], true] += true == answer
            undecided[place[name]] += answer < 0
    shared = np.flatnonzero(total.all(axis=0))
    if len(names) < 2 or not len(shared):  # noqa: PLR2004 (there is nothing to compare)
        raise DatasetError(
            f"the groups {', '.join(names)} cannot be compared: two or more have to show one label"
        )
    whole = Shares.of(right.sum(axis=1), total.sum(axis=1))
    own, balanced = total[:, shared], _balanced(right[:, shared], total[:, shared])
    groups = {
        name: Group(
            n=int(total[k].sum()),
            undecided=float(undecided[k] / total[k].sum()),
            accuracy=float(whole.value[k]),
            accuracy_ci95=(float(whole.low[k]), float(whole.high[k])),
            balanced_accuracy=float(balanced[k]),
            ci95=mean_recall_interval(right[k, shared], own[k]),
        )
        for k, name in enumerate(names)
    }
    return Kind(
        tuple(labels[k] for k in shared.tolist()),
        groups,
        _gap(names, right, total, _accuracy),
        _gap(names, right[:, shared], own, _balanced),
    )


def _in_order(names: set[str]) -> list[str]:
    """Return names by number if all of them are numbers, else by text."""
    try:
        return sorted(names, key=float)
    except ValueError:
        return sorted(names)


def _accuracy(right: Ints, total: Ints) -> Floats:
    """Return the accuracy of each group (..., groups), given counts (..., groups, labels)."""
    return np.asarray(right.sum(axis=-1) / total.sum(axis=-1))


def _balanced(right: Ints, total: Ints) -> Floats:
    """Return the mean recall of each group (..., groups), given counts (..., groups, labels)."""
    return np.asarray((right / total).mean(axis=-1))


def _gap(
    names: Sequence[str], right: Ints, total: Ints, figure: Callable[[Ints, Ints], Floats]
) -> Gap:
    rng = np.random.default_rng(0)
    now = figure(right, total)
    again = rng.binomial(total, right / np.maximum(total, 1), (SAMPLES, *total.shape))
    low, high = np.quantile(np.ptp(figure(again, total), axis=1), (0.025, 0.975))
    dealt = [
        rng.multivariate_hypergeometric(of_label, n_right, SAMPLES)
        for of_label, n_right in zip(total.T, right.sum(axis=0), strict=True)
    ]
    alike = np.ptp(figure(np.stack(dealt, axis=-1), total), axis=1)
    value = float(np.ptp(now))
    return Gap(
        value,
        (min(float(low), value), max(float(high), value)),
        float(np.quantile(alike, 0.95)),
        names[int(now.argmax())],
        names[int(now.argmin())],
    )


def as_text(kinds: Mapping[str, Kind]) -> str:
    """Return tables of the groups."""
    lines = []
    for name, kind in kinds.items():
        width = max(len("by chance"), len(name), *map(len, kind.groups))
        lines += [
            "",
            f"{name:<{width}}   faces  {'accuracy (95 %)':<25}{'balanced accuracy':<25}undecided",
        ]
        for group, each in kind.groups.items():
            accuracy = with_interval(each.accuracy, each.accuracy_ci95)
            balanced = with_interval(each.balanced_accuracy, each.ci95)
            lines.append(
                f"{group:<{width}}  {each.n:>6}  {accuracy}  {balanced}  {each.undecided:.3f}"
            )
        gaps = kind.accuracy_gap, kind.gap
        both = "  ".join(with_interval(gap.value, gap.ci95) for gap in gaps)
        chance = "  ".join(f"up to {gap.by_chance:<17.3f}" for gap in gaps)
        lines += [
            f"{'gap':<{width}}  {'':6}  {both}",
            f"{'by chance':<{width}}  {'':6}  {chance.rstrip()}",
            f"balanced over {', '.join(kind.labels)}",
        ]
    return "\n".join(lines[1:])


def with_interval(value: float, bounds: tuple[float, float]) -> str:
    """Return a share with its interval as text."""
    return f"{value:.3f} ({bounds[0]:.3f} to {bounds[1]:.3f})"
