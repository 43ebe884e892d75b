"""`./fer`: set up what is missing, then become the command."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from fer_setup.installation import Installation
from fer_setup.steps import SetupError
from fer_setup.wheels import TEST, WINDOW

ROOT = Path(__file__).resolve().parents[2]

USAGE = """\
usage: ./fer COMMAND [ARGUMENT ...]   set up what is missing, then run the command
  ./fer up --source demo   run the graph on the demo clip
  ./fer setup              only set up (./fer setup --help)
  ./fer exec PROGRAM       run a program in the environment of fer
Nothing is set up yet. After that, ./fer --help lists all commands."""
SETUP_USAGE = """\
usage: ./fer setup [--test] [--window] [--force]
  --test    also what `make test` needs
  --window  also what the window of the dashboard needs
  --force   from the beginning, whatever is there"""
EXEC_USAGE = "usage: ./fer exec PROGRAM [ARGUMENT ...]   runs it in the environment of fer"
HELP = (["-h"], ["--help"])


def main(arguments: list[str]) -> int:
    """Run `./fer ARGUMENTS`; return an exit code only where no command takes over."""
    try:
        return _dispatch(arguments)
    except SetupError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        print(file=sys.stderr)
        _fail("the set-up was interrupted; the same command goes on with it")
        return 128 + signal.SIGINT
    except OSError as error:
        return _fail(f"{error.filename or ROOT}: {error.strerror}: free or allow it and try again")


def _fail(message: str, exit_code: int = 1) -> int:
    print(f"fer: {message}", file=sys.stderr)
    return exit_code


def _commands() -> list[str]:
    """Return the names of the commands, from the sources."""
    sys.path[:0] = [str(ROOT / "src" / name) for name in ("fer", "fer_common")]
    from fer.cli import COMMANDS

    return [command.name for command in COMMANDS]


def _dispatch(arguments: list[str]) -> int:
    command, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if command == "setup":
        return _setup(rest)
    if command == "exec" and (not rest or rest[:1] in HELP):
        return _print_usage(EXEC_USAGE, asked=bool(rest))
    installation = Installation(ROOT)
    if not arguments or arguments in HELP:
        arguments = ["--help"]
        if installation.pending():
            return _print_usage(USAGE, asked=True)
    if installation.pending() and not command.startswith("-"):
        # A slip must not cost the set-up.
        known = ["setup", "exec", *_commands()]
        if command not in known:
            return _fail(f"there is no command '{command}': choose one of {', '.join(known)}", 2)
    installation.ensure()
    if command == "dashboard":
        installation.ensure([WINDOW])
    elif opens_window(arguments):
        ensure_window(installation)
    env = installation.environment()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and exec would pass that on.
    if command == "exec":
        try:
            os.execvpe(rest[0], rest, env)
        except OSError as error:
            return _fail(f"cannot run {rest[0]}: {error.strerror}")
    # Ctrl-C waits until fer.cli can handle it; Python would write a traceback while it starts.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    # A file in the current folder must not stand for a module (-P, from Python 3.11 on).
    safe = ["-P"] if sys.version_info >= (3, 11) else []
    python = installation.python
    os.execve(python, [python, *safe, "-m", "fer.cli", *arguments], env)


def _print_usage(text: str, asked: bool) -> int:
    print(text, file=sys.stdout if asked else sys.stderr)
    return 0 if asked else 2


def opens_window(arguments: list[str]) -> bool:
    """Tell whether a command will open the dashboard beside what it does."""
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(display) and arguments[:1] == ["up"] and "--no-window" not in arguments


def ensure_window(installation: Installation) -> None:
    """Set up the window; the graph runs without one where that fails."""
    try:
        installation.ensure([WINDOW])
    except SetupError as error:
        print(f"fer: going on without the window: {error}", file=sys.stderr)


def _setup(options: list[str]) -> int:
    if unknown := set(options) - {"--test", "--window", "--force"}:
        asked = unknown <= {"-h", "--help"}
        if not asked:
            print(f"fer: setup has no {', '.join(sorted(unknown))}", file=sys.stderr)
        return _print_usage(SETUP_USAGE, asked)
    extras = [TEST, WINDOW] if "--test" in options else [WINDOW] if "--window" in options else []
    Installation(ROOT).ensure(extras, "--force" in options)
    print("fer: all is set up", file=sys.stderr)
    return 0
