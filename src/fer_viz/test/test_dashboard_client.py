"""The dashboard beside a graph, over real DDS: nobody there, gone and back, and its requests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rcl_interfaces.srv import SetParametersAtomically

from fer_interfaces.srv import LoadWeights, Reset, SaveWeights, Teach
from fer_testing.ros import Graph, wait_for
from fer_viz.dashboard.binding import NoQtError, require_qt

os.environ["QT_QPA_PLATFORM"] = "offscreen"
try:
    require_qt(window=False)
except NoQtError as error:
    pytest.skip(str(error), allow_module_level=True)

from pyqtgraph.Qt import QtWidgets

from fer_common.ros.image_subscription import bgr_reader
from fer_testing.viz import PlayedGraph, grey
from fer_viz.dashboard.widget import Dashboard
from fer_viz.ros.dashboard_client import DashboardClient

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
        face = dashboard.result.face
        return bool(
            face is not None
            and face.labels == played.labels
            and tuple(dashboard.bottom.labels) == played.labels
            and len(dashboard.scores.lines) == len(played.labels)
            and len(dashboard.potentials.lines) == len(played.labels)
        )

    first = PlayedGraph(graph.node)
    window.wait_for(first.subscribed, "the dashboard's subscriptions")
    first.publish_network()
    window.wait_for(lambda: shows(first), "three labels")
    first.close()
    window.wait_for(lambda: "no image on /image_raw" in window.said, "the hint again")
    assert dashboard.camera.view.picture is not None

    second = PlayedGraph(graph.node, FIVE)
    second.publish_network("supervised")
    window.wait_for(lambda: shows(second), "five labels")
    assert dashboard.bottom.learning.currentText() == "supervised"


def test_without_the_network_requests_are_answered_with_what_is_missing(window: Window) -> None:
    window.dashboard.bottom.reset_state.trigger()
    window.wait_for(lambda: "is the snn node up?" in window.said, "the note")
    assert "/reset" in window.said


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

    serve(Teach, "teach", "learning 'smile'")
    serve(SaveWeights, "save_weights", "saved")
    serve(LoadWeights, "load_weights", "no weights are called 'mine'", success=False)
    serve(Reset, "reset", "as at the start")
    graph.node.create_service(SetParametersAtomically, PARAMETERS, set_parameters)
    played = PlayedGraph(graph.node)
    window.wait_for(played.subscribed, "the dashboard's subscriptions")
    bottom = window.dashboard.bottom

    def ready() -> bool:
        played.publish_network()
        played.publish_frame(grey())
        return "smile" in bottom.labels and window.dashboard.focus_id() == 1

    window.wait_for(ready, "the labels and a face")
    bottom.ask_name = lambda title: "mine"

    def press(find: Callable[[], Any], said: str) -> Any:
        def heard() -> bool:
            # Discovery of the services may still be under way. Buttons of labels are made anew
            # when a busy machine lets the graph seem lost.
            if ready() and (not requests or said not in window.said):
                button = find()
                (button.click if hasattr(button, "click") else button.trigger)()
            return said in window.said

        requests.clear()
        window.wait_for(heard, said)
        return requests[0]

    taught = press(lambda: bottom.labels["smile"], "learning 'smile'")
    assert (taught.label, taught.face_id, taught.new_label) == ("smile", 1, False)
    assert taught.duration == pytest.approx(2.0)
    assert press(lambda: bottom.save, "saved").name == "mine"
    assert press(lambda: bottom.load, "no weights are called 'mine'").name == "mine"
    assert press(lambda: bottom.reset_weights, "as at the start").what == Reset.Request.WEIGHTS
    requests.clear()
    bottom.learning.activated.emit(2)
    window.wait_for(lambda: "learning is now supervised" in window.said, "the new mode")
    (parameter,) = requests[0].parameters
    assert (parameter.name, parameter.value.string_value) == ("learning", "supervised")


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
    window.wait_for(lambda: asked == [["feature"]], "the request")
    window.dashboard.show_feature_layer(False)
    window.wait_for(lambda: asked == [["feature"], ["none"]], "the request to stop")
