"""Fixtures of the tests of faults."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fer_faults import ledger as book
from fer_faults import machine
from fer_faults.graph import Up

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "test" / "reliability.json"


@pytest.fixture(scope="session")
def ledger(request: pytest.FixtureRequest) -> Iterator[book.Ledger]:
    """The book of all trials; written into the page with --figures."""
    ledger = book.Ledger()
    yield ledger
    if request.config.getoption("--figures"):
        ledger.rows = book.load(RESULTS) | ledger.rows
        ledger.save(RESULTS)
        text = book.table(list(ledger.rows.values()), machine.facts())
        book.write_page(ROOT / book.PAGE, text)


@pytest.fixture(autouse=True)
def modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let processes find the package of these tests."""
    path = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(ROOT / "test"), path))))


@pytest.fixture
def cameras(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder below /dev in which a file is a camera, see `fer_faults.camera_process`."""
    folder = Path(tempfile.mkdtemp(prefix="fer-test-", dir="/dev/shm"))
    monkeypatch.setenv("FER_FAULTS_CAMERAS", str(folder))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def up(ros_domain: int, tmp_path: Path) -> Iterator[Up]:
    """`fer up`, not yet started."""
    up = Up(ros_domain, tmp_path)
    yield up
    up.close()
