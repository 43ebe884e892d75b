"""The policy for SROS2 names what the nodes do, and nothing in the sources opens a door."""

from __future__ import annotations

import ast
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import pytest

from fer.bringup.graph import NODES, host_of

PACKAGE = Path(__file__).resolve().parents[1]
ROOT = PACKAGE.parents[1]
POLICY = PACKAGE / "config" / "sros2" / "fer.policy.xml"
SOURCES = sorted(
    path for path in ROOT.glob("src/*/*/**/*.py") if "test" not in path.relative_to(ROOT).parts[2:3]
)
#: Functions that run what somebody wrote.
FORBIDDEN = {
    "eval",
    "exec",
    "os.system",
    "os.popen",
    "pickle.load",
    "pickle.loads",
    "marshal.loads",
}


def test_every_node_has_a_profile_in_the_enclave_of_its_host() -> None:
    for node in NODES:
        host = host_of(node.name, "features")
        path = f".//enclave[@path='/fer/{host}']//profile[@ns='/fer'][@node='{node.name}']"
        assert len(ElementTree.parse(POLICY).findall(path)) == 1, node.name


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_nothing_is_unpickled_and_no_shell_is_built(path: Path) -> None:
    for name, call in calls(ast.parse(path.read_text(encoding="utf-8"))):
        assert name not in FORBIDDEN
        given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        assert given.get("shell", "False") == "False"
        assert given.get("allow_pickle", "False") == "False"
        if name in ("np.load", "numpy.load"):
            assert given.get("allow_pickle") == "False", f"{path}: numpy.load"
        if name == "yaml.load":
            assert given["Loader"] == "_PlainLoader"
