"""The environment of the graph's processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fer.bringup import environment
from fer.bringup.environment import (
    LOCAL_PROFILE,
    NETWORK_PROFILE,
    SMALL_PROFILE,
    config_folder,
    graph_environment,
    transport_environment,
)
from fer.processes import shared_memory
from fer_common.ros.distributions import PROFILE_VARIABLES, profile_variable

HOME = {"HOME": "/home/somebody"}
PROFILE = profile_variable()
PROFILES = (LOCAL_PROFILE, SMALL_PROFILE, NETWORK_PROFILE)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in PROFILES:
        (tmp_path / name).touch()
    monkeypatch.setattr(environment, "config_folder", lambda: tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", PROFILES)
def test_fast_dds_understands_the_profile(name: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", "import rclpy; rclpy.init(); rclpy.create_node('reader')"],
        env={**os.environ, PROFILE: str(config_folder() / name)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    assert "XMLPARSER" not in result.stdout


def test_the_graph_listens_on_this_machine_only_and_uses_one_thread_a_library(config: Path) -> None:
    added = graph_environment(HOME)
    assert added["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"
    assert added["OMP_NUM_THREADS"] == added["OPENBLAS_NUM_THREADS"] == "1"
    assert "ROS_LOG_DIR" not in added


def test_what_the_user_has_set_stands(config: Path) -> None:
    first = graph_environment(HOME)
    assert graph_environment({**HOME, **first}) == {}
    subnet = {**HOME, "ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"}
    assert "ROS_AUTOMATIC_DISCOVERY_RANGE" not in graph_environment(subnet)


@pytest.mark.parametrize(
    ("free_bytes", "name"),
    [(2**30, "fastdds.xml"), (2**26, "fastdds_small.xml"), (None, "fastdds_small.xml")],
)
def test_the_profile_fits_the_shared_memory(
    config: Path, monkeypatch: pytest.MonkeyPatch, free_bytes: int | None, name: str
) -> None:
    monkeypatch.setattr(shared_memory, "free_bytes", lambda: free_bytes)
    assert graph_environment(HOME)[PROFILE] == str(config / name)


@pytest.mark.parametrize("variable", [*PROFILE_VARIABLES, "FASTDDS_BUILTIN_TRANSPORTS"])
def test_a_transport_that_the_user_has_chosen_stands(config: Path, variable: str) -> None:
    added = graph_environment({**HOME, variable: "mine"})
    assert not added.keys() & set(PROFILE_VARIABLES)


def test_a_graph_on_two_hosts_reaches_the_other_one(config: Path) -> None:
    added = graph_environment(HOME, across=True, peers=["robot1", "10.0.0.2"])
    assert added["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "SUBNET"
    assert added["ROS_STATIC_PEERS"] == "robot1;10.0.0.2"
    assert added[PROFILE] == str(config / NETWORK_PROFILE)
    assert "ROS_STATIC_PEERS" not in graph_environment(HOME, across=True)


@pytest.mark.parametrize(
    ("across", "whole_images", "name"),
    [
        (True, [True], "fastdds.xml"),
        (True, [True, False], None),
        (True, [False], None),
        (False, [True], None),
        (False, [True, False], None),
        (False, [False], "fastdds_small.xml"),
    ],
)
def test_a_process_has_the_profile_for_what_it_sends(
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    across: bool,
    whole_images: list[bool],
    name: str | None,
) -> None:
    monkeypatch.setattr(shared_memory, "free_bytes", lambda: 2**30)
    current = graph_environment(HOME, across=across)
    expected = {PROFILE: str(config / name)} if name else {}
    assert transport_environment(current, whole_images) == expected
    assert transport_environment({PROFILE: "mine"}, whole_images) == {}


def test_no_profile_is_named_that_is_not_there(config: Path) -> None:
    for profile in config.iterdir():
        profile.unlink()
    assert PROFILE not in graph_environment(HOME)


def test_the_installed_profiles_are_there() -> None:
    assert Path(graph_environment(HOME)[PROFILE]).is_file()


def test_logs_have_a_place_without_a_home(config: Path) -> None:
    assert "ROS_LOG_DIR" in graph_environment({})
    assert "ROS_LOG_DIR" not in graph_environment({"ROS_HOME": "/somewhere"})
