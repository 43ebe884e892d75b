"""Tables and plots of the results in docs/performance.md, and parts of pages that are generated."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fer_bench.measure import OWN
from fer_bench.results import Hotspot, Measurement, Results, Target
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
    parts: dict[str, list[Measurement]] = {}
    for measurement in results.measurements:
        parts.setdefault(measurement.part, []).append(measurement)
    parts.pop("dashboard", None)  # Its figures are targets.
    head = ("what", "fer", "peer", "times faster")
    found = {
        "machine": table(("machine", ""), results.machine.items()),
        "targets": table(("what", "measured", "limit", ""), map(_target_row, results.targets)),
        **{part: table(head, _rows(measurements)) for part, measurements in parts.items()},
    }
    if results.noise:
        rows = ((part, f"{noise:.0%}") for part, noise in results.noise.items())
        found["noise"] = table(("part", "noise of the host"), rows)
    if results.profiles:
        found["profile"] = "\n\n".join(
            f"### {node}\n\n{table(('share', 'where', 'line'), map(_spot_row, spots))}"
            for node, spots in results.profiles.items()
        )
    return found


def _rows(measurements: Iterable[Measurement]) -> Iterator[Sequence[str]]:
    for m in measurements:
        own = f"{_number(m.value)} {m.unit}".rstrip()
        if not m.peers:
            yield m.name, own, "", ""
        for k, (name, peer) in enumerate(m.peers.items()):
            theirs = f"{name}: {_number(peer.value)}"
            yield *(("", "") if k else (m.name, own)), theirs, _number(peer.ratio)


def _target_row(target: Target) -> Sequence[str]:
    bound = "at least" if target.at_least else "at most"
    limit = f"{bound} {_number(target.limit)} {target.unit}".rstrip()
    verdict = "reached" if target.met else "**missed**"
    return target.what, f"{_number(target.value)} {target.unit}".rstrip(), limit, verdict


def _spot_row(spot: Hotspot) -> Sequence[str]:
    return f"{spot.share:.0%}", spot.place, f"`{spot.text}`"


def _number(value: float) -> str:
    """Return about three significant digits, never a power of ten."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2  # noqa: PLR2004
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class Panel(NamedTuple):
    """A plot; `curves` are (legend, series of the measurements, colour)."""

    title: str
    x_label: str
    y_label: str
    curves: Sequence[tuple[str, str, str]]
    logarithmic: bool = False


PANELS = (
    Panel(
        "neurons: a step of 1 ms, 1152 inputs",
        "output neurons",
        "CPU, us",
        [("STDP on", "outputs, STDP on", _ON), ("STDP off", "outputs, STDP off", _OFF)],
        logarithmic=True,
    ),
    Panel(
        "faces: work on a frame, features and snn",
        "faces in view",
        "CPU, ms",
        [("with the detector", "faces, whole frame's work", _OFF)],
    ),
    Panel(
        "image size: whole graph, 30 Hz, overlay on",
        "megapixels",
        "CPU, % of a core",
        [("all nodes", "image size, whole graph", _OFF)],
    ),
    Panel(
        "frame rate: whole graph, 640x480, overlay on",
        "Hz",
        "CPU, % of a core",
        [("all nodes", "frame rate, whole graph", _OFF)],
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
            _draw_panel(axes, panel, results.measurements)
        figure.savefig(path, metadata={"Date": None})


def _draw_panel(axes: Any, panel: Panel, measurements: Sequence[Measurement]) -> None:
    axes.set_title(panel.title, fontsize=10, color=_INK)
    axes.set(xlabel=panel.x_label, ylabel=panel.y_label, axisbelow=True)
    axes.grid(color=_GRID, linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    if panel.logarithmic:
        axes.set(xscale="log", yscale="log")
        axes.margins(y=0.35)  # Room for the legend.
    for label, series, colour in panel.curves:
        points = sorted((m for m in measurements if m.series == series), key=lambda m: m.x)
        curves = {OWN: [(p.x, p.value) for p in points]}
        for peer in ("Brian2", "NumPy"):
            curves[peer] = [(p.x, p.peers[peer].value) for p in points if peer in p.peers]
        for (who, curve), style in zip(curves.items(), ("o-", "s--", "^:"), strict=True):
            if curve:
                opacity = 1.0 if who == OWN else 0.6
                legend = f"{who}, {label}"
                axes.plot(
                    *zip(*curve, strict=True), style, color=colour, alpha=opacity, label=legend
                )
    if not panel.logarithmic:
        axes.set_ylim(bottom=0)
        axes.set_xlim(left=0)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=7, ncols=2)
