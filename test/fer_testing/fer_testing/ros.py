"""Fixtures for tests over real DDS: a domain for each test, and waiting for conditions."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.client import Client
from rclpy.context import Context
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile

from fer_common.core.parameters import DIAGNOSTICS_PERIOD
from fer_common.ros.executor_thread import ExecutorThread, reraise

Message = TypeVar("Message")

#: Domain ids whose ports lie below Linux's ephemeral ones.
_DOMAINS = range(1, 102)
DEADLINE_S = 20.0
#: Services whose names begin so change nothing; their requests are repeated after this time.
_READING, _ASK_AGAIN_S = ("Get", "Describe", "List"), 5.0
#: Short, so that tests do not wait long for diagnostics.
_DIAGNOSTICS_PERIOD_S = 0.1
#: Shortest time between two equal warnings of a node.
_WARNING_PERIOD_S = 5.0


def wait_for(condition: Callable[[], object], what: str, deadline_s: float = DEADLINE_S) -> None:
    """Wait until a condition holds.

    Raises
    ------
    AssertionError
        naming `what`, if it does not hold within `deadline_s` seconds.
    """
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, f"no success within {deadline_s:g} s: {what}"
        time.sleep(0.005)


class Graph:
    """A node of the test in the test's domain, and an executor that spins in a thread."""

    def __init__(self, domain: int) -> None:
        self.domain = domain
        self.context = Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = Node("test", context=self.context, start_parameter_services=False)
        self._executor = ExecutorThread(self.node, on_failure=reraise)
        self._clients: dict[str, Client[Any, Any]] = {}
        self._processes: list[subprocess.Popen[str]] = []
        self.diagnostics: list[DiagnosticArray] = self.collect(DiagnosticArray, "/diagnostics")

    def add(self, node: Node) -> None:
        """Spin another node in the same thread."""
        self._executor.add(node)

    def collect(self, kind: type[Message], topic: str, qos: QoSProfile | int = 10) -> list[Message]:
        """Subscribe and return a list that grows with each message."""
        received: list[Message] = []
        self.node.create_subscription(kind, topic, received.append, qos)
        return received

    def call(self, kind: Any, service: str, request: Any) -> Any:
        """Call a service and return its response."""
        if service not in self._clients:
            self._clients[service] = self.node.create_client(kind, service)
        client = self._clients[service]
        wait_for(client.service_is_ready, f"service {service}")
        futures = [client.call_async(request)]
        sent_s = time.monotonic()

        def answered() -> bool:
            # Middleware drops a response whose reader the server has not discovered yet. What only
            # reads may be asked again.
            nonlocal sent_s
            if kind.__name__.startswith(_READING) and time.monotonic() - sent_s > _ASK_AGAIN_S:
                futures.append(client.call_async(request))
                sent_s = time.monotonic()
            return any(future.done() for future in futures)

        wait_for(answered, f"response of {service}")
        return next(future.result() for future in futures if future.done())

    def set_parameters(self, node: str, values: Mapping[str, object]) -> tuple[bool, str]:
        """Set parameters of a node as one batch; return whether they were accepted, and why not."""
        parameters = [
            Parameter(
                name, value=list(value) if isinstance(value, tuple) else value
            ).to_parameter_msg()
            for name, value in values.items()
        ]
        kind = SetParametersAtomically
        request = kind.Request(parameters=parameters)
        result = self.call(kind, f"{node}/set_parameters_atomically", request).result
        return result.successful, result.reason

    def change_state(self, node: str, transition: int) -> bool:
        """Request a lifecycle transition; return whether it succeeded."""
        request = ChangeState.Request(transition=Transition(id=transition))
        return bool(self.call(ChangeState, f"{node}/change_state", request).success)

    def wait_for_status(
        self, name: str, condition: Callable[[DiagnosticStatus], object], what: str
    ) -> DiagnosticStatus:
        """Wait for a diagnostics status of a node (full name) that meets a condition; return it.

        Statuses from before the call count, too.
        """
        met: list[DiagnosticStatus] = []

        def look() -> bool:
            statuses = [status for array in self.diagnostics for status in array.status]
            met[:] = [status for status in statuses if status.name == name and condition(status)]
            return bool(met)

        wait_for(look, what)
        return met[-1]

    def wait_until_heard(self, *topics: str) -> None:
        """Wait until the publishers of topics have discovered a subscriber.

        It is not enough that the test has discovered the publisher: a subscriber never receives
        what was sent before the publisher discovered it.
        """
        keys = {f"listeners {self.node.resolve_topic_name(topic)}" for topic in topics}

        def heard() -> bool:
            statuses = [status for array in self.diagnostics for status in array.status]
            pairs = [pair for status in statuses for pair in status.values]
            return keys <= {pair.key for pair in pairs if pair.value != "0"}

        wait_for(heard, f"listeners of {', '.join(topics)}")

    def start(self, module: str, *arguments: str) -> subprocess.Popen[str]:
        """Run a node, `python -m module arguments`, in the test's domain until the test ends."""
        period = ros_arguments(**{DIAGNOSTICS_PERIOD.name: _DIAGNOSTICS_PERIOD_S})
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments, *period],
            env={**os.environ, "ROS_DOMAIN_ID": str(self.domain)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._processes.append(process)
        return process

    def close(self) -> None:
        """End processes, executor and context."""
        for process in self._processes:
            end(process)
        self._executor.close()
        self.node.destroy_node()
        self.context.try_shutdown()


class RepeatingTimer:
    """Calls a function repeatedly, in a thread.

    Parameters
    ----------
    action : the function.
    period_s : pause between two calls.
    """

    def __init__(self, action: Callable[[], None], period_s: float) -> None:
        self._action, self._period_s = action, period_s
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop after the present call."""
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(self._period_s):
            self._action()


def facts(status: DiagnosticStatus) -> dict[str, str]:
    """Return the values of a diagnostics status by name."""
    return {pair.key: pair.value for pair in status.values}


def end(
    process: subprocess.Popen[str], number: int = signal.SIGINT, within_s: float = 10.0
) -> tuple[int, str]:
    """Signal a process, return its exit code and output; kill it if it takes too long."""
    if process.poll() is None:
        process.send_signal(number)
    try:
        output, _ = process.communicate(timeout=within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        pytest.fail(f"process did not end within {within_s:g} s of signal {number}:\n{output}")
    return process.returncode, output


def check_throttled(output: str, warning: str, since_s: float) -> None:
    """Check that a finished node logged a warning, at most once in five seconds.

    Parameters
    ----------
    output : output of the node.
    warning : text of the warning.
    since_s : monotonic time before the first warning.
    """
    most = 1 + int((time.monotonic() - since_s) / _WARNING_PERIOD_S)
    assert 1 <= output.count(warning) <= most, output


def ros_arguments(**parameters: object) -> Sequence[str]:
    """Return `--ros-args -p name:=value ...`."""
    pairs = [part for name, value in parameters.items() for part in ("-p", f"{name}:={value}")]
    return ["--ros-args", *pairs]


@contextmanager
def reserved_domain() -> Iterator[int]:
    """Reserve a ROS domain id that no other test on this machine uses.

    Yields
    ------
    The id. It is also the domain of this process meanwhile, with discovery limited to localhost.
    """
    offset = os.getpid()
    for k in range(len(_DOMAINS)):
        domain = _DOMAINS[(offset + k) % len(_DOMAINS)]
        path = Path(tempfile.gettempdir()) / f"fer-test-domain-{domain}.lock"
        with open(path, "w") as lock, pytest.MonkeyPatch.context() as environment:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            environment.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
            environment.setenv("ROS_DOMAIN_ID", str(domain))
            yield domain
            return
    pytest.fail("every ROS domain id is in use by other tests")


@pytest.fixture
def ros_domain() -> Iterator[int]:
    """Reserve a ROS domain id, see `reserved_domain`."""
    with reserved_domain() as domain:
        yield domain


@pytest.fixture
def graph(ros_domain: int) -> Iterator[Graph]:
    """Yield a `Graph` in a domain of its own."""
    graph = Graph(ros_domain)
    yield graph
    graph.close()
