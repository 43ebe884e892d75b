"""The node as a process, over real DDS: what it draws, for whom, and what it says."""

from __future__ import annotations

import base64
import json
import signal
import socket
import urllib.request
from collections.abc import Callable
from contextlib import closing
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Float64MultiArray

from fer_common.core import images
from fer_common.ros import qos
from fer_interfaces.msg import Potentials
from fer_testing.ros import Graph, RepeatingTimer, end, facts, ros_arguments, wait_for
from fer_testing.viz import LABELS, PlayedGraph, grey, share_of
from fer_viz.core.drawing.board import STATUS, layout, unit_for
from fer_viz.core.drawing.style import DARK, LIGHT

Picture = npt.NDArray[np.uint8]

SMILE = LABELS.index("smile")


class Rig:
    """A viz node as a process, and everything that it listens to."""

    def __init__(self, graph: Graph, *arguments: str, compressed: bool = False) -> None:
        self.graph = graph
        self.played = PlayedGraph(graph.node, compressed=compressed)
        self.process = graph.start("fer_viz.ros.node", *arguments)
        wait_for(lambda: graph.node.count_publishers("overlay") == 1, "the node's overlay")

    def listen(self, kind: type = Image, topic: str = "overlay") -> list[Image]:
        """Listen to the overlay, and wait until the node listens to its streams."""
        received: list[Image] = self.graph.collect(kind, topic, qos.STREAM)
        streams = (self.played.image_topic, "features", "spikes", "potentials", "expressions")
        wait_for(lambda: all(self.heard(topic) for topic in streams), "the node's subscriptions")
        self.graph.wait_until_heard(topic)
        return received

    def heard(self, topic: str) -> int:
        count: int = self.played.publishers[topic].get_subscription_count()
        return count

    def send_frame(self, picture: Picture) -> Image:
        """Publish an image and what the graph would make of it: a smile."""
        return self.played.publish_frame(picture, SMILE)

    def wait_for_status(self, condition: Callable[[DiagnosticStatus], bool], what: str) -> None:
        self.graph.wait_for_status("/viz", condition, what)

    def set(self, **values: object) -> tuple[bool, str]:
        return self.graph.set_parameters("viz", values)


def pixels(message: Image) -> Picture:
    return images.view(message)


def wait_for_picture_of(overlays: list[Image], sent: Image) -> Image:
    """Return the picture of an image; on a busy machine the one before may come once more."""
    wait_for(lambda: any(each.header == sent.header for each in overlays), "the picture")
    return next(each for each in overlays if each.header == sent.header)


def hint_drawn(picture: Picture) -> bool:
    """Whether the dot of a hint stands at the lower edge."""
    return bool((picture[438:468, :640] == DARK.warning).all(axis=-1).any())


def test_the_overlay_carries_the_header_and_the_answer_of_its_image(graph: Graph) -> None:
    # A busy machine answers later than a graph would be taken for lost.
    rig = Rig(graph, *ros_arguments(result_timeout=30.0))
    overlays = rig.listen()
    rig.played.publish_network()
    sent = rig.send_frame(grey())
    wait_for(lambda: overlays, "an overlay")
    assert overlays[0].header == sent.header
    assert overlays[0].encoding == "bgr8"
    picture = pixels(overlays[0])
    assert picture.shape == (480, 640, 3)
    assert picture[110, 214].tolist() == list(DARK.label(1))
    assert picture[400, 50].tolist() == [90] * 3


def test_late_answers_find_their_own_image(graph: Graph) -> None:
    rig = Rig(graph, *ros_arguments(result_timeout=30.0))
    overlays = rig.listen()
    sent = [rig.played.publish_picture(np.full_like(grey(), 60 + k)) for k in range(2)]
    for message in sent:
        before = len(overlays)
        rig.played.publish_results(message)
        wait_for(lambda before=before: len(overlays) > before, "an overlay")
        assert overlays[-1].header == message.header
        assert pixels(overlays[-1])[400, 50, 0] == 60 + sent.index(message)


