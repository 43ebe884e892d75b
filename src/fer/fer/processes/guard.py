"""Run a command that is killed when its parent dies.

Usage: python guard.py PARENT_PID COMMAND...

It asks the kernel for SIGKILL at the death of its parent and then executes the command, so it costs
no process. It runs as a script without site-packages, because every node waits for it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Become the command."""
    parent, command = int(arguments[0]), arguments[1:]
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    # The parent may have died before.
    if os.getppid() != parent:
        sys.exit(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
