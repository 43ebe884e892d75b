"""The snn node as a process in which no file may grow, as if the disk were full."""

from __future__ import annotations

import resource
import sys

from fer_snn.ros import node

LIMIT_BYTES = 4000


def main() -> int:
    """Run the node."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT_BYTES, LIMIT_BYTES))
    return node.main()


if __name__ == "__main__":
    sys.exit(main())
