"""What `fer up` says when a node cannot start."""

from __future__ import annotations

import pytest

from fer.commands.up import EXIT_BROKEN, EXIT_CONFIGURATION, as_error
from fer.processes.supervisor import Failure


@pytest.mark.parametrize(
    "line",
    [
        "[ERROR] weights are missing",
        "[ERROR] [1795362564.717827216] [fer.snn]: weights are missing",
        "error: weights are missing",
    ],
)
def test_the_reason_is_the_nodes_own(line: str) -> None:
    error = as_error(Failure("snn", 2, ("[INFO] hello", line, "[INFO] bye")))
    assert str(error) == "node 'snn' cannot start: weights are missing"
    assert error.exit_code == EXIT_CONFIGURATION


def test_an_end_without_a_word_is_told_as_it_is() -> None:
    error = as_error(Failure("launch", 1, ()))
    assert str(error) == "'launch' ended with exit code 1: it left no message"
    assert error.exit_code == EXIT_BROKEN
