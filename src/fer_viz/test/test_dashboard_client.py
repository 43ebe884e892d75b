"""The dashboard beside a graph, over real DDS: nobody there, gone and back, and its requests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rcl_interfaces.msg import FloatingPointRange, ParameterDescriptor
from rcl_interfaces.srv import GetParameters, ListParameters, SetParametersAtomically
from rclpy.node import Node
from rclpy.parameter import Parameter

from fer_interfaces.msg import LabelLearning
from fer_interfaces.srv import LearningReport, LoadWeights, Reset, SaveWeights, Teach, Undo
from fer_testing.ros import Graph, wait_for
from fer_viz.dashboard.binding import NoQtError, require_qt

os.environ["QT_QPA_PLATFORM"] = "offscreen"
try:
    require_qt(window=False)
except NoQtError as error:
    pytest.skip(str(error), allow_module_level=True)

from pyqtgraph.Qt import QtWidgets

from fer_common.ros.image_reader import bgr_reader
from fer_testing.viz import PlayedGraph, grey
from fer_viz.dashboard.widget import Dashboard
from fer_viz.ros.dashboard_client import DashboardClient, LiveParameter

PARAMETERS = "snn/set_parameters_atomically"
FIVE = ("neutral", "smile", "surprised", "angry", "sad")


class Window:
    """A dashboard with its own node, in the namespace of the test's."""

    def __init__(self) -> None:
        self.application = QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
        self.client = DashboardClient("/")
        self.dashboard = Dashboard(self.client.state, self.client, bgr_reader(), "dark")
        self.dashboard.resize(900, 600)
        self.dashboard.show()

    def wait_for(self, condition: Any, what: str) -> None:
        def seen() -> object:
            self.application.processEvents()
            return condition()

        wait_for(seen, what)

    @property
    def said(self) -> str:
        return str(self.dashboard.top.state.text())

    def close(self) -> None:
        self.dashboard.close_down()
        self.client.close()
        self.dashboard.close()
        self.dashboard.deleteLater()
        self.application.processEvents()


@pytest.fixture
def window(graph: Graph) -> Iterator[Window]:
    window = Window()
    yield window
    window.close()


def test_a_graph_comes_goes_and_comes_back_with_other_labels(graph: Graph, window: Window) -> None:
    window.wait_for(lambda: "no image on /image_raw" in window.said, "the hint")
    dashboard = window.dashboard

    def shows(played: PlayedGraph) -> bool:
        if played.subscribed():
            played.publish_frame(grey(), predicted=len(played.labels) - 1)
        face = dashboard.scene.focus
        return bool(
            face is not None
            and face.labels == played.labels
            and tuple(dashboard.bottom.labels) == played.labels
        )

    first = PlayedGraph(graph.node)
    window.wait_for(first.subscribed, "the dashboard's subscriptions")
    first.publish_network()
    window.wait_for(lambda: shows(first), "three labels")
    first.close()
    window.wait_for(lambda: "no image on /image_raw" in window.said, "the hint again")
    assert dashboard._image is not None

    second = PlayedGraph(graph.node, FIVE)
    second.publish_network("supervised")
    window.wait_for(lambda: shows(second), "five labels")
    assert dashboard.bottom.learning.currentText() == "supervised"


def test_without_the_network_requests_are_answered_with_what_is_missing(window: Window) -> None:
    window.dashboard.bottom.reset_state.trigger()
    window.wait_for(lambda: "node '/snn' does not run" in window.said, "the note")


