"""ROS node `viz`: publishes the images, results and activity of the network as pictures."""
# ruff: noqa: E402

from __future__ import annotations

from fer_common.core.process import begin_start, pin_to_one_thread

begin_start(__name__)
# Before anything imports NumPy, which reads the number of threads once.
pin_to_one_thread()

import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from fer_common.core.errors import FerError
from fer_common.core.parameters import Value
from fer_common.core.statistics import StreamStatistics
from fer_common.core.worker import Worker
from fer_common.ros.clock import age_s
from fer_common.ros.diagnostics import OK, WARN, Health
from fer_common.ros.exchange import SharedProcess
from fer_common.ros.image_subscription import AnyImage
from fer_common.ros.node import FerNode
from fer_common.ros.running import run
from fer_common.ros.watch import PERIOD_S, Watch
from fer_viz.core.parameters import NODE, TABLE, picture_options
from fer_viz.core.scene_builder import SceneBuilder
from fer_viz.core.synchroniser import RateLimiter
from fer_viz.ros.listener import Annotated, GraphListener, graph_topics
from fer_viz.ros.outputs import PICTURES, NumberOutput, PictureOutput

if TYPE_CHECKING:
    from fer_common.core.images import Pixels
    from fer_viz.web.server import PageServer

WARNING_PERIOD_S = 5.0
#: How often the last picture is published with a hint when no new image comes.
STALLED_RATE_HZ = 1.0


