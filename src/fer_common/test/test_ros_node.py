"""The base of the nodes over DDS and as a process: parameters, lifecycle, diagnostics, its end."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import GetState
from rcl_interfaces.msg import ParameterDescriptor, ParameterType
from rcl_interfaces.srv import DescribeParameters, GetParameters, ListParameters, SetParameters
from rclpy.parameter import Parameter, parameter_value_to_python
from rclpy.qos import QoSProfile, qos_profile_sensor_data
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Int64

from fer_common.core.parameters import COMMON
from fer_common.ros.clock import NO_TIME
from fer_common.ros.qos import LATCHED, RESULT
from fer_testing.ros import Graph, check_throttled, end, facts, ros_arguments, wait_for

SAMPLE = "sample_node"


@pytest.fixture(autouse=True)
def in_this_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let processes find the sample node."""
    monkeypatch.chdir(Path(__file__).parent)


def start(graph: Graph, **parameters: object) -> subprocess.Popen[str]:
    return graph.start(SAMPLE, *ros_arguments(**parameters))


def get(graph: Graph, *names: str) -> list[Any]:
    request = GetParameters.Request(names=names)
    values = graph.call(GetParameters, "sample/get_parameters", request).values
    return [parameter_value_to_python(value) for value in values]


def describe(graph: Graph, *names: str) -> list[ParameterDescriptor]:
    request = DescribeParameters.Request(names=names)
    return list(graph.call(DescribeParameters, "sample/describe_parameters", request).descriptors)


def state(graph: Graph) -> int:
    return int(graph.call(GetState, "sample/get_state", GetState.Request()).current_state.id)


# Parameters


def test_every_parameter_is_described_with_range_and_unit(graph: Graph) -> None:
    start(graph)
    listed = graph.call(ListParameters, "sample/list_parameters", ListParameters.Request())
    own = [name for name in listed.result.names if not name.startswith(("use_", "start_", "qos_"))]
    names = ["low", "high", "count", "lengths", "mode", "fixed", "forbidden", "fault"]
    assert sorted(own) == sorted([*names, *(parameter.name for parameter in COMMON)])
    low, high, count, lengths, mode, fixed = describe(graph, *names[:6])
    assert low.description == "Lower bound. [Hz]"
    assert low.floating_point_range[0].from_value == 0
    assert low.floating_point_range[0].to_value == 100
    assert high.floating_point_range[0].from_value == 0
    assert high.floating_point_range[0].to_value > 1e300
    assert (count.integer_range[0].from_value, count.integer_range[0].to_value) == (1, 9)
    assert lengths.type == ParameterType.PARAMETER_DOUBLE_ARRAY
    assert lengths.floating_point_range[0].from_value == 0.5
    assert mode.additional_constraints == "one of off, on"
    assert mode.description == "Which. A change resets the traces."
    assert fixed.read_only
    assert not count.read_only


def test_a_batch_is_applied_or_refused_as_a_whole(graph: Graph) -> None:
    start(graph)
    assert graph.set_parameters("sample", {"low": 20.0, "high": 30.0, "count": 4}) == (True, "")
    assert get(graph, "low", "high", "count") == [20.0, 30.0, 4]
    for batch, reason in (
        ({"count": 5, "low": 40.0}, "low must not exceed high"),
        ({"count": 5, "low": -1.0}, "range"),
        ({"count": 5, "forbidden": 13}, "13 is forbidden: choose another"),
        ({"count": 5, "mode": "maybe"}, "choose one of off, on"),
        ({"count": 5, "fixed": 8}, "read-only"),
        ({"count": 10}, "range"),
        ({"count": 5.0}, "type"),
        ({"count": 5, "lengths": [1.0, 0.1]}, "range"),
        ({"count": 5, "lengths": []}, "give at least one value"),
        ({"count": 5, "nobodys": 1}, "declared"),
    ):
        successful, why = graph.set_parameters("sample", batch)
        assert not successful
        assert reason in why
    assert get(graph, "low", "high", "count", "forbidden") == [20.0, 30.0, 4, 0]
    assert graph.set_parameters("sample", {"lengths": [3.0], "mode": "on"}) == (True, "")
    assert graph.set_parameters("sample", {"mode": "on"}) == (True, "")
    status = graph.wait_for_status(
        "/sample", lambda s: "apply lengths,mode" in facts(s)["events"], "the second batch"
    )
    assert facts(status)["events"].count("apply") == 2, "nothing is applied that does not change"


