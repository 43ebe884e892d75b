"""SIGKILL at random moments of recording and of saving: `pytest test/test_kills.py --kills 50`."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from rosbags.highlevel import AnyReader

from fer.bags.repair import is_whole
from fer_common.core.stamps import split_ns, to_ns
from fer_common.ros import qos
from fer_interfaces.msg import ExpressionArray
from fer_snn.core.weights import weights_file
from fer_testing.networks import small_model
from fer_testing.ros import Graph, RepeatingTimer, wait_for
from fer_testing.whole_graph import start_fer

RATE_HZ = 100
TOPIC = "/fer/expressions"
MOST_LOST_S = 1.0
#: Saves one of two models over the other, for ever; the weights tell which.
SAVE_FOR_EVER = """
import sys
from dataclasses import replace
from pathlib import Path
from fer_snn.core.weights import weights_file
from fer_testing.networks import small_model
models = [replace(small_model(), name=name) for name in ("old", "new")]
path = Path(sys.argv[1])
weights_file.save(models[0], path)
print("ready", flush=True)
while True:
    for model in models:
        weights_file.save(model, path)
"""
#: Is killed, by the kernel, when half of the file is written.
DIE_HALF_WAY = """
import resource, signal, sys
from dataclasses import replace
from pathlib import Path
from fer_snn.core.weights import weights_file
from fer_testing.networks import small_model
model = replace(small_model(), name="new")
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_FSIZE, (len(weights_file.to_bytes(model)) // 2,) * 2)
weights_file.save(model, Path(sys.argv[1]))
"""


def talking(graph: Graph) -> RepeatingTimer:
    """Publish answers stamped with the time, until it is closed."""
    publisher = graph.node.create_publisher(ExpressionArray, TOPIC, qos.RESULT)

    def talk() -> None:
        message = ExpressionArray()
        message.header.stamp.sec, message.header.stamp.nanosec = split_ns(time.time_ns())
        publisher.publish(message)

    return RepeatingTimer(talk, 1 / RATE_HZ)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_a_killed_recording_is_readable_up_to_its_last_second(
    graph: Graph, tmp_path: Path, kills: int, storage: str
) -> None:
    talker = talking(graph)
    try:
        for k in range((kills + 1) // 2):
            folder = tmp_path / f"bag{k}"
            # The first lives longer than what may be lost, so that it must leave something.
            life_s = random.uniform(*((1.2, 1.8) if k == 0 else (0.0, 1.5)))
            began_ns, killed_ns = kill_in_the_middle(graph, folder, storage, life_s)
            wait_for(lambda folder=folder: is_whole(folder), "the bag made whole")  # type: ignore[misc]
            check_stamps(folder, began_ns, killed_ns)
    finally:
        talker.close()


def kill_in_the_middle(graph: Graph, folder: Path, storage: str, life_s: float) -> tuple[int, int]:
    """Record for a time, kill the recorder, and return from when to when it was there, ns."""
    before = listeners(graph)
    process = start_fer(
        *("bag", "record", "-o", folder, "--storage", storage, "--topics", "expressions")
    )
    try:
        # The dead of before are believed to live for some seconds.
        wait_for(lambda: listeners(graph) - before, "the recorder")
        began_ns = time.time_ns()
        time.sleep(life_s)
        return began_ns, time.time_ns()
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()


def listeners(graph: Graph) -> set[bytes]:
    """Return the ids of those who listen."""
    found = graph.node.get_subscriptions_info_by_topic(TOPIC)
    return {bytes(each.endpoint_gid) for each in found}


def check_stamps(folder: Path, began_ns: int, killed_ns: int) -> None:
    """Nothing is missing in between, and no more than the last second at the end."""
    with AnyReader([folder]) as reader:
        stamps = [
            to_ns(reader.deserialize(data, connection.msgtype).header.stamp)
            for connection, _, data in reader.messages()
        ]
    assert stamps == sorted(set(stamps))
    last_ns = stamps[-1] if stamps else began_ns
    assert (killed_ns - last_ns) / 1e9 <= MOST_LOST_S


def test_a_killed_save_leaves_the_old_or_the_new_file(tmp_path: Path, kills: int) -> None:
    path = tmp_path / "weights.npz"
    names = set()
    for _ in range(kills):
        command = [sys.executable, "-c", SAVE_FOR_EVER, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(random.uniform(0.0, 0.1))
            process.send_signal(signal.SIGKILL)
        names.add(weights_file.load(path).name)
    assert names <= {"old", "new"}


def test_a_save_that_is_killed_half_way_leaves_the_old_file(tmp_path: Path) -> None:
    """The kills at random moments seldom meet the write, which is short."""
    path = tmp_path / "weights.npz"
    weights_file.save(replace(small_model(), name="old"), path)
    command = [sys.executable, "-c", DIE_HALF_WAY, str(path)]
    result = subprocess.run(command, timeout=60, check=False)
    assert result.returncode == -signal.SIGXFSZ
    assert weights_file.load(path).name == "old"
