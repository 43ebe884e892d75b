"""The set-up behind `./fer`: what it decides, and that every lack is told in one line."""

import errno
import fcntl
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from fer_setup import distribution, installation, machine, main, wheels, workspace
from fer_setup.stamps import Stamps
from fer_setup.steps import Runner, SetupError

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]
SHELL_TOOLS = ["sh", "dirname", "readlink"]


#: What names the commands, with the part of fer_common that it needs.
COMMON = [f"fer_common/fer_common/core/{name}.py" for name in ("errors", "process")]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone with the set-up and one message package, nothing set up."""
    root = tmp_path / "clone"
    shutil.copytree(
        ROOT / "tools", root / "tools", ignore=shutil.ignore_patterns("__pycache__", ".*")
    )
    for name in ("fer", "requirements.txt", "requirements-test.txt", "requirements-gui.txt"):
        shutil.copy(ROOT / name, root / name)
    for package, files in {
        "fer_interfaces": ["package.xml", "CMakeLists.txt", "msg/Face.msg"],
        "fer_node": ["package.xml", "setup.py", "fer_node/node.py", "models/a.npz"],
    }.items():
        for name in files:
            path = root / "src" / package / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
    for name in ("fer/fer/cli.py", "fer/fer/__init__.py", *COMMON):
        path = root / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "src" / name, path)
    return root


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder for PATH with a Python and what a shell script needs, but no compiler."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in SHELL_TOOLS:
        (folder / name).symlink_to(str(shutil.which(name)))
    (folder / "python3").symlink_to(machine.base_python())
    return folder


def add_compilers(programs: Path) -> None:
    for name in ("gcc", "g++"):
        (programs / name).write_text("#!/bin/sh\nexit 0\n")
        (programs / name).chmod(0o755)


def run_fer(clone: Path, programs: Path, *arguments: str, **env: str) -> tuple[int, list[str]]:
    done = subprocess.run(
        [clone / "fer", *arguments],
        env={"PATH": str(programs), "HOME": str(clone), "PIP_CONFIG_FILE": os.devnull} | env,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr.splitlines()


class TestRequirements:
    @staticmethod
    def read(name: str) -> list[Requirement]:
        lines = (ROOT / name).read_text().splitlines()
        return [Requirement(line) for line in lines if line and line[0] != "#"]

    @pytest.mark.parametrize("python", PYTHONS)
    def test_each_package_has_one_exact_version(self, python: str) -> None:
        pins = [
            pin
            for name in ("requirements.txt", "requirements-test.txt", "requirements-gui.txt")
            for pin in self.read(name)
            if pin.marker is None or pin.marker.evaluate({"python_version": python})
        ]
        assert all(len(pin.specifier) == 1 and "==" in str(pin.specifier) for pin in pins)
        names = [pin.name.lower() for pin in pins]
        assert sorted(set(names)) == sorted(names)

    def test_nothing_overwrites_the_parser_of_rosidl(self) -> None:
        names = {pin.name for pin in self.read("requirements.txt")}
        assert "lark-parser" in names
        assert "lark" not in names


def test_a_ros_machine_is_checked_for_every_python_package_that_is_declared() -> None:
    texts = [path.read_text() for path in ROOT.glob("*/*/package.xml")]
    assert {key for text in texts for key in re.findall(r">(python3-[\w-]+)<", text)} == set(
        distribution.MODULES
    )


class Refusing:
    """An installation that can set up everything but the window."""

    def ensure(self, extras: list[str]) -> None:
        if extras == [wheels.WINDOW]:
            raise SetupError("the disk is full")


class TestWindow:
    def test_without_it_the_graph_is_started_all_the_same(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        main.ensure_window(Refusing())  # type: ignore[arg-type]
        assert capsys.readouterr().err == "fer: going on without the window: the disk is full\n"

    @pytest.mark.parametrize(
        ("arguments", "display", "wanted"),
        [
            (["up"], ":0", True),
            (["up"], "", False),
            (["up", "--source", "demo", "--no-window"], ":0", False),
            (["param", "list"], ":0", False),
        ],
    )
    def test_it_is_set_up_where_it_will_open(
        self, arguments: list[str], display: str, wanted: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        monkeypatch.setenv("DISPLAY", display)
        assert main.opens_window(arguments) is wanted

    def test_a_changed_list_or_a_deleted_file_asks_for_it_again(self, clone: Path) -> None:
        environment = wheels.WheelEnvironment(clone)
        stamps = Stamps(clone / "setup.json", clone)

        def pending() -> int:
            return len(environment.pending(stamps, [wheels.WINDOW]))

        module = environment.venv / "lib" / "PySide6" / "QtCore.abi3.so"
        for path in (module, Path(environment.python)):
            path.parent.mkdir(parents=True)
            path.touch(mode=0o755)
        make_up(environment, stamps, wheels.RUN)
        assert pending() == 1
        make_up(environment, stamps, wheels.WINDOW)
        assert pending() == 0
        module.unlink()
        assert pending() == len([wheels.VENV, wheels.RUN, wheels.WINDOW])
        module.touch()
        (clone / "requirements-gui.txt").write_text("pyqtgraph==1\n")
        assert pending() == 1


def make_up(environment: wheels.WheelEnvironment, stamps: Stamps, name: str) -> None:
    """Record that the packages of a requirements file have been installed."""
    stamps.put(name, environment.file_key(name))
    stamps.put(wheels.VENV, environment.key, [wheels.VENV])


class TestErrors:
    def test_missing_compiler_is_named(self, clone: Path, programs: Path) -> None:
        code, lines = run_fer(clone, programs, "up")
        assert code == 1
        assert len(lines) == 1
        assert "gcc, g++" in lines[0]

    @pytest.mark.parametrize("compilers_of", ["apt-get", "dnf", "zypper", "pacman"])
    def test_hint_fits_the_package_manager(
        self, clone: Path, programs: Path, compilers_of: str
    ) -> None:
        (programs / compilers_of).symlink_to(str(shutil.which("sh")))
        code, (line,) = run_fer(clone, programs, "up")
        assert code == 1
        assert compilers_of.removesuffix("-get") in line.replace("apt-get", "apt")

    def test_no_suitable_python(self, clone: Path, programs: Path) -> None:
        (programs / "python3").unlink()
        code, (line,) = run_fer(clone, programs, "up")
        assert code == 1
        assert "CPython 3.10 to 3.14" in line
        assert "python3 is missing" in line

    def test_unsuitable_fer_python(self, clone: Path, programs: Path) -> None:
        code, (line,) = run_fer(clone, programs, "up", FER_PYTHON="/nonexistent")
        assert code == 1
        assert "FER_PYTHON=/nonexistent" in line

    def test_unsourced_ros(self, clone: Path, programs: Path) -> None:
        code, (line,) = run_fer(clone, programs, "up", ROS_DISTRO="jazzy")
        assert code == 1
        assert "/opt/ros/jazzy/setup.bash" in line

    def test_unreachable_index(self, clone: Path, programs: Path) -> None:
        add_compilers(programs)
        code, lines = run_fer(clone, programs, "up", PIP_INDEX_URL="http://127.0.0.1:9/simple")
        assert code == 1
        assert "index cannot be reached" in lines[-1]
        stamps = Stamps(clone / ".fer" / "setup.json", clone)
        assert stamps.get(wheels.VENV) and not stamps.get(wheels.RUN)

    def test_path_that_colcon_cannot_build_in(self, clone: Path, programs: Path) -> None:
        spaced = clone.rename(clone.with_name("my clone"))
        code, (line,) = run_fer(spaced, programs, "up")
        assert code == 1
        assert "' '" in line

    def test_full_disk(self, tmp_path: Path) -> None:
        with pytest.raises(SetupError, match="make room"):
            machine.check_space(tmp_path, needed=10**18)

    @pytest.mark.parametrize(
        ("output", "told"),
        [
            ("OSError: [Errno 28] No space left on device", "disk is full"),
            ("broken by 'NewConnectionError('", "cannot be reached"),
            ("ERROR: No matching distribution found for numba==0.1 (x)", "no numba==0.1 for"),
            ("something else", "see the end of"),
        ],
    )
    def test_pip_is_explained(self, output: str, told: str) -> None:
        message = wheels.explain_pip(output, Path("setup.log"))
        assert told in message
        assert "\n" not in message

    def test_build_failure_names_the_first_cause(self) -> None:
        output = "ok\nCMake Error at a.cmake:3: no b\nerror: later"
        assert "a.cmake:3" in workspace.explain_build(output, Path("setup.log"))

    def test_usage(self, clone: Path, programs: Path) -> None:
        assert run_fer(clone, programs, "setup", "--tests")[0] == 2
        assert run_fer(clone, programs, "exec")[0] == 2
        assert run_fer(clone, programs, "setup", "--help")[0] == 0

    def test_a_command_that_does_not_exist_sets_nothing_up(
        self, clone: Path, programs: Path
    ) -> None:
        code, told = run_fer(clone, programs, "upp")
        assert code == 2 and "no command 'upp'" in told[0] and "up, dashboard" in told[0]
        assert not (clone / ".fer").exists()

    @pytest.mark.parametrize("arguments", [(), ("--help",), ("exec", "--help")])
    def test_help_sets_nothing_up(
        self, arguments: tuple[str, ...], clone: Path, programs: Path
    ) -> None:
        assert run_fer(clone, programs, *arguments) == (0, [])
        assert not (clone / ".fer").exists()

    def test_a_clone_of_somebody_else_is_not_written(
        self, clone: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(path: Path, **_: object) -> None:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))

        monkeypatch.delenv("ROS_DISTRO", raising=False)
        monkeypatch.setattr(Path, "mkdir", refuse)
        with pytest.raises(SetupError, match="you may not write there"):
            installation.Installation(clone).ensure()


class TestWorkspaceKeys:
    @pytest.mark.parametrize(
        ("changed", "stages"),
        [
            ("src/fer_interfaces/msg/Face.msg", {"interfaces"}),
            ("src/fer_interfaces/msg/New.msg", {"interfaces", "packages"}),
            ("src/fer_node/fer_node/node.py", set()),
            ("src/fer_node/fer_node/new.py", set()),
            ("src/fer_node/test/test_new.py", set()),
            ("src/fer_node/setup.py", {"packages"}),
            ("src/fer_node/models/b.npz", {"packages"}),
            ("src/fer_node/launch/new.launch.py", {"packages"}),
        ],
    )
    def test_what_needs_a_build(self, clone: Path, changed: str, stages: set[str]) -> None:
        built = workspace.Workspace(clone, wheels.WheelEnvironment(clone))
        before = built.keys()
        path = clone / changed
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("changed")
        after = built.keys()
        assert {stage for stage in before if before[stage] != after[stage]} == stages


class TestProcesses:
    def test_second_call_waits_and_can_be_interrupted(self, clone: Path, programs: Path) -> None:
        (clone / ".fer").mkdir()
        with (clone / ".fer" / "setup.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            second = subprocess.Popen(
                [clone / "fer", "setup"],
                env={"PATH": str(programs)},
                stderr=subprocess.PIPE,
                text=True,
            )
            assert second.stderr is not None
            assert "waiting for another set-up" in second.stderr.readline()
            second.send_signal(signal.SIGTERM)
            assert "interrupted" in second.communicate(timeout=20)[1]
            assert second.returncode == 130

    def test_a_command_keeps_the_lock_of_a_set_up_that_was_killed(self, tmp_path: Path) -> None:
        with (tmp_path / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            runner = Runner(tmp_path / "setup.log", "title", [lock.fileno()])
            # The command stays behind when the one that the set-up waits for has ended.
            runner.run(["/bin/sh", "-c", "sleep 60 & echo $!"], dict(os.environ), tmp_path)
        orphan = int((tmp_path / "setup.log").read_text().split()[-1])
        with (tmp_path / "lock").open("w") as lock:
            with pytest.raises(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.kill(orphan, signal.SIGTERM)
            fcntl.flock(lock, fcntl.LOCK_EX)

    def test_interrupted_step_ends_its_children(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        child_file = tmp_path / "child"
        runner = Runner(tmp_path / "log" / "setup.log", "title")

        def interrupt(_start: int) -> None:
            if child_file.exists() and child_file.read_text():
                raise KeyboardInterrupt

        monkeypatch.setattr(runner, "_follow", interrupt)
        script = f"sleep 60 & echo $! > {child_file}; wait"
        with pytest.raises(KeyboardInterrupt):
            runner.run(["/bin/sh", "-c", script], dict(os.environ), tmp_path)
        child = Path("/proc", child_file.read_text().strip(), "stat")
        deadline = time.monotonic() + 10
        while child.exists() and child.read_text().split()[2] != "Z":
            assert time.monotonic() < deadline
            time.sleep(0.05)
