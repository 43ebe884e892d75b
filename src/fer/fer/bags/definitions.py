"""Message definitions as bags hold them: the text of a type and of all types that it is made of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from rosbags.interfaces import Nodetype
from rosbags.typesys import TypesysError, get_types_from_msg

from fer.bags.topics import BagError


def definition(type_name: str) -> str:
    """Return the definition of a message type, followed by those of the types within it.

    Raises
    ------
    BagError
        if a package or its .msg file is not installed.
    """
    texts: dict[str, str] = {}
    pending = [type_name]
    try:
        while pending:
            name = pending.pop(0)
            if name not in texts:
                package, folder, short = name.split("/")
                path = Path(get_package_share_directory(package), folder, f"{short}.msg")
                texts[name] = path.read_text(encoding="utf-8")
                _, fields = get_types_from_msg(texts[name], name)[name]
                pending += [part for _, field in fields for part in _types_in(*field)]
    except (ValueError, PackageNotFoundError, OSError, TypesysError) as error:
        raise BagError(
            f"the definition of {name} is not installed here: source the workspace that has it"
        ) from error
    first, *others = texts.items()
    parts = (f"{'=' * 80}\nMSG: {name.replace('/msg/', '/')}\n{text}" for name, text in others)
    return "\n".join((first[1], *parts))


def _types_in(kind: Nodetype, content: Any) -> Iterator[str]:
    """Yield the message types in the type of a field."""
    if kind == Nodetype.NAME:
        yield content
    elif kind in (Nodetype.ARRAY, Nodetype.SEQUENCE):
        yield from _types_in(*content[0])
