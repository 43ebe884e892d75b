"""A simulation that is paused: its /clock stands still, and so does the network."""

from __future__ import annotations

import array
import threading
from pathlib import Path

from builtin_interfaces.msg import Time
from rosgraph_msgs.msg import Clock

from fer_common.core.stamps import split_ns, to_ns
from fer_common.ros import qos
from fer_interfaces.msg import FaceFeatures, FaceFeaturesArray, Spikes
from fer_snn.core.weights import weights_file
from fer_testing.networks import SHAPE, SPEC, small_model, synthetic
from fer_testing.ros import Graph, RepeatingTimer, ros_arguments, wait_for

TICK_S = 0.01
BEGIN_NS = 1000 * 10**9
FEATURES, _ = synthetic(8, seed=2)


class Simulation(RepeatingTimer):
    """Publishes /clock and a face at that time, in a thread of its own, also while it is paused."""

    def __init__(self, graph: Graph) -> None:
        self.running = threading.Event()
        self._clock = graph.node.create_publisher(Clock, "/clock", 10)
        self._features = graph.node.create_publisher(FaceFeaturesArray, "features", qos.STREAM)
        self._now_ns = BEGIN_NS
        self.running.set()
        super().__init__(self._send, TICK_S)

    def _send(self) -> None:
        if self.running.is_set():
            self._now_ns += round(TICK_S * 1e9)
        message = Clock()
        message.clock.sec, message.clock.nanosec = split_ns(self._now_ns)
        self._clock.publish(message)
        self._features.publish(self._face(message.clock))

    def _face(self, now: Time) -> FaceFeaturesArray:
        channels, rows, cols = SHAPE
        message = FaceFeaturesArray(feature_spec=SPEC, channels=channels, rows=rows, cols=cols)
        message.header.stamp = now
        face = FaceFeatures(id=1, features=array.array("f", FEATURES[0].ravel().tolist()))
        face.roi.width = face.roi.height = 100
        message.faces = [face]
        return message


def test_a_clock_that_stands_freezes_the_network_and_it_goes_on_from_there(
    graph: Graph, tmp_path: Path
) -> None:
    weights_file.save(small_model(), tmp_path / "small.npz")
    spikes = graph.collect(Spikes, "spikes", qos.EVERY_FRAME)
    given = {"weights": "small", "weights_dir": tmp_path, "use_sim_time": "true"}
    graph.start("fer_snn.ros.node", *ros_arguments(**given))
    graph.wait_until_heard("spikes")
    simulation = Simulation(graph)
    try:
        wait_for(lambda: any(each.trains for each in spikes), "spikes of a face")
        goal = len(spikes) + 20
        wait_for(lambda: len(spikes) > goal, "spikes while the clock runs")
        simulation.running.clear()

        def frozen() -> bool:
            return len({to_ns(each.header.stamp) for each in spikes[-3:]}) == 1

        wait_for(frozen, "frames of one moment")
        begin = len(spikes)
        wait_for(lambda: len(spikes) > begin + 20, "frames while the clock stands")
        standing = spikes[begin : begin + 20]
        assert {each.steps for each in standing} == {0}
        assert not any(len(train.neuron) for each in standing for train in each.trains)
        simulation.running.set()
        wait_for(lambda: spikes[-1].steps > 0, "the clock to go on")
        goal = len(spikes) + 10
        wait_for(lambda: len(spikes) > goal, "frames after it")
        assert not any(each.gap for each in spikes[begin:]), "a pause is no gap"
    finally:
        simulation.close()
