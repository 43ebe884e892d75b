"""`fer param`: what typed values mean, and the verbs over a real node."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from fer.cli import main
from fer.commands.param import dump, typed
from fer_common.core.errors import ParameterError
from fer_testing.ros import end, wait_for


@pytest.mark.parametrize(
    ("text", "type_name", "expected"),
    [
        ("3", "integer", 3),
        ("3", "double", 3.0),
        ("1e-3", "double", 1e-3),
        ("true", "bool", True),
        ("true", "string", "true"),
        ("0", "string", "0"),
        ("[4, 6.5]", "double[]", (4.0, 6.5)),
        ("[a, b]", "string[]", ("a", "b")),
        ("a, b", "string[]", ("a", "b")),
        ("a", "string[]", ("a",)),
        ("['a', \"b c\"]", "string[]", ("a", "b c")),
        ("smile,7", "string[]", ("smile", "7")),
        ("7e0", "double", 7.0),
        ("on", "bool", True),
    ],
)
def test_values_take_the_type_of_their_parameter(
    text: str, type_name: str, expected: object
) -> None:
    value = typed(text, type_name)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("text", "type_name"),
    [
        ("fast", "double"),
        ("1.5", "integer"),
        ("3_20", "integer"),
        ("1:30", "double"),
        ("[a, ", "string[]"),
        ("1", "bool"),
        ("4", "double[]"),
        ("[1, x]", "integer[]"),
        ("[", "bool"),
    ],
)
def test_values_of_another_type_are_refused(text: str, type_name: str) -> None:
    with pytest.raises(ParameterError, match="is no "):
        typed(text, type_name)


def test_a_dump_is_a_parameter_file() -> None:
    document = yaml.safe_load(dump("robots/a", {"snn": {"tau": 0.5, "names": ("a", "b")}}))
    assert document == {"/robots/a/snn": {"ros__parameters": {"tau": 0.5, "names": ["a", "b"]}}}


NODE = """
import sys
from fer_common.ros.node import FerNode
from fer_common.ros.running import run
from fer_common.core.parameters import COMMON, Parameter, ParameterTable
TABLE = ParameterTable("viz", (
    Parameter("rate", 30.0, "Most pictures.", "Hz", 0.1, 120.0),
    Parameter("theme", "dark", "Colours.", choices=("dark", "light")),
    Parameter("file", "a", "Read at start.", live=False),
    *COMMON,
))
sys.exit(run(lambda: FerNode("viz", TABLE, "test"), args=["--ros-args", "-r", "__ns:=/fer"]))
"""


@pytest.fixture
def node(ros_domain: int) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-c", NODE], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    yield
    end(process)


def test_the_verbs_over_a_running_node(
    node: None, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    wait_for(lambda: main(["param", "get", "viz", "rate"]) == 0, "the node")
    capfd.readouterr()

    def says(*arguments: str) -> str:
        assert main(["param", *arguments]) == 0
        return capfd.readouterr().out

    def refuses(*arguments: str) -> str:
        assert main(["param", *arguments]) == 2
        return capfd.readouterr().err

    assert says("get", "viz", "rate") == "30.0\n"
    assert {"rate", "theme", "file", "autostart"} <= set(says("list", "viz").split())
    assert "range: 0.1 to 120; live" in says("describe", "viz", "rate")
    said = says("set", "viz", "rate", "15", "theme", "light")
    assert said == "viz: rate = 15.0\nviz: theme = light\n"
    # The namespace before the verb, and behind it.
    assert main(["param", "--namespace", "fer", "get", "viz", "rate"]) == 0
    assert main(["param", "get", "viz", "rate", "--namespace", "/fer"]) == 0
    assert capfd.readouterr().out == "15.0\n15.0\n"
    assert says("get", "viz", "theme") == "light\n"

    assert "'rates'" in refuses("get", "viz", "rates")
    assert "rate" in refuses("set", "viz", "rate", "-1")
    assert "no value" in refuses("set", "viz", "rate")
    # A batch is refused as a whole.
    assert "dark, light" in refuses("set", "viz", "rate", "20", "theme", "pink")
    assert says("get", "viz", "rate") == "15.0\n"

    path = tmp_path / "viz.yaml"
    says("dump", "viz", "-o", str(path))
    values = yaml.safe_load(path.read_text())["/fer/viz"]["ros__parameters"]
    assert (values["rate"], values["theme"], values["file"]) == (15.0, "light", "a")
