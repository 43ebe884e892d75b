"""A profile that Fast DDS ignores is noticed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fer_common.ros import distributions
from fer_common.ros.distributions import (
    PROFILE_VARIABLES,
    heed_profile,
    profile_variable,
    profile_without_effect,
)
from fer_testing.ros import Graph

PROFILE = "<segment_size>33554432</segment_size>"
SIZE = 33_554_432


@pytest.fixture
def segment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The segment of this process: its lock is the only open file."""
    segment, descriptors = tmp_path / "fastrtps_00a2800dd3c0a996", tmp_path / "fd"
    segment.touch()
    descriptors.mkdir()
    (descriptors / "0").symlink_to("/dev/null")
    (descriptors / "7").symlink_to(f"{segment}_el")
    monkeypatch.setattr(distributions, "SHARED_MEMORY", tmp_path)
    monkeypatch.setattr(distributions, "_DESCRIPTORS", descriptors)
    return segment


@pytest.mark.parametrize("variable", PROFILE_VARIABLES)
def test_the_segment_is_compared_with_the_profile(
    segment: Path, tmp_path: Path, variable: str
) -> None:
    profile = tmp_path / "profile.xml"
    profile.write_text(PROFILE)
    os.truncate(segment, SIZE)
    assert profile_without_effect({variable: str(profile)}) == ""
    os.truncate(segment, 500_000)
    assert "has 0.5 MB of shared memory instead of the 33.6 MB of" in profile_without_effect(
        {variable: str(profile)}
    )
    segment.unlink()
    assert "has 0.0 MB" in profile_without_effect({variable: str(profile)})


@pytest.mark.parametrize("variable", PROFILE_VARIABLES)
def test_fast_dds_2_gets_the_profile_by_its_own_variable(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distributions, "profile_variable", lambda: variable)
    new, old = PROFILE_VARIABLES
    environment = {new: "mine"}
    heed_profile(environment)
    assert environment == {new: "mine", **({old: "mine"} if variable == old else {})}
    environment = {old: "mine"}
    heed_profile(environment)
    assert environment == {old: "mine"}


@pytest.mark.parametrize("text", ["<dds/>", "\udcff", None])
def test_a_profile_without_a_segment_is_not_judged(
    segment: Path, tmp_path: Path, text: str | None
) -> None:
    profile = tmp_path / "profile.xml"
    if text is not None:
        profile.write_bytes(text.encode(errors="surrogateescape"))
    assert profile_without_effect({PROFILE_VARIABLES[0]: str(profile)}) == ""
    assert profile_without_effect({}) == ""


def test_a_node_says_which_profile_has_no_effect(
    graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parent)
    profile = tmp_path / "profile.xml"
    profile.write_text(PROFILE)
    # No profile to Fast DDS, which then uses its defaults.
    monkeypatch.setenv(profile_variable(), str(profile))
    graph.start("sample_node")
    status = graph.wait_for_status("/sample", lambda s: "0.5 MB" in s.message, "the warning")
    assert str(profile) in status.message
