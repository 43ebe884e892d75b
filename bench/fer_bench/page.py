"""Tables and plots of the results in docs/performance.md, and parts of pages that are generated."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from fer_bench.measure import OWN
from fer_bench.results import LARGER_IS_BETTER, Measurement, Results
from fer_common.core.atomic import write_atomically
from fer_common.core.errors import FerError

PAGE = Path("docs", "performance.md")
PLOT = Path("docs", "images", "performance.svg")
_ON, _OFF, _INK, _GRID = "#b3402a", "#2a6fb3", "#404040", "#e0e0e0"


def replace(path: Path, name: str, text: str) -> None:
    """Put a text between the markers of that name in a page.

    Raises
    ------
    FerError
        if the page has no such markers.
    """
    begin, end = f"<!-- begin of the {name} -->", f"<!-- end of the {name} -->"
    before, found, rest = path.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise FerError(f"{path} lacks '{begin}' and '{end}': put them where the text belongs")
    write_atomically(path, f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}".encode())


def table(head: Sequence[str], rows: Iterable[Sequence[str]], right: Container[int] = ()) -> str:
    """Return a table in Markdown; `right` are the columns that are aligned right."""
    rules = ["---:" if k in right else "---" for k in range(len(head))]
    lines = [head, rules, *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write(results: Results, root: Path) -> None:
    """Write tables and plots."""
    draw(results, root / PLOT)
    for name, text in sections(results).items():
        replace(root / PAGE, name, text)


def sections(results: Results) -> dict[str, str]:
    """Return the generated parts of the page by the name of their markers."""
    rows = ((part, f"{noise:.0%}") for part, noise in results.noise.items())
    limited = (m for m in results.measurements if m.limit is not None)
    found = {
        "machine": table(("machine", ""), results.machine.items()),
        "noise": table(("part", "noise of the host"), rows),
        "targets": table(("what", "measured", "limit", ""), map(_target_row, limited)),
    }
    for part, measurements in groupby(results.measurements, attrgetter("part")):
        found[part] = _part(list(measurements))
    return found


def _part(measurements: Sequence[Measurement]) -> str:
    """Return the table of costs and peers, and the table of what has several figures."""
    single = [m for m in measurements if not m.figure]
    several = [m for m in measurements if m.figure]
    tables = []
    if single:
        tables.append(table(("what", "fer", "peer", "times faster"), _rows(single)))
    if several:
        values: dict[str, dict[str, str]] = {}
        for m in several:
            values.setdefault(m.name, {})[_with_unit(m.figure, m.unit)] = _number(m.value)
        head = list(dict.fromkeys(_with_unit(m.figure, m.unit) for m in several))
        rows = ([name, *(cells.get(key, "") for key in head)] for name, cells in values.items())
        tables.append(table(["what", *head], rows, range(1, len(head) + 1)))
    return "\n\n".join(tables)


def _with_unit(text: str, unit: str) -> str:
    return f"{text}, {unit}" if unit else text


def _rows(measurements: Iterable[Measurement]) -> Iterator[Sequence[str]]:
    for m in measurements:
        own = f"{_number(m.value)} {m.unit}".rstrip()
        if not m.peers:
            yield m.name, own, "", ""
        for k, (name, peer) in enumerate(m.peers.items()):
            theirs = f"{name}: {_number(peer.value)}"
            yield *(("", "") if k else (m.name, own)), theirs, _number(peer.ratio)


def _target_row(m: Measurement) -> Sequence[str]:
    assert m.limit is not None
    bound = "at least" if m.unit in LARGER_IS_BETTER else "at most"
    limit = f"{bound} {_number(m.limit)} {m.unit}".rstrip()
    verdict = "reached" if m.met else "**missed**"
    return m.what, f"{_number(m.value)} {m.unit}".rstrip(), limit, verdict


def _number(value: float) -> str:
    """Return about three significant digits, never a power of ten."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2  # noqa: PLR2004
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


#: Title of a plot, labels and scale of its axes, and its curves: name and colour.
PANELS = (
    (
        "neurons: a step of 1 ms, 1152 inputs",
        ("output neurons", "CPU, us", "log"),
        {"STDP on": _ON, "STDP off": _OFF},
    ),
    (
        "faces: work on a frame",
        ("faces in view", "CPU, ms", "linear"),
        {"faces, features": _ON, "faces, snn": _OFF},
    ),
    (
        "image size: whole graph, 30 Hz",
        ("megapixels", "CPU, % of a core", "linear"),
        {"image size": _OFF},
    ),
    (
        "frame rate: whole graph, 640x480",
        ("Hz", "CPU, % of a core", "linear"),
        {"frame rate": _OFF},
    ),
)


def draw(results: Results, path: Path) -> None:
    """Write the plots as SVG; a panel of which nothing was measured stays empty."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # Text stays text, and equal figures give an equal file.
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": "fer", "font.size": 9}
    with mpl.rc_context(settings):
        figure = Figure(figsize=(9.0, 6.4), layout="constrained")
        for axes, panel in zip(figure.subplots(2, 2).flat, PANELS, strict=True):
            _draw_panel(axes, *panel, results.measurements)
        figure.savefig(path, metadata={"Date": None})


def _draw_panel(
    axes: Any,
    title: str,
    labels: tuple[str, str, str],
    colours: Mapping[str, str],
    measurements: Sequence[Measurement],
) -> None:
    x_label, y_label, scale = labels
    axes.set_title(title, fontsize=10, color=_INK)
    axes.set(xlabel=x_label, ylabel=y_label, xscale=scale, yscale=scale, axisbelow=True)
    axes.grid(color=_GRID, linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    for curve, colour in colours.items():
        points = sorted(
            (m for m in measurements if curve in m.curves), key=lambda m: m.curves[curve]
        )
        for who, style in ((OWN, "o-"), ("Brian2", "s--"), ("NumPy", "^:")):
            costs = [
                (m.curves[curve], m.value if who == OWN else m.peers[who].value)
                for m in points
                if who == OWN or who in m.peers
            ]
            if costs:
                opacity = 1.0 if who == OWN else 0.6
                legend = f"{who}, {curve}"
                axes.plot(
                    *zip(*costs, strict=True), style, color=colour, alpha=opacity, label=legend
                )
    if scale == "log":
        axes.margins(y=0.35)  # Room for the legend.
    else:
        axes.set_ylim(bottom=0)
        axes.set_xlim(left=0)
    if len(colours) > 1 and axes.lines:
        axes.legend(frameon=False, fontsize=7, ncols=2)
