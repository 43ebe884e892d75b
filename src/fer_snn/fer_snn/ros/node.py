"""ROS node `snn`: features in; spikes, potentials, weights and expressions out."""
# ruff: noqa: E402

from __future__ import annotations

from fer_common.core.process import begin_start, pin_to_one_thread

begin_start(__name__)
# Before NumPy is imported, because it reads the number of threads only once.
pin_to_one_thread()

import copy
import math
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription

from fer_common.core.errors import FerError, MessageError
from fer_common.core.network_links import AgeError, check_age, max_age_s
from fer_common.core.parameters import Value
from fer_common.core.statistics import StreamStatistics
from fer_common.core.worker import HEAD_START_S, Worker
from fer_common.ros import qos
from fer_common.ros.diagnostics import OK, STALE, WARN, Health
from fer_common.ros.endpoints import LossCounter, publisher_names
from fer_common.ros.exchange import SharedProcess
from fer_common.ros.node import FerNode
from fer_common.ros.running import run
from fer_interfaces.msg import FaceFeaturesArray
from fer_snn.core.constants import TrainedConstants, constants_in
from fer_snn.core.kernels import interface as kernels
from fer_snn.core.model import Model
from fer_snn.core.parameters import NODE, TABLE, recogniser_parameters, time_budget_s
from fer_snn.core.synapses.learning import Learning
from fer_snn.core.teaching.learner import Learner
from fer_snn.core.time_budget import TimeBudget
from fer_snn.core.weights import autosave, weights_file, weights_folder
from fer_snn.core.weights.autosave import Autosave
from fer_snn.ros import messages
from fer_snn.ros.outputs import SnnOutputs
from fer_snn.ros.services import Services

WARNING_PERIOD_S = 5.0


