"""The documents: every relative link leads to a file and a heading, and the index names all."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from fer import cli
from fer.bringup.arguments import ARGUMENTS

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "src/*/*/**/*.md", "examples/**/*.md")
    for path in ROOT.glob(pattern)
)
_CODE = re.compile(r"^```.*?^```|^    .*?$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_NAMES = re.compile(r"((?:`\w+`(?:, | and )?)+)\s+in\s+\[[^\]]+\]\(([^)#]+)\)")
_HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)

_SHELL = re.compile(r"^ *```sh\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_ASSIGNMENT = re.compile(r"[A-Z_]+=")
#: Commands that need hardware, an installed ROS, a network or somebody's decision: no test runs
#: them, nor what is given to `ros2` beyond our own launch files and programs.
_FOREIGN = {
    *("bloom-release", "catkin_tag_changelog", "cd", "colcon", "docker", "echo", "export", "git"),
    *("journalctl", "jupytext", "mkdir", "python3", "rosdep", "rqt", "rqt_plot", "sed", "source"),
    *("ssh", "sudo"),
}


def links(page: Path) -> Iterator[str]:
    """Return the relative links of a page; what stands in code is no link."""
    text = _CODE.sub("", page.read_text(encoding="utf-8"))
    return (link for link in _LINK.findall(text) if not re.match(r"[a-z]+:", link))


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    headings = _HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in links(page):
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        # Where a page is shown on the web, a link through a symbolic link leads nowhere.
        straight = Path(os.path.normpath(target))
        whole = target.exists() and target.resolve() == straight
        if not whole or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


def test_what_the_architecture_names_is_there() -> None:
    page = DOCS / "architecture.md"
    found = _NAMES.findall(page.read_text(encoding="utf-8"))
    assert len(found) > 10
    for names, link in found:
        source = (DOCS / link).read_text(encoding="utf-8")
        missing = [name for name in re.findall(r"\w+", names) if name not in source]
        assert not missing, f"{page}: {missing} in {link}"


def test_the_index_names_every_document() -> None:
    index = DOCS / "README.md"
    named = {(DOCS / link.partition("#")[0]).resolve() for link in links(index)}
    assert set(DOCS.glob("*.md")) - named == {index}


def test_the_readme_states_the_defaults_of_the_parameters() -> None:
    page = (DOCS / "parameters.md").read_text(encoding="utf-8")
    sections = re.split(r"^## (\w+).*$", page, flags=re.MULTILINE)[1:]
    defaults = {
        (node, *row)
        for node, text in zip(sections[::2], sections[1::2], strict=True)
        for row in re.findall(r"^\| (`[^`]+`) \| [^|]+ \| (`[^`]+`) \|", text, re.MULTILINE)
    }
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.partition("### Parameters")[2].partition("\n## ")[0]
    stated = set(re.findall(r"^\| (\w+) \| (`[^`]+`) \| (`[^`]+`) \|", section, re.MULTILINE))
    assert stated
    assert stated <= defaults


def test_the_python_code_of_the_readme_runs() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    programs = re.findall(r"^```python\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    assert programs
    # Those of nodes run until they are ended; test_examples.py runs them.
    examples = [path.read_text(encoding="utf-8") for path in ROOT.glob("examples/*.py")]
    nodes = [program for program in programs if any(text.endswith(program) for text in examples)]
    assert len(nodes) == 1
    for program in set(programs) - set(nodes):
        exec(compile(program, "README.md", "exec"), {})


def command_lines(page: Path) -> Iterator[list[str]]:
    """Return the words of every command in the blocks of shell code of a page."""
    for block in _SHELL.findall(page.read_text(encoding="utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            words: list[str] = []
            for word in [*shlex.split(line, comments=True), "&&"]:
                if word in ("&&", "|"):
                    if words:
                        yield words
                    words = []
                elif words or not _ASSIGNMENT.match(word):
                    words.append(word)


def complaint(words: list[str]) -> str:
    """Return why a command cannot be typed like this; "" if it can."""
    program, *rest = words
    if program == "./fer" and rest[0] in ("setup", "exec"):
        paths = [word for word in rest if re.match(r"(docs|examples)/.*\.py", word)]
        return " ".join(path for path in paths if not (ROOT / path).is_file())
    if program in ("fer", "./fer"):
        chosen = next((command for command in cli.COMMANDS if command.name == rest[0]), None)
        try:
            cli._parsers(chosen)[0].parse_args(rest)
        except SystemExit as end:
            return "the options are wrong" if end.code else ""
    elif program == "make":
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        targets = [word for word in rest if not _ASSIGNMENT.match(word)]
        return " ".join(each for each in targets if not re.search(rf"^{each}:", makefile, re.M))
    elif words[:3] == ["ros2", "launch", "fer"]:
        known = {argument.name for argument in ARGUMENTS}
        given = {word.partition(":=")[0] for word in rest[3:] if ":=" in word}
        there = (ROOT / "src/fer/launch" / rest[2]).is_file()
        return " ".join(given - known) if there else "no such launch file"
    elif words[:2] == ["ros2", "run"] and rest[1].startswith("fer"):
        setup = (ROOT / "src" / rest[1] / "setup.py").read_text(encoding="utf-8")
        return "" if f'"{rest[2]} = ' in setup else "no such program"
    elif program not in {*_FOREIGN, "ros2"}:
        return "no test knows it"
    return ""


def test_every_command_line_can_be_typed(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [(page.name, words) for page in PAGES for words in command_lines(page)]
    assert len(lines) > 80
    wrong = {(name, *words): why for name, words in lines if (why := complaint(words))}
    assert not wrong, capsys.readouterr().err
