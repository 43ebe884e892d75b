"""What `fer doctor` hears of a running graph: the nodes' own words on /diagnostics."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus

from fer.bringup.graph import NODES, absolute
from fer.client.session import spinning_node
from fer.diagnosis.findings import Finding, Level, error, ok, warn

NODE_NAME = "fer_doctor"
_POLL_S = 0.02
_LEVELS = {
    DiagnosticStatus.OK: Level.OK,
    DiagnosticStatus.WARN: Level.WARN,
    DiagnosticStatus.ERROR: Level.ERROR,
    DiagnosticStatus.STALE: Level.ERROR,
}


@dataclass(frozen=True)
class NodeHealth:
    """The last words of a node.

    Attributes
    ----------
    level : as `DiagnosticStatus.level`.
    message : what it says.
    facts : what it counts, by name.
    """

    level: bytes
    message: str
    facts: Mapping[str, str] = field(default_factory=dict)


def listen(namespace: str, seconds: float) -> dict[str, NodeHealth]:
    """Return what the nodes of a graph say of themselves, by name.

    Parameters
    ----------
    namespace : of the graph.
    seconds : how long to wait for nodes that are not heard.
    """
    prefix = absolute(namespace).rstrip("/") + "/"
    heard: dict[str, NodeHealth] = {}

    def take(message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name.startswith(prefix):
                facts = {pair.key: pair.value for pair in status.values}
                name = status.name.removeprefix(prefix)
                heard[name] = NodeHealth(status.level, status.message, facts)

    with spinning_node(NODE_NAME) as node:
        node.create_subscription(DiagnosticArray, "/diagnostics", take, 50)
        _wait(heard, seconds)
    return dict(heard)


def check_graph(namespace: str, heard: Mapping[str, NodeHealth]) -> list[Finding]:
    """Return what is wrong with a graph, from the words of its nodes."""
    if not heard:
        return [
            warn(
                "graph",
                f"no node of {absolute(namespace)} is heard",
                "start it with `fer up`; or set ROS_DOMAIN_ID and --namespace as it has them",
            )
        ]
    findings = []
    for node in NODES:
        if node.name in heard:
            findings += _node_findings(node.name, heard[node.name])
        elif node.name != "viz":
            remedy = f"look for its last words in the log; start it: ros2 run {node.package} node"
            findings.append(error(node.name, "is not heard", remedy))
    return findings


def _node_findings(name: str, health: NodeHealth) -> list[Finding]:
    level = _LEVELS[health.level]
    counted = _counted(health.facts)
    text = f"{health.message} ({counted})" if counted else health.message
    if level is Level.OK:
        findings = [ok(name, text)]
    else:
        findings = [Finding(level, name, text, _remedy(name, health))]
    factor = _number(health.facts, "real_time_factor")
    if factor is not None and factor < 1.0:
        remedy = "lower max_faces or raise dt; end what else runs on the machine"
        text = f"works at {factor:.2f} of real time: its answers come late"
        findings.append(warn(name, text, remedy))
    return findings


def _counted(facts: Mapping[str, str]) -> str:
    """Return the figures that people ask for first."""
    shown = []
    for key, text in (
        ("rate_hz", "{:.1f} Hz"),
        ("latency_p50_ms", "{:.0f} ms late"),
        ("skipped", "{:.0f} skipped"),
        ("dropped", "{:.0f} dropped"),
        ("memory_mb", "{:.0f} MB"),
    ):
        value = _number(facts, key)
        if value is not None:
            shown.append(text.format(value))
    return ", ".join(shown)


def _remedy(name: str, health: NodeHealth) -> str:
    if "qos_mismatch" in health.facts:
        return "give both sides the same quality of service"
    if health.level == DiagnosticStatus.STALE:
        return "see the node before it in the graph: camera, features, snn"
    if health.facts.get("last_drop"):
        return "correct the publisher that is named"
    # The nodes' own sentences say what to do behind the colon.
    return health.message.rpartition(": ")[2] or f"see the log of {name}"


def _number(facts: Mapping[str, str], key: str) -> float | None:
    try:
        value = float(facts[key])
    except (KeyError, ValueError):
        return None
    return value if value == value else None


def _wait(heard: Mapping[str, NodeHealth], seconds: float) -> None:
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s and len(heard) < len(NODES):
        time.sleep(_POLL_S)
