"""The set-up behind `./fer`: what it remembers, and the environment of what it starts."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from fer_setup import environment
from fer_setup.stamps import Stamps, digest, is_complete, take_inventory
from fer_setup.steps import SetupError


class TestStamps:
    def test_survive_and_forget(self, tmp_path: Path) -> None:
        path = tmp_path / "state" / "setup.json"
        Stamps(path, tmp_path).put("python", "a")
        assert Stamps(path, tmp_path).has("python", "a")
        Stamps(path, tmp_path).drop("python")
        assert Stamps(path, tmp_path).get("python") == {}

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"python": ', '{"python": []}'])
    def test_broken_file_counts_as_none(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "setup.json"
        path.write_text(text)
        assert Stamps(path, tmp_path).get("python") == {}

    def test_deleted_files_are_noticed_and_new_ones_do_not_matter(self, tmp_path: Path) -> None:
        (tmp_path / "a" / "b").mkdir(parents=True)
        (tmp_path / "a" / "b" / "c").touch()
        recorded = take_inventory(tmp_path)
        (tmp_path / "a" / "new").touch()
        (tmp_path / "a" / "__pycache__").mkdir()
        assert is_complete(tmp_path, recorded)
        (tmp_path / "a" / "b" / "c").unlink()
        assert not is_complete(tmp_path, recorded)
        shutil.rmtree(tmp_path / "a")
        assert not is_complete(tmp_path, recorded)

    def test_digest_sees_every_part(self, tmp_path: Path) -> None:
        path = tmp_path / "f"
        keys = {digest("a", "b"), digest("ab"), digest("a", contents=[path])}
        path.write_text("x")
        keys |= {digest("a", contents=[path])}
        assert len(keys) == 4


class TestEnvironment:
    def test_prepend_keeps_order_and_repeats_nothing(self) -> None:
        env = {"PATH": "/usr/bin:/mine:"}
        environment.prepend(env, {"PATH": ["/mine", "/new"], "PYTHONPATH": ["/site"]})
        assert env == {"PATH": "/mine:/new:/usr/bin", "PYTHONPATH": "/site"}

    def test_scrub_drops_leaks_and_other_workspaces(self) -> None:
        leaks = {"_ROS_WHEELS_BOOTSTRAP_COMPLETE": "1", "PYTHONHOME": "/x"}
        user = {"HOME": "/h", "PYTHONPATH": "/p", "AMENT_PREFIX_PATH": "/opt/ros/x"}
        assert environment.scrub(leaks | user, isolated=False) == user
        isolated = environment.scrub(leaks | user, isolated=True)
        assert isolated == {"HOME": "/h", "PYTHONNOUSERSITE": "1"}

    @pytest.mark.parametrize(
        ("user", "added"),
        [
            ({"HOME": "/"}, {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}),
            ({"HOME": "/", "ROS_STATIC_PEERS": "10.0.0.2"}, {}),
            ({"HOME": "/", "ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"}, {}),
            ({"ROS_STATIC_PEERS": "", "ROS_LOG_DIR": "/l"}, {}),
            ({"ROS_STATIC_PEERS": ""}, {"ROS_LOG_DIR": "/tmp/fer-log-7"}),
            ({"ROS_STATIC_PEERS": "", "HOME": "/proc/x"}, {"ROS_LOG_DIR": "/tmp/fer-log-7"}),
        ],
    )
    def test_defaults(
        self, user: dict[str, str], added: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tempfile.tempdir", "/tmp")
        monkeypatch.setattr(os, "getuid", lambda: 7)
        monkeypatch.setattr(os, "access", lambda folder, _: "/proc" not in str(folder))
        env = dict(user)
        environment.add_defaults(env)
        assert env == user | added

    def test_capture_returns_what_a_workspace_adds(self, tmp_path: Path) -> None:
        (tmp_path / "local_setup.sh").write_text(
            'export PATH="/w/bin:$PATH" PYTHONPATH=/w/site OTHER=1\n'
        )
        captured = environment.capture_workspace(tmp_path, sys.executable)
        assert captured == {"PATH": ["/w/bin"], "PYTHONPATH": ["/w/site"]}

    def test_broken_workspace_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "local_setup.sh").write_text("/nonexistent/tool\n")
        with pytest.raises(SetupError, match="adds nothing"):
            environment.capture_workspace(tmp_path, sys.executable)
