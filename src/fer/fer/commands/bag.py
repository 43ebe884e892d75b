"""`fer bag`: record topics, play them, look into recordings, compare and recover them."""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import filesize

from fer.bringup.environment import prepare_environment
from fer.bringup.graph import ALL_NODES, HOSTS, IMAGE_TOPIC, Settings
from fer.commands.options import (
    add_verb,
    add_verbs,
    needs,
    not_negative,
    positive,
    positive_integer,
    run_verb,
)
from fer.processes.signals import StopRequests
from fer_common.core.errors import FerError
from fer_common.core.stamps import NANOSECONDS

if TYPE_CHECKING:
    from fer.bags.player import Outcome, PlayOptions
    from fer.bags.reading import Bag
    from fer.bags.selection import Selection
    from fer_train.recording import Recording

#: The runs differ, not everything was played, or nothing was recorded.
EXIT_INCOMPLETE = 1
_DEFAULT_CLOCK_HZ = 40.0
_UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0, "kB": 1e3, "MB": 1e6, "GB": 1e9}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    verbs = add_verbs(parser)
    record = add_verb(verbs, "record", _record, "record topics until Ctrl-C", namespace=True)
    _add_record(record)
    text = "play a bag, no faster than the graph can answer"
    _add_play(add_verb(verbs, "play", _play, text, namespace=True))
    info = add_verb(verbs, "info", _info, "show what is in a bag, and what it lacks")
    text = "write everything that can be read of a damaged bag to a new one"
    recover = add_verb(verbs, "recover", _recover, text)
    for verb in (info, recover):
        verb.add_argument("bag", type=Path, metavar="BAG", help="folder, or a file in it")
    recover.add_argument(
        "-o", "--output", type=Path, required=True, metavar="NEW", help="folder to make"
    )
    text = "compare two runs of the network bit for bit: exit code 0 if they agree, 1 if not"
    diff = add_verb(verbs, "diff", _diff, text, namespace=True)
    diff.add_argument("a", type=Path, metavar="BAG")
    diff.add_argument("b", type=Path, metavar="BAG")
    _add_topics(diff, "topics to compare (default: spikes, weights, expressions)")


def run(arguments: argparse.Namespace) -> int:
    """Run the verb."""
    with bag_libraries():
        return run_verb(arguments)


def bag_libraries() -> AbstractContextManager[None]:
    """Return a context that raises FerError if a library that bags need is not installed."""
    pip = "python3 -m pip install --user --break-system-packages"
    return needs("mcap", "rosbags", "zstandard", "apsw", pip=pip, otherwise=", or use `ros2 bag`")


