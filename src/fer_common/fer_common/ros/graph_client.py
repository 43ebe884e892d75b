"""How a command or a window reaches a running graph: services, diagnostics and waiting."""

from __future__ import annotations

import _thread
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.client import Client
from rclpy.context import Context
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.signals import SignalHandlerOptions

from fer_common.core.errors import FerError
from fer_common.core.graph_names import NAMESPACE, SNN, absolute, resolve
from fer_common.ros.executor_thread import ExecutorThread

#: How long to look for a node, and for its answer: it saves to a disk and answers between frames.
DISCOVERY_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 15.0
_POLL_S = 0.01
_BEHIND_FEATURES = (SNN, "viz")


@dataclass(frozen=True)
class NodeHealth:
    """The last report of a node on /diagnostics.

    Attributes
    ----------
    level : as `DiagnosticStatus.level`.
    message : what the node says.
    facts : the values that it reports, by name.
    """

    level: bytes
    message: str
    facts: Mapping[str, str] = field(default_factory=dict)


def without_waiting(health: Mapping[str, NodeHealth]) -> dict[str, NodeHealth]:
    """Return reports in which the nodes that wait for features are well while those are paused."""
    features = health.get("features")
    if features is None or features.facts.get("enabled") != "False":
        return dict(health)
    waiting = NodeHealth(DiagnosticStatus.OK, "waits for features, which is paused")
    return {
        name: replace(waiting, facts=report.facts) if name in _BEHIND_FEATURES else report
        for name, report in health.items()
    }


