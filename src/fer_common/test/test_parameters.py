"""Parameter tables and parameter files, without ROS."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_common.core.errors import ConfigurationError, ParameterError
from fer_common.core.parameter_files import (
    check_command_line,
    read_parameter_file,
    to_markdown,
    to_yaml,
)
from fer_common.core.parameters import Parameter, ParameterTable, Value, Values
from fer_common.core.yaml_files import MAX_BYTES, parse_yaml

RATE = Parameter("rate", 30.0, "Frames per second.", unit="Hz", minimum=0.0, maximum=240.0)
COUNT = Parameter("count", 3, "How many.", minimum=1)
ENABLED = Parameter("enabled", True, "Whether.", live=False)
MODE = Parameter("mode", "off", "Which.", choices=("off", "on", ""), resets="the traces")
LENGTHS = Parameter("lengths", (4.0, 6.0), "Wavelengths.", unit="px", minimum=0.5)
NAMES = Parameter("names", ("a", "b"), "Names.")


def ordered(values: Values) -> str | None:
    if float(values["rate"]) < int(values["count"]):  # type: ignore[arg-type]
        return "rate must not be below count"
    return None


TABLE = ParameterTable("cam", (RATE, COUNT, ENABLED, MODE, LENGTHS, NAMES), (ordered,))
OTHER = ParameterTable("net", (Parameter("rate", 1.0, "Steps."), Parameter("seed", 0, "Seed.")))
TABLES = {table.node: table for table in (TABLE, OTHER)}


# One parameter


@pytest.mark.parametrize(
    ("parameter", "given_value", "kept"),
    [
        (RATE, 240, 240.0),
        (RATE, 0.0, 0.0),
        (COUNT, 10**6, 10**6),
        (ENABLED, False, False),
        (MODE, "", ""),
        (MODE, False, "off"),
        (MODE, True, "on"),
        (LENGTHS, [1, 2.5], (1.0, 2.5)),
        (NAMES, ("x",), ("x",)),
    ],
)
def test_good_values_come_back_in_the_parameters_type(
    parameter: Parameter, given_value: object, kept: Value
) -> None:
    checked = parameter.check(given_value)
    assert checked == kept
    assert type(checked) is type(kept)


@pytest.mark.parametrize(
    ("parameter", "bad", "reason"),
    [
        (RATE, -1.0, "parameter 'rate' is -1 Hz: it must be in the range 0 to 240 Hz"),
        (RATE, math.nan, "in the range 0 to 240"),
        (RATE, math.inf, "in the range 0 to 240"),
        (RATE, "fast", r"is 'fast' \(str\): give a value of type double"),
        (RATE, True, r"\(bool\): give a value of type double"),
        (RATE, 10**400, "more than 64 bits"),
        (RATE, None, "NoneType"),
        (COUNT, 0, "in the range 1 to inf"),
        (COUNT, 2.0, "of type integer"),
        (COUNT, True, "of type integer"),
        (COUNT, 2**63, "more than 64 bits"),
        (COUNT, -(10**400), "more than 64 bits"),
        (ENABLED, 1, "of type bool"),
        (MODE, "of", 'choose one of off, on, ""'),
        (MODE, 0, "of type string"),
        (NAMES, [False], "of type string"),
        (LENGTHS, [4.0, 0.1], "in the range 0.5 to inf px"),
        (LENGTHS, [], "at least one value"),
        (LENGTHS, 4.0, r"give a list \(double\[\]\)"),
        (NAMES, "ab", "give a list"),
        (NAMES, [1], "of type string"),
    ],
    ids=lambda value: "",
)
def test_bad_values_are_refused_with_name_and_remedy(
    parameter: Parameter, bad: object, reason: str
) -> None:
    with pytest.raises(ParameterError, match=reason):
        parameter.check(bad)


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**300, 10**310)
    | st.floats()
    | st.text()
    | st.dates(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(TABLE.parameters), ANYTHING)
def test_anything_is_kept_or_refused_and_what_is_kept_stays(
    parameter: Parameter, value: object
) -> None:
    try:
        kept = parameter.check(value)
    except ParameterError as error:
        assert f"'{parameter.name}'" in str(error)
    else:
        assert parameter.check(kept) == kept


# A table


def test_default_values_stand() -> None:
    assert TABLE.merged({}, TABLE.defaults()) == TABLE.defaults()


def test_a_batch_is_looked_at_as_a_whole() -> None:
    defaults = TABLE.defaults()
    merged = TABLE.merged(defaults, {"count": 60, "rate": 70.0})
    assert (merged["count"], merged["rate"]) == (60, 70.0)
    with pytest.raises(ParameterError, match="node 'cam': rate must not be below count"):
        TABLE.merged(defaults, {"count": 60})
    with pytest.raises(ParameterError, match="'rate'"):
        TABLE.merged(defaults, {"count": 5, "rate": -1.0})
    assert defaults == TABLE.defaults()


def test_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(ParameterError, match=r"no parameter 'raet': did you mean 'rate'\?"):
        TABLE.merged(TABLE.defaults(), {"raet": 1.0})
    with pytest.raises(ParameterError, match="`fer param list cam` shows all"):
        TABLE["zzz"]


def test_a_name_stands_once() -> None:
    with pytest.raises(ValueError, match="defined twice"):
        ParameterTable("cam", (RATE, RATE))


# Files


def test_file_of_defaults_reads_back_as_them(tmp_path: Path) -> None:
    path = tmp_path / "fer.yaml"
    path.write_text(to_yaml(TABLES.values()))
    assert read_parameter_file(path, TABLES) == {n: t.defaults() for n, t in TABLES.items()}


SCALARS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.text(),
)


@settings(max_examples=150, deadline=None)
@given(SCALARS | st.lists(st.text(), min_size=1).map(tuple))
def test_every_default_survives_the_file(
    tmp_path_factory: pytest.TempPathFactory, default: Any
) -> None:
    table = ParameterTable("cam", (Parameter("value", default, "A value."),))
    path = tmp_path_factory.getbasetemp() / "default.yaml"
    path.write_text(to_yaml([table]), encoding="utf-8")
    values = read_parameter_file(path, {"cam": table})["cam"]
    assert values == {"value": default}
    assert type(values["value"]) is type(default)


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "user.yaml"
    path.write_text(text)
    return path


def test_wildcards_namespaces_and_other_nodes(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        /**:
          ros__parameters: {use_sim_time: true, rate: 9}
        /fer/cam:
          ros__parameters:
            count: 5
            qos_overrides: {/fer/image_raw: {publisher: {depth: 3}}}
        fer:
          net:
            ros__parameters: {seed: 4}
        /someone/else:
          ros__parameters: {whatever: 1}
        """,
    )
    assert read_parameter_file(path, TABLES) == {
        "cam": {"rate": 9.0, "count": 5},
        "net": {"rate": 9.0, "seed": 4},
    }


