"""Message packages of others for tests, generated where they are not installed."""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

# Fields as in hri_msgs 2 and vision_msgs 4; what another message is made of comes before it.
_DEFINITIONS = {
    "hri_msgs": {
        "IdsList": "std_msgs/Header header\nstring[] ids",
        "NormalizedRegionOfInterest2D": "std_msgs/Header header\n"
        "float32 xmin\nfloat32 ymin\nfloat32 xmax\nfloat32 ymax\nfloat32 c",
        "Expression": "std_msgs/Header header\nstring expression\n"
        "float32 valence\nfloat32 arousal\nfloat32 confidence",
    },
    "vision_msgs": {
        "Point2D": "float64 x\nfloat64 y",
        "Pose2D": "Point2D position\nfloat64 theta",
        "BoundingBox2D": "Pose2D center\nfloat64 size_x\nfloat64 size_y",
        "ObjectHypothesis": "string class_id\nfloat64 score",
        "ObjectHypothesisWithPose": "ObjectHypothesis hypothesis\n"
        "geometry_msgs/PoseWithCovariance pose",
        "Detection2D": "std_msgs/Header header\nObjectHypothesisWithPose[] results\n"
        "BoundingBox2D bbox\nstring id",
        "Detection2DArray": "std_msgs/Header header\nDetection2D[] detections",
    },
}
_MANIFEST = """<?xml version="1.0"?>
<package format="3">
  <name>{name}</name>
  <version>0.0.0</version>
  <description>Messages for tests</description>
  <maintainer email="nobody@example.org">nobody</maintainer>
  <license>MIT</license>
  <depend>geometry_msgs</depend>
  <depend>std_msgs</depend>
  <member_of_group>rosidl_interface_packages</member_of_group>
  <export><build_type>ament_cmake</build_type></export>
</package>
"""
_PACKAGE = """project({name} C CXX)
find_package(geometry_msgs REQUIRED)
find_package(std_msgs REQUIRED)
rosidl_generate_interfaces(${{PROJECT_NAME}} {messages} DEPENDENCIES geometry_msgs std_msgs)
# Generated sources compile several times as fast together.
get_directory_property(targets BUILDSYSTEM_TARGETS)
foreach(target IN LISTS targets)
  if(target MATCHES "typesupport_(fastrtps_c|fastrtps_cpp|introspection_cpp|cpp|c)$")
    set_target_properties(${{target}} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 16)
  endif()
endforeach()
ament_package()
"""
_WORKSPACE = """cmake_minimum_required(VERSION 3.20)
project(messages_of_others C CXX)
find_package(ament_cmake REQUIRED)
find_package(rosidl_default_generators REQUIRED)
"""
_OPTIONS = ("-DBUILD_TESTING=OFF", "-DCMAKE_C_FLAGS=-O0", "-DCMAKE_CXX_FLAGS=-O0")
#: Half a minute of work, on a machine that may have much else to do.
BUILD_TIMEOUT_S = 500
#: Asked once, as what was built here is found too after a test has imported it.
_MISSING = tuple(name for name in _DEFINITIONS if importlib.util.find_spec(name) is None)


@pytest.fixture(scope="session")
def messages_folder(request: pytest.FixtureRequest) -> Path:
    """Return a folder in which the packages that are missing were built, now or by an earlier run.

    The first build takes half a minute: mark tests with `timeout(BUILD_TIMEOUT_S)`.
    """
    made_of = (_DEFINITIONS, _MANIFEST, _PACKAGE, _WORKSPACE, sys.version, sys.prefix)
    key = hashlib.sha256(repr((*made_of, np.__version__, _MISSING)).encode()).hexdigest()[:16]
    cache = request.config.cache
    assert cache is not None
    folder = cache.mkdir(f"messages-{key}")
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "built").exists():
            _build(folder, _MISSING)
            (folder / "built").touch()
    return folder


@pytest.fixture
def messages_of_others(messages_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this test and the processes that it starts import hri_msgs and vision_msgs."""
    libraries = sorted(messages_folder.glob("build/*/lib*.so"))
    _load(libraries)
    for modules in messages_folder.glob("build/*/rosidl_generator_py"):
        monkeypatch.syspath_prepend(modules)
        monkeypatch.setenv("PYTHONPATH", str(modules), prepend=os.pathsep)
    for folder in {path.parent for path in libraries}:
        monkeypatch.setenv("LD_LIBRARY_PATH", str(folder), prepend=os.pathsep)
    yield


def _build(folder: Path, packages: Sequence[str]) -> None:
    lines = [_WORKSPACE]
    for name in packages:
        messages = folder / name / "msg"
        messages.mkdir(parents=True, exist_ok=True)
        for message, fields in _DEFINITIONS[name].items():
            (messages / f"{message}.msg").write_text(fields + "\n")
        files = " ".join(f"msg/{message}.msg" for message in _DEFINITIONS[name])
        (folder / name / "CMakeLists.txt").write_text(_PACKAGE.format(name=name, messages=files))
        (folder / name / "package.xml").write_text(_MANIFEST.format(name=name))
        lines.append(f"add_subdirectory({name})\n")
    (folder / "CMakeLists.txt").write_text("".join(lines))
    build, python = folder / "build", f"-DPython3_EXECUTABLE={sys.executable}"
    cores = str(len(os.sched_getaffinity(0)))
    for command in (
        ["cmake", "-S", str(folder), "-B", str(build), python, *_OPTIONS],
        ["cmake", "--build", str(build), "--parallel", cores],
    ):
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout[-4000:]}"


def _load(libraries: list[Path]) -> None:
    """Load libraries that need each other, since a process reads LD_LIBRARY_PATH only once."""
    waiting = libraries
    while waiting:
        failed = []
        for path in waiting:
            try:
                ctypes.CDLL(str(path), ctypes.RTLD_GLOBAL)
            except OSError as error:
                failed.append((path, error))
        assert len(failed) < len(waiting), failed
        waiting = [path for path, _ in failed]
