"""`fer doctor`: what is wrong on this machine and in the running graph, and what to do."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from fer.commands.options import add_namespace, not_negative
from fer.diagnosis.results import Level, report, worst
from fer_common.core.errors import FerError
from fer_common.core.graph_names import absolute

if TYPE_CHECKING:
    from fer_common.ros.graph_client import NodeHealth

#: Exit code when something does not work.
EXIT_TROUBLE = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_namespace(parser)
    text = "how long to wait for nodes that are not heard (default: %(default)s)"
    parser.add_argument("--wait", type=not_negative, default=5.0, metavar="SECONDS", help=text)
    text = (
        "write what a bug report needs: this report, versions, diagnostics, logs; no images and "
        "no weights"
    )
    parser.add_argument("--bundle", type=Path, metavar="FILE.zip", help=text)


def run(arguments: argparse.Namespace) -> int:
    """Check, and print what was found; 1 if something does not work."""
    # As for `fer up`: discovery has to reach the graph.
    from fer.bringup.environment import graph_environment, log_folder
    from fer.diagnosis import results
    from fer.diagnosis.machine_checks import check_machine, versions

    namespace = absolute(arguments.namespace)
    given = dict(os.environ)
    os.environ.update(graph_environment(os.environ))
    found = check_machine(given)
    parts = [report("this machine", found)]
    heard: dict[str, NodeHealth] = {}
    # Without a client library that starts, nothing of the graph can be heard.
    if not any(
        each.subject in ("ROS", "environment") and each.level is Level.ERROR for each in found
    ):
        try:
            from fer.diagnosis.graph_checks import check_graph, listen

            heard, doubled = listen(namespace, arguments.wait)
            graph = check_graph(namespace, heard, doubled)
        except FerError as error:
            graph = [results.error("ROS", *str(error).rsplit(": ", 1))]
        found += graph
        parts.append(report(f"the graph {namespace}", graph))
    parts.append(_verdict([each.level for each in found]))
    text = "\n\n".join(parts)
    print(text)
    if arguments.bundle:
        from fer.diagnosis import bundle

        bundle.write(arguments.bundle, text, versions(), heard, given, log_folder(os.environ))
        print(f"written for your report: {arguments.bundle}")
    return EXIT_TROUBLE if worst(found) is Level.ERROR else 0


def _verdict(levels: list[Level]) -> str:
    """Return how many errors and warnings there are, in words."""
    errors, warnings = levels.count(Level.ERROR), levels.count(Level.WARN)
    said = []
    if errors:
        said.append("1 thing does not work" if errors == 1 else f"{errors} things do not work")
    if warnings:
        said.append("1 thing to look at" if warnings == 1 else f"{warnings} things to look at")
    return ", ".join(said) or "nothing is wrong"