def test_nobody_listens_nothing_is_done(graph: Graph) -> None:
    rig = Rig(graph)
    wait_for(lambda: rig.heard("weights") and rig.heard("network"), "the latched subscriptions")
    rig.wait_for_status(lambda status: "no subscribers" in status.message, "the idle status")
    assert not rig.heard("image_raw") and not rig.heard("expressions")
    rig.send_frame(grey())

    subscription = graph.node.create_subscription(Image, "overlay", lambda _: None, qos.STREAM)
    wait_for(lambda: rig.heard("image_raw"), "the node to listen")
    graph.node.destroy_subscription(subscription)
    wait_for(lambda: not rig.heard("image_raw"), "the node to listen no more")
    rig.wait_for_status(
        lambda status: facts(status)["processed"] == "0" and facts(status)["age_s"] == "inf",
        "no picture drawn",
    )


def test_the_dashboard_shows_what_the_window_shows(graph: Graph) -> None:
    rig = Rig(graph)
    dashboards = rig.listen(topic="dashboard")
    small = graph.collect(CompressedImage, "dashboard/compressed", qos.STREAM)
    graph.wait_until_heard("dashboard/compressed")
    rig.played.publish_network()
    places = layout(1024, 576, unit_for(1024, 576), labels=3, left_out=("feature_spikes",))
    camera, scale = places["camera"], places["camera"].width / 640
    corner = camera.y + round(110 * scale) + 1, camera.x + round(214 * scale) + 1
    sent: list[Any] = []

    def drawn() -> bool:
        # On a busy machine the first pictures may come without their results.
        sent.append(rig.send_frame(grey()).header)
        pictures = [pixels(each) for each in dashboards[-1:]]
        return bool(small) and [each[corner].tolist() for each in pictures] == [[*DARK.label(1)]]

    wait_for(drawn, "a dashboard of either kind")
    picture = pixels(dashboards[-1])
    assert dashboards[-1].header in sent and small[-1].header in sent
    assert picture.shape == images.decode(small[-1]).shape == (576, 1024, 3)
    assert share_of(places["answer"].of(picture), DARK.label_text(1)) > 0.01
    assert share_of(places[STATUS].of(picture), DARK.ground) > 0.5

    # The same on a web page, which can be opened while the node runs.
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        successful, reason = rig.set(web_port=port)
        assert not successful and f"no web page at port {port}" in reason
    assert rig.set(web_port=port) == (True, "")
    # Frames come all the time: one alone may be too early for the page, or too soon after another.
    frames = RepeatingTimer(lambda: rig.send_frame(grey()), 0.05)
    with closing(frames), urllib.request.urlopen(f"http://127.0.0.1:{port}/events") as events:
        pictures = (json.loads(line[6:]) for line in events if line.startswith(b"data"))
        event = next(each for each in pictures if "smile" in str(each["faces"]))
    jpeg = np.frombuffer(base64.b64decode(event["picture"]), np.uint8)
    assert cv2.imdecode(jpeg, cv2.IMREAD_COLOR).shape == (576, 1024, 3)


def test_numbers_of_the_face_for_any_tool_that_plots(graph: Graph) -> None:
    rig = Rig(graph)
    topics = ("scores", "rates", "label_potentials")
    scores, rates, potentials = (graph.collect(Float64MultiArray, topic, 10) for topic in topics)
    traces = graph.collect(Potentials, "potentials", qos.RESULT)
    streams = ("potentials", "expressions")
    wait_for(lambda: all(rig.heard(topic) for topic in streams), "the node's subscriptions")
    graph.wait_until_heard(*topics)
    rig.played.publish_network()
    rig.wait_for_status(lambda status: "no image" in status.message, "the hint")

    def answered() -> bool:
        # Potentials are those of the face of the answer before.
        rig.send_frame(grey())
        return bool(scores and rates and potentials)

    wait_for(answered, "numbers")
    assert scores[0].data.tolist() == pytest.approx([0.1, 0.8, 0.1])
    assert rates[0].data.tolist() == pytest.approx([5.0, 40.0, 5.0])
    last = potentials[0].data.tolist()
    ends = (message.traces[0].potential[-len(LABELS) :].tolist() for message in list(traces))
    assert any(last == pytest.approx(end) for end in ends)
    assert potentials[0].layout.dim[0].label == "neutral,smile,surprised"