class VizNode(FerNode):
    """Publishes pictures and numbers. Subscribes to the streams only while it has subscribers."""

    def __init__(self, shared: SharedProcess | None = None) -> None:
        super().__init__(NODE, TABLE, "pictures", shared)
        compressed = self.values["image_transport"] == "compressed"
        self._decode: Callable[[AnyImage], Pixels] | None = None
        self._statistics = StreamStatistics()
        self._limiter = RateLimiter(1.0)
        self._stalled_limiter = RateLimiter(STALLED_RATE_HZ)
        self._builder: SceneBuilder[AnyImage] = SceneBuilder(
            graph_topics(self, compressed), time.monotonic()
        )
        self._listener = GraphListener(
            self, self._builder, compressed, self._queue, self._drop, self._publish_numbers
        )
        self._worker: Worker[Annotated] | None = None
        self._pictures: dict[str, PictureOutput] = {}
        self._numbers: list[NumberOutput] = []
        self._watch: Watch | None = None
        self._last_drop = ""
        self._dropped_s = float("-inf")
        self.apply_parameters(self.values, frozenset())

    # Lifecycle and parameters

    def configure(self) -> None:
        """Create the publishers and subscribe to the latched topics."""
        self._pictures = {topic: PictureOutput(self, topic) for topic in PICTURES}
        self._numbers = [NumberOutput(self)]
        self._numbers[0].wanted_face = self._face
        self._listener.open_latched()
        self._open_page()

    def activate(self) -> None:
        """Start to draw whenever there are subscribers."""
        self._worker = Worker(self._draw, self.fail, NODE)
        self._watch = self.watcher.add(self._listeners_changed, self._check_listeners, PERIOD_S)

    def deactivate(self) -> None:
        """Stop to draw and to listen."""
        if self._watch is not None:
            self.watcher.remove(self._watch)
        self._watch = None
        self._listener.close_streams()
        if self._worker is not None:
            self._worker.stop()
        self._worker = None

    def cleanup(self) -> None:
        """Destroy publishers and subscriptions."""
        self._listener.close()
        self._close_page()
        for publisher in (each for output in self._outputs for each in output.publishers):
            self.destroy_publisher(publisher)
        self._pictures, self._numbers = {}, []

    def check_parameters(self, values: Mapping[str, Value], changed: frozenset[str]) -> None:
        """Refuse a port for the web page that cannot be used."""
        given: Any = values
        if "web_port" in changed and given["web_port"]:
            from fer_viz.web.server import check_port

            check_port(given["web_port"])

    def apply_parameters(self, values: Mapping[str, Value], changed: frozenset[str]) -> None:
        """Apply new values; the worker uses them from its next picture on."""
        given: Any = values
        self._options, self._quality = picture_options(values), given["jpeg_quality"]
        self._face: int = given["face"]
        for output in self._numbers:
            output.wanted_face = self._face
        self._limiter.rate_hz = given["rate"]
        self._builder.configure(given["history"], given["result_timeout"], self._face)
        if "web_port" in changed and self._pictures:
            self._close_page()
            self._open_page()

    def health(self) -> Health:
        """Return whether pictures are drawn, and if not, why."""
        now_s = time.monotonic()
        if not self.active:
            return Health(OK, "inactive: activate it to draw")
        if now_s - self._dropped_s < WARNING_PERIOD_S:
            return Health(WARN, f"dropping messages: {self._last_drop}")
        if not self._listener.streaming:
            return Health(OK, "idle: its topics have no subscribers")
        hint = self._builder.hint(now_s)
        return Health(WARN, hint) if hint else Health(OK, "drawing")

    def facts(self) -> Mapping[str, object]:
        """Return the number of subscribers and counts of the frames."""
        page = self._page
        return {
            "listeners": self._listeners(),
            **({"page": page.url} if page else {}),
            **self._statistics.facts(time.monotonic()),
            "last_drop": self._last_drop,
        }

    def _open_page(self) -> None:
        port: Any = self.values["web_port"]
        if port:
            # Here, because most graphs have no page and need not load the libraries of a server.
            from fer_viz.web.server import PageServer

            page = self._pictures["dashboard"].page = PageServer(port)
            self.get_logger().info(f"web page at {page.url}")

    def _close_page(self) -> None:
        page = self._page
        if page is not None:
            self._pictures["dashboard"].page = None
            page.close()

    @property
    def _page(self) -> PageServer | None:
        return self._pictures["dashboard"].page if self._pictures else None

    @property
    def _outputs(self) -> list[PictureOutput | NumberOutput]:
        return [*self._pictures.values(), *self._numbers]

    def _listeners(self) -> int:
        return sum(output.listeners for output in self._outputs)

    # Messages, in the executor's thread

    def _listeners_changed(self) -> bool:
        """Return whether `_check_listeners` may have something to do."""
        listened, streaming = self._listeners() > 0, self._listener.streaming
        return listened != streaming or (
            listened and self._builder.stalled(time.monotonic()) is not None
        )

    def _check_listeners(self) -> None:
        """Listen while there are subscribers; show a hint when no image comes."""
        if not self._listeners():
            self._listener.close_streams()
            return
        if not self._listener.streaming:
            self._listener.open_streams()
        now_s = time.monotonic()
        stalled = self._builder.stalled(now_s)
        if stalled is not None and self._worker and self._stalled_limiter.due(now_s):
            self._worker.queue.put(stalled)

    def _queue(self, image: Annotated) -> None:
        worker = self._worker
        if worker is not None and self._limiter.due(time.monotonic()):
            worker.queue.put(image)

    def _publish_numbers(self, topic: str, data: Any) -> None:
        for output in self._numbers:
            output.add(topic, data)

    def _drop(self, topic: str, error: FerError) -> None:
        self._statistics.drop(topic)
        self._dropped_s, self._last_drop = time.monotonic(), f"on {topic}: {error}"
        self.get_logger().warning(
            f"message dropped {self._last_drop}", throttle_duration_sec=WARNING_PERIOD_S
        )

    # Drawing, in the worker's thread

    def _draw(self, shown: Annotated, skipped: int) -> None:
        begun_s = time.monotonic()
        wanted = [output for output in self._pictures.values() if output.wants(begun_s)]
        if not wanted:
            return
        if self._decode is None:
            # Here, because most graphs draw nothing and need not load OpenCV.
            from fer_common.ros.image_reader import bgr_reader

            self._decode = bgr_reader()
        try:
            image = self._decode(shown.image)
        except FerError as error:
            self._drop("image_raw", error)
            return
        scene = self._builder.scene(shown, begun_s)
        for output in wanted:
            output.publish(shown.image.header, image, scene, self._options, self._quality)
        done_s = time.monotonic()
        self._statistics.add(done_s, age_s(self, shown.stamp_ns), done_s - begun_s, skipped)


def main(args: list[str] | None = None) -> int:
    """Run the node until it is shut down; return the exit code."""
    return run(VizNode, args=args)


if __name__ == "__main__":
    sys.exit(main())
