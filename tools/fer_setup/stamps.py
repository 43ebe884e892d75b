"""What a set-up was made from, and whether all of it is still there.

Each stage of the set-up owns one entry in a JSON file: a key that hashes its inputs, and an
inventory of the files it made. The entry is dropped before a stage starts and written when it has
ended, so an interrupted stage has none.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

IGNORED_FOLDERS = frozenset({"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"})

OWNER_STAGE = "workspace"
"""Stands from the first build of `./fer` on: build/ and install/ are not colcon's by hand."""

Inventory = dict[str, int]


class Stamps:
    """The entries of all stages, kept in one file that is replaced as a whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries = self._read()

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            entries = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return entries if isinstance(entries, dict) else {}

    def get(self, stage: str) -> dict[str, Any]:
        """Return the entry of a stage, empty when it never ended."""
        return self._entries.get(stage, {})

    def drop(self, stage: str) -> None:
        """Forget a stage, before anything it made is touched."""
        if self._entries.pop(stage, None) is not None:
            self._write()

    def clear(self) -> None:
        """Forget all stages."""
        self._entries.clear()
        self._write()

    def put(self, stage: str, **entry: Any) -> None:
        """Record that a stage has ended."""
        self._entries[stage] = entry
        self._write()

    def _write(self) -> None:
        self._path.parent.mkdir(exist_ok=True)
        temporary = self._path.with_suffix(".tmp")
        temporary.write_text(json.dumps(self._entries), encoding="utf-8")
        temporary.replace(self._path)


def digest(*parts: str, contents: Iterable[Path] = ()) -> str:
    """Hash strings and the contents of files (a missing file counts as such) to a short key."""
    sha = hashlib.sha256()
    for part in parts:
        sha.update(part.encode() + b"\0")
    for path in contents:
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            data = b"\0missing"
        sha.update(f"{path.name}\0{len(data)}\0".encode() + data)
    return sha.hexdigest()[:32]


def list_files(folder: Path) -> list[str]:
    """List the files under a folder by relative name, sorted, without caches and hidden ones."""
    names = []
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in IGNORED_FOLDERS and name[0] != "."]
        relative = Path(parent).relative_to(folder)
        names += [str(relative / name) for name in files if name[0] != "."]
    return sorted(names)


def take_inventory(folder: Path) -> Inventory:
    """Count the files in every folder below `folder`; byte code, which comes and goes, is left out.

    The counts tell in some 30 ms for 20,000 files that something was deleted by hand.
    """
    counts: Inventory = {}
    pending = [""]
    while pending:
        relative = pending.pop()
        count = 0
        try:
            with os.scandir(folder / relative) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if entry.name not in IGNORED_FOLDERS:
                            pending.append(f"{relative}{entry.name}/")
                    else:
                        count += 1
        except OSError:
            continue
        counts[relative] = count
    return counts


def is_complete(folder: Path, recorded: Inventory) -> bool:
    """Tell whether a folder still has at least the files of a recorded inventory."""
    found = take_inventory(folder)
    return all(found.get(name, -1) >= count for name, count in recorded.items())
