"""What `fer doctor` finds in a running graph, from the nodes' reports on /diagnostics."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from diagnostic_msgs.msg import DiagnosticStatus

from fer.bringup.graph import NODES
from fer.client import connect
from fer.diagnosis.results import CheckResult, Level, error, ok, warn
from fer_common.core.graph_names import absolute
from fer_common.ros.graph_client import NodeHealth, without_waiting

_LEVELS = {
    DiagnosticStatus.OK: Level.OK,
    DiagnosticStatus.WARN: Level.WARN,
    DiagnosticStatus.ERROR: Level.ERROR,
    DiagnosticStatus.STALE: Level.ERROR,
}
#: Long enough for a second node of a name to report twice.
_DOUBLED_S = 2.2


def listen(namespace: str, seconds: float) -> tuple[dict[str, NodeHealth], set[str]]:
    """Return what the nodes of a graph report, by name, and the names that two nodes have.

    Parameters
    ----------
    namespace : of the graph.
    seconds : how long to wait for nodes that are not heard.
    """
    with connect(namespace, "fer_doctor") as client:
        client.watch_health()
        client.wait(lambda: len(client.health) >= len(NODES), seconds)
        if client.health:
            client.wait(lambda: client.doubled, min(seconds, _DOUBLED_S))
        return dict(client.health), set(client.doubled)


def check_graph(
    namespace: str, heard: Mapping[str, NodeHealth], doubled: Collection[str] = ()
) -> list[CheckResult]:
    """Return what is wrong with a graph, from the reports of its nodes.

    Parameters
    ----------
    namespace : of the graph.
    heard : reports by node name.
    doubled : names that two nodes have.
    """
    namespace, heard = absolute(namespace), without_waiting(heard)
    if not heard:
        return [
            warn(
                "graph",
                f"no node of {namespace} is heard",
                "start it with `fer up`; or set ROS_DOMAIN_ID and --namespace as it has them",
            )
        ]
    results = []
    if doubled:
        remedy = "end one of them, or give it a namespace of its own: --namespace"
        text = f"more than one node is called {', '.join(sorted(doubled))} in {namespace}"
        results.append(error("graph", text, remedy))
    for node in NODES:
        if node.name in heard:
            results += _node_results(node.name, heard[node.name])
        elif node.name != "viz":
            remedy = f"see the end of its log, and start it again: ros2 run {node.package} node"
            results.append(error(node.name, "is not heard", remedy))
    return results


def _node_results(name: str, health: NodeHealth) -> list[CheckResult]:
    level = _LEVELS[health.level]
    counted = _counted(health.facts)
    text = f"{health.message} ({counted})" if counted else health.message
    if level is Level.OK:
        results = [ok(name, text)]
    else:
        results = [CheckResult(level, name, text, _remedy(name, health))]
    factor = _number(health.facts, "real_time_factor")
    if factor is not None and factor < 1.0:
        remedy = "lower max_faces, raise dt, or end other programs on the machine"
        text = f"runs at {factor:.2f} of real time: its answers come late"
        results.append(warn(name, text, remedy))
    return results


def _counted(facts: Mapping[str, str]) -> str:
    """Return the most important values."""
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
    # Messages of the nodes say what to do behind the colon.
    return health.message.rpartition(": ")[2] or f"see the log of {name}"


def _number(facts: Mapping[str, str], key: str) -> float | None:
    try:
        value = float(facts[key])
    except (KeyError, ValueError):
        return None
    return value if value == value else None
