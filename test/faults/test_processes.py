"""Nodes that are killed, and ends that are asked for at any moment."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fer_common.ros.distributions import LOCK
from fer_faults.graph import NAMESPACE, Up
from fer_faults.ledger import Ledger
from fer_snn.core.weights import weights_file
from fer_testing.ros import Graph, wait_for
from fer_testing.whole_graph import all_gone

#: On a machine that does other things too, as in continuous integration, twice as much is allowed.
BACK_S = 5.0
END_S = 3.0
AUTOSAVE_S = 0.5

pytestmark = pytest.mark.timeout(600)


def segments(pid: int) -> list[Path]:
    """Return the shared memory that a process owns: the segments whose lock files it holds open."""
    targets = [Path(os.readlink(link)) for link in Path("/proc", str(pid), "fd").iterdir()]
    return [path.with_name(lock[1]) for path in targets if (lock := LOCK.fullmatch(path.name))]


def test_killed_nodes_come_back_and_the_others_do_not_notice(
    up: Up, ledger: Ledger, long: bool
) -> None:
    learning = {"learning": "unsupervised", "autosave": AUTOSAVE_S, "weights_dir": str(up.folder)}
    up.start(parameters={"snn": learning})
    up.wait_for_expressions(10)
    left: list[Path] = []
    for name in ("camera", "features", "snn", "viz") * (10 if long else 1):
        nodes = up.nodes()
        wait_for((up.folder / "autosave.npz").exists, "the first autosave")
        if name == "viz":
            wait_for(lambda: up.health.of(f"{NAMESPACE}/viz"), "viz")
        with ledger.trial(f"{name} killed (SIGKILL)") as trial:
            left += segments(nodes[name].pid)
            nodes[name].kill()
            trial.injected()
            wait_for(lambda: all_gone([nodes[name]]), "the end")  # noqa: B023
            seen, said = len(up.expressions), len(up.graph.diagnostics)
            if name == "viz":
                wait_for(
                    lambda: any(
                        status.name == f"{NAMESPACE}/viz"
                        for array in up.graph.diagnostics[said:]  # noqa: B023
                        for status in array.status
                    ),
                    "viz again",
                )
            else:
                # More than could still be under way.
                wait_for(lambda: len(up.expressions) > seen + 5, "expressions again")  # noqa: B023
            trial.recovered(BACK_S)
            others = {n: p.pid for n, p in up.nodes().items() if n != name}
            assert others == {n: p.pid for n, p in nodes.items() if n != name}
        if name == "snn":
            wait_for(lambda: up.weights[-1].model == "autosave", "what was learnt before")
    assert left
    assert not [path for path in left if path.exists()], "shared memory of dead processes"
    code, output = up.end()
    assert code == 0
    assert "Traceback" not in output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_end_may_be_asked_for_at_any_moment(
    ros_domain: int, tmp_path: Path, ledger: Ledger, long: bool, number: signal.Signals
) -> None:
    draw = random.Random(number)
    up = Up(ros_domain, tmp_path)
    try:
        for k in range(20 if long else 2):
            with ledger.trial(f"{number.name} during start-up or run") as trial:
                process = up.start()
                # Not before Python itself has begun: until then nobody can take a signal.
                wait_for(lambda: up.process and _takes_signals(up.process.pid), "Python")
                time.sleep(draw.uniform(0.0, 2.5) if k % 4 else 0.0)
                nodes = list(up.nodes().values())
                trial.injected()
                code, output = up.end(number)
                trial.recovered(END_S)
                assert code == 0, output
                assert "Traceback" not in output
                assert all_gone(nodes)
                assert process.poll() == 0
    finally:
        up.close()


@pytest.mark.parametrize("module", ["fer_camera", "fer_features", "fer_snn", "fer_viz"])
def test_a_node_of_its_own_may_be_ended_at_any_moment(
    graph: Graph, ledger: Ledger, long: bool, module: str
) -> None:
    draw = random.Random(module)
    for k in range(10 if long else 1):
        number = (signal.SIGINT, signal.SIGTERM)[k % 2]
        with ledger.trial("SIGINT or SIGTERM to a node that starts") as trial:
            process = graph.start(f"{module}.ros.node")
            # In the middle of the imports: what was there first answers with a traceback.
            wait_for(lambda: _maps(process.pid, "numpy"), "imports")  # noqa: B023
            time.sleep(draw.uniform(0.0, 0.8) if k else 0.0)
            trial.injected()
            process.send_signal(number)
            output, _ = process.communicate(timeout=20.0)
            trial.recovered(END_S)
            assert process.returncode == 0, output
            assert "Traceback" not in output


def _maps(pid: int, library: str) -> bool:
    """Whether a process has loaded a library."""
    return library in Path("/proc", str(pid), "maps").read_text()


def _takes_signals(pid: int) -> bool:
    """Whether a process takes its signals itself: it catches or holds SIGTERM."""
    status = Path("/proc", str(pid), "status").read_text()
    masks = [
        int(line.split()[1], 16)
        for line in status.splitlines()
        if line.startswith(("SigCgt", "SigBlk"))
    ]
    return any(mask >> (signal.SIGTERM - 1) & 1 for mask in masks)


SAVER = """
import sys
from dataclasses import replace
from pathlib import Path
from fer_snn.core.weights import weights_file
from fer_testing.networks import small_model
models = [replace(small_model(), name=name) for name in ("even", "odd")]
print("ready", flush=True)
while True:
    for model in models:
        weights_file.save(model, Path(sys.argv[1]))
"""


def test_a_kill_while_saving_leaves_the_old_or_the_new_file(
    tmp_path: Path, ledger: Ledger, long: bool
) -> None:
    draw = random.Random(4)
    path = tmp_path / "weights.npz"
    command = [sys.executable, "-c", SAVER, str(path)]
    for _ in range(50 if long else 2):
        with ledger.trial("killed while it saves weights"):
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdout is not None
                process.stdout.readline()
                wait_for(path.is_file, "the first file")
                time.sleep(draw.uniform(0.0, 0.05))
                process.kill()
            assert weights_file.load(path).name in ("even", "odd")
