"""The network starts with a damaged cache of compiled code, and with a numba that does not work."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import fer_common
import fer_snn
from fer_snn.core.kernels import code_cache

INDEX, DATA = (f"compiled_layers.fade-1.py311.{suffix}" for suffix in ("nbi", "1.nbc"))


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def one_bit_changed(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def lengthened(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


DAMAGES = [emptied, cut, one_bit_changed, lengthened]


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Return a folder with two cached files, sealed, and a file of somebody else."""
    for name in (INDEX, DATA, "other._fade-1.py311.nbi"):
        (tmp_path / name).write_bytes(name.encode() * 20)
    code_cache.seal(tmp_path)
    return tmp_path


def test_a_sealed_cache_is_whole(cache: Path) -> None:
    assert code_cache.damaged(cache) == []
    assert code_cache.discard_damaged(cache)
    assert (cache / INDEX).exists()


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", [INDEX, DATA])
def test_every_damage_is_found_and_removed(
    cache: Path, name: str, damage: Callable[[Path], None]
) -> None:
    damage(cache / name)
    assert code_cache.damaged(cache) == [cache / name]
    assert code_cache.discard_damaged(cache)
    assert sorted(path.name for path in cache.glob("*.nb?")) == sorted(
        {INDEX, DATA, "other._fade-1.py311.nbi"} - {name}
    )


@pytest.mark.parametrize("text", ["", "[1", "7", '{"a": 1}', None])
def test_without_checksums_nothing_is_trusted(cache: Path, text: str | None) -> None:
    checksums = next(cache.glob("*.json"))
    checksums.unlink() if text is None else checksums.write_text(text)
    assert code_cache.damaged(cache) == [cache / DATA, cache / INDEX]
    code_cache.seal(cache)
    assert code_cache.damaged(cache) == []


def test_a_changed_source_makes_all_compiled_code_invalid(cache: Path) -> None:
    checksums = next(cache.glob("*.json"))
    known = json.loads(checksums.read_text())
    assert {"compiled.py", "compiled_layers.py", "compiled_learning.py"} <= known.keys()
    checksums.write_text(json.dumps(known | {"compiled_layers.py": 0}))
    assert code_cache.damaged(cache) == [cache / DATA, cache / INDEX]
    assert code_cache.discard_damaged(cache)
    assert [path.name for path in cache.glob("*.nb?")] == ["other._fade-1.py311.nbi"]


def test_a_cache_that_cannot_be_cleared_is_not_used(cache: Path) -> None:
    (cache / INDEX).unlink()
    (cache / INDEX).mkdir()
    assert not code_cache.discard_damaged(cache)


def python(code: str, **environment: str) -> str:
    """Run code that can import fer_snn; return what it prints."""
    packages = [str(Path(package.__file__).parents[1]) for package in (fer_snn, fer_common)]
    path = os.pathsep.join([environment.pop("first", ""), *packages, *sys.path])
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
        timeout=500,
    )
    return ended.stdout


WARM_UP = """
from fer_snn.core.kernels import interface
print(interface.problem(), interface.choose().__name__, interface.choose(False).__name__)
"""

CACHE_FOLDER = "from fer_snn.core.kernels import code_cache; print(code_cache.cache_folder())"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("raise ImportError('Numba needs NumPy 2.3 or less')", "Numba needs NumPy 2.3 or less"),
        ("raise SystemError('initialisation failed')", "initialisation failed"),
        ("", "AttributeError"),
        ("import llvmlite_of_no_machine", "llvmlite_of_no_machine is not installed"),
    ],
)
def test_plain_kernels_take_the_place_of_a_numba_that_does_not_work(
    tmp_path: Path, text: str, reason: str
) -> None:
    (tmp_path / "numba").mkdir()
    (tmp_path / "numba" / "__init__.py").write_text(text)
    said = python(WARM_UP, first=str(tmp_path))
    assert reason in said
    assert said.count("kernels.reference") == 2


@pytest.mark.timeout(1200)
def test_the_network_starts_with_a_damaged_cache(tmp_path: Path) -> None:
    folder = Path(python(CACHE_FOLDER, NUMBA_CACHE_DIR=str(tmp_path)).strip())
    # To compile everything takes a quarter of a minute, and the set-up has done it.
    if compiled := code_cache.cache_folder():
        shutil.copytree(compiled, folder, dirs_exist_ok=True)
    said = [python(WARM_UP, NUMBA_CACHE_DIR=str(tmp_path))]
    damages = {"fade": emptied, "adapt": cut, "excite": one_bit_changed}
    for name, damage in damages.items():
        for suffix in ("nbi", "nbc"):
            for path in tmp_path.rglob(f"compiled*.{name}-*.{suffix}"):
                damage(path)
    assert {path.parent for path in tmp_path.rglob("*.nbi")} == {folder}
    assert len(code_cache.damaged(folder)) >= 2 * len(damages)
    said.append(python(WARM_UP, NUMBA_CACHE_DIR=str(tmp_path)))
    for line in said:
        assert line.startswith("None fer_snn.core.kernels.compiled")
    assert code_cache.damaged(folder) == []
