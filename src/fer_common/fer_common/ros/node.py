"""Base class of the nodes: parameters, lifecycle, diagnostics and a clean exit."""

from __future__ import annotations

import copy
import os
import re
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

import rclpy
from rclpy._rclpy_pybind11 import RCLError, UnknownROSArgsError
from rclpy.duration import Duration
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.signals import SignalHandlerOptions
from rclpy.subscription import Subscription
from rclpy.utilities import get_rmw_implementation_identifier
from std_msgs.msg import Header

from fer_common.core.errors import FerError
from fer_common.core.parameters import AUTOSTART, DIAGNOSTICS_PERIOD, ParameterTable, Value
from fer_common.core.process import STOP_SIGNALS, release_free_memory, unblock_stop_signals
from fer_common.core.stamps import to_ns
from fer_common.ros.clock import NO_TIME, age_s, has_time
from fer_common.ros.diagnostics import OK, STALE, DiagnosticsPublisher, Health
from fer_common.ros.distributions import heed_profile, profile_without_effect
from fer_common.ros.messages import MessageChecker
from fer_common.ros.parameter_server import ParameterServer
from fer_common.ros.qos import QosMonitor

#: Exit codes: wrong configuration; unexpected error.
EXIT_CONFIGURATION = 2
EXIT_BROKEN = 1
#: A node that is still starting (compiling, for example) this long after a signal is ended.
_START_GRACE_S = 1.5