def test_blocks_of_the_same_name_are_one_as_in_rcl(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        /**:
          ros__parameters: {rate: 4.0, count: 2}
        /**:
          ros__parameters: {rate: 5.0, rate: 6.0}
        """,
    )
    assert read_parameter_file(path, TABLES)["cam"] == {"rate": 6.0, "count": 2}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("cam: {ros__parameters: {raet: 1.0}}", r"user\.yaml: .*did you mean 'rate'"),
        ("cam: {ros__parameters: {rate: -1}}", "user.yaml: parameter 'rate' is -1 Hz"),
        ("cam: {ros__parameters: {rate: }}", "'rate' has no value"),
        ("cam: {ros__parameters: {rates: [1, 2.5]}}", "give values of one type"),
        ("/**: {ros__parameters: {use_sim_time: 1}}", "'use_sim_time' is 1: give true or false"),
        ("cam: {rate: 1.0}", "lacks 'ros__parameters:'"),
        ("cam: {ros_parameters: {rate: 1}}", "'cam/ros_parameters' is misspelt"),
        ("cam: {ros__parameter: {rate: 1}}", "'cam/ros__parameter' is misspelt"),
        ("cam: {? [1]: 2}", "is not valid YAML"),
        ("cam: {ros__parameters: 5}", "ros__parameters"),
        ("cam: [1, 2]", "lacks 'ros__parameters:'"),
        ("just text", "holds no nodes"),
        ("", "holds no nodes"),
        ("a: [", "is not valid YAML"),
        ("cam: {ros__parameters: {5: 1}}", "no parameter '5'"),
        ("cam: !!python/object:os.system {}", "is not valid YAML"),
        ("[" * 1000, "is not valid YAML"),
        ("cam: &all {ros__parameters: {}}\nnet: *all", "aliases are not supported"),
        ("#" * (MAX_BYTES + 1), "has more than"),
    ],
    ids=lambda value: "",
)
def test_bad_files_are_refused_with_their_name(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        read_parameter_file(write(tmp_path, text), TABLES)


NODES = "/fer/cam, /fer/net"


@pytest.mark.parametrize(
    "block", ["cam", "/cam", "/*", "/robot/fer/cam", "/fer", "/x/**", "*/*/cam"]
)
def test_a_file_that_reaches_no_node_is_refused(tmp_path: Path, block: str) -> None:
    path = write(tmp_path, f"'{block}': {{ros__parameters: {{rate: 9}}}}")
    pattern = block if block.startswith("/") else f"/{block}"
    expected = f"reaches no node of fer: its blocks are {pattern}, and the nodes are {NODES}"
    with pytest.raises(ConfigurationError, match=re.escape(expected)):
        read_parameter_file(path, TABLES, "/fer")


@pytest.mark.parametrize(
    "block",
    ["/fer/cam", "fer/cam", "/**", "**", "/fer/*", "/fer/**", "/**/cam", "/*/cam", "/fer/**/cam"],
)
def test_names_and_wildcards_reach_what_they_reach_in_ros(tmp_path: Path, block: str) -> None:
    path = write(tmp_path, f"'{block}': {{ros__parameters: {{rate: 9}}}}")
    assert read_parameter_file(path, TABLES, "/fer")["cam"] == {"rate": 9.0}