class GraphClient:
    """A ROS node for the time of a `with` block, in the namespace of a graph.

    Its callbacks run in a thread of their own and signals are left to the caller.

    Parameters
    ----------
    namespace : of the graph; relative names are below it.
    name : of the node.
    use_sim_time : take the time from /clock.
    arguments : command line with ROS arguments, such as remappings.
    on_failure : called in the thread of the callbacks with what one of them has raised. By default
        the main thread gets SIGTERM, and the exception is raised again at the end of the block.

    Raises
    ------
    FerError
        if the namespace is no ROS name, or if ROS cannot start in this environment.
    """

    def __init__(
        self,
        namespace: str = NAMESPACE,
        name: str = "",
        use_sim_time: bool = False,
        arguments: Sequence[str] = (),
        on_failure: Callable[[BaseException], None] | None = None,
    ) -> None:
        self._context = Context()
        below = absolute(namespace)
        try:
            rclpy.init(
                args=list(arguments),
                context=self._context,
                signal_handler_options=SignalHandlerOptions.NO,
            )
            self.node = Node(
                name or f"fer_client_{os.getpid()}",
                context=self._context,
                namespace=below,
                parameter_overrides=[Parameter("use_sim_time", value=use_sim_time)],
                start_parameter_services=False,
            )
        # rclpy's own errors have no common base: RCLError and InvalidNamespaceException are two.
        except Exception as error:
            self._context.try_shutdown()
            reason = re.sub(r",?\s+at /\S+?:\d+", "", str(error).splitlines()[0])
            raise FerError(f"ROS cannot start: {reason}: see `fer doctor`") from error
        self.namespace: str = self.node.get_namespace()
        """The actual namespace, absolute: ROS arguments can change it."""
        self.health: dict[str, NodeHealth] = {}
        """What the nodes of the graph report, by node name; filled after `watch_health`."""
        self.doubled: set[str] = set()
        """Names under which two nodes report: two graphs run in this namespace."""
        self.reporters: dict[str, list[str]] = {}
        """Process ids that have reported, by node name."""
        self._clients: dict[str, Client[Any, Any]] = {}
        self._failures: list[BaseException] = []
        self._abandoned = threading.Event()
        self._thread = ExecutorThread(self.node, on_failure or self._fail)

    def __enter__(self) -> GraphClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def abandon(self) -> None:
        """Give up waiting, in every thread: what is waited for counts as not come."""
        self._abandoned.set()

    def close(self) -> None:
        """Leave the graph, and raise what a callback has raised."""
        self.abandon()
        self._thread.close()
        self.node.destroy_node()
        self._context.try_shutdown()
        if self._failures:
            raise self._failures[0]

    def resolve(self, name: str) -> str:
        """Return the absolute form of a name: below the namespace unless it begins with /."""
        return resolve(self.namespace, name)

    def running(self, nodes: Collection[str]) -> list[str]:
        """Return those of the nodes that are in the graph.

        Raises
        ------
        FerError
            if none is.
        """

        def found() -> list[str]:
            seen = set(self.node.get_node_names_and_namespaces())
            return [name for name in nodes if (name, self.namespace) in seen]

        # A part of the graph may be left out, so nobody knows how many to wait for.
        self.wait(lambda: len(found()) == len(nodes), DISCOVERY_TIMEOUT_S / 2)
        if not (names := found()):
            raise FerError(
                f"no node of fer runs in namespace '{self.namespace}': start them with `fer up`"
            )
        return names

    def client(self, kind: Any, service: str) -> Client[Any, Any]:
        """Return the client of a service; made early, it has found the service when it is used."""
        if service not in self._clients:
            self._clients[service] = self.node.create_client(kind, self.resolve(service))
        return self._clients[service]

    def call(
        self,
        kind: Any,
        service: str,
        request: Any,
        node: str = SNN,
        found_within_s: float = DISCOVERY_TIMEOUT_S,
    ) -> Any:
        """Call a service and return its response.

        Parameters
        ----------
        kind : service type.
        service : name of the service.
        request : its request.
        node : name of the node that offers it, for error messages.
        found_within_s : how long to look for it.

        Raises
        ------
        FerError
            if the node does not run, or does not answer.
        """
        client = self.client(kind, service)
        if not self.wait(client.service_is_ready, found_within_s):
            raise FerError(f"node '{self.resolve(node)}' does not run: start it with `fer up`")
        future = client.call_async(request)
        if not self.wait(future.done, ANSWER_TIMEOUT_S):
            client.remove_pending_request(future)
            raise FerError(f"node '{self.resolve(node)}' does not answer: see its log")
        return future.result()

    def ask(self, kind: Any, service: str, request: Any) -> Any:
        """Call a service whose response has `success` and `message`.

        Raises
        ------
        FerError
            as `call`; with the message if the node refuses.
        """
        response = self.call(kind, service, request)
        if not response.success:
            raise FerError(response.message)
        return response

    def watch_health(self) -> None:
        """Subscribe to /diagnostics and keep `health` up to date."""
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 50)

    def worst_health(self) -> str:
        """Return the report of the node in the worst state, empty while all are well."""
        health = without_waiting(dict(self.health))
        worst = max(health.items(), key=lambda item: item[1].level, default=None)
        if worst is None or worst[1].level == DiagnosticStatus.OK:
            return ""
        return f"{worst[0]}: {worst[1].message}"

    def wait(self, condition: Callable[[], object], timeout_s: float) -> bool:
        """Wait for a condition; return whether it came to hold within the time."""
        deadline_s = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline_s or self._abandoned.wait(_POLL_S):
                return False
        return True

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        prefix = self.resolve("")
        for status in message.status:
            if status.name.startswith(prefix):
                facts = {pair.key: pair.value for pair in status.values}
                name = status.name.removeprefix(prefix)
                self.health[name] = NodeHealth(status.level, status.message, facts)
                self._note_reporter(name, facts.get("pid", ""))

    def _note_reporter(self, name: str, pid: str) -> None:
        """Notice a node that reports again after another one took its name; a restart does not."""
        known = self.reporters.setdefault(name, [])
        if pid not in known:
            known.append(pid)
        elif pid != known[-1]:
            self.doubled.add(name)

    def _fail(self, error: BaseException) -> None:
        self._failures.append(error)
        _thread.interrupt_main(signal.SIGTERM)
