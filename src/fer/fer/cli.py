"""The command `fer`."""

from __future__ import annotations

import argparse
import contextlib
import errno
import importlib
import os
import re
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any, NoReturn

import fer
from fer_common.core.errors import FerError
from fer_common.core.process import blocked_signals, pin_to_one_thread

EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 130
#: As a shell reports the end by SIGPIPE.
EXIT_BROKEN_PIPE = 141
#: What the user can change: a full or read-only disk, a folder of somebody else.
_ENVIRONMENT_ERRORS = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO),
    *(errno.EACCES, errno.EPERM, errno.EROFS),
)


@dataclass(frozen=True)
class Command:
    """A sub-command.

    Attributes
    ----------
    name : as it is typed.
    module : has `add_arguments(parser)` and `run(arguments) -> exit code`.
    help : what it does.
    exit_code_interrupted : exit code if it is interrupted before it handles that itself.
    checks_environment : whether to check the environment for ROS before it runs.
    """

    name: str
    module: str
    help: str
    exit_code_interrupted: int = EXIT_INTERRUPTED
    checks_environment: bool = False


COMMANDS = (
    Command("up", "fer.commands.up", "run the whole graph, from camera to expression", 0),
    Command("dashboard", "fer_viz.dashboard.window", "show the running graph in a window", 0, True),
    Command("doctor", "fer.commands.doctor", "find what is wrong on this machine or in the graph"),
    Command("param", "fer.commands.param", "show and set the parameters of running nodes"),
    Command(
        "train",
        "fer_train.cli.train",
        "train a network on folders of images, and write a weights file",
    ),
    Command(
        "evaluate",
        "fer_train.cli.evaluate",
        "measure how well a weights file recognises labelled images",
    ),
    Command(
        "ablate",
        "fer_train.cli.ablate",
        "train networks that lack one mechanism each, and compare them",
    ),
    Command(
        "data", "fer_train.cli.data", "describe public sets of faces, and write them as folders"
    ),
    Command("bag", "fer.commands.bag", "record, play, compare and recover bags"),
    Command("topics", "fer.commands.topics", "list the topics, with their types", 0, True),
    Command("echo", "fer.commands.topics", "show the messages of a topic", 0, True),
    Command("hz", "fer.commands.topics", "show how often a topic is published", 0, True),
    Command("teach", "fer.commands.teach", "teach the running network what the face in view shows"),
    Command(
        "weights", "fer.commands.weights", "save, load, copy and show weights, and undo lessons"
    ),
    Command("merge", "fer.commands.merge", "let one network learn from several robots", 0),
    Command("plot", "fer.commands.plot", "draw figures of a bag or a weights file"),
    Command("export", "fer.commands.export", "write a bag or a network for other programs"),
    Command("import", "fer.commands.import_nir", "make a weights file from a NIR graph"),
    Command("bench", "fer.commands.bench", "run the benchmarks"),
    Command("warm-up", "fer.commands.warm_up", "compile the network's kernels now"),
)
#: What can be typed behind each command.
EXAMPLES = {
    "up": "--source demo",
    "dashboard": "--namespace robot1/fer",
    "doctor": "--bundle report.zip",
    "param": "set snn min_confidence 0.6",
    "train": "FOLDER --output my.npz",
    "evaluate": "FOLDER --weights my.npz",
    "ablate": "FOLDER --test TEST_FOLDER",
    "data": "ferplus fer2013.csv fer2013new.csv",
    "bag": "record -o run",
    "topics": "--namespace robot1/fer",
    "echo": "expressions -n 3",
    "hz": "spikes",
    "teach": "smile",
    "weights": "save mine",
    "merge": "robot1 robot2",
    "plot": "run -o figures",
    "export": "run --neo -o run.nix",
    "import": "trained.nir -o trained.npz",
    "bench": "network",
    "warm-up": "",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns
    -------
    Exit code: 0, or 2 with one line of error for what the user can change, 1 for what broke.
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
    # Python has no object for a standard stream that is closed.
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    try:
        # Whoever started us may have blocked them, so that none comes before the handlers.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGTERM))
        return _run_to_the_end(arguments, chosen)
    except FerError as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        return chosen.exit_code_interrupted if chosen else 0
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        _discard_output()
        return EXIT_BROKEN_PIPE
    except OSError as error:
        if error.errno not in _ENVIRONMENT_ERRORS:
            raise
        if error.filename is None:
            _discard_output()
        place = error.filename or "standard output"
        return _refuse(f"{place} cannot be written: {error.strerror}: make room, or change it")


def entry() -> NoReturn:
    """Run a command as a process of its own."""
    exit_code: int | str | None = EXIT_INTERRUPTED
    # A signal from here on, whose handler raises, ends the process silently too.
    with contextlib.suppress(KeyboardInterrupt):
        try:
            exit_code = main()
        except SystemExit as end:
            exit_code = end.code
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    sys.exit(exit_code)


def _run(arguments: Sequence[str], chosen: Command | None) -> int:
    with blocked_signals():
        parser, own = _parsers(chosen)
    if not arguments:
        parser.print_help()
        return 0
    parsed, unknown = parser.parse_known_args(arguments)
    if unknown:
        own.error(f"unknown arguments: {' '.join(unknown)}")
    if chosen is not None and chosen.checks_environment:
        from fer.bringup.environment import check_environment, log_environment

        os.environ.update(log_environment(os.environ))
        check_environment(os.environ)
    return int(parsed.run(parsed))


def _run_to_the_end(arguments: Sequence[str], chosen: Command | None) -> int:
    """Run a command and write its output; an interruption always raises a KeyboardInterrupt."""
    try:
        try:
            return _run(arguments, chosen)
        finally:
            sys.stdout.flush()
    except Exception as error:
        # Compiled code wraps what a signal's handler raises: a kernel in a SystemError, a module
        # that is being imported in an ImportError, and one may be the cause of the next.
        if _comes_from_interrupt(error):
            raise KeyboardInterrupt from error
        raise


def _refuse(reason: str) -> int:
    with contextlib.suppress(OSError):
        print(f"error: {reason}", file=sys.stderr)
    return EXIT_USER_ERROR


def _discard_output() -> None:
    """Send what is left of the output nowhere; the interpreter would complain when it flushes."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Interrupted(KeyboardInterrupt):
    """A KeyboardInterrupt itself, once raised in an `exec`, ends the process by SIGINT.

    So does CPython even where it is caught, and imports execute the code of data classes.
    """


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise _Interrupted


def _comes_from_interrupt(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__
    return error is not None


class _Parser(argparse.ArgumentParser):
    """Does not swallow what cannot be written, and takes -2e-07 and -.inf for numbers."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # argparse knows -2 and -0.2 alone; no option of ours looks like a number.
        self._negative_number_matcher = re.compile(r"-\.?(\d|inf)")

    def _print_message(self, message: str, file: Any = None) -> None:
        (file or sys.stderr).write(message or "")


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(f"fer {fer.__version__}")
        parser.exit()


def _parsers(chosen: Command | None) -> tuple[argparse.ArgumentParser, argparse.ArgumentParser]:
    """Return the parser of all commands, and that of the chosen one; the first if there is none."""
    of_chosen = parser = _Parser(
        prog="fer",
        description="Recognise facial expressions with a spiking network that learns on the robot.",
        epilog="`fer COMMAND --help` shows the options of a command. In a clone `./fer setup` "
        "only sets up, and `./fer exec PROGRAM` runs a program in the environment of fer.",
    )
    parser.add_argument("-V", "--version", action=_Version, nargs=0, help="show the version")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        own = commands.add_parser(
            command.name,
            help=command.help,
            description=f"{command.help.capitalize()}.",
            epilog=f"example: fer {command.name} {EXAMPLES[command.name]}",
        )
        if command is chosen:
            # Only the chosen command is imported: `fer --help` does not wait for libraries.
            module = importlib.import_module(command.module)
            module.add_arguments(own)
            own.set_defaults(run=module.run)
            of_chosen = own
    return parser, of_chosen


if __name__ == "__main__":
    entry()