def test_buttons_call_the_services(graph: Graph, window: Window) -> None:
    requests: list[Any] = []

    def serve(kind: Any, name: str, message: str, success: bool = True) -> None:
        def answer(request: Any, response: Any) -> Any:
            requests.append(request)
            response.success, response.message = success, message
            return response

        graph.node.create_service(kind, name, answer)

    def set_parameters(request: Any, response: Any) -> Any:
        requests.append(request)
        response.result.successful = True
        return response

    def get_parameters(request: Any, response: Any) -> Any:
        response.values = [
            Parameter(name, value="off").get_parameter_value() for name in request.names
        ]
        return response

    def report(request: Any, response: Any) -> Any:
        # Each lesson learns from ten faces.
        taught = sum(isinstance(each, Teach.Request) for each in requests)
        response.labels = [LabelLearning(label="smile", faces=10 * taught, field_change=0.05)]
        return response

    serve(Teach, "teach", "learning 'smile'")
    serve(Undo, "undo", "the lesson is undone")
    serve(SaveWeights, "save_weights", "saved")
    serve(LoadWeights, "load_weights", "no weights are called 'mine'", success=False)
    serve(Reset, "reset", "as at the start")
    graph.node.create_service(SetParametersAtomically, PARAMETERS, set_parameters)
    graph.node.create_service(GetParameters, "snn/get_parameters", get_parameters)
    graph.node.create_service(LearningReport, "learning_report", report)
    played = PlayedGraph(graph.node)
    window.wait_for(played.subscribed, "the dashboard's subscriptions")
    bottom = window.dashboard.bottom

    def ready() -> bool:
        played.publish_network()
        played.publish_frame(grey())
        return "smile" in bottom.labels and window.dashboard.focus_id() == 1

    window.wait_for(ready, "the labels and a face")
    bottom.ask_name = lambda title, text: "mine"

    def press(find: Callable[[], Any], said: str) -> list[Any]:
        def heard() -> bool:
            # Discovery of the services may still be under way. Buttons of labels are made anew
            # when a busy machine lets the graph seem lost.
            if ready() and not window.client.lesson and (not requests or said not in window.said):
                button = find()
                (button.click if hasattr(button, "click") else button.trigger)()
            return said in window.said

        requests.clear()
        window.wait_for(heard, said)
        return requests

    before, taught, after = press(lambda: bottom.labels["smile"], "learnt smile from 10 faces")[:3]
    assert before.parameters[0].value.string_value == "supervised"
    assert (taught.label, taught.face_id, taught.new_label) == ("smile", 1, False)
    assert taught.duration == pytest.approx(2.0)
    assert after.parameters[0].value.string_value == "off"
    assert "5 %" in window.said
    press(lambda: bottom.undo, "the lesson is undone")
    assert press(lambda: bottom.save, "saved")[0].name == "mine"
    window.client.load_weights("mine")
    window.wait_for(lambda: "no weights are called 'mine'" in window.said, "the refusal")
    reset = press(lambda: bottom.reset_weights, "as at the start")[0]
    assert reset.what == Reset.Request.WEIGHTS
    bottom.learning.activated.emit(2)
    window.wait_for(lambda: "learning is now supervised" in window.said, "the new mode")


def test_live_parameters_are_those_of_the_descriptors(graph: Graph, window: Window) -> None:
    node = Node("snn", context=graph.node.context)
    graph.add(node)
    table = ParameterDescriptor(
        description="Interval of glances. [s]",
        floating_point_range=[FloatingPointRange(from_value=0.0, to_value=10.0)],
    )
    node.declare_parameter("glance", 0.06, table)
    mode = ParameterDescriptor(additional_constraints="one of off, supervised")
    node.declare_parameter("learning", "off", mode)
    node.declare_parameter("weights", "default", ParameterDescriptor(read_only=True))
    service = window.client._graph.client(ListParameters, "snn/list_parameters")
    window.wait_for(service.service_is_ready, "the node")
    found: list[LiveParameter] = []
    window.client.list_parameters(found.extend)
    window.wait_for(lambda: found, "the parameters")
    by_name = {each.name: each for each in found if each.name in ("glance", "learning", "weights")}
    assert by_name == {
        "glance": LiveParameter("snn", "glance", 0.06, "Interval of glances.", "s", 0, 10, ()),
        "learning": LiveParameter("snn", "learning", "off", "", "", 0, 0, ("off", "supervised")),
    }
    window.client.set_parameter("snn", "glance", 0.1)
    window.wait_for(lambda: "glance is now 0.1" in window.said, "the new value")
    assert node.get_parameter("glance").value == 0.1
    window.client.set_parameter("snn", "glance", 11.0)
    window.wait_for(lambda: "glance is now" not in window.said, "the refusal")
    assert node.get_parameter("glance").value == 0.1


def test_the_feature_layer_is_asked_for_as_soon_as_there_is_somebody(
    graph: Graph, window: Window
) -> None:
    asked: list[list[str]] = []

    def set_parameters(request: Any, response: Any) -> Any:
        asked.append(list(request.parameters[0].value.string_array_value))
        response.result.successful = True
        return response

    window.dashboard.show_feature_layer(True)
    graph.node.create_service(SetParametersAtomically, PARAMETERS, set_parameters)
    window.wait_for(lambda: asked == [["feature_spikes"]], "the request")
    window.dashboard.show_feature_layer(False)
    window.wait_for(lambda: asked == [["feature_spikes"], ["none"]], "the request to stop")
