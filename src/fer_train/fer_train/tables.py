"""Tables about pictures: CSV files with one line for each picture.

Pictures are named relative to the table. The delimiter may also be a semicolon, a tab or a vertical
bar.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fer_common.core.errors import FerError

DELIMITERS = ",;\t|"
SNIFFED_CHARACTERS = 4096
PICTURE = "picture"
"""Name of the column with the pictures."""


class DatasetError(FerError):
    """Pictures or a table that cannot be used."""


def rows(table: Path, needs: str) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and cells of every line of a table that is not blank.

    Raises
    ------
    DatasetError
        if it is no CSV; the message says that it `needs` something else.
    """
    try:
        data = table.read_bytes()
        utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = data.decode("utf-16" if utf16 else "utf-8-sig")
        lines = io.StringIO(text, newline="")
        first = lines.readline()
        if not first.startswith("sep="):
            lines.seek(0)
        reader = csv.reader(lines, _dialect(text))
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield reader.line_num + first.startswith("sep="), cells
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(
            f"{table} cannot be read as CSV ({error}): it needs {needs} in UTF-8"
        ) from error


def _dialect(text: str) -> type[csv.Dialect]:
    class Dialect(csv.excel):
        skipinitialspace = True
        strict = True

    if text.startswith("sep="):
        Dialect.delimiter = text[4:5]
        return Dialect
    try:
        sniffed = csv.Sniffer().sniff(text[:SNIFFED_CHARACTERS], DELIMITERS)
        Dialect.delimiter, Dialect.quotechar = sniffed.delimiter, sniffed.quotechar
    except csv.Error:
        # A table of one line, or with no delimiter at all.
        pass
    return Dialect


def path_in(table: Path, name: str) -> Path:
    """Return the path of a picture that a table names, also with the separators of Windows."""
    path = table.parent / name
    if "\\" in name and not path.exists():
        path = table.parent / name.replace("\\", "/")
    return path


@dataclass(frozen=True)
class Columns:
    """A table with a header, which has one column with pictures and others about them.

    Attributes
    ----------
    names : names of the other columns.
    cells : cells of these columns, by picture.
    """

    names: tuple[str, ...]
    cells: Mapping[Path, tuple[str, ...]]

    @staticmethod
    def read(table: Path, needs: str) -> Columns:
        """Read a table.

        Raises
        ------
        DatasetError
            if it cannot be read, has no such header, or names a picture twice.
        """
        lines = rows(table, needs)
        _, header = next(lines, (0, []))
        names = [name.lower() for name in header]
        if PICTURE not in names or len(set(names)) != len(names):
            raise DatasetError(
                f"{table}: the first line must name the columns, one of them '{PICTURE}' and each "
                f"once: it needs {needs}"
            )
        where, cells = names.index(PICTURE), {}
        for number, line in lines:
            if len(line) != len(header):
                raise DatasetError(
                    f"{table}, line {number}: {len(line)} cells, but {len(header)} columns"
                )
            path = path_in(table, line[where])
            if path in cells:
                raise DatasetError(
                    f"{table}, line {number}: '{line[where]}' stands above too: remove one line"
                )
            cells[path] = (*line[:where], *line[where + 1 :])
        return Columns((*header[:where], *header[where + 1 :]), cells)
