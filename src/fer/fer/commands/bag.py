"""`fer bag`: record topics, play them, look into recordings and compare them."""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from fer.bringup.graph import NAMESPACE, Settings
from fer.commands.options import add_verb, run_verb
from fer.processes.signals import StopRequests
from fer_common.core.errors import FerError

if TYPE_CHECKING:
    from fer.bags.player import PlayOptions
    from fer.bags.reading import Bag
    from fer.bags.recorder import Recorder
    from fer.bags.selection import Selection

EXIT_DIFFERENT = 1
_NEEDED = "mcap and rosbags"
_DEFAULT_CLOCK_HZ = 40.0
_TURN_S = 0.05
#: At its end a recorder goes on until it has heard nothing for `_SILENCE_S`, or for `_LET_IN_S`.
_SILENCE_S, _LET_IN_S = 0.2, 0.5
_PICTURES = ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage")
_UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0, "kB": 1e3, "MB": 1e6, "GB": 1e9}
_TIMES = ("s", "min", "h")
_NS_PER_S = 1_000_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    _add_record(add_verb(verbs, "record", _record, "record topics until Ctrl-C"))
    _add_play(
        add_verb(verbs, "play", _play, "play a bag, and wait for a graph that cannot keep up")
    )
    verb = add_verb(verbs, "info", _info, "show what is in a bag")
    verb.add_argument("bag", type=Path, metavar="BAG")
    verb = add_verb(
        verbs,
        "diff",
        _diff,
        "compare two runs of the network bit for bit: exit code 0 where they agree, 1 where not",
    )
    verb.add_argument("a", type=Path, metavar="BAG")
    verb.add_argument("b", type=Path, metavar="BAG")
    _add_topics(verb, "topics to compare (default: spikes, weights, expressions)")


def run(arguments: argparse.Namespace) -> int:
    """Do what the verb says."""
    try:
        return run_verb(arguments)
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] in ("mcap", "rosbags", "zstandard", "apsw"):
            raise FerError(
                f"`fer bag` needs the Python packages {_NEEDED}: install them by pip, "
                "or use `ros2 bag`"
            ) from error
        raise


def _add_record(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "-o", "--output", type=Path, metavar="FOLDER", help="folder to make (default: by the time)"
    )
    _add_topics(verb, "topics to record (default: all of the graph but drawings, and diagnostics)")
    verb.add_argument("--duration", type=_positive, metavar="SECONDS", help="end after so long")
    verb.add_argument(
        "--split", type=_split, metavar="SIZE", help="begin a new file after 60s, 5min, 500MB ..."
    )
    verb.add_argument("--compress", action="store_true", help="compress by Zstandard")
    verb.add_argument("--storage", choices=("mcap", "sqlite3"), default="mcap")


