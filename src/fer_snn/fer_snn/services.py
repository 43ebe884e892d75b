"""The services of the snn node. What they do stands in `requests`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fer_common.errors import FerError
from fer_common.node import FerNode
from fer_interfaces.srv import LoadWeights, Reset, SaveWeights, Teach
from fer_snn import requests
from fer_snn.recogniser import Recogniser


class Services:
    """Answers requests between two frames.

    Parameters
    ----------
    node : the node.
    recogniser : what the requests are about.
    folder : where weights are saved.
    between_frames : held while a frame is worked on.
    done : called after each request that was granted, with `between_frames` held.
    """

    def __init__(
        self,
        node: FerNode,
        recogniser: Recogniser,
        folder: Path,
        between_frames: threading.Lock,
        done: Callable[[], None],
    ) -> None:
        self._node = node
        self._recogniser = recogniser
        self._first_model = recogniser.network.model.copy()
        self._folder = folder
        self._between_frames = between_frames
        self._done = done
        self._services = [
            self._serve(Teach, "teach", self._teach),
            self._serve(SaveWeights, "save_weights", self._save),
            self._serve(LoadWeights, "load_weights", self._load),
            self._serve(Reset, "reset", self._reset),
        ]

    def close(self) -> None:
        """Take the services away."""
        for service in self._services:
            self._node.destroy_service(service)
        self._services.clear()

    def _serve(self, kind: type[Any], name: str, work: Callable[[Any], str]) -> Any:
        def answer(request: Any, response: Any) -> Any:
            with self._between_frames:
                try:
                    response.message = work(request)
                    response.success = True
                    self._done()
                except FerError as error:
                    response.message = str(error)
                if hasattr(response, "version"):
                    response.version = self._recogniser.network.version
            return response

        return self._node.create_service(kind, name, answer)

    def _teach(self, request: Teach.Request) -> str:
        return requests.teach(
            self._recogniser, request.label, request.new_label, request.face_id, request.duration
        )

    def _save(self, request: SaveWeights.Request) -> str:
        return requests.save(self._recogniser, request.name, self._folder)

    def _load(self, request: LoadWeights.Request) -> str:
        return requests.load(self._recogniser, request.name, self._folder)

    def _reset(self, request: Reset.Request) -> str:
        if request.what == Reset.Request.STATE:
            self._recogniser.reset_state()
            return "potentials, traces and answers are put back"
        if request.what == Reset.Request.WEIGHTS:
            self._recogniser.load(self._first_model)
            return "weights, potentials, traces and answers are as at the start"
        raise requests.RequestError(f"{request.what} is nothing to reset: STATE is 0, WEIGHTS 1")
