"""Calls services of running nodes from a command."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from rclpy.client import Client
from rclpy.node import Node

from fer.bringup.graph import absolute
from fer.client.session import spinning_node
from fer_common.core.errors import FerError

_FOUND_S = 5.0
#: Saving goes to a disk, and a node answers between two frames.
_ANSWERED_S = 15.0
_TURN_S = 0.01


class ServiceClient:
    """Calls the services of one node.

    Parameters
    ----------
    node : to call from; spins in a thread of its own.
    namespace : of the graph.
    server : name of the node that answers, for people.
    """

    def __init__(self, node: Node, namespace: str, server: str) -> None:
        self._node = node
        self._prefix = absolute(namespace).rstrip("/")
        self._server = server
        self._clients: dict[str, Client[Any, Any]] = {}

    def call(self, kind: Any, name: str, request: Any) -> Any:
        """Call a service and return its response.

        Raises
        ------
        FerError
            if the node is not there, or does not answer.
        """
        if name not in self._clients:
            self._clients[name] = self._node.create_client(kind, f"{self._prefix}/{name}")
        client = self._clients[name]
        if not _wait(client.service_is_ready, _FOUND_S):
            raise FerError(
                f"node '{self._prefix}/{self._server}' does not run: start it with `fer up`"
            )
        future = client.call_async(request)
        if not _wait(future.done, _ANSWERED_S):
            raise FerError(f"node '{self._prefix}/{self._server}' does not answer: see its log")
        return future.result()

    def ask(self, kind: Any, name: str, request: Any) -> Any:
        """Call a service that can refuse.

        Raises
        ------
        FerError
            with the reason, if it does.
        """
        response = self.call(kind, name, request)
        if not response.success:
            raise FerError(response.message)
        return response


@contextlib.contextmanager
def connected(namespace: str, server: str) -> Iterator[ServiceClient]:
    """Yield a client for the services of a node."""
    with spinning_node("fer_client") as node:
        yield ServiceClient(node, namespace, server)


def _wait(condition: Callable[[], bool], within_s: float) -> bool:
    deadline_s = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(_TURN_S)
    return True
