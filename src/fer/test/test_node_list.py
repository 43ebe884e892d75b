"""The node list and what the nodes are started with."""

from __future__ import annotations

import pkgutil
from pathlib import Path

import pytest

from fer.bringup.environment import graph_environment
from fer.bringup.graph import (
    HOSTS,
    MAX_AGE_S,
    NODES,
    SPLITS,
    Settings,
    Split,
    StartedNode,
    parameter_tables,
    started_nodes,
    uses_sim_time,
)
from fer.bringup.programs import node_program, node_programs, window_programs
from fer_common.core.errors import ConfigurationError
from fer_common.core.graph_names import absolute
from fer_common.ros import container
from fer_common.ros.node import FerNode


def started(name: str, settings: Settings) -> StartedNode:
    return next(node for node in started_nodes(settings) if node.node.name == name)


def test_everything_starts_by_default() -> None:
    assert [node.node for node in started_nodes(Settings())] == list(NODES)


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        (Settings(hosts=("robot",)), ["camera", "features"]),
        (Settings(hosts=("workstation",)), ["snn", "viz"]),
        (Settings(hosts=("robot",), split="camera"), ["camera"]),
        (Settings(hosts=("workstation",), split="camera"), ["features", "snn", "viz"]),
        (Settings(split="camera"), ["camera", "features", "snn", "viz"]),
        (Settings(camera=False), ["features", "snn", "viz"]),
        (Settings(viz=False), ["camera", "features", "snn"]),
    ],
)
def test_parts_of_the_graph(settings: Settings, names: list[str]) -> None:
    assert [node.node.name for node in started_nodes(settings)] == names


def test_settings_reach_the_node_that_they_are_meant_for() -> None:
    settings = Settings(source="0", weights="/w.npz", use_sim_time=True, compressed=True, web=8642)
    transport = {"image_transport": "compressed"}
    assert started("camera", settings).parameters == {"source": "0", "use_sim_time": True}
    assert started("snn", settings).parameters == {"weights": "/w.npz", "use_sim_time": True}
    assert started("features", settings).parameters == {"use_sim_time": True} | transport
    assert started("viz", settings).parameters["web_port"] == 8642
    # Not given, the parameter file says it.
    assert started("features", Settings()).parameters == {}


@pytest.mark.parametrize(
    ("text", "given", "uses"),
    [
        ("/**: {ros__parameters: {use_sim_time: true}}", None, True),
        ("/**: {ros__parameters: {use_sim_time: true}}", False, False),
        ("/fer/snn: {ros__parameters: {use_sim_time: true}}", None, True),
        ("/other/snn: {ros__parameters: {use_sim_time: true}}", None, False),
        ("", True, True),
        ("", None, False),
    ],
)
def test_simulated_time_is_known_from_settings_and_parameter_files(
    tmp_path: Path, text: str, given: bool | None, uses: bool
) -> None:
    path = tmp_path / "parameters.yaml"
    path.write_text(text)
    settings = Settings(params_file=path if text else None, use_sim_time=given)
    assert uses_sim_time(settings) is uses


def test_another_driver_takes_the_cameras_place_for_all_who_look() -> None:
    settings = Settings(camera=False, image_topic="/cam/image")
    expected = (("image_raw", "/cam/image"), ("image_raw/compressed", "/cam/image/compressed"))
    assert started("features", settings).remappings == expected
    assert started("viz", settings).remappings == expected
    assert started("camera", Settings(image_topic="/cam/image")).remappings == ()
    assert started("features", Settings()).remappings == ()


def across(split: Split) -> dict[str, dict[str, object]]:
    """Return what the nodes of a graph on two hosts are given because of it, by node."""
    given = {}
    for host in HOSTS:
        for node in started_nodes(Settings(hosts=(host,), split=split)):
            given[node.node.name] = dict(node.parameters)
    return given


def test_what_crosses_a_network_is_paced_and_not_answered_when_it_is_old() -> None:
    age = {"max_age": MAX_AGE_S}
    compressed = {"image_transport": "compressed"}
    assert across("features") == {
        "camera": {},
        "features": {"pace_by_link": True},
        "snn": age,
        "viz": compressed,
    }
    assert across("camera") == {
        "camera": {"pace_by_link": True},
        "features": age | compressed,
        "snn": age,
        "viz": compressed,
    }
    assert all(not node.parameters for node in started_nodes(Settings(split="camera")))


def test_parameters_of_a_graph_on_two_hosts_are_those_of_the_nodes() -> None:
    tables = parameter_tables()
    for split in SPLITS:
        for name, given in across(split).items():
            assert set(given) <= set(tables[name].defaults())


def test_who_sends_whole_pictures_within_a_host_of_two_has_the_profile_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for variable, value in graph_environment({}, across=True).items():
        monkeypatch.setenv(variable, value)
    differing = {
        split: [
            node.node.name
            for host in HOSTS
            for node in started_nodes(Settings(hosts=(host,), split=split))
            if node_program(node, Settings()).environment
        ]
        for split in SPLITS
    }
    assert differing == {"features": ["camera", "viz"], "camera": ["viz"]}


def test_a_node_is_one_python_process_with_its_settings() -> None:
    settings = Settings(
        namespace="robots/a", source="0", params_file=Path("/p.yaml"), log_level="warn"
    )
    command = node_program(started("camera", settings), settings).command
    assert command[1:3] == ("-m", "fer_camera.ros.node")
    text = " ".join(command)
    assert "-r __node:=camera -r __ns:=/robots/a --params-file /p.yaml" in text
    # A device index is a text.
    assert '-p source:="0"' in text
    assert text.endswith("--log-level warn")


def test_nodes_that_share_a_process_keep_their_own_settings() -> None:
    settings = Settings(source="demo", use_composition=("camera", "features"))
    shared, *alone = node_programs(started_nodes(settings), settings)
    assert [program.name for program in alone] == ["snn", "viz"]
    assert shared.holds_signals
    given = container.split(shared.command[3:])
    assert list(given) == ["fer_camera.ros.node:CameraNode", "fer_features.ros.node:FeaturesNode"]
    camera, features = map(" ".join, given.values())
    assert "__node:=camera" in camera and 'source:="demo"' in camera
    assert "__node:=features" in features and "source" not in features
    # One that would be alone has a process of its own.
    settings = Settings(camera=False, use_composition=("camera", "features"))
    names = [program.name for program in node_programs(started_nodes(settings), settings)]
    assert names == ["features", "snn", "viz"]


def test_every_node_is_a_class_that_can_share_a_process() -> None:
    for node in NODES:
        assert issubclass(pkgutil.resolve_name(node.component), FerNode)


def test_a_node_that_starts_is_not_broken_by_a_signal() -> None:
    settings = Settings()
    assert all(node_program(node, settings).holds_signals for node in started_nodes(settings))


@pytest.mark.parametrize("namespace", ["two words", "1st", "a//b", "a-b", "ä"])
def test_names_that_ros_refuses_are_refused_at_once(namespace: str) -> None:
    with pytest.raises(ConfigurationError, match="namespace"):
        Settings(namespace=namespace)


@pytest.mark.parametrize("topic", ["two words", "/cam/", "", "a//b", "camera/image-raw", "/"])
def test_topics_that_ros_refuses_are_refused_at_once(topic: str) -> None:
    with pytest.raises(ConfigurationError, match="topic"):
        Settings(image_topic=topic)


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
    (far,) = window_programs(Settings(hosts=("workstation",), window=True))
    assert "--compressed" in far.command
    assert window_programs(Settings()) == []
