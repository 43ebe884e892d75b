"""Several nodes in one process: `container --node MODULE:CLASS ROS_ARGUMENTS... [--node ...]`.

What follows `--every-node` holds for all of them; a node's own parameters win. Python has no other
composition: ROS's component containers load C++ only.
"""
# ruff: noqa: E402

from __future__ import annotations

from fer_common.core.process import begin_start, pin_to_one_thread

begin_start(__name__)
# Before a node imports NumPy, which reads the number of threads only once.
pin_to_one_thread()

import pkgutil
import sys
from collections.abc import Sequence
from functools import partial

from fer_common.ros.exchange import Exchange, SharedProcess
from fer_common.ros.running import run

NODE, EVERY_NODE = "--node", "--every-node"


def split(arguments: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the own arguments of each node, by the name of its class."""
    given: dict[str, list[str]] = {}
    common: list[str] = []
    target, words = common, iter(arguments)
    for word in words:
        if word == NODE:
            target = given.setdefault(next(words), [])
        elif word == EVERY_NODE:
            target = common
        else:
            target.append(word)
    return {name: (*common, *own) for name, own in given.items()}


def main(args: Sequence[str] | None = None) -> int:
    """Run the nodes; return the exit code."""
    given = split(sys.argv[1:] if args is None else args)
    exchange = Exchange()
    makers = [
        partial(pkgutil.resolve_name(name), SharedProcess(own, exchange))
        for name, own in given.items()
    ]
    # The level of the logs is that of the process; any of the nodes names it.
    return run(*makers, args=next(iter(given.values()), ()))


if __name__ == "__main__":
    sys.exit(main())
