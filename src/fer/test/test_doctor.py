"""What `fer doctor` makes of what it finds; that it finds it stands in test/faults."""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticStatus

from fer.bringup.environment import log_folder
from fer.diagnosis import bundle, machine_checks, results
from fer.diagnosis.graph_checks import check_graph, listen
from fer.diagnosis.machine_checks import CHECKS, check_machine, versions
from fer.diagnosis.results import CheckResult, Level, worst
from fer.processes import shared_memory
from fer_common.core.errors import ConfigurationError
from fer_common.ros.graph_client import NodeHealth
from fer_snn.core.kernels import code_cache

FINE = {
    name: NodeHealth(DiagnosticStatus.OK, "well", {"rate_hz": "30.0", "memory_mb": "99.6"})
    for name in ("camera", "features", "snn", "viz")
}


def named(name: str) -> machine_checks.Check:
    return next(check for check in CHECKS if check.__name__ == f"_{name}")


def found(check: str, environment: Mapping[str, str]) -> list[CheckResult]:
    return list(named(check)(environment))


def test_a_report_says_what_to_do_below_what_is_wrong() -> None:
    text = results.report("title", [results.ok("a", "fine"), results.error("long", "bad", "do")])
    assert text.splitlines() == [
        "title",
        "  ok     a     fine",
        "  ERROR  long  bad",
        "               -> do",
    ]


def test_a_paused_graph_is_well() -> None:
    stale = NodeHealth(DiagnosticStatus.STALE, "no features on /fer/features for 8 s: why?")
    paused = NodeHealth(DiagnosticStatus.OK, "paused", {"enabled": "False"})
    results = check_graph("fer", {**FINE, "features": paused, "snn": stale})
    assert worst(results) is Level.OK
    assert any("waits for features" in result.text for result in results)
    assert worst(check_graph("fer", {**FINE, "snn": stale})) is Level.ERROR


def test_everything_on_this_machine_can_be_looked_at(tmp_path: Path) -> None:
    checked = check_machine({"HOME": str(tmp_path)})
    assert {"versions", "ROS", "RMW", "discovery", "weights", "log folder"} <= {
        result.subject for result in checked
    }
    assert all(result.remedy for result in checked if result.level is not Level.OK)


@pytest.mark.parametrize(
    ("check", "environment", "level", "text"),
    [
        ("discovery", {}, Level.OK, "LOCALHOST"),
        ("discovery", {"ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"}, Level.WARN, "everybody"),
        ("environment", {"ROS_AUTOMATIC_DISCOVERY_RANGE": "OFF"}, Level.ERROR, "OFF"),
        ("environment", {"ROS_DOMAIN_ID": "x"}, Level.ERROR, "ROS_DOMAIN_ID"),
        ("environment", {"ROS_DOMAIN_ID": "233"}, Level.ERROR, "233"),
        ("transport", {"FASTDDS_DEFAULT_PROFILES_FILE": "/no"}, Level.ERROR, "/no"),
        ("logs", {"ROS_LOG_DIR": "/proc/self/status/x"}, Level.ERROR, "cannot be written"),
    ],
)
def test_settings_of_the_machine(
    check: str, environment: dict[str, str], level: Level, text: str
) -> None:
    checked = found(check, environment)
    assert worst(checked) is level
    assert any(text in result.text for result in checked if result.level is level)


@pytest.mark.parametrize(
    ("free_bytes", "level", "text"),
    [
        (2**30, Level.OK, "1.1 GB free in /dev/shm"),
        (2**26, Level.WARN, "may get lost"),
        (None, Level.WARN, "/dev/shm is missing"),
    ],
)
def test_shared_memory(
    monkeypatch: pytest.MonkeyPatch, free_bytes: int | None, level: Level, text: str
) -> None:
    monkeypatch.setattr(shared_memory, "free_bytes", lambda: free_bytes)
    (result,) = found("transport", {})
    assert result.level is level
    assert text in result.text


def test_cameras(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "video0").touch()
    monkeypatch.setattr("fer_camera.core.device.devices", lambda: [str(tmp_path / "video0")])
    assert worst(found("camera", {})) is Level.OK
    monkeypatch.setattr("os.access", lambda path, mode: False)
    (refused,) = found("camera", {})
    assert refused.level is Level.ERROR
    assert "video" in refused.remedy
    monkeypatch.setattr("fer_camera.core.device.devices", list)
    assert "demo" in found("camera", {})[0].text


