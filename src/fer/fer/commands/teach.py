"""`fer teach LABEL`: the network learns from what the camera sees now."""

from __future__ import annotations

import argparse

from fer.commands.options import add_namespace, positive, positive_integer
from fer_common.core.errors import FerError
from fer_snn.core.labels import canonical


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("label", metavar="LABEL", help="what the face shows now, such as smile")
    add("--new", action="store_true", help="LABEL is new to the network")
    text = "how long to learn (default: %(default)g)"
    add("--duration", type=positive, default=2.0, metavar="SECONDS", help=text)
    text = "which face (default: the largest)"
    add("--face", type=positive_integer, default=0, metavar="ID", help=text)
    add_namespace(parser)


def run(arguments: argparse.Namespace) -> int:
    """Teach, wait for the end of the lesson, and print what was learnt."""
    from fer.client import connect
    from fer_interfaces.srv import Teach

    request = Teach.Request(
        label=arguments.label,
        new_label=arguments.new,
        face_id=arguments.face,
        duration=arguments.duration,
    )
    with connect(arguments.namespace) as client:
        # Not before the environment was checked: it imports rclpy.
        from fer_common.ros.lesson import teach

        try:
            lesson = teach(client, request, lambda begun: print(begun, flush=True))
        except FerError as error:
            raise FerError(str(error).replace("set new_label", "give --new")) from None
    for each in lesson.after.labels:
        if each.faces:
            print(f"{each.label}: {each.faces} faces learnt since the weights were loaded")
    if lesson.faces(canonical(arguments.label)) <= 0:
        raise FerError("no face was learnt: was one in view, and did no other lesson begin?")
    return 0