def test_single_parameters_stand_for_themselves(graph: Graph) -> None:
    start(graph)
    messages = [
        Parameter(name, value=value).to_parameter_msg()
        for name, value in (("count", 5), ("low", 50.0), ("high", 60.0))
    ]
    request = SetParameters.Request(parameters=messages)
    results = graph.call(SetParameters, "sample/set_parameters", request).results
    assert [result.successful for result in results] == [True, False, True]
    assert get(graph, "count", "low", "high") == [5, 1.0, 60.0]


def test_what_yaml_makes_of_a_value_is_taken_from_files_and_from_requests(
    graph: Graph, tmp_path: Path
) -> None:
    path = tmp_path / "sample.yaml"
    values = "{high: 50, lengths: [1, 2], count: 2, mode: on}"
    path.write_text(f"/**:\n  sample:\n    ros__parameters: {values}\n")
    graph.start(SAMPLE, "--ros-args", "--params-file", str(path), "-p", "low:=5")
    names = ["low", "high", "count", "lengths", "mode"]
    assert get(graph, *names) == [5.0, 50.0, 2, [1.0, 2.0], "on"]
    # As `ros2 param set` and `ros2 param load` send them.
    batch = {"low": 4, "lengths": [3, 4], "mode": False}
    assert graph.set_parameters("sample", batch) == (True, "")
    assert get(graph, *names) == [4.0, 50.0, 2, [3.0, 4.0], "off"]


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"cuont": 3}, "node 'sample' has no parameter 'cuont': did you mean 'count'?"),
        ({"count": 10}, "parameter 'count' is 10: it must be in the range 1 to 9"),
        ({"count": "many"}, "parameter 'count' is 'many' (str): give a value of type integer"),
        ({"mode": "maybe"}, "parameter 'mode' is 'maybe': choose one of off, on"),
        ({"lengths": "[1.0, 0.1]"}, "parameter 'lengths' is 0.1 px: it must be in the range"),
        ({"low": 20.0}, "node 'sample': low must not exceed high"),
        ({"fault": "construct"}, "cannot be made: change 'fault'"),
        ({"fault": "'refuse configure'"}, "configure cannot work: change 'fault'"),
        ({"fault": "'refuse activate'"}, "activate cannot work: change 'fault'"),
    ],
)
def test_what_cannot_start_says_so_in_one_line(
    graph: Graph, parameters: dict[str, object], reason: str
) -> None:
    process = start(graph, **parameters)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 2
    assert reason in output
    assert len(output.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["-p", "count:="], "parameter override rule: '-p count:='"),
        (["--params-file", "none.yaml"], "params file: '--params-file none.yaml'"),
        (["--params-file", "sample_node.py"], "params file: '--params-file sample_node.py'"),
        (["--no-such-flag"], "no-such-flag"),
    ],
)
def test_bad_ros_arguments_are_told_without_a_traceback(
    graph: Graph, arguments: list[str], reason: str
) -> None:
    process = graph.start(SAMPLE, "--ros-args", *arguments)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 2
    assert output.splitlines()[-1].startswith("error: ")
    assert reason in output
    assert "Traceback" not in output


# Lifecycle


