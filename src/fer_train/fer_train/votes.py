"""Votes: what several people said of each picture.

A folder of classes may hold a table `votes.csv` with the column `picture`, and one column for each
label with the number of people who named it:

    picture,neutral,happiness,sadness,unknown
    ambiguous/0001.png,4,0,5,1
    neutral/0002.png,9,1,0,0

The share of a label is its number of votes over those of all labels that are learnt. Other columns
do not count. A folder whose name is no column, such as `ambiguous` here, holds pictures without a
label of their own, which can be used for their votes alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fer_snn.core.labels import canonical
from fer_snn.core.neurons.lif import Float32s
from fer_train.dataset import LabelledPicture
from fer_train.tables import Columns, DatasetError

FILE = "votes.csv"
NEEDS = "a column 'picture' and one column of numbers for each label"


@dataclass(frozen=True)
class Votes:
    """The votes for the pictures of a folder.

    Attributes
    ----------
    table : the file that they were read from.
    columns : label of each column; not all of them need to be labels.
    cells : number of votes for each of them, as text, by picture.
    """

    table: Path
    columns: tuple[str, ...]
    cells: Mapping[Path, tuple[str, ...]]

    @staticmethod
    def of(folder: Path) -> Votes | None:
        """Read the votes for the pictures of a folder; None if there are none.

        Raises
        ------
        DatasetError
            if the table cannot be read.
        """
        table = folder / FILE
        if not table.is_file():
            return None
        read = Columns.read(table, NEEDS)
        columns = tuple(map(canonical, read.names))
        twice = sorted({name for name in columns if columns.count(name) > 1})
        if twice:
            raise DatasetError(f"{table}: two columns are {', '.join(twice)}: join them")
        return Votes(table, columns, read.cells)

    def shares(self, pictures: Sequence[LabelledPicture], labels: Sequence[str]) -> Float32s:
        """Return the share of each label in each picture (pictures, labels), sum 1.

        Pictures without a vote for one of these labels have shares of 0.

        Raises
        ------
        DatasetError
            if something other than numbers of votes is found.
        """
        known = [k for k, label in enumerate(labels) if label in self.columns]
        columns = [self.columns.index(labels[k]) for k in known]
        counts = np.zeros((len(pictures), len(labels)))
        for row, picture in zip(counts, pictures, strict=True):
            if cells := self.cells.get(picture.path):
                row[known] = [self._votes(cells[k], picture.path) for k in columns]
        total = counts.sum(axis=1, keepdims=True)
        return np.divide(counts, total, where=total > 0, out=counts).astype(np.float32)

    def _votes(self, cell: str, path: Path) -> float:
        try:
            votes = float(cell or 0)
        except ValueError:
            votes = math.nan
        if not 0 <= votes < math.inf:
            picture = "/".join(path.parts[-2:])
            raise DatasetError(
                f"{self.table}: {picture} has '{cell}' votes: give numbers of 0 or more"
            )
        return votes

    def usable(
        self, pictures: Sequence[LabelledPicture], labels: Sequence[str]
    ) -> tuple[list[LabelledPicture], list[Path]]:
        """Return the pictures that can be used for these labels, and those that lack votes.

        Usable are the pictures of the labels, and those that are in no folder of a label.
        """
        candidates = [p for p in pictures if p.label in labels or p.label not in self.columns]
        voted = self.shares(candidates, labels).sum(axis=1) > 0
        both = list(zip(candidates, voted, strict=True))
        return [p for p, has in both if has], [p.path for p, has in both if not has]