def add_source(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of a command that reads a bag or a weights file."""
    parser.add_argument(
        "source", type=Path, metavar="BAG|WEIGHTS", help="a bag, or a weights file (.npz)"
    )
    parser.add_argument(
        "--namespace", default="", help="namespace of the graph, if a bag holds several"
    )


def read_recording(arguments: argparse.Namespace) -> Recording:
    """Return what the bag of `add_source` holds of a graph."""
    from fer_train import recording

    with bag_libraries():
        from fer.bags.reading import opened

        with opened(arguments.source) as bag:
            return recording.read(bag, arguments.namespace)


def _add_record(verb: argparse.ArgumentParser) -> None:
    add = verb.add_argument
    add("-o", "--output", type=Path, metavar="FOLDER", help="folder to make (default: by the time)")
    _add_topics(verb, "topics to record (default: the graph's, without drawings; diagnostics)")
    text = "stop this long after the first message, or after the start if none comes"
    add("--duration", type=positive, metavar="SECONDS", help=text)
    text = "begin a new file after 60s, 5min ..., or when it has 500MB ... on disk"
    add("--split", type=_split, metavar="SIZE", help=text)
    add("--compress", action="store_true", help="compress by Zstandard")
    add("--storage", choices=("mcap", "sqlite3"), default="mcap")


def _add_play(verb: argparse.ArgumentParser) -> None:
    add = verb.add_argument
    add("bag", type=Path, metavar="BAG", help="folder, or a file in it")
    _add_topics(verb, "topics to play (default: all that no running node publishes)")
    add("--rate", type=positive, default=1.0, help="seconds of the bag per second (default: 1)")
    add("--loop", action="store_true", help="begin again at the end")
    add("--start", type=not_negative, default=0.0, metavar="SECONDS", help="skip the beginning")
    clock: dict[str, Any] = {"nargs": "?", "const": _DEFAULT_CLOCK_HZ, "default": 0.0}
    add("--clock", type=positive, metavar="HZ", help="publish /clock", **clock)
    text = "play topics under other names; each is renamed once, so two can be swapped"
    remap: dict[str, Any] = {"nargs": "+", "action": "extend", "default": []}
    add("--remap", type=_renaming, metavar="OLD:=NEW", help=text, **remap)
    text = "how long to wait for nodes that answer (default: 3); 0: play to whoever listens"
    add("--wait", type=not_negative, default=3.0, metavar="SECONDS", help=text)
    text = "nodes (features, snn) that must be running before it begins"
    expect: dict[str, Any] = {"nargs": "+", "choices": ("features", "snn"), "default": []}
    add("--expect", metavar="NODE", help=text, **expect)
    text = "most frames without an answer (default: 1); more only for nodes with every_frame"
    add("--window", type=positive_integer, default=1, metavar="N", help=text)
    add = verb.add_argument_group("a graph of its own").add_argument
    text = "start new nodes that work on every frame, and stop them at the end"
    add("--graph", action="store_true", help=text)
    add("--record", type=Path, metavar="FOLDER", help="record what they answer")
    add("--weights", default="", metavar="FILE", help="weights of the network")
    add("--params", type=Path, metavar="FILE", help="parameter file for the nodes")
    add("--compose", action="store_true", help="run the nodes in one process")


def _add_topics(verb: argparse.ArgumentParser, text: str) -> None:
    names: dict[str, Any] = {"nargs": "+", "default": [], "metavar": "NAME"}
    verb.add_argument("--topics", help=f"{text}; * and ? are wildcards", **names)
    verb.add_argument("--exclude", help="but not these", **names)


def _record(arguments: argparse.Namespace) -> int:
    with StopRequests() as stop:
        # Before ROS is imported, and before the folder is made.
        prepare_environment()
        from fer.bags.recorder import record
        from fer.bags.writer import Layout

        layout = Layout(arguments.storage, arguments.compress, **(arguments.split or {}))
        folder = arguments.output or Path(time.strftime("fer_%Y-%m-%d_%H-%M-%S"))
        selection = _selection(arguments)
        heard = record(folder, layout, selection, arguments.duration, lambda: stop.count > 0)
    return 0 if heard else EXIT_INCOMPLETE


def _play(arguments: argparse.Namespace) -> int:
    with StopRequests() as stop, contextlib.ExitStack() as stack:
        prepare_environment()
        from fer.bags.own_graph import OwnGraph
        from fer.bags.player import NODE_NAME, Player
        from fer.bags.reading import opened
        from fer.client import connect

        if arguments.record and not arguments.graph:
            raise FerError("--record records what --graph answers: give both")
        bag = stack.enter_context(opened(arguments.bag))
        options = _options(arguments)
        own = None
        if arguments.graph:
            own = OwnGraph(_settings(arguments, bag, options), arguments.record, _say_of)
            options = own.options(options)
            stack.enter_context(own)
        client = stack.enter_context(connect(arguments.namespace, NODE_NAME))

        def stopped() -> bool:
            return stop.count > 0 or (own is not None and own.failed)

        outcome = Player(client, bag, options, _say, stopped).run()
        if own is not None:
            own.check()
        return _report(bag, outcome)


def _report(bag: Bag, outcome: Outcome) -> int:
    """Say what was played and what was not, and return the exit code."""
    text = f"played {outcome.messages} messages; {outcome.answers} frames were answered"
    _say(f"{text}, {outcome.lost} were not" if outcome.lost else text)
    for name, (messages, reason) in outcome.left_out.items():
        _say(f"left out {messages} messages of {name}: {reason}")
    _say_missing(bag.problems)
    if outcome.advice:
        _say(f"no node answered the frames: {outcome.advice}")
    is_complete = not (outcome.left_out or outcome.advice or bag.losses)
    return 0 if is_complete else EXIT_INCOMPLETE


def _settings(arguments: argparse.Namespace, bag: Bag, options: PlayOptions) -> Settings:
    """Return what to start: features where pictures are played, and the network."""
    from fer.bags.player import frame_advice, frame_topics
    from fer.bringup.preflight import check, resolved_weights

    advice = frame_advice(bag, options)
    # With a parameter file the nodes may take compressed pictures.
    if advice and not arguments.params:
        raise FerError(advice)
    image = options.selection.resolved(IMAGE_TOPIC)
    pictures = {image, f"{image}/compressed"} & frame_topics(bag, options).keys()
    settings = Settings(
        namespace=arguments.namespace,
        hosts=HOSTS if pictures else ("workstation",),
        params_file=arguments.params.absolute() if arguments.params else None,
        weights=resolved_weights(arguments.weights),
        camera=False,
        viz=False,
        use_sim_time=arguments.clock > 0 or None,
        every_frame=True,
        use_composition=ALL_NODES if arguments.compose else (),
        log_level="warn",
    )
    check(settings)
    return settings


def _options(arguments: argparse.Namespace) -> PlayOptions:
    from fer.bags.player import PlayOptions

    selection = _selection(arguments)
    return PlayOptions(
        selection=selection,
        rate=arguments.rate,
        loop=arguments.loop,
        start_s=arguments.start,
        clock_hz=arguments.clock,
        remap={selection.resolved(old): selection.resolved(new) for old, new in arguments.remap},
        wait_s=arguments.wait,
        expected=tuple(arguments.expect),
        window=arguments.window,
    )


def _selection(arguments: argparse.Namespace) -> Selection:
    from fer.bags.selection import Selection

    return Selection(arguments.namespace, arguments.topics, arguments.exclude)


def _info(arguments: argparse.Namespace) -> int:
    from fer.bags.reading import opened

    with opened(arguments.bag) as bag:
        print(f"bag       {bag.path}")
        for file in bag.files:
            state = "" if file.is_finished else ", not finished: being recorded, or cut off"
            size = filesize.decimal(file.path.stat().st_size)
            print(f"file      {file.path.name}, {size}{state}")
        start = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(bag.start_ns // NANOSECONDS))
        print(f"start     {start}, {bag.start_ns} ns")
        print(f"duration  {bag.duration_s:.3f} s")
        print(f"messages  {bag.message_count}")
        for name, topic in bag.topics.items():
            mark = "  latched" if topic.is_latched else ""
            mark += f"  (cannot be played: {topic.obstacle})" if topic.obstacle else ""
            print(f"{topic.messages:9d} {name}  {topic.type or '-'}{mark}")
        for note in bag.notes:
            print(f"note      {note}")
        for problem in bag.problems:
            print(f"missing   {problem}")
        if bag.problems:
            print(f"`fer bag recover {bag.path} -o NEW` writes what can be read to a new bag")
    return 0


def _recover(arguments: argparse.Namespace) -> int:
    from fer.bags.reading import opened
    from fer.bags.repair import recover

    lost = recover(arguments.bag, arguments.output)
    with opened(arguments.output) as bag:
        print(f"{bag.path}: {bag.message_count} messages of {len(bag.topics)} topics")
    _say_missing(lost)
    return 0


def _diff(arguments: argparse.Namespace) -> int:
    from fer.bags.difference import compare, first_difference
    from fer.bags.reading import opened

    selection = _selection(arguments)
    with contextlib.ExitStack() as stack:
        a, b = (stack.enter_context(opened(path)) for path in (arguments.a, arguments.b))
        known = sorted({*a.topics, *b.topics})
        chosen = [name for name in known if selection.names(name)]
        if arguments.topics and not chosen:
            raise FerError("none of these topics is in the bags: see `fer bag info`")
        comparisons = compare(a, b, chosen)
        problems = [*a.problems, *b.problems]
    for each in comparisons:
        counts = {
            "differ": each.unequal,
            f"only in {arguments.a}": each.only_a,
            f"only in {arguments.b}": each.only_b,
        }
        others = "".join(f", {count} {what}" for what, count in counts.items() if count)
        print(f"{each.topic}: {each.equal} messages agree{others}")
        if each.difference:
            print(f"    first at {_seconds(each.stamp)}: {each.difference}")
    _say_missing(problems)
    first = first_difference(comparisons)
    if first is None:
        print("the runs agree")
        return 0
    stamp = _seconds(first.stamp)
    print(f"the runs part first in {first.topic} at frame {stamp}: {first.difference}")
    return EXIT_INCOMPLETE


def _seconds(stamp_ns: int) -> str:
    return f"{stamp_ns / NANOSECONDS:.9f} s"


def _say_missing(problems: Iterable[str]) -> None:
    for problem in problems:
        _say(f"missing: {problem}")


def _say_of(name: str, line: str) -> None:
    _say(f"{name} | {line}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _split(text: str) -> dict[str, float]:
    found = re.fullmatch(rf"([0-9.]+) ?({'|'.join(_UNITS)})", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text}: give a time or a size, such as 60s or 500MB")
    value = positive(found[1]) * _UNITS[found[2]]
    return {"split_bytes": int(value)} if found[2].endswith("B") else {"split_s": value}


def _renaming(text: str) -> tuple[str, str]:
    old, separator, new = text.partition(":=")
    if not (old and separator and new):
        raise argparse.ArgumentTypeError(f"{text}: give OLD:=NEW")
    return old, new