def test_transitions_can_be_refused_and_tried_again(graph: Graph) -> None:
    process = start(graph, autostart=False, fault="'refuse activate'")
    assert state(graph) == State.PRIMARY_STATE_UNCONFIGURED
    assert graph.change_state("sample", Transition.TRANSITION_CONFIGURE)
    assert not graph.change_state("sample", Transition.TRANSITION_ACTIVATE)
    assert state(graph) == State.PRIMARY_STATE_INACTIVE
    assert graph.set_parameters("sample", {"fault": "refuse configure"})[0]
    assert graph.change_state("sample", Transition.TRANSITION_ACTIVATE)
    assert state(graph) == State.PRIMARY_STATE_ACTIVE
    assert graph.change_state("sample", Transition.TRANSITION_DEACTIVATE)
    assert graph.change_state("sample", Transition.TRANSITION_CLEANUP)
    assert not graph.change_state("sample", Transition.TRANSITION_CONFIGURE)
    assert state(graph) == State.PRIMARY_STATE_UNCONFIGURED
    assert graph.set_parameters("sample", {"fault": ""})[0]
    assert graph.change_state("sample", Transition.TRANSITION_CONFIGURE)
    assert graph.change_state("sample", Transition.TRANSITION_ACTIVATE)
    assert graph.change_state("sample", Transition.TRANSITION_ACTIVE_SHUTDOWN)
    assert state(graph) == State.PRIMARY_STATE_FINALIZED
    code, output = end(process)
    assert (code, "Traceback" in output) == (0, False)
    assert "activate cannot work" in output


# Diagnostics


def test_health_is_told_regularly(graph: Graph) -> None:
    diagnostics = graph.diagnostics
    graph.start(SAMPLE, "--ros-args", "-r", "__ns:=/robot")
    wait_for(lambda: len(diagnostics) >= 2, "two diagnostics")
    status = diagnostics[-1].status[0]
    assert (status.level, status.message) == (DiagnosticStatus.WARN, "as ever")
    assert (status.name, status.hardware_id) == ("/robot/sample", "sample")
    told = facts(status)
    assert (told["share"], told["listeners /robot/count"]) == ("0.333", "0")
    assert diagnostics[-1].header.stamp.sec > 0


def test_simulated_time_that_has_not_begun_is_reported(graph: Graph) -> None:
    diagnostics = graph.diagnostics
    start(graph, use_sim_time=True)
    wait_for(lambda: len(diagnostics) >= 2, "two diagnostics")
    status = diagnostics[-1].status[0]
    assert (status.level, status.message) == (DiagnosticStatus.STALE, NO_TIME)
    clock = graph.node.create_publisher(Clock, "/clock", 10)

    def begun() -> bool:
        clock.publish(Clock(clock=Time(sec=1)))
        return bool(diagnostics[-1].status[0].message == "as ever")

    wait_for(begun, "the clock to run")


def test_the_period_of_health_is_live(graph: Graph) -> None:
    start(graph)
    wait_for(lambda: graph.diagnostics, "diagnostics")
    assert graph.set_parameters("sample", {"diagnostic_updater.period": 60.0})[0]
    told = len(graph.diagnostics)
    assert graph.set_parameters("sample", {"diagnostic_updater.period": 0.05})[0]
    wait_for(lambda: len(graph.diagnostics) > told + 2, "diagnostics again")


# Its end


@pytest.mark.parametrize(
    ("end_of_ours", "topic", "profile", "policy"),
    [
        ("publisher", "/count", LATCHED, "DURABILITY"),
        ("subscription", "/input", qos_profile_sensor_data, "RELIABILITY"),
    ],
)
def test_a_mismatch_is_logged_and_told_until_it_is_gone(
    graph: Graph, end_of_ours: str, topic: str, profile: QoSProfile, policy: str
) -> None:
    process = start(graph)
    if end_of_ours == "publisher":
        other: Any = graph.node.create_subscription(Int64, topic, lambda _: None, profile)
        destroy: Any = graph.node.destroy_subscription
    else:
        other = graph.node.create_publisher(Int64, topic, profile)
        destroy = graph.node.destroy_publisher

    def told() -> dict[str, str]:
        statuses = [status for array in graph.diagnostics for status in array.status]
        return facts(statuses[-1]) if statuses else {}

    def names_all() -> bool:
        text = told().get("qos_mismatch", "")
        return topic in text and policy in text and "test" in text

    wait_for(names_all, "the mismatch in diagnostics")
    last = graph.diagnostics[-1].status[0]
    assert last.level == DiagnosticStatus.WARN
    assert policy in last.message
    destroy(other)
    wait_for(lambda: "qos_mismatch" not in told(), "the end of the mismatch")
    code, output = end(process)
    assert code == 0
    (line,) = [line for line in output.splitlines() if policy in line]
    assert "[WARN]" in line and topic in line


