"""Labels by the names that ROS4HRI has for them."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from fer_interfaces.msg import Expression, ExpressionArray
from fer_snn.core.labels import HRI_NAMES, canonical
from fer_snn.core.weights import weights_file
from fer_snn.core.weights.weights_folder import default_path
from fer_snn.ros import hri
from fer_testing.networks import EIGHT


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("smile", "happy"),
        ("happiness", "happy"),
        ("neutral", "neutral"),
        ("surprise", "surprised"),
        ("fear", "scared"),
        ("disgust", "disgusted"),
        ("bored", "bored"),
    ],
)
def test_labels_have_the_names_of_hri_msgs(label: str, name: str) -> None:
    assert HRI_NAMES[label] == name


def test_folders_of_ferplus_are_our_labels() -> None:
    folders = [
        "neutral",
        "happiness",
        "surprise",
        "sadness",
        "anger",
        "disgust",
        "fear",
        "contempt",
    ]
    assert tuple(map(canonical, folders)) == EIGHT
    # REP-155 has no name for contempt.
    assert [HRI_NAMES.get(label) for label in EIGHT] == [
        *("neutral", "happy", "surprised", "sad", "angry", "disgusted", "scared"),
        None,
    ]


def test_every_label_of_the_shipped_model_has_one_and_no_two_share_it() -> None:
    labels = set(weights_file.load(default_path()).labels) - {"contempt"}
    names = [HRI_NAMES[label] for label in labels]
    assert len(set(names)) == len(names)


def test_what_somebody_taught_has_none() -> None:
    assert "wink" not in HRI_NAMES and "undecided" not in HRI_NAMES


class Topics:
    """Stands for the topics of faces, and keeps what is said on them."""

    def __init__(self, *_: object) -> None:
        self.said: list[Any] = []

    def update(self, stamp_ns: int, seen: list[int]) -> None:
        self.seen = seen

    def of(self, face: int) -> dict[str, Any]:
        return {hri.TOPIC: SimpleNamespace(publish=self.said.append)}


def test_a_label_without_a_name_is_told_once_and_not_published(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kinds = SimpleNamespace(Expression=SimpleNamespace)
    monkeypatch.setattr(hri, "optional_messages", lambda *_: kinds)
    monkeypatch.setattr(hri, "FaceTopics", Topics)
    node: Any = SimpleNamespace(get_logger=lambda: logging.getLogger("test"))
    published = hri.HriExpressions(node)
    labels = ("wink", "smile", "wink", Expression.UNDECIDED)
    answers = [Expression(face_id=k, label=label) for k, label in enumerate(labels)]
    for _ in range(2):
        published.publish(ExpressionArray(expressions=answers))
    topics: Any = published._topics
    assert topics.seen == [0, 1, 2, 3]
    assert [message.expression for message in topics.said] == ["happy", "happy"]
    (record,) = caplog.records
    assert "'wink'" in record.getMessage() and "hri_msgs" in record.getMessage()
