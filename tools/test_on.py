"""Run the tests on the libraries of another distribution: test_on.py NAME [PYTEST ARGUMENT ...].

`test/distributions/NAME.txt` and `NAME-test.txt` take the place of the requirements files in a copy
of this clone, which is set up like any other.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = {"jazzy": "3.12"}
#: They test how the wheels of today are installed.
LEFT_OUT = ("test/test_setup.py", "test/test_setup_environment.py")


def main(name: str, *arguments: str) -> int:
    """Return the exit code of the tests, 0 with a line that says why if they cannot be run."""
    version = PYTHONS[name]
    python = _python(version)
    if python is None:
        print(f"skipped: the tests on {name} need CPython {version}, and PATH has none")
        return 0
    clone = ROOT / ".fer" / name
    _copy(clone)
    for target, source in (
        ("requirements.txt", f"{name}.txt"),
        ("requirements-test.txt", f"{name}-test.txt"),
    ):
        shutil.copy2(ROOT / "test" / "distributions" / source, clone / target)
    (clone / "requirements-gui.txt").write_text("# In requirements-test.txt.\n", encoding="utf-8")
    unwanted = ("ROS_DISTRO", "AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH", "PYTHONPATH")
    env = {key: value for key, value in os.environ.items() if key not in unwanted}
    env["FER_PYTHON"] = python
    tests = arguments or ("src", "test", *(f"--ignore={path}" for path in LEFT_OUT))
    for command in (["setup", "--test"], ["exec", "python3", "-m", "pytest", *tests]):
        if code := subprocess.run(["./fer", *command], cwd=clone, env=env, check=False).returncode:
            return code
    return 0


def _python(version: str) -> str | None:
    """Return a CPython of a version from PATH, or from pyenv, whose shim may refuse to run."""
    named = shutil.which(f"python{version}")
    if named is None:
        return None
    installed = Path(named).parents[1].glob(f"versions/{version}.*/bin/python3")
    for python in [named, *map(str, sorted(installed))]:
        done = subprocess.run([python, "-c", ""], capture_output=True, check=False)
        if not done.returncode:
            return python
    return None


def _copy(clone: Path) -> None:
    """Copy every file that is not ignored, and remove what is left of an earlier copy."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = [Path(each) for each in listed.split("\0") if each and os.path.lexists(ROOT / each)]
    for top in {path.parts[0] for path in files}:
        old = clone / top
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(old)
        else:
            old.unlink(missing_ok=True)
    for path in files:
        (clone / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, clone / path, follow_symlinks=False)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
