"""`fer doctor`: what is wrong, on this machine and in the running graph, and what to do."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from fer.bringup.graph import NAMESPACE, absolute
from fer.diagnosis.findings import Level, report, worst

#: Exit code when something does not work.
EXIT_TROUBLE = 1
_LISTEN_S = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--namespace", default=NAMESPACE, help="namespace of the graph (default: %(default)s)"
    )
    parser.add_argument(
        "--wait",
        type=float,
        default=_LISTEN_S,
        metavar="SECONDS",
        help="how long to wait for nodes that are not heard (default: %(default)s)",
    )
    parser.add_argument(
        "--bundle",
        type=Path,
        metavar="FILE.zip",
        help="write what a bug report needs: this report, versions, diagnostics, logs; "
        "no pictures and no weights",
    )


def run(arguments: argparse.Namespace) -> int:
    """Look, and say what was found; 1 if something does not work."""
    # As for `fer up`: whoever asks must be where the graph is.
    from fer.bringup.environment import graph_environment
    from fer.bringup.installed import config_folder
    from fer.diagnosis.machine_checks import check_machine, log_folder, versions

    given = dict(os.environ)
    os.environ.update(graph_environment(os.environ, config_folder()))
    machine = check_machine(given)
    parts = [report("this machine", machine)]
    findings = list(machine)
    heard = {}
    # Without a client library there is nobody to listen.
    if not any(f.subject == "ROS" and f.level is Level.ERROR for f in machine):
        from fer.diagnosis.graph_checks import check_graph, listen

        heard = listen(arguments.namespace, arguments.wait)
        graph = check_graph(arguments.namespace, heard)
        findings += graph
        parts.append(report(f"the graph {absolute(arguments.namespace)}", graph))
    parts.append(_verdict([finding.level for finding in findings]))
    text = "\n\n".join(parts)
    print(text)
    if arguments.bundle:
        from fer.diagnosis import bundle

        bundle.write(arguments.bundle, text, versions(), heard, given, log_folder(os.environ))
        print(f"written for your report: {arguments.bundle}")
    return EXIT_TROUBLE if worst(findings) is Level.ERROR else 0


def _verdict(levels: list[Level]) -> str:
    errors, warnings = levels.count(Level.ERROR), levels.count(Level.WARN)
    if not errors and not warnings:
        return "nothing is wrong"
    return f"{errors} thing(s) do not work, {warnings} to look at"
