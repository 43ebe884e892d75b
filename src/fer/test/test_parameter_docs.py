"""The files that are made from the parameter tables are what the tables say."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer.bringup.graph import parameter_tables
from fer.bringup.parameter_docs import main, rendered
from fer_common.core.parameter_files import read_parameter_file

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("path", ["config/fer.yaml", "docs/parameters.md", "docs/arguments.md"])
def test_committed_files_equal_the_tables(path: str) -> None:
    expected = rendered(parameter_tables())[Path(path)]
    assert (ROOT / path).read_text(encoding="utf-8") == expected, (
        "run `python -m fer.bringup.parameter_docs` at the root"
    )


def test_the_written_parameter_file_holds_every_default(tmp_path: Path) -> None:
    assert main([str(tmp_path)]) == 0
    tables = parameter_tables()
    given = read_parameter_file(tmp_path / "config" / "fer.yaml", tables)
    assert given == {node: table.defaults() for node, table in tables.items()}


def test_every_parameter_has_a_description_and_every_number_a_range() -> None:
    for node, table in parameter_tables().items():
        for parameter in table:
            assert parameter.description.endswith("."), f"{node}.{parameter.name}"
            if parameter.element_type in (int, float):
                assert parameter.range_text, f"{node}.{parameter.name} has no range"
