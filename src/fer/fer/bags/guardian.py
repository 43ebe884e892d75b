"""Outlives a recorder that is killed, and completes its bag: `python -m fer.bags.guardian BAG`.

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


@contextlib.contextmanager
def guarded(folder: Path) -> Iterator[None]:
    """Have a bag that this process has begun completed if the process dies."""
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
    from fer.bags.repair import finish, is_whole
    from fer_common.core.errors import FerError

    with contextlib.suppress(FerError, OSError):
        if not is_whole(folder):
            finish(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
