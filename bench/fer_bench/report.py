"""docs/performance.md: all figures as tables, with the words that they need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from fer_bench import plots
from fer_bench.results import TOLERANCE, Hotspot, Measurement, Results, Target
from fer_common.core.atomic import write_atomically

PAGE = Path("docs", "performance.md")
PLOTS = Path("docs", "images")
TITLES = {
    "network": "The network",
    "micro": "The pieces",
    "frame": "The work on a frame",
    "pipeline": "The whole graph",
    "people": "Several people",
    "start": "Start-up",
    "training": "Training",
}
NOTES = {
    "network": """\
A step of 1 ms of the network of `bench/fer_bench/network.py`: 1152 input neurons of which about 5 %
fire in each step, all connected to the outputs, with LIF neurons on both sides, synaptic drive,
feed-forward and lateral inhibition, and pair STDP. Every contestant gets the same equations, input
currents and first weights, and a run in which Brian2 fires other than fer does not count. Timed of
fer is `Network.advance`, by the 33 steps of a frame, with all that it does once a frame. Brian2
(Cython, double precision, its default) makes the 1000 steps of a second in one call of `run`;
"main loop alone" leaves out what such a call does before and after, some .15 s, which a live stream
would pay at every frame. "Brian2" keeps the traces of STDP in the neurons, which is the fastest way
that it has; "traces in synapses" is how its manual writes STDP. The plain Python objects are the
equations of the program that fer grew out of.""",
    "micro": "Each piece of a frame's work alone, in the process that calls it.",
    "frame": """\
What the nodes features and snn do with a frame, with the shipped model, unsupervised learning and
all messages with their serialisation, in one process. The plain way beside it: the detector with
as far a reach on whole frames, Gabor by filter2D, the network in NumPy.""",
    "pipeline": """\
`fer up` on the demo clip while somebody listens to the overlay (raw), so that it is drawn and sent.
Latency is from the stamp of the image to the arrival of its expressions in another process. The
peer is the plain way of the section above, in one process that sends and draws nothing.""",
    "people": """\
Heads of the demo clip that move and change their expressions, 640x480 at 30 Hz: the work of
features and snn on a frame (CPU, learning off), and the whole graph with the overlay on. How faces
are followed stands in [people.md](people.md).""",
    "start": "Elapsed time from the command to the first expression that another process receives.",
    "training": "A face presented to the default network, and what is learnt from it.",
}
_INTRODUCTION = f"""\
# Performance

Written by `make bench`; do not edit. Costs are CPU time of one thread unless they say otherwise.
Contestants take turns on one core (A B A B ...), and "times faster" is the median over the rounds
of the peer's cost over ours, which depends less on the machine and its load than a cost: on a host
that others use too, costs were seen to double from one minute to the next. `make bench-check`
measures micro, network, frame and training anew and fails where such a ratio fell by more than
{TOLERANCE:.0%} of what is committed in `bench/results.json`.
"""
_PROFILE_NOTE = """\
py-spy at 100 Hz on the running graph (640x480, 30 Hz, overlay on); shares of the time in which a
node was busy, by the innermost line of Python. What a line calls in C or C++ is counted as the
line's: `publish` is serialisation and transport, `forward` the detector's network."""


def write(results: Results, root: Path) -> None:
    """Write page and plots."""
    plots.draw(results, root / PLOTS)
    write_atomically(root / PAGE, page(results).encode())


def page(results: Results) -> str:
    """Return the page in Markdown."""
    return "\n".join(_page(results)).rstrip() + "\n"


def _page(results: Results) -> Iterator[str]:
    yield _INTRODUCTION
    yield from _table(("machine", ""), results.machine.items())
    yield "## Targets\n"
    yield from _table(("what", "measured", "limit", ""), map(_target_row, results.targets))
    yield "## How the cost grows\n"
    yield f"![Cost against neurons, faces, image size and frame rate](images/{plots.FILE_NAME})\n"
    for part, title in TITLES.items():
        measurements = [m for m in results.measurements if m.part == part]
        if measurements:
            yield f"## {title}\n\n{NOTES[part]}\n"
            yield from _table(("what", "fer", "peer", "times faster"), _rows(measurements))
    if results.profiles:
        yield f"## Where the time goes\n\n{_PROFILE_NOTE}\n"
        for node, spots in results.profiles.items():
            yield f"### {node}\n"
            yield from _table(("share", "where", "line"), map(_spot_row, spots))


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


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        cells = (cell.replace("|", "\\|") for cell in row)
        yield f"| {' | '.join(cells)} |"
    yield ""


def _number(value: float) -> str:
    """Three significant digits, never in powers of ten."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2  # noqa: PLR2004
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
