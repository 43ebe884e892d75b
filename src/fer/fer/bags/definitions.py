"""Message definitions as bags hold them: the text of a type and of all types that it is made of."""

from __future__ import annotations

import re
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

from fer.bags.errors import BagError

_SEPARATOR = "=" * 80
_FIELD = re.compile(r"\s*([A-Za-z]\w*(?:/\w+)*)(?:<=\d+)?(?:\[[^\]]*\])?\s+[A-Za-z]")
_PRIMITIVES = re.compile(r"bool|byte|char|w?string|float(32|64)|u?int(8|16|32|64)")


def definition(kind: str) -> str:
    """Return the definition of a message type, followed by those of the types within it.

    Parameters
    ----------
    kind : as "sensor_msgs/msg/Image".

    Raises
    ------
    BagError
        if a package or its .msg file is not in the environment.
    """
    texts = [_text(kind)]
    seen, pending = {kind}, _parts(kind, texts[0])
    while pending:
        part = pending.pop(0)
        if part in seen:
            continue
        seen.add(part)
        text = _text(part)
        package, _, name = part.split("/")
        texts.append(f"{_SEPARATOR}\nMSG: {package}/{name}\n{text}")
        pending += _parts(part, text)
    return "\n".join(texts)


def _text(kind: str) -> str:
    try:
        package, folder, name = kind.split("/")
        return (Path(get_package_share_directory(package)) / folder / f"{name}.msg").read_text(
            encoding="utf-8"
        )
    except (ValueError, PackageNotFoundError, OSError) as error:
        raise BagError(
            f"the definition of {kind} is not installed here: source the workspace that has it"
        ) from error


def _parts(kind: str, text: str) -> list[str]:
    """Return the full names of the message types among the fields of a definition."""
    package = kind.partition("/")[0]
    parts = []
    for line in text.splitlines():
        field = _FIELD.match(line.split("#")[0])
        if field is None or _PRIMITIVES.fullmatch(field[1]):
            continue
        names = field[1].split("/")
        parts.append(f"{names[0] if len(names) > 1 else package}/msg/{names[-1]}")
    return parts