def test_blocks_of_ours_in_another_namespace_are_told(tmp_path: Path) -> None:
    told: list[str] = []
    text = """
        /fer/cam: {ros__parameters: {rate: 9}}
        /robot2/net: {ros__parameters: {seed: 4}}
        /someone/else: {ros__parameters: {whatever: 1}}
        /**: {ros__parameters: {robot_name: r2d2, raet: 1.0, seed: 5}}
        """
    given = read_parameter_file(write(tmp_path, text), TABLES, "/fer", told.append)
    assert given == {"cam": {"rate": 9.0}, "net": {"seed": 5}}
    assert len(told) == 2
    assert "block /robot2/net has no effect: the node is /fer/net" in told[0]
    assert "'raet' of block /**: did you mean 'rate'?" in told[1]


def test_a_node_alone_refuses_a_file_that_means_it_and_misses_it(tmp_path: Path) -> None:
    path = write(tmp_path, "cam: {ros__parameters: {rate: 9}}")
    arguments = ("node", "--ros-args", "--params-file", str(path))
    with pytest.raises(ConfigurationError, match=r"does not reach /fer/eye: its blocks are /cam"):
        check_command_line(arguments, "/fer/eye", TABLES["cam"])
    told: list[str] = []
    assert check_command_line(arguments, "/fer/net", TABLES["net"], told.append) == (set(), {})
    assert len(told) == 1
    path.write_text("/**: {ros__parameters: {anything: 9}}")
    assert check_command_line(arguments, "/fer/cam", TABLES["cam"])[0] == {"anything"}


def test_what_a_launch_file_gives_to_all_its_nodes_is_not_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "/nav/**: {ros__parameters: {anything: 9}}")
    rules = ("robot_name:=r2d2", "seed:=4", "use_sim_time:=true", "raete:=9", "cam:whatever:=1")
    arguments = ["--ros-args", "--params-file", str(path)]
    arguments += [word for rule in rules for word in ("-p", rule)]
    informed: list[str] = []
    warned: list[str] = []
    table = TABLES["cam"]
    foreign, _ = check_command_line(arguments, "/fer/cam", table, informed.append, warned.append)
    assert foreign == {"robot_name", "seed"}
    assert len(informed) == 1
    assert warned == [
        f"node 'cam' has no parameter '{name}': `fer param list cam` shows all"
        for name in ("robot_name", "seed")
    ]


def test_the_last_value_on_a_command_line_wins(tmp_path: Path) -> None:
    path = write(tmp_path, "/**: {ros__parameters: {a: 1}}\n/**/cam: {ros__parameters: {rate: 9}}")
    files, rule = ("--params-file", str(path)), ("-p", "rate:=1e1")
    for arguments, rate in (((*files, *rule), 10.0), ((*rule, *files), 9)):
        given = check_command_line(("--ros-args", *arguments), "/fer/cam", TABLES["cam"])[1]
        assert given["rate"] == rate


# What rcl makes of each, as measured with rclpy 9.1.2.
RCL_SCALARS = {
    "7e0": 7.0, "1e-05": 1e-5, "1e5": 1e5, "3_20": "3_20", "1:30": "1:30",
    "2024-01-01": "2024-01-01", "0x1F": 31, "010": 8, "0o17": "0o17", "+5": 5, "y": True,
    "on": True, "Off": False, "tRue": "tRue", "null": "null", "~": "~", "inf": math.inf,
    "-.INF": -math.inf, "1.": 1.0, ".5": 0.5, "1e": "1e", "'5'": "5", "08": 8.0, "0x": "0x",
    "99999999999999999999": 1e20, "1e999": "1e999", "1_000.5": "1_000.5", "!!str 5": "5",
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), RCL_SCALARS.items())
def test_scalars_are_read_as_rcl_reads_them(text: str, expected: object) -> None:
    value = parse_yaml(f"a: {text}")["a"]  # type: ignore[index]
    assert (type(value), value) == (type(expected), expected)


def test_missing_and_binary_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        read_parameter_file(tmp_path / "none.yaml", TABLES)
    with pytest.raises(ConfigurationError, match="is no file"):
        read_parameter_file(Path("/dev/null"), TABLES)
    with pytest.raises(ConfigurationError, match="Is a directory"):
        read_parameter_file(tmp_path, TABLES)
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(ConfigurationError, match="not valid YAML"):
        read_parameter_file(tmp_path / "b.yaml", TABLES)


def test_table_for_the_documentation() -> None:
    lines = to_markdown(TABLE).splitlines()
    assert len(lines) == 2 + len(TABLE.parameters)
    assert len({line.count("|") for line in lines}) == 1
    assert "| `rate` | double | `30.0` | Hz | 0 to 240 | yes | Frames per second. |" in lines
    assert "A change resets the traces." in to_markdown(TABLE)
