"""The dashboard as a plugin of rqt."""

from __future__ import annotations

import argparse
from typing import Any

# First, so that pyqtgraph uses the Qt of rqt.
from python_qt_binding import QtWidgets
from rqt_gui_py.plugin import Plugin

from fer_common.core.errors import FerError
from fer_common.core.graph_names import NAMESPACE
from fer_common.ros.image_reader import bgr_reader
from fer_viz.dashboard.widget import Dashboard
from fer_viz.dashboard.window import add_arguments
from fer_viz.ros.dashboard_client import DashboardClient

_TITLE = "fer"


class DashboardPlugin(Plugin):
    """Holds a dashboard and its connection to the graph, which another namespace replaces."""

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self.setObjectName("FerDashboard")
        parser = argparse.ArgumentParser(prog="rqt --standalone fer_viz", add_help=False)
        add_arguments(parser)
        self._given, _ = parser.parse_known_args(context.argv())
        self._namespace, self._compressed = self._given.namespace, self._given.compressed
        # rqt has a node and a thread for it; the dashboard has its own of both.
        self._holder = QtWidgets.QWidget()
        self._holder.setObjectName("FerDashboardHolder")
        number = context.serial_number()
        self._holder.setWindowTitle(_TITLE + (f" ({number})" if number > 1 else ""))
        self._rows = QtWidgets.QVBoxLayout(self._holder)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._client: DashboardClient | None = None
        self._dashboard: Dashboard | None = None
        self._open({})
        context.add_widget(self._holder)

    def shutdown_plugin(self) -> None:
        """Rqt closes the plugin."""
        self._close()

    def save_settings(self, plugin_settings: Any, instance_settings: Any) -> None:
        """Rqt saves the settings to be restored next time."""
        instance_settings.set_value("namespace", self._namespace)
        instance_settings.set_value("compressed", str(self._compressed).lower())
        if self._dashboard is not None:
            for key, value in self._dashboard.settings().items():
                instance_settings.set_value(key, value)

    def restore_settings(self, plugin_settings: Any, instance_settings: Any) -> None:
        """Rqt restores the settings."""
        kept = {key: str(instance_settings.value(key)) for key in instance_settings.all_keys()}
        namespace = kept.pop("namespace", self._namespace)
        compressed = kept.pop("compressed", "") == "true"
        given = (self._given.namespace, self._given.compressed)
        # The command line has priority.
        if given == (NAMESPACE, False) and (namespace, compressed) != given:
            self._switch(namespace, compressed, kept)
        elif self._dashboard is not None:
            self._dashboard.apply_settings(kept)

    def trigger_configuration(self) -> None:
        """Rqt's gear button: choose another graph."""
        name, given = QtWidgets.QInputDialog.getText(
            self._holder, _TITLE, "Namespace of the graph:", text=self._namespace
        )
        if given and name.strip():
            settings = {} if self._dashboard is None else self._dashboard.settings()
            self._switch(name.strip(), self._compressed, settings)

    def _switch(self, namespace: str, compressed: bool, settings: dict[str, str]) -> None:
        """Show another graph; where that fails, say why and keep the one that is shown."""
        former = self._namespace, self._compressed
        self._namespace, self._compressed = namespace, compressed
        try:
            self._open(settings)
        except FerError as error:
            self._namespace, self._compressed = former
            # Not modal: rqt restores settings before it shows its window.
            self._warning = QtWidgets.QMessageBox(self._holder)
            self._warning.setWindowTitle(_TITLE)
            self._warning.setText(str(error))
            self._warning.open()

    def _open(self, settings: dict[str, str]) -> None:
        client = DashboardClient(self._namespace, self._compressed)
        self._close()
        dashboard = Dashboard(client.state, client, bgr_reader(), self._given.theme)
        self._rows.addWidget(dashboard)
        dashboard.apply_settings(settings)
        self._client, self._dashboard = client, dashboard

    def _close(self) -> None:
        if self._dashboard is not None:
            self._dashboard.close_down()
            self._rows.removeWidget(self._dashboard)
            self._dashboard.deleteLater()
        if self._client is not None:
            self._client.close()
        self._client = self._dashboard = None
