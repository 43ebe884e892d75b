"""The dashboard off screen, with a played graph and commands that are only written down.

Import it only where Qt can be used, see `fer_viz.dashboard.binding.require_qt`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import cv2
import pytest
from pyqtgraph.Qt import QtCore, QtTest, QtWidgets

from fer_common.ros.image_reader import bgr_reader
from fer_testing.viz import Loopback, PlayedGraph, grey
from fer_viz.core.scene import Note
from fer_viz.core.scene_builder import SceneBuilder
from fer_viz.dashboard.widget import Dashboard
from fer_viz.ros.dashboard_client import DashboardClient, LiveParameter, Weights
from fer_viz.ros.listener import GraphListener, graph_topics

TIMEOUT_S = 100.0
PARAMETERS = [
    LiveParameter("snn", "glance", 0.06, "Interval of glances.", "s", 0.0, 10.0, ()),
    LiveParameter("snn", "learning", "off", "Mode.", "", 0, 0, ("off", "supervised")),
    LiveParameter("snn", "min_spikes", 2, "Fewest spikes.", "", 0, 10000, ()),
    LiveParameter("snn", "mirror", True, "Mirrored glances.", "", 0, 0, ()),
    LiveParameter("features", "search.max_windows", 2, "Most runs.", "", 1, 64, ()),
]


class Recorded:
    """Commands that are only written down."""

    namespace, lesson = "/fer", ""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.waiting: list[Note] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *values: self.calls.append((name, *values))

    def publish_layers(self, layers: Sequence[str]) -> None:
        self.calls.append(("layers", *layers))

    def list_weights(self, tell: Callable[[list[Weights]], None]) -> None:
        tell([Weights("default", 0.0), Weights("mine", 1.7e9)])

    def list_parameters(self, tell: Callable[[list[LiveParameter]], None]) -> None:
        tell(PARAMETERS)

    def notes(self) -> list[Note]:
        notes, self.waiting = self.waiting, []
        return notes


class Rig:
    """A dashboard, and a played graph that it hears at once."""

    def __init__(self) -> None:
        self.node = Loopback()
        self.state: SceneBuilder[Any] = SceneBuilder(
            graph_topics(self.node, False), time.monotonic()
        )
        # A busy machine draws later than a graph would be taken for lost.
        self.state.configure(1.0, TIMEOUT_S, 0)
        listener = GraphListener(
            self.node,
            self.state,
            False,
            lambda image: self.state.show(image, time.monotonic()),
            lambda topic, error: pytest.fail(f"{topic}: {error}"),
        )
        listener.open_latched()
        listener.open_streams()
        self.commands = Recorded()
        client = cast(DashboardClient, self.commands)
        self.dashboard = Dashboard(self.state, client, bgr_reader(), "dark")
        # Drawn when the tests say so.
        self.dashboard.timer.stop()
        self.dashboard.resize(1280, 800)
        self.dashboard.show()
        self.played = PlayedGraph(self.node)

    def play(self, frames: int = 3, picture: Any = None, **what: Any) -> None:
        shown = grey() if picture is None else picture
        for _ in range(frames):
            self.played.publish_frame(shown, **what)
        self.draw()

    def draw(self) -> None:
        QtWidgets.QApplication.processEvents()
        self.dashboard._restyle()
        QtWidgets.QApplication.processEvents()

    def panel(self, name: str) -> Any:
        """Return the pixels of a panel, (height, width, 3) BGR."""
        view = self.dashboard.view
        return view.board.places[name].of(view.picture)

    def click(self, panel: str, x: float = 0.5, y: float = 0.5) -> None:
        """Click into a panel, at shares of its width and height."""
        view = self.dashboard.view
        box = view.board.places[panel]
        at = (round(box.x + x * box.width), round(box.y + y * box.height))
        QtTest.QTest.mouseClick(view, QtCore.Qt.MouseButton.LeftButton, pos=QtCore.QPoint(*at))

    def picture(self, widget: Any) -> Any:
        """Return what a widget looks like, (height, width, 3) BGR."""
        image = widget.grab().toImage()
        path = Path(os.environ["FER_TEST_GRAB"])
        image.save(str(path))
        return cv2.imread(str(path))