def test_memory_is_told(graph: Graph) -> None:
    process = start(graph)
    wait_for(lambda: graph.diagnostics, "diagnostics")
    told = facts(graph.diagnostics[-1].status[0])
    resident = psutil.Process(process.pid).memory_info().rss / 1e6
    assert float(told["memory_mb"]) == pytest.approx(resident, rel=0.2)


def test_bytes_that_are_no_message_are_counted_and_told_at_times(graph: Graph) -> None:
    begun_s = time.monotonic()
    process = start(graph)
    publisher = graph.node.create_publisher(Int64, "input", RESULT)
    wait_for(publisher.get_subscription_count, "the node")

    def refused() -> int:
        publisher.publish(b"\0\1\0\0\7")
        return int(facts(graph.diagnostics[-1].status[0]).get("malformed", "0"))

    wait_for(lambda: graph.diagnostics, "diagnostics")
    wait_for(lambda: refused() > 20, "bytes that were refused")
    code, output = end(process)
    assert code == 0
    check_throttled(output, "message dropped on /input from", begun_s)


def test_worker_works_and_its_error_ends_the_process(graph: Graph) -> None:
    counts = graph.collect(Int64, "count", RESULT)
    process = start(graph)
    publisher = graph.node.create_publisher(Int64, "input", RESULT)
    wait_for(publisher.get_subscription_count, "the node")
    graph.wait_until_heard("count")

    def heard(value: int) -> bool:
        publisher.publish(Int64(data=value))
        return any(message.data == value for message in counts)

    wait_for(lambda: heard(5), "the answer")
    publisher.publish(Int64(data=-1))
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert output.splitlines()[-1] == "ZeroDivisionError: negative input"


@pytest.mark.parametrize("step", ["configure", "activate"])
def test_a_step_that_breaks_ends_with_its_traceback(graph: Graph, step: str) -> None:
    process = start(graph, fault=f"'break {step}'")
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert output.splitlines()[-1] == f"ZeroDivisionError: {step} broke"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_it_in_order(graph: Graph, number: int) -> None:
    diagnostics = graph.diagnostics
    process = start(graph)
    # Not by a service: rclpy warns of a response whose reader is not discovered yet.
    wait_for(lambda: diagnostics, "diagnostics")
    assert end(process, number, within_s=3) == (0, "")


@pytest.mark.parametrize("fault", ["none", "'hang configure'", "'hang activate'"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_during_start_up(graph: Graph, number: int, fault: str) -> None:
    process = start(graph, fault=fault)
    # As soon as the process has taken the signal over, which is before it has a node.
    wait_for(lambda: catches(process.pid, number), "the handler")
    assert end(process, number, within_s=5) == (0, "")


def test_a_start_that_hangs_is_cut_off(graph: Graph) -> None:
    process = start(graph, fault="'stick in configure'")
    wait_for(lambda: "sample" in graph.node.get_node_names(), "the node")
    assert end(process, signal.SIGTERM, within_s=5) == (0, "")


def test_a_second_signal_does_not_break_the_end() -> None:
    code = (
        "import signal; from sample_node import SampleNode; "
        "from fer_common.ros.running import run; "
        "run(SampleNode, args=['--ros-args', '-p', 'fault:=construct']); "
        "signals = (signal.SIGINT, signal.SIGTERM); "
        "print({signal.getsignal(number) for number in signals} == {signal.SIG_IGN})"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout == "True\n"


def catches(process_id: int, number: int) -> bool:
    status = Path("/proc", str(process_id), "status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
    # Python itself catches SIGINT from its first moment on, so both must be.
    mask = int(caught.split()[1], 16)
    return bool(mask >> (signal.SIGTERM - 1) & 1) and bool(mask >> (number - 1) & 1)