def _add_play(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("bag", type=Path, metavar="BAG", help="folder, or a file in it")
    _add_topics(verb, "topics to play (default: all that no running node publishes)")
    verb.add_argument("--rate", type=_positive, default=1.0, help="(default: 1)")
    verb.add_argument("--loop", action="store_true", help="begin again at the end")
    verb.add_argument(
        "--start", type=_not_negative, default=0.0, metavar="SECONDS", help="leave out so much"
    )
    verb.add_argument(
        "--clock",
        type=_positive,
        nargs="?",
        const=_DEFAULT_CLOCK_HZ,
        default=0.0,
        metavar="HZ",
        help="publish /clock",
    )
    verb.add_argument(
        "--remap", nargs="+", type=_renaming, default=[], metavar="OLD:=NEW", help="rename topics"
    )
    verb.add_argument(
        "--wait",
        type=_not_negative,
        default=3.0,
        metavar="SECONDS",
        help="how long to wait for a graph that answers (default: %(default)g)",
    )
    verb.add_argument(
        "--expect",
        nargs="+",
        choices=("features", "snn"),
        default=[],
        metavar="NODE",
        help="nodes (features, snn) that must be up before it begins; without them it ends",
    )
    verb.add_argument(
        "--window",
        type=int,
        default=1,
        metavar="N",
        help="most frames on their way through the graph; more than %(default)s is for nodes with "
        "every_frame",
    )
    own = verb.add_argument_group("a graph of its own")
    own.add_argument(
        "--graph",
        action="store_true",
        help="start fresh nodes that work on every frame, and end them after it",
    )
    own.add_argument("--record", type=Path, metavar="FOLDER", help="record what they answer")
    own.add_argument("--weights", default="", metavar="FILE", help="weights of the network")
    own.add_argument("--params", type=Path, metavar="FILE", help="parameter file for the nodes")


def _add_topics(verb: argparse.ArgumentParser, text: str) -> None:
    verb.add_argument(
        "--topics", nargs="+", default=[], metavar="NAME", help=f"{text}; * and ? are understood"
    )
    verb.add_argument("--exclude", nargs="+", default=[], metavar="NAME", help="but not these")
    verb.add_argument(
        "--namespace", default=NAMESPACE, help="of the graph, for names without / (%(default)s)"
    )


def _record(arguments: argparse.Namespace) -> int:
    with StopRequests() as stop:
        from fer.bags.guardian import guarded
        from fer.bags.recorder import NODE_NAME, Recorder
        from fer.bags.writer import BagWriter, Layout
        from fer.client.graph_client import GraphClient

        split = arguments.split or {}
        layout = Layout(arguments.storage, arguments.compress, **split)
        folder = arguments.output or Path(time.strftime("fer_%Y-%m-%d_%H-%M-%S"))
        with guarded(folder), BagWriter(folder, layout) as writer:
            with GraphClient(arguments.namespace, NODE_NAME) as client:
                recorder = Recorder(client.node, writer, _selection(arguments), _say)
                _say(f"recording to {folder}; Ctrl-C ends it")
                while not stop.count and recorder.failure is None:
                    if _is_over(recorder.first_s, arguments.duration):
                        break
                    time.sleep(_TURN_S)
                _let_in(recorder)
            if recorder.failure is not None:
                raise recorder.failure
            writer.close()
            _say(f"{folder}: {writer.messages} messages of {recorder.topics} topics")
    return 0


def _is_over(first_s: float | None, duration_s: float | None) -> bool:
    if first_s is None or duration_s is None:
        return False
    return time.monotonic() >= first_s + duration_s


def _let_in(recorder: Recorder) -> None:
    """Record what was sent before the end was asked for and is still on its way."""
    deadline_s = time.monotonic() + _LET_IN_S
    while recorder.failure is None and time.monotonic() < deadline_s:
        if time.monotonic() - recorder.last_s > _SILENCE_S:
            return
        time.sleep(_TURN_S)


def _play(arguments: argparse.Namespace) -> int:
    with StopRequests() as stop, contextlib.ExitStack() as stack:
        from fer.bags.own_graph import OwnGraph
        from fer.bags.player import NODE_NAME, Player
        from fer.bags.reading import opened
        from fer.client.graph_client import GraphClient

        if arguments.record and not arguments.graph:
            raise FerError("--record records what --graph answers: give both")
        bag = stack.enter_context(opened(arguments.bag))
        options = _options(arguments)
        own = None
        if arguments.graph:
            own = OwnGraph(_settings(arguments, bag, options), arguments.record, _say_of)
            options = own.options(options)
            stack.enter_context(own)
        node = stack.enter_context(GraphClient(arguments.namespace, NODE_NAME)).node

        def stopped() -> bool:
            return stop.count > 0 or (own is not None and own.failed)

        outcome = Player(node, bag, options, _say, stopped).run()
        if own is not None:
            own.check()
        text = f"played {outcome.messages} messages; {outcome.answers} frames were answered"
        _say(f"{text}, {outcome.lost} were not" if outcome.lost else text)
    return 0


def _settings(arguments: argparse.Namespace, bag: Bag, options: PlayOptions) -> Settings:
    """Return what to start: features where pictures are played, and the network."""
    from fer.bringup.preflight import check, resolved_weights

    played = [topic for name, topic in bag.topics.items() if options.selection.plays(name)]
    pictures = any(topic.kind in _PICTURES and topic.messages for topic in played)
    settings = Settings(
        namespace=arguments.namespace,
        hosts=("robot", "workstation") if pictures else ("workstation",),
        params_file=arguments.params.absolute() if arguments.params else None,
        weights=resolved_weights(arguments.weights),
        camera=False,
        viz=False,
        use_sim_time=arguments.clock > 0,
        every_frame=True,
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
        window=max(arguments.window, 1),
    )


def _selection(arguments: argparse.Namespace) -> Selection:
    from fer.bags.selection import Selection

    return Selection(arguments.namespace, arguments.topics, arguments.exclude)


def _info(arguments: argparse.Namespace) -> int:
    from fer.bags.folder import data_files
    from fer.bags.reading import opened

    with opened(arguments.bag) as bag:
        files = data_files(bag.path) if bag.path.is_dir() else [bag.path]
        topics = bag.topics
        print(f"bag       {bag.path}")
        for path in files:
            print(f"file      {path.name}, {path.stat().st_size / _UNITS['MB']:.1f} MB")
        start = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(bag.start_ns // _NS_PER_S))
        print(f"start     {start}, {bag.start_ns} ns")
        print(f"duration  {bag.duration_s:.3f} s")
        print(f"messages  {sum(topic.messages for topic in topics.values())}")
        for topic in topics.values():
            latched = any(each.durability.name == "TRANSIENT_LOCAL" for each in topic.qos)
            mark = "  latched" if latched else ""
            print(f"{topic.messages:9d} {topic.name}  {topic.kind}{mark}")
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
    for each in comparisons:
        print(f"{each.topic}: {each.messages} messages agree" + _parting(each.difference))
    first = first_difference(comparisons)
    if first is None:
        print("the runs agree")
        return 0
    stamp = f"{first.stamp / _NS_PER_S:.9f}"
    print(f"the runs part first in {first.topic} at frame {stamp} s: {first.difference}")
    return EXIT_DIFFERENT


def _parting(difference: str) -> str:
    return f", then {difference}" if difference else ""


def _say_of(name: str, line: str) -> None:
    _say(f"{name} | {line}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text}: give a number above 0")
    return value


def _not_negative(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text}: give a number of 0 or more")
    return value


def _split(text: str) -> dict[str, float]:
    found = re.fullmatch(r"([0-9.]+) ?(s|min|h|kB|MB|GB)", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text}: give a time or a size, such as 60s or 500MB")
    value = _positive(found[1]) * _UNITS[found[2]]
    return {"split_s": value} if found[2] in _TIMES else {"split_bytes": int(value)}


def _renaming(text: str) -> tuple[str, str]:
    old, separator, new = text.partition(":=")
    if not (old and separator and new):
        raise argparse.ArgumentTypeError(f"{text}: give OLD:=NEW")
    return old, new
