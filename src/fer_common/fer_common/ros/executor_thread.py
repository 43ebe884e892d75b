"""A thread that runs the callbacks of nodes, and ends without an error."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from rclpy.exceptions import InvalidHandle
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node


def reraise(error: BaseException) -> None:
    """Let the thread end with a traceback."""
    raise error


class ExecutorThread:
    """Runs the callbacks of nodes until `close`.

    Parameters
    ----------
    node : the first node.
    on_failure : called in the thread with what a callback has raised; the thread ends then.
    """

    def __init__(self, node: Node, on_failure: Callable[[BaseException], None]) -> None:
        self._executor = SingleThreadedExecutor(context=node.context)
        self._executor.add_node(node)
        self._on_failure = on_failure
        self._closing = threading.Event()
        # Its callback, which does nothing, makes `spin_once` return.
        self._wake = node.create_guard_condition(lambda: None)
        self._thread = threading.Thread(target=self._spin, name=node.get_name(), daemon=True)
        self._thread.start()

    def add(self, node: Node) -> None:
        """Run the callbacks of another node, too."""
        self._executor.add_node(node)

    def close(self) -> None:
        """End the thread after the callback that runs now."""
        # `Executor.shutdown` alone destroys what a `spin` in another thread still uses.
        self._closing.set()
        while self._thread.is_alive():
            # Again, if the wake-up was lost.
            self._wake.trigger()
            self._thread.join(0.2)
        self._executor.shutdown()

    def _spin(self) -> None:
        try:
            while not self._closing.is_set():
                # rclpy fails if a handle is destroyed while the executor checks it.
                with suppress(InvalidHandle):
                    # It returns after this time even if a wake-up is lost; each return costs 1 ms.
                    self._executor.spin_once(timeout_sec=1.0)
        except ExternalShutdownException:
            pass
        except BaseException as error:
            self._on_failure(error)
