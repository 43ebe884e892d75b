"""The command line: help, errors, exit codes."""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import fer
from fer.cli import COMMANDS, EXAMPLES, _parsers, main
from fer_common.core.errors import FerError
from fer_common.core.process import blocked_signals
from fer_snn.core.weights import weights_file
from fer_testing.networks import small_model

PACKAGE = Path(__file__).parents[1]


def test_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"fer {fer.__version__}\n"
    assert ElementTree.parse(PACKAGE / "package.xml").findtext("version") == fer.__version__


def test_help_names_every_command_and_imports_none(capsys: pytest.CaptureFixture[str]) -> None:
    code = "import sys, fer.cli\ntry: fer.cli.main(['--help'])\nfinally: print(sorted(sys.modules))"
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    text, modules = output.rsplit("\n", 2)[:2]
    assert all(f"    {command.name} " in text for command in COMMANDS)
    assert not {"'rclpy'", "'numpy'", "'cv2'", "'fer.commands.up'"} & set(
        modules.strip("[]").split(", ")
    )


@pytest.fixture
def handlers() -> Iterator[None]:
    """Put back what `main` does to signals."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_imports_waits_for_their_end(
    handlers: None, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    imported: list[str] = []
    import_module = importlib.import_module

    def interrupted(name: str) -> ModuleType:
        signal.raise_signal(number)
        module = import_module(name)
        imported.append(name)
        return module

    monkeypatch.setattr(importlib, "import_module", interrupted)
    assert main(["up"]) == 0
    assert imported == ["fer.commands.up"]


@pytest.mark.parametrize(
    "raised",
    [
        SystemError("a kernel returned a result with an exception set"),
        ImportError("initialization failed"),
        FerError("a file cannot be read"),
        OSError(errno.ENOSPC, "no space"),
        RuntimeError("a class cannot be made"),
    ],
)
def test_compiled_code_that_was_interrupted_is_an_interrupt(
    monkeypatch: pytest.MonkeyPatch, raised: Exception
) -> None:
    def run(_: argparse.Namespace) -> int:
        inner = SystemError("it unpickled")
        inner.__cause__ = KeyboardInterrupt()
        raise raised from inner

    monkeypatch.setattr("fer.commands.param.run", run)
    assert main(["param", "list"]) == 130


@pytest.mark.parametrize("cause", [ValueError("a bad file"), None])
def test_a_broken_module_is_not_an_interrupt(
    monkeypatch: pytest.MonkeyPatch, cause: Exception | None
) -> None:
    def run(_: argparse.Namespace) -> int:
        raise ImportError("initialization failed") from cause

    monkeypatch.setattr("fer.commands.param.run", run)
    with pytest.raises(ImportError):
        main(["param", "list"])


@pytest.mark.parametrize("said", [None, "3"])
def test_commands_compute_in_one_thread_unless_the_user_says_otherwise(said: str | None) -> None:
    script = (
        "import os, sys; from fer.cli import main; assert 'numpy' not in sys.modules; "
        "main(['weights', 'show', '/']); print(os.environ['OMP_NUM_THREADS'])"
    )
    environment = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"}
    if said:
        environment["OMP_NUM_THREADS"] = said
    command = (sys.executable, "-c", script)
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout.split() == [said or "1"]


def test_without_a_command_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "fer COMMAND --help" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [(), ("--help",), ("up", "--help"), ("warm-up",)])
def test_output_that_cannot_be_written_is_one_line(arguments: tuple[str, ...]) -> None:
    command = (sys.executable, "-m", "fer.cli", *arguments)
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: standard output cannot be written: No space left")
    assert done.stderr.count("\n") == 1
    closed = ["sh", "-c", 'exec "$@" >&- 2>&-', "sh", *command]
    assert subprocess.run(closed, check=False).returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("arguments", [("up", "--no-window"), ("weights", "list"), ("--help",)])
def test_a_signal_at_any_moment_of_the_start_ends_silently(
    ros_domain: int, arguments: tuple[str, ...], number: signal.Signals
) -> None:
    script = Path(__file__).parents[1] / "scripts" / "fer"
    expected = {"up": {0}, "weights": {130}, "--help": {0, 130}}[arguments[0]]
    for delay_s in (0.05, 0.1, 0.2, 0.3, 0.5):
        # As ./fer starts it: Python's own start would answer with a traceback.
        with blocked_signals((signal.SIGINT, signal.SIGTERM)):
            process = subprocess.Popen(
                [sys.executable, str(script), *arguments],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        try:
            process.wait(delay_s)
        except subprocess.TimeoutExpired:
            process.send_signal(number)
        errors = process.communicate(timeout=20)[1]
        assert "Traceback" not in errors and "Interrupt" not in errors, (delay_s, errors)
        assert process.returncode in (expected | ({2} if errors else set())), (delay_s, errors)


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    said = capsys.readouterr().out
    assert f"usage: fer {command}" in said
    assert f"example: fer {command} {EXAMPLES[command]}".strip() in " ".join(said.split())
    chosen = next(each for each in COMMANDS if each.name == command)
    _parsers(chosen)[0].parse_args([command, *EXAMPLES[command].split()])


@pytest.mark.parametrize(
    "arguments",
    [
        ["dance"],
        ["up", "--duration", "-1"],
        ["up", "--duration", "soon"],
        ["param", "get", "eyes", "x"],
    ],
)
def test_what_argparse_refuses_ends_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "error: " in capsys.readouterr().err


def test_what_is_unknown_is_answered_with_the_usage_of_the_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["teach", "smile", "--namspace", "a"])
    told = capsys.readouterr().err
    assert "usage: fer teach" in told and "--namspace a" in told


@pytest.mark.parametrize("number", ["-2.1e-07", "-.5", "-5e-2", "-3", "-.inf", "-inf"])
def test_negative_numbers_are_no_options(number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[list[str]] = []

    def keep(arguments: argparse.Namespace) -> int:
        given.append(arguments.pairs)
        return 0

    monkeypatch.setattr("fer.commands.param.run", keep)
    assert main(["param", "set", "snn", "a_post", number, "tau_m", "0.02"]) == 0
    assert given == [["a_post", number, "tau_m", "0.02"]]


def test_show_prints_what_is_in_a_weights_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights_file.save(small_model(), tmp_path / "small.npz")
    assert main(["weights", "show", str(tmp_path / "small.npz")]) == 0
    assert "neutral, smile, surprised" in capsys.readouterr().out


def test_kernels_are_warmed_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["warm-up"]) == 0
    assert capsys.readouterr().out
