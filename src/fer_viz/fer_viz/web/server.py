"""Serves the page and its pictures, to browsers on this machine only; it takes no commands.

Pictures are server-sent events (HTML Living Standard, section 9.2): a browser connects again by
itself when the node has been restarted.
"""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from importlib import resources
from socketserver import ThreadingTCPServer
from typing import Any
from urllib.parse import urlsplit

from fer_common.core.errors import ConfigurationError

HOST = "127.0.0.1"
#: More browsers than this are turned away.
MAX_VIEWERS = 8
#: Connections beyond this are closed at once: they must not use up the node's file descriptors.
MAX_CONNECTIONS = 32
#: How long to wait where no connection can be taken.
_RETRY_S = 0.1
#: Names of this machine for itself. Others are refused: a page of another site could have its name
#: resolved to this machine, and would then read our pictures.
_OWN_NAMES = (HOST, "localhost", "::1")
#: How often a viewer without pictures is tested for having left.
_TEST_PERIOD_S = 1.0
#: A browser that reads nothing for this long has left.
_SEND_TIMEOUT_S = 10.0
_EVENTS = "/events"
_FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
}
_SAFETY = {
    "Content-Security-Policy": "default-src 'self'; img-src data:; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def check_port(port: int) -> None:
    """Check that the page can be served at a port.

    Raises
    ------
    ConfigurationError
        if the port is taken, or may not be used.
    """
    with contextlib.closing(_bound(port)):
        pass


class PageServer:
    """Serves the page in threads of its own, until it is closed.

    Parameters
    ----------
    port : TCP port on `HOST`; 0 for any that is free.

    Raises
    ------
    ConfigurationError
        if the port is taken, or may not be used.
    """

    def __init__(self, port: int) -> None:
        self._feed = _Feed()
        self._server = _Server(_bound(port), self._feed)
        self.url = "http://{}:{}/".format(*self._server.server_address[:2])
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def viewers(self) -> int:
        """Number of browsers that show pictures."""
        return self._feed.viewers

    def show(self, jpeg: bytes, state: Mapping[str, object]) -> None:
        """Send a picture with what it shows to every viewer; slow ones miss some.

        Parameters
        ----------
        state : what the page says in words, as JSON.
        """
        picture = base64.b64encode(jpeg).decode()
        event = f"data: {json.dumps({'picture': picture, **state})}\n\n"
        self._feed.put(event.encode())

    def close(self) -> None:
        """End all connections."""
        self._feed.close()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Feed:
    """The newest event, for any number of threads that wait for it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._event = b""
        self._open = True
        self.number = 0
        self.viewers = 0

    def put(self, event: bytes) -> None:
        with self._changed:
            self._event, self.number = event, self.number + 1
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._open = False
            self._changed.notify_all()

    @contextlib.contextmanager
    def viewer(self) -> Iterator[bool]:
        """Count a viewer; False if there are too many."""
        with self._changed:
            admitted = self.viewers < MAX_VIEWERS
            self.viewers += admitted
        try:
            yield admitted
        finally:
            with self._changed:
                self.viewers -= admitted

    def events(self, seen: int) -> Iterator[bytes]:
        """Yield each newest event after number `seen`, and a comment where there is none."""
        while self._open:
            with self._changed:
                self._changed.wait_for(
                    lambda: self.number != seen or not self._open,  # noqa: B023
                    _TEST_PERIOD_S,
                )
                event = self._event if self.number != seen else b":\n\n"
                seen = self.number
            yield event


class _Server(ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, bound: socket.socket, feed: _Feed) -> None:
        super().__init__(bound.getsockname(), _Request, bind_and_activate=False)
        self.socket.close()
        self.socket, self.server_address, self.feed = bound, bound.getsockname(), feed
        self._places = threading.Semaphore(MAX_CONNECTIONS)

    def get_request(self) -> tuple[socket.socket, object]:
        """Take a connection; where the process has no file descriptor left, not at once again."""
        try:
            return super().get_request()
        except OSError:
            time.sleep(_RETRY_S)
            raise

    def verify_request(self, request: object, client_address: object) -> bool:
        """Return whether there is a place for a connection; the others are closed."""
        return self._places.acquire(blocking=False)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and free the place."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: object, client_address: object) -> None:
        # A browser may leave at any time.
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Request(BaseHTTPRequestHandler):
    server: _Server
    protocol_version, server_version, sys_version = "HTTP/1.1", "fer", ""
    timeout = _SEND_TIMEOUT_S

    def do_GET(self) -> None:
        """Send a file, or pictures until the browser leaves."""
        try:
            path = urlsplit(self.path).path
            host = urlsplit(f"//{self.headers.get('Host', '')}").hostname
        except ValueError as error:
            self.send_error(HTTPStatus.BAD_REQUEST, explain=f"{error}.")
            return
        if host not in _OWN_NAMES:
            why = f"This page is for browsers on its own machine: open http://{HOST}."
            self.send_error(HTTPStatus.FORBIDDEN, explain=why)
        elif path == _EVENTS:
            with self.server.feed.viewer() as admitted:
                if admitted:
                    self._send_events()
                else:
                    self.send_error(HTTPStatus.SERVICE_UNAVAILABLE, explain="Too many viewers.")
        elif path in _FILES:
            name, kind = _FILES[path]
            data = (resources.files("fer_viz.web") / "page" / name).read_bytes()
            self._send_head(kind, {"Content-Length": str(len(data))})
            self.wfile.write(data)
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def _send_events(self) -> None:
        self.close_connection = True
        self._send_head("text/event-stream", {"Connection": "close"})
        # An error: the browser has left, or reads nothing.
        with contextlib.suppress(OSError):
            events = self.server.feed.events(self.server.feed.number)
            self.wfile.write(b"retry: 1000\n\n")
            for event in events:
                self.wfile.write(event)

    def _send_head(self, kind: str, headers: Mapping[str, str]) -> None:
        self.send_response(HTTPStatus.OK)
        for name, value in {"Content-Type": kind, **headers, **_SAFETY}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Keep requests out of the node's log."""


def _bound(port: int) -> socket.socket:
    """Return a socket that listens at a port."""
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        raise ConfigurationError(
            f"no web page at port {port} of {HOST}: {error.strerror}: choose another port"
        ) from error
