"""What the tests of faults and of fuzzing share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fer_faults import ledger as book
from fer_faults import machine

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "test" / "reliability.json"


@pytest.fixture(scope="session")
def ledger(request: pytest.FixtureRequest) -> Iterator[book.Ledger]:
    """The book of all trials; written into the page with --figures."""
    ledger = book.Ledger(timed=request.config.getoption("--long"))
    yield ledger
    if request.config.getoption("--figures"):
        ledger.rows = book.load(RESULTS) | ledger.rows
        ledger.save(RESULTS)
        text = book.table(list(ledger.rows.values()), machine.facts())
        book.write_page(ROOT / book.PAGE, text)
