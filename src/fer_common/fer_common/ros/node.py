"""Base class of the nodes: parameters, lifecycle, diagnostics and a clean exit."""

from __future__ import annotations

import copy
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription
from rclpy.utilities import get_rmw_implementation_identifier
from std_msgs.msg import Header

from fer_common.core.errors import FerError
from fer_common.core.parameters import DIAGNOSTICS_PERIOD, ParameterTable, Value
from fer_common.core.process import release_free_memory
from fer_common.core.stamps import to_ns
from fer_common.ros.clock import NO_TIME, age_s, has_time
from fer_common.ros.diagnostics import OK, STALE, DiagnosticsPublisher, Health
from fer_common.ros.distributions import profile_without_effect
from fer_common.ros.exchange import NodePublisher, SharedProcess, Take
from fer_common.ros.messages import MessageChecker, with_info
from fer_common.ros.parameter_server import ParameterServer
from fer_common.ros.qos import QosMonitor
from fer_common.ros.reader import MessageReader, OnBytes
from fer_common.ros.watch import PERIOD_S, Watcher


class FerNode(LifecycleNode):
    """A lifecycle node that configures and activates itself.

    Subclasses override the hooks below, which run in the executor's thread. A hook refuses by
    raising `FerError`: the transition fails, the reason is logged, and the node keeps its state.
    `apply_parameters` receives live parameters, already checked.

    Parameters
    ----------
    hardware_id : device or part that the diagnostics describe.
    shared : the process, if other nodes are in it; None: it is the node's own.
    """

    def __init__(
        self,
        name: str,
        table: ParameterTable,
        hardware_id: str,
        shared: SharedProcess | None = None,
    ) -> None:
        # First, because rclpy's own constructor creates publishers.
        self._qos_monitor = QosMonitor(self)
        self._checker = MessageChecker(self)
        self._exchange = shared.exchange if shared else None
        # Held while a message is taken, as those of other nodes come from their threads.
        self._taking = threading.Lock()
        self._reader: MessageReader | None = None
        #: For conditions that rclpy has no events for.
        self.watcher = Watcher(self, self.fail)
        arguments: Sequence[str] = shared.arguments if shared else sys.argv
        own = {"cli_args": list(arguments), "use_global_arguments": False} if shared else {}
        super().__init__(name, **own)
        self._active = False
        #: The first error passed to `fail`.
        self.failure: BaseException | None = None
        self.parameters = ParameterServer(
            self, table, self.check_parameters, self._apply, arguments
        )
        self._diagnostics = DiagnosticsPublisher(
            self,
            hardware_id,
            lambda: self.health() if has_time(self) else Health(STALE, NO_TIME),
            self._all_facts,
            self._qos_monitor.mismatches,
            self._diagnostics_period_s,
            self._ignored_profile(),
        )
        self.watcher.add(self._diagnostics.has_changed, self._diagnostics.publish_change, PERIOD_S)

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
        """Return the health for /diagnostics. Called often and in any thread."""
        return Health(OK, "running")

    def facts(self) -> Mapping[str, object]:
        """Return counters and other values for /diagnostics, by name."""
        return {}

    # For subclasses

    def add_publisher(self, kind: type[Any], topic: str, profile: QoSProfile) -> NodePublisher:
        """Create a publisher whose QoS can be changed by `qos_overrides`."""
        name = self.resolve_topic_name(topic)
        before = self._published(name)
        publisher = self.create_publisher(
            kind,
            topic,
            # A copy, because rclpy writes the overrides into the profile.
            copy.copy(profile),
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
            publisher_class=NodePublisher,
        )
        assert isinstance(publisher, NodePublisher)
        # The middleware keeps latched messages for those that come late.
        if self._exchange and profile.durability != DurabilityPolicy.TRANSIENT_LOCAL:
            for gid in self._published(name) - before:
                self._exchange.announce(publisher, gid)
            publisher.join(self._exchange)
        return publisher

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
        """As `Node.create_subscription`; malformed messages and incompatible QoS are reported.

        `callback` is called in a thread that only takes messages, and in a shared process also in
        those of other nodes; one at a time.
        """
        if options.get("event_callbacks") is None:
            options["event_callbacks"] = self._qos_monitor.subscription_callbacks(topic)
        if options.get("raw"):
            return super().create_subscription(msg_type, topic, callback, qos_profile, **options)
        on_bytes = self._checker.callback(msg_type, topic, callback)
        exchange = self._exchange
        reader = self._reader = self._reader or MessageReader(self.context, self.fail)

        def subscribed(take: OnBytes) -> Subscription[Any]:
            subscription = super(FerNode, self).create_subscription(
                msg_type, topic, take, qos_profile, raw=True, **options
            )
            reader.add(subscription, take)
            return subscription

        if exchange is None:
            return subscribed(on_bytes)
        name = self.resolve_topic_name(topic)

        def from_outside(data: bytes, info: Mapping[str, Any]) -> None:
            if not exchange.is_echo(name, info):
                with self._taking:
                    on_bytes(data, info)

        subscription = subscribed(from_outside)
        exchange.subscribe(subscription, self._guarded(with_info(callback)))
        return subscription

    def destroy_node(self) -> None:
        """As `Node.destroy_node`."""
        self.watcher.close()
        if self._reader:
            self._reader.close()
        super().destroy_node()

    def destroy_publisher(self, publisher: Publisher[Any]) -> bool:
        """As `Node.destroy_publisher`."""
        if self._exchange:
            self._exchange.forget(publisher)
        return super().destroy_publisher(publisher)

    def destroy_subscription(self, subscription: Subscription[Any]) -> bool:
        """As `Node.destroy_subscription`. A callback that runs in another thread is not awaited."""
        if self._exchange:
            self._exchange.forget(subscription)
        if self._reader:
            self._reader.remove(subscription)
        return super().destroy_subscription(subscription)

    def _published(self, topic: str) -> set[bytes]:
        """Return the ids of all publishers of a topic, for nodes of a shared process."""
        if not self._exchange:
            return set()
        return {bytes(end.endpoint_gid) for end in self.get_publishers_info_by_topic(topic)}

    def _guarded(self, take: Take) -> Take:
        def taken(message: Any, info: Mapping[str, Any]) -> None:
            try:
                with self._taking:
                    take(message, info)
            except Exception as error:
                # Not the fault of the node that publishes, in whose thread this is.
                self.fail(error)

        return taken

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
        self._diagnostics.set_period(self._diagnostics_period_s)
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


def all_acknowledged(publisher: Publisher[Any]) -> bool:
    """Return whether every reliable subscriber has acknowledged all messages; never blocks."""
    return bool(publisher.wait_for_all_acked(Duration(nanoseconds=0)))


def subscription_count(*publishers: Publisher[Any] | None) -> int:
    """Return the number of subscriptions of all publishers; None has none."""
    return sum(each.get_subscription_count() for each in publishers if each is not None)