class FerNode(LifecycleNode):
    """A lifecycle node that configures and activates itself.

    Subclasses override the hooks below, which run in the executor's thread. A hook refuses by
    raising `FerError`: the transition fails, the reason is logged, and the node keeps its state.
    `apply_parameters` receives live parameters, already checked.

    Parameters
    ----------
    name : default name of the node.
    table : its parameters, including those of `COMMON`.
    hardware_id : device or part that the diagnostics describe.
    """

    def __init__(self, name: str, table: ParameterTable, hardware_id: str) -> None:
        # First, because rclpy's own constructor creates publishers.
        self._qos_monitor = QosMonitor(self)
        self._checker = MessageChecker(self)
        super().__init__(name)
        self._active = False
        #: The first error passed to `fail`.
        self.failure: BaseException | None = None
        self.parameters = ParameterServer(self, table, self.check_parameters, self._apply)
        self._diagnostics = DiagnosticsPublisher(
            self,
            hardware_id,
            lambda: self.health() if has_time(self) else Health(STALE, NO_TIME),
            self._all_facts,
            self._qos_monitor.mismatches,
            self._diagnostics_period_s,
            self._ignored_profile(),
        )

    @property
    def values(self) -> Mapping[str, Value]:
        """Present values of all parameters."""
        return self.parameters.values

    @property
    def active(self) -> bool:
        """Whether the node processes data: from the start of `activate` to that of `deactivate`."""
        return self._active

    # Hooks

    def configure(self) -> None:
        """Load files, create publishers and subscriptions."""

    def activate(self) -> None:
        """Start streaming."""

    def deactivate(self) -> None:
        """Stop streaming; keep the state."""

    def cleanup(self) -> None:
        """Release everything that `configure` created. Also called on exit, from any state."""

    def check_parameters(self, values: Mapping[str, Value], changed: frozenset[str]) -> None:
        """Raise FerError for values that the table cannot refuse. No side effects."""

    def apply_parameters(self, values: Mapping[str, Value], changed: frozenset[str]) -> None:
        """Apply new values, from the next frame on."""

    def health(self) -> Health:
        """Return the health for /diagnostics. Called often, so it must be fast."""
        return Health(OK, "running")

    def facts(self) -> Mapping[str, object]:
        """Return counters and other values for /diagnostics, by name."""
        return {}

    # For subclasses

    def add_publisher(self, kind: type[Any], topic: str, profile: QoSProfile) -> Publisher[Any]:
        """Create a publisher whose QoS can be changed by `qos_overrides`."""
        # A copy, because rclpy writes the overrides into the profile.
        overriding = QoSOverridingOptions.with_default_policies()
        return self.create_publisher(
            kind, topic, copy.copy(profile), qos_overriding_options=overriding
        )

    def create_publisher(
        self, msg_type: type[Any], topic: str, qos_profile: QoSProfile | int, **options: Any
    ) -> Publisher[Any]:
        """As `Node.create_publisher`; incompatible QoS is reported."""
        if options.get("event_callbacks") is None:
            options["event_callbacks"] = self._qos_monitor.publisher_callbacks(topic)
        return super().create_publisher(msg_type, topic, qos_profile, **options)

    def create_subscription(
        self,
        msg_type: type[Any],
        topic: str,
        callback: Callable[..., None],
        qos_profile: QoSProfile | int,
        **options: Any,
    ) -> Subscription[Any]:
        """As `Node.create_subscription`; malformed messages and incompatible QoS are reported."""
        if options.get("event_callbacks") is None:
            options["event_callbacks"] = self._qos_monitor.subscription_callbacks(topic)
        if not options.get("raw"):
            options["raw"] = True
            callback = self._checker.callback(msg_type, topic, callback)
        return super().create_subscription(msg_type, topic, callback, qos_profile, **options)

    def age_s(self, header: Header) -> float:
        """Return the time since the stamp of a header, as `clock.age_s`."""
        return age_s(self, to_ns(header.stamp))

    def publish_health(self) -> None:
        """Publish the health now instead of at the next period."""
        self._diagnostics.publish()

    def _ignored_profile(self) -> str:
        if "fastrtps" not in get_rmw_implementation_identifier():
            return ""
        if ignored := profile_without_effect(os.environ):
            self.get_logger().warning(ignored)
        return ignored

    def _all_facts(self) -> Mapping[str, object]:
        malformed = self._checker.malformed
        return {**self.facts(), **({"malformed": malformed} if malformed else {})}

    @property
    def _diagnostics_period_s(self) -> float:
        period = self.values[DIAGNOSTICS_PERIOD.name]
        assert isinstance(period, float)
        return period

    def _apply(self, values: Mapping[str, Value], changed: frozenset[str]) -> None:
        self._diagnostics.period_s = self._diagnostics_period_s
        self.apply_parameters(values, changed)

    # Lifecycle

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Configure, or stay unconfigured."""
        return self._transition(self.configure, self.cleanup)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Activate, or stay inactive."""
        outcome = self._transition(self._activate, self._deactivate)
        return (
            super().on_activate(state) if outcome == TransitionCallbackReturn.SUCCESS else outcome
        )

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Deactivate."""
        outcome = self._transition(self._deactivate)
        return (
            super().on_deactivate(state) if outcome == TransitionCallbackReturn.SUCCESS else outcome
        )

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Clean up."""
        outcome = self._transition(self.cleanup)
        release_free_memory()
        return outcome

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop and clean up."""
        return self._transition(self.close)

    def _activate(self) -> None:
        self._active = True
        self.activate()

    def _deactivate(self) -> None:
        self._active = False
        self.deactivate()

    def _transition(
        self, step: Callable[[], None], undo: Callable[[], None] | None = None
    ) -> TransitionCallbackReturn:
        try:
            step()
        except FerError as error:
            self.get_logger().error(str(error))
            if undo is not None:
                undo()
            return TransitionCallbackReturn.FAILURE
        except Exception as error:
            # rclpy would ignore it silently.
            self.fail(error)
            return TransitionCallbackReturn.ERROR
        return TransitionCallbackReturn.SUCCESS

    def bring_up(self) -> bool:
        """Configure and activate; return False if refused, with the reason in the log."""
        success = TransitionCallbackReturn.SUCCESS
        return self.trigger_configure() == success and self.trigger_activate() == success

    def close(self) -> None:
        """Stop and release everything, from any state."""
        self._deactivate()
        self.cleanup()

    def fail(self, error: BaseException) -> None:
        """End the process because of an unexpected error. Thread-safe."""
        # The main loop checks it. Shutting down the context here would break running calls.
        self.failure = self.failure or error


def run(make_node: Callable[[], FerNode], args: list[str] | None = None) -> int:
    """Run a node until SIGINT or SIGTERM.

    Returns
    -------
    Exit code: 0 after a signal, `EXIT_CONFIGURATION` with one line of error if the node cannot
    start, `EXIT_BROKEN` with a traceback after an unexpected error.
    """
    stop = threading.Event()
    started = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        if not started.is_set() and not stop.is_set():
            cut = threading.Timer(_START_GRACE_S, os._exit, (0,))
            cut.daemon = True
            cut.start()
        stop.set()

    # Install our own handlers first: a signal during the start must end the process cleanly, too.
    for number in STOP_SIGNALS:
        signal.signal(number, on_signal)
    unblock_stop_signals()
    heed_profile(os.environ)
    try:
        rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    except (RCLError, UnknownROSArgsError) as error:
        print(f"error: {_without_locations(str(error))}", file=sys.stderr)
        return EXIT_CONFIGURATION
    try:
        return _run(make_node, stop, started)
    finally:
        rclpy.try_shutdown()
        # A Ctrl-C under `ros2 launch` reaches a node twice, from the terminal and from launch. The
        # second one must not interrupt the clean exit.
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)


def _run(make_node: Callable[[], FerNode], stop: threading.Event, started: threading.Event) -> int:
    try:
        node = make_node()
    except FerError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_CONFIGURATION
    try:
        wanted = node.values[AUTOSTART.name] and not stop.is_set()
        up = node.bring_up() if wanted else True
        started.set()
        if up:
            _spin(node, stop)
    finally:
        node.close()
        node.destroy_node()
    if node.failure is not None:
        traceback.print_exception(node.failure)
        return EXIT_BROKEN
    return 0 if up else EXIT_CONFIGURATION


def _spin(node: FerNode, stop: threading.Event) -> None:
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        while rclpy.ok() and node.failure is None and not stop.is_set():
            executor.spin_once(timeout_sec=0.2)
    except ExternalShutdownException:
        pass
    finally:
        executor.remove_node(node)
        executor.shutdown()


def _without_locations(text: str) -> str:
    """Return an rcl error without the locations in its C code."""
    return " ".join(re.sub(r",?\s+at /\S+?:\d+", "", text).split())


def all_acknowledged(publisher: Publisher[Any]) -> bool:
    """Return whether every reliable subscriber has acknowledged all messages; never blocks."""
    return bool(publisher.wait_for_all_acked(Duration(nanoseconds=0)))


def subscription_count(publisher: Any) -> int:
    """Return the number of subscriptions of a publisher, 0 for None."""
    return 0 if publisher is None else publisher.get_subscription_count()
