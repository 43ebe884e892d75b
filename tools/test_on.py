"""Run the tests on other libraries: test_on.py NAME [PYTEST ARGUMENT ...].

`test/distributions/NAME*.txt`, or the newest versions on the package index, take the place of the
requirements files in a copy of this clone, which is set up like any other.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NEWEST = "newest"
#: Versions of CPython, the best first.
PYTHONS = {"jazzy": ("3.12",), NEWEST: ("3.14", "3.13", "3.12")}
REQUIREMENTS = ("requirements.txt", "requirements-test.txt", "requirements-gui.txt")
#: They test how the wheels of today are installed.
LEFT_OUT = ("test/test_setup.py", "test/test_setup_environment.py")


def main(name: str, *arguments: str) -> int:
    """Return the exit code of the tests, 0 with a line that says why if they cannot be run."""
    python = next(filter(None, map(_python, PYTHONS[name])), None)
    if python is None:
        print(f"skipped: PATH has no CPython {' or '.join(PYTHONS[name])} for the tests on {name}")
        return 0
    stored = sorted((ROOT / "test" / "distributions").glob(f"{name}*.txt"))
    pins = _newest(python) if name == NEWEST else "\n".join(path.read_text() for path in stored)
    clone = ROOT / ".fer" / name
    _copy(clone)
    for target, text in zip(REQUIREMENTS, (pins, "", ""), strict=True):
        (clone / target).write_text(text, encoding="utf-8")
    unwanted = ("ROS_DISTRO", "AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH", "PYTHONPATH")
    env = {key: value for key, value in os.environ.items() if key not in unwanted}
    env["FER_PYTHON"] = python
    tests = arguments or ("src", "test", *(f"--ignore={path}" for path in LEFT_OUT))
    for command in (["setup", "--test"], ["exec", "python3", "-m", "pytest", *tests]):
        if code := subprocess.run(["./fer", *command], cwd=clone, env=env, check=False).returncode:
            return code
    return 0


def _newest(python: str) -> str:
    """Return a requirements file: all that ours name, at the newest versions that fit together.

    Raises
    ------
    SystemExit : pip finds none, or does not reach the package index.
    """
    ours = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in REQUIREMENTS)
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as free:
        # From version 80 on setuptools has no `develop`, with which colcon links packages.
        free.write(re.sub(r"==[^\s;]+", "", ours) + "\nsetuptools<80\n")
        free.flush()
        command = [python, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
        command += ["--disable-pip-version-check", "--report", "-", "-r", free.name]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        sys.exit("pip cannot find the newest versions: see above")
    packages = [each["metadata"] for each in json.loads(done.stdout)["install"]]
    # lark would overwrite the module that lark-parser provides.
    pins = (f"{each['name']}=={each['version']}" for each in packages if each["name"] != "lark")
    return "\n".join(sorted(pins))


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
