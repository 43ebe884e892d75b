"""The services of the snn node, and its topic `teach`. The `Learner` carries out the requests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fer_common.core import stamps
from fer_common.core.errors import FerError
from fer_common.ros import qos
from fer_common.ros.node import FerNode
from fer_interfaces.msg import LabelLearning, Lesson, ProjectionChange, WeightsFile
from fer_interfaces.srv import (
    FetchWeights,
    LearningReport,
    ListWeights,
    LoadWeights,
    Reset,
    SaveWeights,
    StoreWeights,
    Teach,
    Undo,
)
from fer_snn.core.constants import TrainedConstants
from fer_snn.core.teaching.learner import Learner, RequestError
from fer_snn.core.weights import weights_folder
from fer_snn.core.weights.transfer import Downloads, Upload


class Services:
    """Carries out requests between two frames.

    Parameters
    ----------
    between_frames : lock that is held while a frame is processed.
    done : called after each successful request, with `between_frames` held.
    """

    def __init__(
        self,
        node: FerNode,
        learner: Learner,
        folder: Path,
        between_frames: threading.Lock,
        done: Callable[[], None],
    ) -> None:
        self._node = node
        self._learner = learner
        self._folder = folder
        self._between_frames = between_frames
        self._done = done
        self._downloads, self._upload = Downloads(folder), Upload(folder)
        self._services = [
            self._serve(Teach, "teach", self._teach),
            self._serve(SaveWeights, "save_weights", lambda r: learner.save(r.name)),
            self._serve(LoadWeights, "load_weights", self._load),
            self._serve(Reset, "reset", self._reset),
            self._serve(Undo, "undo", lambda r: learner.undo(r.steps or 1)),
            node.create_service(FetchWeights, "fetch_weights", _answering(self._fetch)),
            node.create_service(StoreWeights, "store_weights", _answering(self._store)),
            node.create_service(ListWeights, "list_weights", self._list),
            node.create_service(LearningReport, "learning_report", self._report),
        ]
        self._lessons = node.create_subscription(Lesson, "teach", self._on_lesson, qos.RESULT)

    def close(self) -> None:
        """Destroy the services and the subscription."""
        for service in self._services:
            self._node.destroy_service(service)
        self._services.clear()
        self._node.destroy_subscription(self._lessons)

    def _serve(self, kind: type[Any], name: str, work: Callable[[Any], str]) -> Any:
        def carry_out(request: Any, response: Any) -> str:
            with self._between_frames:
                try:
                    message = work(request)
                    self._done()
                finally:
                    if hasattr(response, "version"):
                        response.version = self._learner.recogniser.network.version
            return message

        return self._node.create_service(kind, name, _answering(carry_out))

    def _teach(self, request: Teach.Request | Lesson) -> str:
        return self._learner.teach(
            request.label, request.new_label, request.face_id, request.duration
        )

    def _on_lesson(self, message: Lesson) -> None:
        with self._between_frames:
            try:
                self._node.get_logger().info(self._teach(message))
                self._done()
            except FerError as error:
                self._node.get_logger().error(f"teach refused: {error}")

    def _load(self, request: LoadWeights.Request) -> str:
        message = self._learner.load(request.name)
        model, values = self._learner.recogniser.network.model, self._node.values
        # The network runs on with the present constants, whoever set them.
        return "; ".join((message, *TrainedConstants.of(model, values, values).notes("the file")))

    def _reset(self, request: Reset.Request) -> str:
        if request.what == Reset.Request.STATE:
            return self._learner.reset_state()
        if request.what == Reset.Request.WEIGHTS:
            return self._learner.reset_weights()
        raise RequestError(f"cannot reset {request.what}: use 0 (STATE) or 1 (WEIGHTS)")

    def _list(
        self, request: ListWeights.Request, response: ListWeights.Response
    ) -> ListWeights.Response:
        for found in weights_folder.saved(self._folder):
            file = WeightsFile(name=found.name, bytes=found.size_bytes)
            file.modified.sec, file.modified.nanosec = stamps.split_ns(found.modified_ns)
            response.files.append(file)
        return response

    def _fetch(self, request: FetchWeights.Request, response: FetchWeights.Response) -> str:
        if request.digest:
            piece = self._downloads.piece(request.digest, request.offset)
        else:
            with self._between_frames:
                network = self._learner.recogniser.network
                piece = self._downloads.first_piece(request.name, network.model)
                response.version = 0 if request.name else network.version
        response.size, response.digest = piece.size, piece.digest
        response.data.frombytes(piece.data)
        return request.name or "the present weights"

    def _store(self, request: StoreWeights.Request, response: StoreWeights.Response) -> str:
        return self._upload.add(
            request.name, request.size, request.digest, request.offset, request.data.tobytes()
        )

    def _report(
        self, request: LearningReport.Request, response: LearningReport.Response
    ) -> LearningReport.Response:
        with self._between_frames:
            report, network = self._learner.report(), self._learner.recogniser.network
            response.teaching = self._learner.teaching
            response.version = network.version
        response.undo = list(self._learner.undo_reasons)
        response.labels = [
            LabelLearning(
                label=label,
                faces=report.lessons[label],
                rehearsed=report.rehearsed[label],
                field_change=change,
            )
            for label, change in report.fields.items()
        ]
        names = network.layer_names
        response.projections = [
            ProjectionChange(
                pre=pre, post=post, changed=each.changed, size=each.size, change=each.change
            )
            for pre, post, each in zip(names, names[1:], report.projections, strict=False)
        ]
        return response


def _answering(work: Callable[[Any, Any], str]) -> Callable[[Any, Any], Any]:
    """Return a service callback that puts what `work` returns, or its refusal, in the response."""

    def answer(request: Any, response: Any) -> Any:
        try:
            response.message = work(request, response)
            response.success = True
        except FerError as error:
            response.message = str(error)
        return response

    return answer
