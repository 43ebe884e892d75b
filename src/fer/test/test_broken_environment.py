"""Commands in an environment in which ROS cannot start: one line, exit code 2, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fer.bringup.environment import graph_environment, log_environment

#: What is wrong, and what the error says of it.
BROKEN = {
    "domain is a word": ({"ROS_DOMAIN_ID": "abc"}, "ROS_DOMAIN_ID is 'abc'"),
    "domain is too large": ({"ROS_DOMAIN_ID": "233"}, "ROS_DOMAIN_ID is '233'"),
    "domain is negative": ({"ROS_DOMAIN_ID": "-1"}, "ROS_DOMAIN_ID is '-1'"),
    "middleware is missing": ({"RMW_IMPLEMENTATION": "rmw_no_cpp"}, "'rmw_no_cpp', which is not"),
    "logs have no place": ({"ROS_LOG_DIR": "/proc/no"}, "log folder /proc/no cannot be written"),
    "log folder is a file": ({"ROS_LOG_DIR": "/etc/passwd"}, "/etc/passwd cannot be written"),
    "ROS_HOME is read-only": ({"ROS_HOME": "/proc/no"}, "/proc/no/log cannot be written"),
    "discovery is off": ({"ROS_AUTOMATIC_DISCOVERY_RANGE": "OFF"}, "no node finds another one"),
    "discovery is misspelt": ({"ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNETS"}, "LOCALHOST, SUBNET"),
    "peer is unknown": ({"ROS_STATIC_PEERS": "no.host.invalid"}, "peer 'no.host.invalid'"),
    "security has no keys": ({"ROS_SECURITY_ENABLE": "true"}, "without ROS_SECURITY_KEYSTORE"),
}
COMMANDS = {
    "up": ("up", "--no-window"),
    "param": ("param", "list"),
    "weights": ("weights", "list"),
    "teach": ("teach", "smile"),
    "merge": ("merge", "a", "b"),
    "dashboard": ("dashboard",),
    "bag": ("bag", "record", "-o", "/tmp/fer-never-made"),
}


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "fer.cli", *arguments)
    given = {name: text for name, text in os.environ.items() if name != "ROS_LOG_DIR"}
    return subprocess.run(
        command, env={**given, **environment}, capture_output=True, text=True, check=False
    )


def check(done: subprocess.CompletedProcess[str], said: str) -> None:
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.startswith("error: ") and said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", BROKEN)
def test_commands_say_in_one_line_what_is_wrong(name: str) -> None:
    environment, said = BROKEN[name]
    for command in ("up", "param"):
        check(run(environment, *COMMANDS[command]), said)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_survives_a_missing_middleware(command: str) -> None:
    environment, said = BROKEN["middleware is missing"]
    check(run(environment, *COMMANDS[command]), said)


@pytest.mark.parametrize("name", BROKEN)
def test_doctor_survives_what_it_finds(name: str) -> None:
    environment, said = BROKEN[name]
    done = run(environment, "doctor", "--wait", "0")
    assert done.returncode == 1
    assert said.split(",")[0] in done.stdout and "Traceback" not in done.stderr
    assert "1 thing does not work" in done.stdout or "things do not work" in done.stdout


def test_what_needs_no_ros_works_all_the_same() -> None:
    for environment, _ in BROKEN.values():
        assert run(environment, "weights", "show").returncode == 0


def test_a_home_that_cannot_be_written_costs_only_what_needs_it() -> None:
    logs = log_environment({"HOME": "/proc/no"})["ROS_LOG_DIR"]
    assert Path(logs).is_absolute() and not logs.startswith("/proc")
    assert graph_environment({"HOME": "/proc/no"})["ROS_LOG_DIR"] == logs
    done = run({"HOME": "/proc/no"}, "doctor", "--wait", "0")
    assert f"logs go to {logs}" in done.stdout and "Traceback" not in done.stderr
