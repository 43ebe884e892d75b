"""The table of arguments: options of `fer up`, and what they mean together."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from fer.bringup import arguments as table
from fer.bringup.arguments import ARGUMENTS, Argument, check_two_hosts, settings_of
from fer.bringup.graph import HOSTS, Settings
from fer.bringup.preflight import check, resolved_source, resolved_weights
from fer.cli import main
from fer.commands.up import add_arguments
from fer_common.core.errors import ConfigurationError, FerError
from fer_snn.core.weights import weights_file
from fer_testing.networks import small_model

BRINGUP = Path(table.__file__).parent


def given(*options: str) -> dict[str, object]:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return vars(parser.parse_args(options))


def test_without_options_everything_has_its_default() -> None:
    assert settings_of(given(), HOSTS) == Settings()


@pytest.mark.parametrize(
    "settings", [Settings(source="demo", camera=False), Settings(source="demo", hosts=HOSTS[1:])]
)
def test_a_source_that_nobody_plays_is_told(settings: Settings) -> None:
    told: list[str] = []
    check(settings, told.append)
    assert told == ["source 'demo' has no effect: the camera node is not started here"]


def test_options_mean_what_launch_arguments_mean() -> None:
    by_option = settings_of(
        given(
            *("--source", "demo", "--namespace", "robot", "--weights", "taught", "--no-viz"),
            *("--no-camera", "--image-topic", "/cam", "--use-sim-time", "--log-level", "warn"),
            *("--compressed", "--peer", "10.0.0.1", "--peer", "10.0.0.2", "--split", "camera"),
            "--compose",
        ),
        HOSTS,
    )
    by_launch = settings_of(
        {
            "source": "demo",
            "namespace": "robot",
            "weights": "taught",
            "viz": "false",
            "camera": "false",
            "image_topic": "/cam",
            "compressed": "true",
            "use_sim_time": "true",
            "log_level": "warn",
            "peers": "10.0.0.1;10.0.0.2",
            "split": "camera",
            "use_composition": "true",
        },
        HOSTS,
    )
    assert by_option == by_launch
    assert by_launch.use_composition == ("camera", "features", "snn", "viz")
    assert by_launch.peers == ("10.0.0.1", "10.0.0.2")


@pytest.mark.parametrize(
    ("options", "shared"),
    [
        ((), ()),
        (("--compose",), ("camera", "features", "snn", "viz")),
        (("--compose", "camera+features"), ("camera", "features")),
    ],
)
def test_all_or_some_nodes_share_a_process(
    options: tuple[str, ...], shared: tuple[str, ...]
) -> None:
    assert settings_of(given(*options), HOSTS).use_composition == shared


def test_the_web_page_has_a_port_and_needs_viz() -> None:
    assert settings_of(given("--web"), HOSTS).web == 8642
    assert settings_of(given("--web", "9000"), HOSTS).web == settings_of({"web": "9000"}, HOSTS).web
    for port in ("0", "65536", "x"):
        with pytest.raises(ConfigurationError, match=f"'{port}' is no port"):
            settings_of(given("--web", port), HOSTS)
    with pytest.raises(ConfigurationError, match="needs viz"):
        settings_of(given("--web", "--no-viz"), HOSTS)
    with pytest.raises(ConfigurationError, match="needs viz"):
        settings_of(given("--web"), ("robot",))


def test_the_topic_of_compressed_images_is_given_by_its_base() -> None:
    with pytest.raises(ConfigurationError, match="give '/cam', and --compressed"):
        settings_of(given("--image-topic", "/cam/compressed"), HOSTS)


@pytest.mark.parametrize("option", [("--split", "camera"), ("--peer", "10.0.0.1")])
def test_options_for_two_hosts_are_refused_on_one(option: tuple[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=f"{option[0]} has no effect .* --host"):
        check_two_hosts(given(*option))
    check_two_hosts(given(*option, "--host", "robot"))
    check_two_hosts(given())


def test_every_argument_has_a_sentence_and_a_place() -> None:
    for argument in ARGUMENTS:
        assert argument.description.endswith(".") and argument.files


@pytest.mark.parametrize("argument", ARGUMENTS, ids=lambda argument: str(argument.name))
def test_every_argument_has_an_effect(argument: Argument) -> None:
    if argument.is_setting:
        other = [choice for choice in argument.choices if choice not in ("", argument.default)]
        text = other[0] if other else argument.bare or "another"
        assert settings_of({argument.name: text}, HOSTS) != Settings()
    else:
        # What is no setting is read in the modules that only the launch files use.
        texts = [(BRINGUP / f"{name}.py").read_text() for name in ("launching", "replaying")]
        assert any(f'"{argument.name}"' in text for text in texts)


def test_a_name_means_the_same_file_to_the_command_and_the_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert resolved_weights("taught") == "taught"
    # No such file here: a name in the weights folder, as for the node.
    assert resolved_weights("taught.npz") == "taught.npz"
    with pytest.raises(FerError, match=r"home/.local/share/fer/weights/taught\.npz"):
        check(Settings(weights="taught.npz"))
    weights_file.save(small_model(), tmp_path / "taught.npz")
    assert resolved_weights("taught.npz") == str(tmp_path / "taught.npz")
    with pytest.raises(FerError, match=r"home/.local/share/fer/weights/taught\.npz"):
        check(Settings(weights="taught"))


def test_addresses_are_no_paths() -> None:
    assert resolved_source("rtsp://camera/1") == "rtsp://camera/1"
    assert resolved_source("clip.mp4") == str(Path("clip.mp4").absolute())


@pytest.mark.parametrize(
    "arguments",
    [
        ("weights", "undo", "-5"),
        ("weights", "undo", "0"),
        ("weights", "undo", "1.5"),
        ("doctor", "--wait", "-1"),
        ("doctor", "--wait", "nan"),
        ("teach", "smile", "--duration", "-1"),
        ("teach", "smile", "--duration", "inf"),
        ("teach", "smile", "--face", "-1"),
        ("up", "--duration", "0"),
        ("plot", "x.npz", "-o", "y", "--span", "0"),
        ("plot", "x.npz", "-o", "y", "--start", "-1"),
    ],
)
def test_senseless_numbers_are_refused_with_their_range(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "is out of range: give a " in capsys.readouterr().err
