"""The command `fer`."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn

import fer
from fer_common.core.errors import FerError
from fer_common.core.process import blocked_signals, pin_to_one_thread

EXIT_USER_ERROR = 2
#: As a shell reports the end by SIGPIPE.
EXIT_BROKEN_PIPE = 141


@dataclass(frozen=True)
class Command:
    """A sub-command.

    Attributes
    ----------
    name : as it is typed.
    module : has `add_arguments(parser)` and `run(arguments) -> exit code`.
    help : what it does.
    exit_code_interrupted : of a command that is interrupted before it handles that itself.
    """

    name: str
    module: str
    help: str
    exit_code_interrupted: int = 130


COMMANDS = (
    Command("up", "fer.commands.up", "run the whole graph, from camera to expression", 0),
    Command("dashboard", "fer_viz.dashboard.window", "show the running graph in a window", 0),
    Command(
        "doctor", "fer.commands.doctor", "say what is wrong, here and in the graph, and what to do"
    ),
    Command("param", "fer.commands.param", "look at and change the parameters of running nodes"),
    Command(
        "train",
        "fer_train.cli.train",
        "learn expressions from folders of pictures and write a weights file",
    ),
    Command(
        "evaluate",
        "fer_train.cli.evaluate",
        "measure how well a weights file recognises labelled pictures",
    ),
    Command(
        "ablate",
        "fer_train.cli.ablate",
        "train networks that lack one mechanism each, and compare them",
    ),
    Command("bag", "fer.commands.bag", "record, play and compare what the topics carry"),
    Command("teach", "fer.commands.teach", "teach the running network what the face in view shows"),
    Command(
        "weights", "fer.commands.weights", "save, load and look into weights, and take lessons back"
    ),
    Command("merge", "fer.commands.merge", "let one network learn from several robots", 0),
    Command("plot", "fer.commands.plot", "draw figures for print of a bag or a weights file"),
    Command("bench", "fer.commands.bench", "measure how fast everything is, beside others"),
    Command("warm-up", "fer.commands.warm_up", "compile the network's kernels ahead"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns
    -------
    Exit code: 0, or 2 with one line of error for what a user can put right, 1 for what broke.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    name = next((argument for argument in arguments if not argument.startswith("-")), "")
    chosen = next((command for command in COMMANDS if command.name == name), None)
    # Before a command imports NumPy: `train` and `evaluate` fill the cores with processes.
    pin_to_one_thread()
    # Both ways of asking for the end, also while a command is still being imported.
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
    try:
        # `./fer` starts the interpreter with it blocked, which could not handle it yet.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
        with blocked_signals():
            parser = _parser(chosen)
        parsed = parser.parse_args(arguments)
        exit_code = int(parsed.run(parsed))
        sys.stdout.flush()
        return exit_code
    except FerError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_USER_ERROR
    except (KeyboardInterrupt, SystemError) as error:
        if not _comes_from_interrupt(error):
            raise
        return chosen.exit_code_interrupted if chosen else 0
    except BrokenPipeError:
        # Whoever read our output has seen enough; the interpreter would complain when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE


class _Interrupted(KeyboardInterrupt):
    """A KeyboardInterrupt itself, once raised in an `exec`, ends the process by SIGINT.

    So does CPython even where it is caught, and imports execute the code of data classes.
    """


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise _Interrupted


def _comes_from_interrupt(error: BaseException | None) -> bool:
    # A compiled kernel that is interrupted raises a SystemError, whose cause may be another one.
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__
    return error is not None


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(f"fer {fer.__version__}")
        parser.exit()


def _parser(chosen: Command | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fer",
        description="Recognise facial expressions with a spiking network that learns on the robot.",
        epilog="`fer COMMAND --help` shows the options of a command. In a clone `./fer setup` "
        "only sets up, and `./fer exec PROGRAM` runs a program in the environment of fer.",
    )
    parser.add_argument("-V", "--version", action=_Version, nargs=0, help="show the version")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        own = commands.add_parser(
            command.name, help=command.help, description=f"{command.help.capitalize()}."
        )
        if command is chosen:
            # Only the chosen command is imported: `fer --help` shall not wait for a network's
            # libraries.
            module = importlib.import_module(command.module)
            module.add_arguments(own)
            own.set_defaults(run=module.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