class SnnNode(FerNode):
    """Runs the network on the features of every frame and publishes expressions."""

    def __init__(self, shared: SharedProcess | None = None) -> None:
        super().__init__(NODE, TABLE, "spiking network", shared)
        self._statistics = StreamStatistics()
        # Held while a frame is processed: requests and parameters take effect between two frames.
        self._between_frames = threading.Lock()
        self._learner: Learner | None = None
        self._budget: TimeBudget | None = None
        self._autosave: Autosave | None = None
        self._outputs: SnnOutputs | None = None
        self._requests: Services | None = None
        self._worker: Worker[FaceFeaturesArray] | None = None
        self._subscription: Subscription[FaceFeaturesArray] | None = None
        self._arrived_s = self._dropped_s = self._cut_s = -math.inf
        self._last_drop = ""
        self._faces = 0
        self._real_time_factor = self._simulated_lag_s = math.nan
        self._losses = LossCounter(lambda: self.count_publishers("features"))
        self.watcher.add(self._is_save_due, self._save_when_due, autosave.CHECK_S)

    # Lifecycle and parameters

    def configure(self) -> None:
        """Load the weights, compile, create publishers and services."""
        weights, folder = str(self.values["weights"]), self._folder()
        path = weights_folder.resolve(weights, folder)
        if self.values["autosave"] and (saved := autosave.interrupted(folder, weights)):
            self.get_logger().warning(f"was killed while it learnt: continues with {saved}")
            path = saved
        model = weights_file.load(path)
        self._take_constants(model, path)
        self._learner = Learner(
            model,
            recogniser_parameters(self.values),
            folder,
            self._whole("rehearsals"),
            self._whole("undo_depth"),
        )
        if problem := kernels.problem():
            self.get_logger().warning(f"{problem}: the network runs many times slower")
        self._budget = TimeBudget(self._learner)
        self._budget.budget_s = time_budget_s(self.values)
        recogniser = self._learner.recogniser
        self._autosave = Autosave(recogniser, folder, weights, self._not_saved, self.fail)
        self._outputs = SnnOutputs(self)
        self._requests = Services(
            self, self._learner, folder, self._between_frames, self._model_changed
        )
        every_frame = bool(self.values["every_frame"])
        self._worker = Worker(self._work, self.fail, NODE, every_frame, HEAD_START_S)
        self._model_changed()
        self.get_logger().info(f"{path}: {', '.join(recogniser.network.model.labels)}")

    def _take_constants(self, model: Model, path: Path) -> None:
        """Use the constants that the weights were trained with, except those that the user set."""
        constants = TrainedConstants.of(model, self.values, self.parameters.given)
        if constants.taken:
            self.parameters.adopt(constants.taken)
        for note in constants.notes(path):
            self.get_logger().warning(note)

    def activate(self) -> None:
        """Subscribe to the features."""
        self._arrived_s = time.monotonic()
        profile = copy.copy(qos.EVERY_FRAME if self.values["every_frame"] else qos.STREAM)
        self._subscription = self.create_subscription(
            FaceFeaturesArray,
            "features",
            self._on_features,
            profile,
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )

    def deactivate(self) -> None:
        """Unsubscribe; keep weights and state."""
        if self._subscription is not None:
            self.destroy_subscription(self._subscription)
        self._subscription = None

    def cleanup(self) -> None:
        """Stop the worker, save what was learnt, destroy publishers and services."""
        if self._worker is not None:
            self._worker.stop()
        if self._autosave is not None:
            self._autosave.finish(wanted=bool(self.values["autosave"]))
        for part in (self._requests, self._outputs):
            if part is not None:
                part.close()
        self._worker = self._requests = self._outputs = None
        self._learner = self._budget = self._autosave = None

    def check_parameters(self, values: Mapping[str, Value], changed: frozenset[str]) -> None:
        """Refuse constants that contradict each other, and labels that are not known."""
        readout = recogniser_parameters(values).readout
        if self._learner is not None:
            readout.check(self._learner.recogniser.network.model.labels)

    def apply_parameters(self, values: Mapping[str, Value], changed: frozenset[str]) -> None:
        """Apply new constants before the next frame."""
        if self._learner is None or self._budget is None:
            return
        with self._between_frames:
            unsupervised = values["learning"] == Learning.UNSUPERVISED.value
            if "learning" in changed and unsupervised:
                self._learner.remember("unsupervised learning")
            self._learner.undo_depth = self._whole("undo_depth")
            self._learner.rehearsals = self._whole("rehearsals")
            self._learner.parameters = recogniser_parameters(values)
            self._budget.budget_s = time_budget_s(values)
            self._model_changed()

    def health(self) -> Health:
        """Return whether features arrive and can be used."""
        now_s = time.monotonic()
        stale_after, silent_s = self.values["stale_after"], now_s - self._arrived_s
        assert isinstance(stale_after, float)
        subscription = self._subscription
        if subscription is None or not self.active:
            return Health(OK, "inactive: activate the node to recognise faces")
        if silent_s > stale_after:
            silence = f"no features on {subscription.topic_name} for {silent_s:.0f} s"
            return Health(STALE, f"{silence}: is features running, and enabled?")
        if now_s - self._dropped_s < WARNING_PERIOD_S:
            return Health(WARN, f"dropping features {self._last_drop}")
        if now_s - self._cut_s < WARNING_PERIOD_S:
            return Health(
                WARN,
                f"slower than real time with {self._faces} face(s), steps are skipped: "
                "reduce max_faces, or increase dt or time_budget",
            )
        return Health(OK, f"watching {self._faces} face(s)")

    def facts(self) -> Mapping[str, object]:
        """Return statistics of the features, and how far the network has got."""
        facts: dict[str, object] = {
            **self._statistics.facts(time.monotonic()),
            **self._losses.facts(),
            "last_drop": self._last_drop,
            "real_time_factor": self._real_time_factor,
            "simulated_lag_ms": self._simulated_lag_s * 1e3,
            "faces": self._faces,
            "learning": self.values["learning"],
            "kernel": "numpy" if kernels.problem() else "compiled",
        }
        if self._learner is not None and self._budget is not None:
            facts["left_out_s"] = self._budget.left_out_s
            facts["weights_version"] = self._learner.recogniser.network.version
        return facts

    # Features, first in the executor's thread, then in the worker's

    def _on_features(self, message: FaceFeaturesArray, info: Mapping[str, Any]) -> None:
        self._arrived_s = time.monotonic()
        if (worker := self._worker) is not None:
            worker.queue.put(message, self._losses.lost_before(info))

    def _work(self, message: FaceFeaturesArray, skipped: int) -> None:
        begun_s = time.monotonic()
        learner, budget, outputs = self._learner, self._budget, self._outputs
        assert learner is not None and budget is not None and outputs is not None
        network = learner.recogniser.network
        with self._between_frames:
            try:
                recording = outputs.recording(network)
                frame = messages.read_features(message, network.model, recording)
                check_age(self.age_s(message.header), max_age_s(self.values))
            except (MessageError, AgeError) as error:
                self._drop(error)
                return
            result = budget.process(frame)
            outputs.publish_frame(message, result, network, skipped)
        done_s = time.monotonic()
        latency_s = self.age_s(message.header)
        self._statistics.add(done_s, latency_s, done_s - begun_s, skipped)
        # Simulated time equals the stamp within half a step.
        self._simulated_lag_s = latency_s
        self._faces = len(frame.faces)
        if result.timing.left_out:
            self._cut_s = done_s
        simulated_s = result.timing.steps * network.parameters.dt
        self._real_time_factor = simulated_s / max(done_s - begun_s, 1e-9)

    def _drop(self, error: MessageError | AgeError) -> None:
        self._statistics.drop("age" if isinstance(error, AgeError) else "features")
        self._dropped_s = time.monotonic()
        publishers = publisher_names(self, self.resolve_topic_name("features"))
        self._last_drop = f"from {publishers}: {error}"
        self.get_logger().warning(
            f"features dropped {self._last_drop}", throttle_duration_sec=WARNING_PERIOD_S
        )

    # Weights

    def _model_changed(self) -> None:
        """Publish the model, with the constants that it is used with, which saved files hold."""
        if self._learner is not None and self._outputs is not None:
            network = self._learner.recogniser.network
            network.model = replace(network.model, parameters=constants_in(self.values))
            self._outputs.publish_latched(network, now=True)

    def _folder(self) -> Path:
        return weights_folder.folder(str(self.values["weights_dir"]))

    def _whole(self, name: str) -> int:
        value = self.values[name]
        assert isinstance(value, int)
        return value

    def _is_save_due(self) -> bool:
        period, saver = self.values["autosave"], self._autosave
        assert isinstance(period, float)
        return saver is not None and period > 0 and saver.is_due(period)

    def _save_when_due(self) -> None:
        period = self.values["autosave"]
        assert isinstance(period, float)
        if self._autosave is not None and period:
            with self._between_frames:
                self._autosave.when_due(period)

    def _not_saved(self, error: FerError) -> None:
        self.get_logger().error(str(error), throttle_duration_sec=60.0)


def main(args: list[str] | None = None) -> int:
    """Run the node until a signal ends it; return the exit code."""
    return run(SnnNode, args=args)


if __name__ == "__main__":
    sys.exit(main())
