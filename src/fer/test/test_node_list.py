"""The node list and what the nodes are started with."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer.graph import NODES, Settings, StartedNode, absolute, started_nodes
from fer.programs import launch_program, node_program, window_programs
from fer_common.errors import ConfigurationError


def started(name: str, settings: Settings) -> StartedNode:
    return next(node for node in started_nodes(settings) if node.node.name == name)


def test_everything_starts_by_default() -> None:
    assert [node.node for node in started_nodes(Settings())] == list(NODES)


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        (Settings(hosts=("robot",)), ["camera", "features"]),
        (Settings(hosts=("workstation",)), ["snn", "viz"]),
        (Settings(camera=False), ["features", "snn", "viz"]),
        (Settings(viz=False), ["camera", "features", "snn"]),
    ],
)
def test_parts_of_the_graph(settings: Settings, names: list[str]) -> None:
    assert [node.node.name for node in started_nodes(settings)] == names


def test_settings_reach_the_node_that_they_are_meant_for() -> None:
    settings = Settings(source="0", weights="/w.npz", use_sim_time=True)
    assert started("camera", settings).parameters == {"source": "0", "use_sim_time": True}
    assert started("snn", settings).parameters == {"weights": "/w.npz", "use_sim_time": True}
    assert started("features", settings).parameters == {"use_sim_time": True}


def test_another_driver_takes_the_cameras_place_for_all_who_look() -> None:
    settings = Settings(camera=False, image_topic="/cam/image")
    expected = (("image_raw", "/cam/image"), ("image_raw/compressed", "/cam/image/compressed"))
    assert started("features", settings).remappings == expected
    assert started("viz", settings).remappings == expected
    assert started("camera", Settings(image_topic="/cam/image")).remappings == ()
    assert started("features", Settings()).remappings == ()


def test_a_node_is_one_python_process_with_its_settings() -> None:
    settings = Settings(
        namespace="robots/a", source="0", params_file=Path("/p.yaml"), log_level="warn"
    )
    command = node_program(started("camera", settings), settings).command
    assert command[1:3] == ("-m", "fer_camera.node")
    text = " ".join(command)
    assert "-r __node:=camera -r __ns:=/robots/a --params-file /p.yaml" in text
    # A device index is a text.
    assert '-p source:="0"' in text
    assert text.endswith("--log-level warn")


def test_ros2_launch_gets_the_same_settings() -> None:
    program = launch_program(
        Settings(source="demo", weights="/w.npz", viz=False, params_file=Path("/p.yaml"))
    )
    assert set(program.command[3:]) == {
        "namespace:=fer",
        "source:=demo",
        "weights:=/w.npz",
        "params_file:=/p.yaml",
        "viz:=false",
        "respawn:=true",
        "log_level:=info",
    }
    assert Path(program.command[2]).is_file()
    assert not program.restart


@pytest.mark.parametrize("namespace", ["two words", "1st", "a//b", "a-b", "ä"])
def test_names_that_ros_refuses_are_refused_at_once(namespace: str) -> None:
    with pytest.raises(ConfigurationError, match="namespace"):
        Settings(namespace=namespace)


@pytest.mark.parametrize(
    ("namespace", "expected"), [("fer", "/fer"), ("/fer", "/fer"), ("a/b", "/a/b"), ("", "/")]
)
def test_absolute_namespace(namespace: str, expected: str) -> None:
    assert absolute(Settings(namespace=namespace).namespace) == expected


def test_the_window_is_a_process_that_may_end() -> None:
    (window,) = window_programs(Settings(namespace="robot", image_topic="/cam", window=True))
    assert window.optional
    assert window.command[2:] == (
        "fer_viz.dashboard.window",
        "--namespace",
        "/robot",
        "--ros-args",
        "-r",
        "image_raw:=/cam",
    )
    assert window_programs(Settings()) == []
