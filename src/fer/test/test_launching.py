"""The launch files start the nodes that `fer up` starts, with the same settings."""

from __future__ import annotations

import os
import runpy
from pathlib import Path
from typing import Any

import pytest

from fer.bringup.arguments import File, arguments_of
from fer.bringup.environment import default_parameter_file
from fer.bringup.graph import HOSTS, NODES, SPLITS, Host, Settings, Split, started_nodes
from fer_common.ros import container
from fer_common.ros.distributions import profile_variable

launch = pytest.importorskip("launch", reason="ros2 launch is not installed")
pytest.importorskip("launch_ros", reason="ros2 launch is not installed")

PACKAGE = Path(__file__).resolve().parents[1]
FILES = {"bringup": ("robot", "workstation"), "robot": ("robot",), "workstation": ("workstation",)}


def description(name: str) -> Any:
    """Return the launch description of a file."""
    file = runpy.run_path(str(PACKAGE / "launch" / f"{name}.launch.py"))
    return file["generate_launch_description"]()


def arguments(name: str) -> dict[str, Any]:
    """Return the declared arguments of a launch file by name."""
    return {argument.name: argument for argument in description(name).get_launch_arguments()}


def processes(name: str, **given: str) -> list[Any]:
    """Return what a launch file starts for the given arguments: nodes and, last, a player."""
    context = launch.LaunchContext()
    context.launch_configurations.update(given)
    pending, found = list(description(name).entities), []
    while pending:
        entity = pending.pop(0)
        if type(entity).__name__ in ("Node", "ExecuteProcess"):
            if entity.condition is None or entity.condition.evaluate(context):
                found.append(entity)
        else:
            pending = list(entity.execute(context) or []) + pending
    return found


def text(substitutions: Any) -> str:
    """Return what substitutions come to."""
    normalized = launch.utilities.normalize_to_list_of_substitutions(substitutions)
    return str(launch.utilities.perform_substitutions(launch.LaunchContext(), normalized))


@pytest.mark.parametrize("name", FILES)
def test_launch_files_start_what_fer_up_starts(name: str) -> None:
    started = started_nodes(Settings(hosts=FILES[name]))  # type: ignore[arg-type]
    expected = [(one.node.package, one.node.executable) for one in started]
    launched = processes(name)
    assert [(text(node.node_package), text(node.node_executable)) for node in launched] == expected


@pytest.mark.parametrize(
    ("name", "given", "shared"),
    [
        ("bringup", "true", ["camera", "features", "snn", "viz"]),
        ("bringup", "camera+features", ["camera", "features"]),
        ("robot", "true", ["camera", "features"]),
        ("workstation", "camera+features", []),
    ],
)
def test_nodes_share_a_process_if_they_are_told_to(
    name: str, given: str, shared: list[str]
) -> None:
    launched = processes(name, use_composition=given)
    started = [one.node for one in started_nodes(Settings(hosts=FILES[name]))]  # type: ignore[arg-type]
    alone = [one.package for one in started if one.name not in shared]
    containers = ["fer_common"] if shared else []
    assert [text(node.node_package) for node in launched] == alone + containers
    if shared:
        components = [one.component for one in started if one.name in shared]
        command = [text(part) for part in launched[-1].cmd]
        assert [word for word in command if word in components] == components


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("host", HOSTS)
def test_both_hosts_cut_the_graph_where_they_are_told(host: Host, split: Split) -> None:
    started = started_nodes(Settings(hosts=(host,), split=split))
    launched = processes(host, split=split, peers="127.0.0.1")
    packages = [text(node.node_package) for node in launched]
    assert packages == [one.node.package for one in started]


@pytest.mark.parametrize("shared", ["false", "true"])
def test_a_pushed_namespace_goes_before_ours(shared: str) -> None:
    for pushed, namespace, expected in (
        ("/robot1", "fer", "/robot1/fer"),
        ("/robot1", "/fer", "/fer"),
        ("", "fer", "/fer"),
    ):
        given = {"ros_namespace": pushed} if pushed else {}
        given |= {"namespace": namespace, "use_composition": shared}
        for node in processes("bringup", **given):
            assert text(node._Node__node_namespace) == expected


