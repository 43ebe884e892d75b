"""The plugin in a stand-in for rqt: what it keeps, which graph it shows, and when keys reach it."""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from fer_viz.dashboard.binding import NoQtError, require_qt

os.environ["QT_QPA_PLATFORM"] = "offscreen"
try:
    require_qt(window=False)
except NoQtError as error:
    pytest.skip(str(error), allow_module_level=True)

from pyqtgraph.Qt import QtCore, QtTest, QtWidgets

from fer_common.core.graph_names import absolute
from fer_testing.dashboard import Recorded
from fer_viz.core.scene_builder import GraphTopics, SceneBuilder


class Client(Recorded):
    """A connection to no graph."""

    def __init__(self, namespace: str, compressed: bool) -> None:
        super().__init__()
        absolute(namespace)
        self.asked = (namespace, compressed)
        topics = GraphTopics("image", "features", "expressions")
        self.state: SceneBuilder[Any] = SceneBuilder(topics, time.monotonic())
        self.state.configure(0.5, 1.0, 0)


class Plugin(QtCore.QObject):
    """What plugins of rqt are derived from."""

    def __init__(self, context: Any) -> None:
        super().__init__()


class Settings(dict[str, Any]):
    """Keeps values as rqt does."""

    set_value = dict.__setitem__
    value = dict.__getitem__
    all_keys = dict.keys


class Rqt:
    """The main window, which has a field of its own with the focus."""

    def __init__(self, module: Any) -> None:
        self.module = module
        self.window = QtWidgets.QWidget()
        self.rows = QtWidgets.QVBoxLayout(self.window)
        self.field = QtWidgets.QLineEdit()
        self.rows.addWidget(self.field)
        self.window.resize(800, 600)
        self.window.show()
        self.window.activateWindow()
        self.plugins: list[Any] = []

    def start(self, *arguments: str) -> Any:
        number = len(self.plugins) + 1
        context = SimpleNamespace(
            argv=lambda: list(arguments),
            serial_number=lambda: number,
            add_widget=self.rows.addWidget,
        )
        self.plugins.append(self.module.DashboardPlugin(context))
        QtWidgets.QApplication.processEvents()
        return self.plugins[-1]


@pytest.fixture
def rqt(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rqt]:
    _ = QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
    for name, contents in (
        ("python_qt_binding", {"QtWidgets": QtWidgets}),
        ("rqt_gui_py", {}),
        ("rqt_gui_py.plugin", {"Plugin": Plugin}),
    ):
        module = ModuleType(name)
        vars(module).update(contents)
        monkeypatch.setitem(sys.modules, name, module)
    name = "fer_viz.dashboard.rqt_plugin"
    monkeypatch.delitem(sys.modules, name, raising=False)
    plugin = importlib.import_module(name)
    monkeypatch.setattr(plugin, "DashboardClient", Client)
    rqt = Rqt(plugin)
    yield rqt
    for each in rqt.plugins:
        each.shutdown_plugin()
    rqt.window.close()
    rqt.window.deleteLater()
    QtWidgets.QApplication.processEvents()
    del sys.modules[name]


def saved(plugin: Any) -> Settings:
    settings = Settings()
    plugin.save_settings(Settings(), settings)
    return settings


def test_settings_are_kept_from_one_start_to_the_next(rqt: Rqt) -> None:
    first = rqt.start("--namespace", "robot1", "--compressed")
    assert first._client.asked == ("robot1", True)
    first._dashboard.set_theme("dark")
    first._dashboard.apply_settings({"span_s": "2", "orientation": "45°"})
    kept = saved(first)

    second = rqt.start()
    second.restore_settings(Settings(), kept)
    assert second._client.asked == ("robot1", True) and saved(second) == kept
    assert second._holder.windowTitle() == "fer (2)"
    # A namespace that is given has priority, and the rest is restored.
    third = rqt.start("--namespace", "robot2")
    third.restore_settings(Settings(), kept)
    assert third._client.asked == ("robot2", False)
    assert third._dashboard.settings() == first._dashboard.settings()


def test_another_graph_takes_the_place_of_the_first(
    rqt: Rqt, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = rqt.start()
    before, shown = plugin._client, plugin._dashboard
    shown.apply_settings({"span_s": "5"})
    answer = lambda *_, **__: ("  /robot3 ", True)  # noqa: E731
    monkeypatch.setattr(QtWidgets.QInputDialog, "getText", answer)
    plugin.trigger_configuration()
    assert before.calls[-1] == ("close",) and not shown.timer.isActive()
    assert plugin._client.asked == ("/robot3", False)
    assert plugin._dashboard.settings()["span_s"] == "5"
    plugin.shutdown_plugin()
    plugin.shutdown_plugin()
    assert plugin._client is None and plugin._dashboard is None


def test_a_namespace_that_is_none_is_refused_and_the_graph_is_kept(
    rqt: Rqt, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = rqt.start()
    before, shown = plugin._client, plugin._dashboard
    answer = lambda *_, **__: ("robot 4", True)  # noqa: E731
    monkeypatch.setattr(QtWidgets.QInputDialog, "getText", answer)
    plugin.trigger_configuration()
    assert "'robot 4' is no ROS name" in plugin._warning.text()
    assert (plugin._client, plugin._dashboard) == (before, shown) and shown.timer.isActive()
    assert saved(plugin)["namespace"] == "fer"
    plugin._warning.close()


def test_a_click_into_the_plugin_takes_the_keys_from_the_window_around_it(rqt: Rqt) -> None:
    dashboard = rqt.start()._dashboard
    rqt.field.setFocus()
    before = dashboard.theme.name
    QtTest.QTest.keyClick(rqt.window.focusWidget(), QtCore.Qt.Key.Key_T)
    assert rqt.field.text() == "t" and dashboard.theme.name == before
    QtTest.QTest.mouseClick(dashboard.view, QtCore.Qt.MouseButton.LeftButton)
    assert rqt.window.focusWidget() is dashboard
    QtTest.QTest.keyClick(rqt.window.focusWidget(), QtCore.Qt.Key.Key_T)
    assert dashboard.theme.name != before
