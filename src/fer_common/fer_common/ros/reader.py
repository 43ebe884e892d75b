"""Takes the messages of a node in a thread that waits for nothing else.

rclpy's executor builds a wait set of all services, timers and events of a node for each message:
1 ms of CPU, and the interpreter is held meanwhile. A wait set of the subscriptions costs a tenth.
The events of the subscriptions are taken here, too: with Fast DDS, waiting for an event of a
subscription ends with each of its messages.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack, suppress
from typing import Any, TypeAlias

from rclpy.callback_groups import CallbackGroup
from rclpy.context import Context
from rclpy.exceptions import InvalidHandle
from rclpy.guard_condition import GuardCondition
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.subscription import Subscription

from fer_common.core.stamps import NANOSECONDS

#: Takes a serialised message and its message info.
OnBytes: TypeAlias = Callable[[bytes, Mapping[str, Any]], None]


#: Longest wait, in case a wake-up is lost.
_LIMIT_NS = NANOSECONDS // 5


class _Elsewhere(CallbackGroup):
    """Of entities that executors leave alone."""

    def can_execute(self, entity: Any) -> bool:
        return False

    def beginning_execution(self, entity: Any) -> bool:
        return False

    def ending_execution(self, entity: Any) -> None:
        pass


class MessageReader:
    """Calls back with the messages of subscriptions until `close`.

    Messages that have arrived together are taken in the order of the subscriptions.

    Parameters
    ----------
    context : of the subscriptions.
    failed : called in the thread with what a callback raises. The thread then ends.
    """

    def __init__(self, context: Context, failed: Callable[[BaseException], None]) -> None:
        self._group = _Elsewhere()
        self._context = context
        self._failed = failed
        self._callbacks: dict[Subscription[Any], OnBytes] = {}
        self._closing = False
        self._changed = GuardCondition(callback=None, callback_group=None, context=context)
        context.on_shutdown(self._wake)
        self._thread = threading.Thread(target=self._run, name="messages", daemon=True)
        self._thread.start()

    def add(self, subscription: Subscription[Any], callback: OnBytes) -> None:
        """Call back with the messages of a raw subscription, in place of the executor."""
        for entity in (subscription, *subscription.event_handlers):
            entity.callback_group = self._group
        self._callbacks = {**self._callbacks, subscription: callback}
        self._wake()

    def remove(self, subscription: Subscription[Any]) -> None:
        """End a subscription that is to be destroyed. A callback that runs is not awaited."""
        self._callbacks = {s: c for s, c in self._callbacks.items() if s is not subscription}
        self._wake()

    def close(self) -> None:
        """End the thread after the callback that runs now."""
        self._closing = True
        while self._thread.is_alive() and self._thread is not threading.current_thread():
            # Again, if the wake-up was lost.
            self._wake()
            self._thread.join(0.2)
        self._changed.destroy()

    def _wake(self) -> None:
        with suppress(InvalidHandle):
            self._changed.trigger()

    def _run(self) -> None:
        try:
            wait_set, known = None, None
            while not self._closing and self._context.ok():
                callbacks = self._callbacks
                if callbacks is not known:
                    wait_set, known = self._wait_set(callbacks), callbacks
                # Subscriptions that are destroyed just now are removed next.
                with suppress(InvalidHandle):
                    self._wait(wait_set, callbacks)
                    for subscription in callbacks:
                        self._take_events(wait_set, subscription)
                    for subscription in self._ready(wait_set, callbacks):
                        self._take(subscription, callbacks[subscription])
        except BaseException as error:
            if self._context.ok():
                self._failed(error)

    def _wait_set(self, subscriptions: Collection[Subscription[Any]]) -> Any:
        events = sum(len(each.event_handlers) for each in subscriptions)
        sizes = (len(subscriptions), 1, 0, 0, 0, events)
        return rclpy_implementation.WaitSet(*sizes, self._context.handle)

    def _wait(self, wait_set: Any, subscriptions: Collection[Subscription[Any]]) -> None:
        with ExitStack() as in_use:
            wait_set.clear_entities()
            for subscription in subscriptions:
                in_use.enter_context(subscription.handle)
                wait_set.add_subscription(subscription.handle)
                for event in subscription.event_handlers:
                    in_use.enter_context(event)
                    event.add_to_wait_set(wait_set)
            wait_set.add_guard_condition(self._changed.handle)
            wait_set.wait(_LIMIT_NS)

    def _ready(
        self, wait_set: Any, subscriptions: Collection[Subscription[Any]]
    ) -> list[Subscription[Any]]:
        ready = wait_set.get_ready_entities("subscription")
        return [each for each in subscriptions if each.handle.pointer in ready]

    def _take_events(self, wait_set: Any, subscription: Subscription[Any]) -> None:
        for event in subscription.event_handlers:
            if event.is_ready(wait_set) and (data := event.take_data()) is not None:
                event.callback(data)

    def _take(self, subscription: Subscription[Any], callback: OnBytes) -> None:
        # Another thread may have ended it meanwhile.
        if self._closing or subscription not in self._callbacks:
            return
        with subscription.handle:
            taken = subscription.handle.take_message(subscription.msg_type, subscription.raw)
        if taken is not None:
            callback(*taken)
