"""Text that is made anew, in a page that people write."""

from __future__ import annotations

from pathlib import Path

from fer_common.core.atomic import write_atomically
from fer_common.core.errors import FerError


def replace(path: Path, name: str, text: str) -> None:
    """Put a text between the markers of that name in a page.

    Raises
    ------
    FerError
        if the page has no such markers.
    """
    begin, end = f"<!-- begin of the {name} -->", f"<!-- end of the {name} -->"
    before, found, rest = path.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise FerError(f"{path} lacks '{begin}' and '{end}': put them where the text shall stand")
    write_atomically(path, f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}".encode())
