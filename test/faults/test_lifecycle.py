"""Nodes that are configured, activated, deactivated and cleaned up again and again."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import GetState

from fer_faults.ledger import Ledger
from fer_faults.machine import own_mb
from fer_testing.ros import Graph, end, ros_arguments, wait_for

#: Less than one model of the snn node for each cycle of the short form.
GROWTH_MB = 10.0
#: Caches and pools fill up first.
WARM_UP = 3
DOWN = (Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP)
UP = (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE)

pytestmark = pytest.mark.timeout(900)


@pytest.mark.parametrize("name", ["camera", "features", "snn", "viz"])
def test_cycles_leak_nothing(
    graph: Graph, tmp_path: Path, ledger: Ledger, long: bool, name: str
) -> None:
    given = {"camera": {"source": "demo"}, "snn": {"weights_dir": tmp_path}}.get(name, {})
    node = graph.start(f"fer_{name}.ros.node", *ros_arguments(**given))
    process = psutil.Process(node.pid)

    def active() -> bool:
        state = graph.call(GetState, f"{name}/get_state", GetState.Request()).current_state
        return bool(state.id == State.PRIMARY_STATE_ACTIVE)

    def change(*transitions: int) -> None:
        for number in transitions:
            assert graph.change_state(name, number)

    def cycles(number: int) -> None:
        """End at rest."""
        for _ in range(number):
            change(*UP, *DOWN)

    wait_for(active, "the node")
    change(*DOWN)
    cycles(WARM_UP)
    files, threads, before_mb = process.num_fds(), process.num_threads(), own_mb(node.pid)
    number = 50 if long else 4
    cycles(number)
    # A thread may take a moment to end.
    wait_for(lambda: process.num_fds() <= files, "files to be closed")
    wait_for(lambda: process.num_threads() <= threads, "threads to end")
    growth_mb = own_mb(node.pid) - before_mb
    ledger.count(f"lifecycle cycles of {name}", number, f"grew by {growth_mb:.1f} MB")
    assert growth_mb <= GROWTH_MB
    change(*UP)
    assert active()
    code, output = end(node)
    assert code == 0
    assert "Traceback" not in output
