"""The web page: who may see it, what it costs nobody, and how it looks in a browser."""

from __future__ import annotations

import base64
import http.client
import json
import os
import shutil
import signal
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fer_common.core.errors import ConfigurationError
from fer_testing.ros import wait_for
from fer_viz.web.server import MAX_CONNECTIONS, MAX_VIEWERS, PageServer, check_port

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)


@pytest.fixture
def server() -> Iterator[PageServer]:
    with closing(PageServer(0)) as server:
        yield server


def port_of(server: PageServer) -> int:
    return int(server.url.rstrip("/").rpartition(":")[2])


def jpeg() -> bytes:
    return cv2.imencode(".jpg", np.full((48, 96, 3), (40, 80, 160), np.uint8))[1].tobytes()


def test_pictures_reach_every_viewer_and_nobody_is_counted_who_has_left(server: PageServer) -> None:
    with ExitStack() as stack:
        viewers = [
            stack.enter_context(urllib.request.urlopen(server.url + "events")) for _ in range(2)
        ]
        wait_for(lambda: server.viewers == len(viewers), "the viewers")
        for viewer in viewers:
            assert viewer.headers["Content-Type"] == "text/event-stream"
            assert viewer.readline() + viewer.readline() == b"retry: 1000\n\n"
        server.show(b"picture", {"hint": "none"})
        for viewer in viewers:
            event = next(line for line in viewer if line.startswith(b"data: "))
            assert json.loads(event[6:]) == {
                "picture": base64.b64encode(b"picture").decode(),
                "hint": "none",
            }
    wait_for(lambda: server.viewers == 0, "the viewers to be forgotten")


def test_too_many_viewers_are_turned_away(server: PageServer) -> None:
    with ExitStack() as stack:
        for _ in range(MAX_VIEWERS):
            stack.enter_context(urllib.request.urlopen(server.url + "events"))
        with pytest.raises(urllib.error.HTTPError, match="503"):
            urllib.request.urlopen(server.url + "events")


def test_idle_connections_do_not_use_up_the_file_descriptors(server: PageServer) -> None:
    with ExitStack() as stack:

        def connection() -> socket.socket:
            made = socket.create_connection(("127.0.0.1", port_of(server)))
            return stack.enter_context(closing(made))

        idle = [connection() for _ in range(MAX_CONNECTIONS)]
        surplus = connection()
        surplus.settimeout(10.0)
        assert surplus.recv(1) == b""
        idle[0].close()

        def served() -> bool:
            try:
                return urllib.request.urlopen(server.url).status == 200
            except (OSError, http.client.HTTPException):
                return False

        wait_for(served, "the place of a connection that has ended")


@pytest.mark.parametrize(
    ("method", "path", "host", "status"),
    [
        ("GET", "/", "127.0.0.1", 200),
        ("GET", "/page.js?x=1", "localhost:99", 200),
        ("GET", "/", "[::1]:8642", 200),
        ("GET", "/", "evil.example", 403),
        ("GET", "/events", "evil.example:8642", 403),
        ("GET", "/", "", 403),
        ("GET", "/", "[::1", 400),
        ("GET", "http://[bad/", "localhost", 400),
        ("GET", "/../server.py", "localhost", 404),
        ("GET", "/page/index.html", "localhost", 404),
        ("POST", "/events", "localhost", 501),
        ("PUT", "/", "localhost", 501),
    ],
)
def test_only_this_machine_reads_and_nobody_writes(
    server: PageServer, method: str, path: str, host: str, status: int
) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", port_of(server))) as connection:
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", host)
        connection.endheaders()
        response = connection.getresponse()
        assert response.status == status
        if status == 200:
            assert "default-src 'self'" in response.headers["Content-Security-Policy"]
            assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_a_taken_port_is_named(server: PageServer) -> None:
    port = port_of(server)
    for use in (check_port, PageServer):
        with pytest.raises(ConfigurationError, match=f"port {port} of 127.0.0.1: .* in use"):
            use(port)
    server.close()
    check_port(port)


class Browser:
    """A headless Chromium, driven by its DevTools protocol over two pipes."""

    def __init__(self, program: str, profile: Path) -> None:
        (their_input, our_output), (our_input, their_output) = os.pipe(), os.pipe()
        options = ("--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe")
        self._pid = os.posix_spawn(
            program,
            (program, *options, f"--user-data-dir={profile}", "about:blank"),
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, their_input, 3),
                (os.POSIX_SPAWN_DUP2, their_output, 4),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
            ],
            setpgroup=0,
        )
        os.close(their_input)
        os.close(their_output)
        self._output = open(our_output, "wb", buffering=0)  # noqa: SIM115
        self._input = open(our_input, "rb")  # noqa: SIM115
        self._session: dict[str, str] = {}
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = {"sessionId": session["sessionId"]}

    def call(self, method: str, **parameters: object) -> Any:
        request = {"id": 1, "method": method, "params": parameters, **self._session}
        self._output.write(json.dumps(request).encode() + b"\0")
        while True:
            answer = json.loads(b"".join(iter(lambda: self._input.read(1), b"\0")))
            if answer.get("id") == 1:
                return answer["result"]

    def text(self, element: str) -> str:
        expression = f"document.getElementById({element!r})?.textContent ?? ''"
        return str(self.call("Runtime.evaluate", expression=expression)["result"]["value"])

    def close(self) -> None:
        os.killpg(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        self._output.close()
        self._input.close()


def repeat(action: Callable[[], None], ended: threading.Event) -> None:
    while not ended.wait(0.05):
        action()


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
def test_a_browser_shows_pictures_and_says_when_they_end(
    server: PageServer, tmp_path: Path
) -> None:
    assert BROWSER is not None
    state = {"faces": [{"id": 3, "label": "smile", "confidence": 0.82}], "hint": ""}
    ended = threading.Event()
    with closing(Browser(BROWSER, tmp_path)) as browser:
        threading.Thread(target=repeat, args=(lambda: server.show(jpeg(), state), ended)).start()
        try:
            browser.call("Page.navigate", url=server.url)
            wait_for(lambda: browser.text("faces") == "face 3: smile 82 %", "the answer in words")
            wait_for(lambda: float(browser.text("speed").split()[0]) >= 10, "10 pictures a second")
            shot = base64.b64decode(browser.call("Page.captureScreenshot")["data"])
        finally:
            ended.set()
        picture = cv2.imdecode(np.frombuffer(shot, np.uint8), cv2.IMREAD_COLOR)
        middle = picture[picture.shape[0] // 2, picture.shape[1] // 2]
        assert np.abs(middle.astype(int) - (40, 80, 160)).max() < 8
        server.close()
        wait_for(lambda: "no connection" in browser.text("note"), "the end of the connection")
