"""A node with a fault for every occasion, for `test_ros_node.py`."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping

from std_msgs.msg import Int64

from fer_common.core.errors import ConfigurationError, ParameterError
from fer_common.core.parameters import COMMON, Parameter, ParameterTable, Value, Values
from fer_common.core.worker import Worker
from fer_common.ros.diagnostics import WARN, Health
from fer_common.ros.node import FerNode
from fer_common.ros.qos import RESULT
from fer_common.ros.running import run


def _ordered(values: Values) -> str | None:
    return None if values["low"] <= values["high"] else "low must not exceed high"  # type: ignore[operator]


TABLE = ParameterTable(
    "sample",
    (
        Parameter("low", 1.0, "Lower bound.", unit="Hz", minimum=0.0, maximum=100.0),
        Parameter("high", 10.0, "Upper bound.", unit="Hz", minimum=0.0),
        Parameter("count", 3, "How many.", minimum=1, maximum=9),
        Parameter("lengths", (4.0, 6.0), "Wavelengths.", unit="px", minimum=0.5),
        Parameter("mode", "off", "Which.", choices=("off", "on"), resets="the traces"),
        Parameter("fixed", 7, "Set at start.", live=False),
        Parameter("forbidden", 0, "The node itself refuses 13."),
        Parameter("fault", "", "What goes wrong, and when."),
        *COMMON,
    ),
    (_ordered,),
)


class SampleNode(FerNode):
    """Counts what it hears, in a worker, and publishes the count and what has happened to it."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self._worker: Worker[Int64] | None = None
        super().__init__("sample", TABLE, "sample")
        if self.values["fault"] == "construct":
            raise ConfigurationError("cannot be made: change 'fault'")

    def configure(self) -> None:
        self._happen("configure")
        self._publisher = self.add_publisher(Int64, "count", RESULT)
        self._worker = Worker(self._work, self.fail, "sample")
        self._subscription = self.create_subscription(Int64, "input", self._on_input, RESULT)

    def activate(self) -> None:
        self._happen("activate")

    def deactivate(self) -> None:
        self.events.append("deactivate")

    def cleanup(self) -> None:
        self.events.append("cleanup")
        if self._worker is not None:
            self._worker.stop()
            self.destroy_publisher(self._publisher)
            self.destroy_subscription(self._subscription)
        self._worker = None

    def check_parameters(self, values: Mapping[str, Value], changed: frozenset[str]) -> None:
        if values["forbidden"] == 13:
            raise ParameterError("13 is forbidden: choose another")

    def apply_parameters(self, values: Mapping[str, Value], changed: frozenset[str]) -> None:
        self.events.append("apply " + ",".join(sorted(changed)))
        self.publish_health()

    def health(self) -> Health:
        return Health(WARN, "as ever")

    def facts(self) -> Mapping[str, object]:
        return {"events": "; ".join(self.events), "share": 1 / 3}

    def _on_input(self, message: Int64) -> None:
        assert self._worker is not None
        self._worker.queue.put(message)

    def _work(self, message: Int64, skipped: int) -> None:
        if message.data < 0:
            raise ZeroDivisionError("negative input")
        self._publisher.publish(message)

    def _happen(self, step: str) -> None:
        self.events.append(step)
        fault = self.values["fault"]
        if fault == f"refuse {step}":
            raise ConfigurationError(f"{step} cannot work: change 'fault'")
        if fault == f"break {step}":
            raise ZeroDivisionError(f"{step} broke")
        if fault == f"hang {step}":
            threading.Event().wait(1.0)
        if fault == f"stick in {step}":
            threading.Event().wait(60.0)


if __name__ == "__main__":
    sys.exit(run(SampleNode))
