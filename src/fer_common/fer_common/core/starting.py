"""The first moments of a process: a signal while it imports shall end it, not break it.

Nothing heavy is imported here: this comes first in every node.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

#: What asks a node to end.
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def hold_signals(module: str) -> None:
    """Keep `STOP_SIGNALS` waiting until `release_signals`, if this process is the node itself.

    Parameters
    ----------
    module : `__name__` of the module that calls; importing a node elsewhere changes nothing.
    """
    package = module.split(".", maxsplit=1)[0]
    # ROS installs a node's executable as lib/PACKAGE/node.
    if module == "__main__" or Path(sys.argv[0]).parts[-2:] == (package, "node"):
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)


def release_signals() -> None:
    """Deliver what has come meanwhile; handlers must be in place."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
