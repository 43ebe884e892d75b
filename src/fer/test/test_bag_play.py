"""What the player and the recorder say and do at a graph, and where there is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String

from fer.bags.reading import data_files, opened
from fer.bags.recorder import record
from fer.bags.selection import Selection
from fer.bags.writer import BagWriter, Layout
from fer.cli import main
from fer_interfaces.msg import ExpressionArray
from fer_testing.bags import EXPRESSIONS, answer, topic_of, write_bag
from fer_testing.odd_bags import CHATTER, STRING, mcap, rosbag2
from fer_testing.ros import Graph, RepeatingTimer, wait_for

PICTURE, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
DEEP = 1000


def play(*arguments: object) -> int:
    return main(["bag", "play", *map(str, arguments)])


def pictures(folder: Path, topic: str, type_name: str = PICTURE) -> Path:
    """Write a bag of pictures on a topic."""
    kind: Any = Image if type_name == PICTURE else CompressedImage
    with BagWriter(folder, Layout()) as writer:
        writer.add_topic(topic_of(topic, type_name))
        for k in range(3):
            message = kind()
            message.header.stamp.sec = k + 1
            writer.write(topic, k, 0, serialize_message(message))
    return folder


def test_two_topics_can_be_swapped(tmp_path: Path, graph: Graph) -> None:
    with BagWriter(tmp_path / "bag", Layout()) as writer:
        for k, name in enumerate(("/a", "/b")):
            writer.add_topic(topic_of(name, STRING))
            for number in range(5):
                data = bytes([0, 1, 0, 0, 2, 0, 0, 0, ord(name[1]), 0])
                writer.write(name, 10 * k + number, 0, data)
    heard = {name: graph.collect(String, name, DEEP) for name in ("/a", "/b")}
    swap = ("--remap", "/a:=/b", "--remap", "/b:=/a")
    wait_for(
        lambda: play(tmp_path / "bag", "--wait", 0, *swap) == 0 and all(heard.values()), "both"
    )
    assert {m.data for m in heard["/a"]} == {"b"} and {m.data for m in heard["/b"]} == {"a"}


@pytest.mark.parametrize(
    ("make", "options", "code", "words"),
    [
        (rosbag2, ["--start", "1.5"], 2, "--start 1.5 is past the end: the bag lasts 0.900 s"),
        (rosbag2, ["--remap", "/x:=/y"], 2, "--remap /x: the bag has no such topic"),
        (rosbag2, ["--topics", "/x"], 2, "is left to play"),
        (rosbag2, ["--start", "0.5"], 0, "played 5 messages"),
        (rosbag2, [], 0, "played 10 messages"),
        (rosbag2, ["--graph"], 2, "no pictures and no features"),
        (
            lambda path: pictures(path, "/camera/image"),
            ["--graph"],
            2,
            "--remap /camera/image:=/fer/image_raw",
        ),
        (
            lambda path: pictures(path, "/camera/image"),
            ["--wait", "0.1"],
            1,
            "--remap /camera/image:=/fer/image_raw",
        ),
        (
            lambda path: pictures(path, "/fer/image_raw/compressed", COMPRESSED),
            ["--graph"],
            2,
            "image_transport: compressed",
        ),
        (
            lambda path: pictures(path, "/camera/image/compressed", COMPRESSED),
            ["--wait", "0.1"],
            1,
            "--remap /camera/image/compressed:=/fer/image_raw/compressed",
        ),
        (lambda path: pictures(path, "/fer/image_raw"), ["--wait", "0.1"], 1, "start the graph"),
        (lambda path: pictures(path, "/fer/image_raw"), ["--wait", "0"], 0, "played 3 messages"),
    ],
)
def test_what_to_do_is_said(
    tmp_path: Path,
    ros_domain: int,
    capsys: pytest.CaptureFixture[str],
    make: Callable[[Path], Path],
    options: list[str],
    code: int,
    words: str,
) -> None:
    assert play(make(tmp_path / "bag"), *(options or ["--wait", "0"]), "--rate", 1000) == code
    assert words in capsys.readouterr().err


def test_the_node_that_is_in_the_way_is_named(
    tmp_path: Path, graph: Graph, capsys: pytest.CaptureFixture[str]
) -> None:
    graph.node.create_publisher(Image, "/fer/image_raw", 1)
    path = pictures(tmp_path / "bag", "/fer/image_raw")
    wait_for(lambda: play(path, "--wait", 0.1) == 2, "the camera to be found")
    said = capsys.readouterr().err.splitlines()[-1]
    assert "leave out /test: fer up --no-camera" in said


def test_messages_that_cannot_be_read_are_counted(
    tmp_path: Path, ros_domain: int, capsys: pytest.CaptureFixture[str]
) -> None:
    path = mcap(tmp_path / "bag.mcap", range(300))
    data = bytearray(path.read_bytes())
    # In the middle of a chunk: its index is whole, and still counts the messages.
    start = len(data) // 3
    data[start : start + 200] = b"\xff" * 200
    path.write_bytes(data)
    assert play(path, "--wait", 0, "--rate", 1000) == 1
    said = capsys.readouterr().err
    with opened(path) as bag:
        read = sum(1 for _ in bag.messages())
    assert 0 < read < 300
    assert f"left out {300 - read} messages of {CHATTER}: they cannot be read" in said


def test_a_recording_in_which_nothing_is_heard_ends(
    tmp_path: Path, ros_domain: int, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ("--duration", "0.3", "--topics", "/t", "/nothing/*")
    assert main(["bag", "record", "-o", str(tmp_path / "bag"), *given]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert "0 messages, 0 topics in" in last and "not heard: /t" in last
    with opened(tmp_path / "bag") as bag:
        assert not bag.problems


def test_a_recording_shows_how_it_goes(
    tmp_path: Path,
    graph: Graph,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fer.bags.recorder._LOG_PERIOD_S", 0.1)
    publisher = graph.node.create_publisher(ExpressionArray, EXPRESSIONS, 10)
    graph.node.create_publisher(ExpressionArray, "/fer/silent", 10)
    talker = RepeatingTimer(lambda: publisher.publish(answer(1)), 0.01)
    said = ""

    def told() -> bool:
        nonlocal said
        said += capsys.readouterr().err
        return "MB/s; not heard: /fer/silent" in said

    try:
        assert record(tmp_path / "bag", Layout(), Selection(""), None, told)
    finally:
        talker.close()
    assert "messages, 1 topics in" in capsys.readouterr().err.splitlines()[-1]


def test_the_size_of_a_split_is_that_on_disk(tmp_path: Path) -> None:
    sent = {EXPRESSIONS: [answer(k) for k in range(4000)]}
    limit = 30_000
    for layout in (Layout("mcap", True, 0.0, limit), Layout("sqlite3", False, 0.0, 10 * limit)):
        folder = write_bag(tmp_path / layout.storage, sent, layout)
        sizes = [path.stat().st_size for path in data_files(folder)]
        assert len(sizes) > 1
        # The index comes at the end of a file.
        assert all(layout.split_bytes <= size <= 2 * layout.split_bytes for size in sizes[:-1])