@pytest.mark.parametrize("shared", ["false", "true"])
def test_what_a_launch_file_sets_for_all_nodes_wins_against_the_defaults_only(
    shared: str, tmp_path: Path
) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("/**/snn: {ros__parameters: {max_faces: 2}}")
    for given in ("", str(own)):
        nodes = processes("bringup", use_composition=shared, params_file=given)
        node = nodes[2 if shared == "false" else 0]
        context = launch.LaunchContext()
        context.launch_configurations["global_params"] = [("max_faces", 3)]
        node._perform_substitutions(context)
        context.extend_locals({"ros_specific_arguments": {"name": "", "ns": ""}})
        words = [launch.utilities.perform_substitutions(context, part) for part in node.cmd]
        if shared == "true":
            words = list(container.split(words[1:])["fer_snn.ros.node:SnnNode"])
        file = given or str(default_parameter_file())
        assert (words.index(file) < words.index("max_faces:=3")) == (not given)


def test_switches_can_be_written_as_in_python() -> None:
    assert len(processes("bringup", camera="False", viz="True")) == len(NODES) - 1


def test_the_environment_is_that_of_our_nodes_only() -> None:
    for node in processes("bringup"):
        names = {text(name) for name, _ in node.process_description.additional_env}
        assert profile_variable() in names or profile_variable() in os.environ
    kinds = {type(entity).__name__ for entity in description("bringup").entities}
    assert kinds == {"DeclareLaunchArgument", "OpaqueFunction"}


def test_nodes_can_be_left_out() -> None:
    assert len(processes("bringup", camera="false", viz="false")) == len(NODES) - 2


@pytest.mark.parametrize("name", [*FILES, "replay"])
def test_every_argument_is_described(name: File) -> None:
    expected = {argument.name for argument in arguments_of(name)}
    declared = arguments(name)
    assert set(declared) == expected
    assert all(". " in f"{argument.description} " for argument in declared.values())


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"source": "/missing.mp4"}, "missing.mp4"),
        ({"weights": "/missing.npz"}, "missing.npz"),
        ({"params_file": "/missing.yaml"}, "missing.yaml"),
        ({"namespace": "my robot"}, "namespace '/my robot'"),
        ({"params_file": "BARE"}, "reaches no node of fer: its blocks are /camera"),
    ],
)
def test_mistakes_end_the_launch_before_a_node_starts(
    given: dict[str, str], reason: str, tmp_path: Path
) -> None:
    bare = tmp_path / "bare.yaml"
    bare.write_text("camera: {ros__parameters: {rate: 7.0}}")
    given = {name: value.replace("BARE", str(bare)) for name, value in given.items()}
    with pytest.raises(RuntimeError, match=reason):
        processes("bringup", **given)


def test_a_replay_starts_nodes_that_queue_and_a_player(tmp_path: Path) -> None:
    *started, player = processes("replay", bag=str(tmp_path), rate="5", loop="true", player="fer")
    assert [text(node.node_package) for node in started] == ["fer_features", "fer_snn", "fer_viz"]
    command = [text(part) for part in player.cmd]
    assert command[2:6] == ["fer.cli", "bag", "play", str(tmp_path)]
    assert {"--rate", "5", "--loop", "--window"} <= set(command)
    assert "--clock" not in command


def test_a_replay_by_ros2_plays_what_the_nodes_do_not_make(tmp_path: Path) -> None:
    *started, player = processes(
        "replay",
        bag=str(tmp_path),
        player="ros2",
        features="false",
        viz="false",
        use_sim_time="true",
    )
    assert [text(node.node_package) for node in started] == ["fer_snn"]
    command = [text(part) for part in player.cmd]
    assert command[1:4] == ["bag", "play", str(tmp_path)]
    assert command[-1] == "/fer/features" and "--clock" in command
    assert "/fer/expressions" not in command


@pytest.mark.parametrize("given", [{"bag": "/no/bag"}, {"rate": "0"}, {"rate": "x"}])
def test_replays_of_nothing_are_refused(given: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"bag|rate"):
        processes("replay", **{"bag": str(tmp_path), **given})