def test_compressed_only_for_those_who_listen_to_it(graph: Graph) -> None:
    rig = Rig(graph)
    overlays = rig.listen(CompressedImage, "overlay/compressed")
    sent = rig.send_frame(grey())
    wait_for(lambda: overlays, "a compressed overlay")
    assert overlays[0].header == sent.header
    assert "jpeg" in overlays[0].format
    assert images.decode(overlays[0]).shape == (480, 640, 3)


def test_compressed_images_are_read(graph: Graph) -> None:
    rig = Rig(graph, *ros_arguments(image_transport="compressed"), compressed=True)
    overlays = rig.listen()
    sent = rig.send_frame(grey())
    wait_for(lambda: overlays, "an overlay")
    assert overlays[0].header == sent.header
    assert pixels(overlays[0])[400, 50].tolist() == pytest.approx([90] * 3, abs=2)


def test_images_of_any_size(graph: Graph) -> None:
    rig = Rig(graph)
    overlays = rig.listen()
    for size, shape in (
        ((240, 320), (240, 320)),
        ((720, 1280), (720, 1280)),
        ((1080, 1920), (720, 1280)),
    ):
        sent = rig.send_frame(np.full(size, 90, np.uint8))
        drawn = wait_for_picture_of(overlays, sent)
        assert pixels(drawn).shape == (*shape, 3)


def test_labels_change_while_it_runs(graph: Graph) -> None:
    rig = Rig(graph)
    overlays = rig.listen()
    for labels in (LABELS, (*LABELS, "angry", "sad"), ("yes", "no")):
        rig.played.set_labels(labels)
        rig.played.publish_network()
        colour = list(DARK.label(len(labels) - 1))

        def drawn_in_its_colour(label: int = len(labels) - 1, colour: list[int] = colour) -> bool:
            # The labels come on another topic, so they may arrive after the frame.
            sent = rig.played.publish_frame(grey(), label)
            return pixels(wait_for_picture_of(overlays, sent))[110, 214].tolist() == colour

        wait_for(drawn_in_its_colour, f"the colour of {labels[-1]}")


def test_without_results_the_picture_says_what_is_missing(graph: Graph) -> None:
    rig = Rig(graph, *ros_arguments(result_timeout=0.1))
    overlays = rig.listen()

    graph.node.create_timer(0.05, lambda: rig.played.publish_picture(grey()))

    def hinted() -> bool:
        return bool(overlays) and hint_drawn(pixels(overlays[-1]))

    wait_for(hinted, "a picture with a hint")
    rig.wait_for_status(
        lambda status: "no features on /features" in status.message, "the hint in the diagnostics"
    )
    assert pixels(overlays[-1])[200, 300].tolist() == [90] * 3


def test_bad_messages_are_counted_and_change_nothing(graph: Graph) -> None:
    rig = Rig(graph)
    overlays = rig.listen()
    rig.played.publish_network(fields=2)
    rig.wait_for_status(lambda status: "receptive fields" in status.message, "the warning")
    rig.wait_for_status(lambda status: facts(status).get("dropped weights") == "1", "the count")
    rig.send_frame(grey())
    wait_for(lambda: overlays, "an overlay")
    rig.wait_for_status(lambda status: float(facts(status)["age_s"]) < 5.0, "the age")


def test_parameters_change_the_next_picture(graph: Graph) -> None:
    rig = Rig(graph)
    dashboards = rig.listen(topic="dashboard")
    wait_for_picture_of(dashboards, rig.send_frame(grey()))
    assert rig.set(theme="light") == (True, "")
    light = wait_for_picture_of(dashboards, rig.send_frame(grey()))
    assert pixels(light)[-2, 2].tolist() == list(LIGHT.ground)
    successful, reason = rig.set(rate=-1.0)
    assert not successful and "rate" in reason


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ends_cleanly(graph: Graph, number: signal.Signals) -> None:
    rig = Rig(graph)
    rig.listen()
    code, output = end(rig.process, number, within_s=5.0)
    assert code == 0
    assert "Traceback" not in output


def test_a_bad_parameter_is_one_line(graph: Graph) -> None:
    process = graph.start("fer_viz.ros.node", *ros_arguments(rate=-1.0))
    wait_for(lambda: process.poll() is not None, "the end of the process")
    code, output = end(process)
    assert code == 2
    assert "'rate'" in output and "Traceback" not in output
