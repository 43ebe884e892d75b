"""Outlives a recorder that is killed, and makes its bag whole: `python -m fer.bags.guardian BAG`.

It waits for the end of its standard input, which the kernel closes with the recorder, however that
ends. A bag that the recorder could close itself is left alone.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

#: The kernel gives back the lock of a process that died a moment after it closed its pipes.
_LOCK_S = 5.0


@contextlib.contextmanager
def guarded(folder: Path) -> Iterator[None]:
    """Have a bag watched over while it is being recorded."""
    command = (sys.executable, "-m", "fer.bags.guardian", str(folder.absolute()))
    # In a session of its own: a Ctrl-C in the terminal is not meant for it.
    process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    try:
        yield
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()


def main(folder: Path) -> None:
    """Wait for the end of the recorder, then look after the bag."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdin.buffer.read()
    # Only now, so that waiting costs next to nothing.
    from fer.bags.finishing import finish, is_whole
    from fer.bags.folder import data_files, locked
    from fer_common.core.errors import FerError

    if not folder.is_dir() or not data_files(folder):
        return
    with locked(folder, _LOCK_S) as ours:
        if ours and not is_whole(folder):
            with contextlib.suppress(FerError):
                finish(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