def test_compiled_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def numba() -> CheckResult:
        (result,) = (each for each in found("versions", {}) if each.subject == "numba")
        return result

    cache_folder = code_cache.cache_folder
    monkeypatch.setattr(code_cache, "cache_folder", lambda: tmp_path)
    assert numba().level is Level.OK
    (tmp_path / "compiled_layers.fire-1.py311.nbi").touch()
    assert numba().level is Level.WARN and "1 damaged" in numba().text
    monkeypatch.setattr(code_cache, "cache_folder", lambda: None)
    assert "NUMBA_CACHE_DIR" in numba().remedy
    monkeypatch.setattr(code_cache, "cache_folder", cache_folder)
    monkeypatch.setitem(sys.modules, "numba", None)
    assert numba().level is Level.WARN and "not installed" in numba().text


def test_busy_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getloadavg", lambda: (99.0, 0.0, 0.0))
    assert worst(found("load", {})) is Level.WARN


def test_logs_are_where_ros_has_them() -> None:
    assert log_folder({"HOME": "/h"}) == Path("/h/.ros/log")
    assert log_folder({"HOME": "/h", "ROS_HOME": "/r"}) == Path("/r/log")
    assert log_folder({"ROS_HOME": "/r", "ROS_LOG_DIR": "/l"}) == Path("/l")


def graph(**changes: NodeHealth | None) -> list[CheckResult]:
    nodes = {name: health for name, health in (FINE | changes).items() if health is not None}
    return check_graph("fer", nodes)


def test_a_graph_that_is_well() -> None:
    assert worst(graph()) is Level.OK
    assert "30.0 Hz, 100 MB" in graph()[0].text
    assert worst(graph(viz=None)) is Level.OK


def test_no_graph_is_no_error() -> None:
    (result,) = check_graph("robots/a", {})
    assert result.level is Level.WARN
    assert "/robots/a" in result.text


@pytest.mark.parametrize(
    ("changes", "level", "text", "remedy"),
    [
        ({"camera": None}, Level.ERROR, "not heard", "ros2 run fer_camera node"),
        (
            {"snn": NodeHealth(DiagnosticStatus.STALE, "no features for 3 s", {})},
            Level.ERROR,
            "no features",
            "before it",
        ),
        (
            {"camera": NodeHealth(DiagnosticStatus.ERROR, "camera x is gone: plug it in", {})},
            Level.ERROR,
            "camera x is gone",
            "plug it in",
        ),
        (
            {"snn": NodeHealth(DiagnosticStatus.WARN, "m", {"qos_mismatch": "DURABILITY"})},
            Level.WARN,
            "m",
            "same quality",
        ),
        (
            {"snn": NodeHealth(DiagnosticStatus.OK, "m", {"real_time_factor": "0.5"})},
            Level.WARN,
            "0.50 of real time",
            "max_faces",
        ),
    ],
)
def test_what_is_wrong_with_a_graph(
    changes: dict[str, NodeHealth | None], level: Level, text: str, remedy: str
) -> None:
    (wrong,) = [result for result in graph(**changes) if result.level is not Level.OK]
    assert wrong.level is level
    assert text in wrong.text
    assert remedy in wrong.remedy


def test_nobody_is_heard_in_an_empty_domain(ros_domain: int) -> None:
    assert listen("fer", 0.1) == ({}, set())


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "long.log").write_bytes(b"x" * 300_000 + b"end")
    yield tmp_path / "logs"


def test_a_bundle_holds_the_ends_of_the_logs_and_no_secret(tmp_path: Path, logs: Path) -> None:
    path = tmp_path / "bundle.zip"
    environment = {"ROS_DOMAIN_ID": "3", "API_TOKEN": "s", "ROS_SECURITY_KEYSTORE": "/keys"}
    bundle.write(path, "report", versions(), FINE, environment, logs)
    with zipfile.ZipFile(path) as archive:
        assert json.loads(archive.read("environment.json")) == {"ROS_DOMAIN_ID": "3"}
        log = archive.read("logs/long.log")
        assert log.endswith(b"end") and len(log) == 200_000
        assert json.loads(archive.read("diagnostics.json"))["snn"]["message"] == "well"


def test_a_bundle_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be written"):
        bundle.write(tmp_path / "no" / "b.zip", "", {}, {}, {}, tmp_path)
