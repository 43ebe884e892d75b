"""Summary of a run of the graph: counts, latencies and, for labelled clips, accuracy.

Knows neither ROS nor a clock. A frame and its answer are joined by the stamp of the image, which
goes through the graph unchanged.

Every frame from the stamp given to `begin` to that given to `end` counts. Frames that were
published while nodes were still finding each other count neither as lost nor as processed.
"""

from __future__ import annotations

import math
import threading
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fer.report.reaction_times import AnsweredFrame, reaction_times
from fer_common.core.stamps import NANOSECONDS
from fer_common.core.statistics import quantile

#: Longest time of the stamps to wait for the other half of a frame and its answer.
PATIENCE_NS = 5 * NANOSECONDS
UNDECIDED = "undecided"


@dataclass(frozen=True)
class FaceAnswer:
    """The network's answer for one face.

    Attributes
    ----------
    face_id : track id.
    label : its label, or `UNDECIDED`.
    area_px : area of the face in the image, square pixels.
    """

    face_id: int
    label: str
    area_px: int


@dataclass
class _Open:
    """A frame of which its announcement or its answer may still be missing."""

    index: int | None = None
    answers: tuple[FaceAnswer, ...] | None = None
    latency_ms: float = math.nan

    @property
    def is_whole(self) -> bool:
        return self.index is not None and self.answers is not None


@dataclass(frozen=True)
class NodeUsage:
    """Mean share of one core in percent, largest memory in 10^6 bytes, and restarts of a node."""

    cpu_percent: float
    rss_mb: float
    restarts: int


class RunRecord:
    """Joins frames with answers. Safe to use from several threads."""

    def __init__(self) -> None:
        self._truth: Mapping[int, str] = {}
        self._lock = threading.Lock()
        self._begin_ns: int | None = None
        self._end_ns: float = math.inf
        self._open: dict[int, _Open] = {}
        self._last_answer_ns: int | None = None
        self._published = 0
        self._latencies_ms = array("f")
        self._faces: set[int] = set()
        self._labels: Counter[str] = Counter()
        self._confusion: Counter[tuple[str, str]] = Counter()
        self._moments: list[AnsweredFrame] = []

    def begin(self, stamp_ns: int, truth: Mapping[int, str] | None = None) -> None:
        """Count frames from this stamp on, including those that were received already.

        Parameters
        ----------
        stamp_ns : stamp of the first image that counts.
        truth : label by index of the frame in the source, for a source with labels.
        """
        with self._lock:
            self._begin_ns = stamp_ns
            self._truth = truth or {}
            self._open = {stamp: entry for stamp, entry in self._open.items() if stamp >= stamp_ns}
            self._settle()

    def end(self, stamp_ns: int) -> None:
        """Count no frames from this stamp on."""
        with self._lock:
            self._end_ns = min(self._end_ns, stamp_ns)
            self._open = {
                stamp: entry for stamp, entry in self._open.items() if stamp < self._end_ns
            }

    @property
    def begun(self) -> bool:
        """Whether counting has begun."""
        return self._begin_ns is not None

    @property
    def complete(self) -> bool:
        """Whether a frame after the end was answered, so that no earlier one is still open."""
        return self._last_answer_ns is not None and self._last_answer_ns >= self._end_ns

    @property
    def skipped(self) -> int:
        """Number of frames so far that were skipped for a newer one, or lost."""
        with self._lock:
            return self._published - len(self._latencies_ms)

    def published(self, stamp_ns: int, index: int) -> None:
        """Note a frame that the camera published.

        Parameters
        ----------
        stamp_ns : stamp of the image.
        index : of the frame in the source, from 0.
        """
        with self._lock:
            if stamp_ns >= self._end_ns:
                return
            self._open.setdefault(stamp_ns, _Open()).index = index
            self._settle()

    def answered(self, stamp_ns: int, latency_s: float, answers: Iterable[FaceAnswer]) -> None:
        """Note the answer to a frame.

        Parameters
        ----------
        stamp_ns : stamp of the image.
        latency_s : from the stamp to the arrival of the answer; NaN if that is not known.
        answers : one for each face in view.
        """
        with self._lock:
            if stamp_ns < self._end_ns:
                entry = self._open.setdefault(stamp_ns, _Open())
                entry.answers = tuple(answers)
                entry.latency_ms = 1e3 * latency_s
            self._last_answer_ns = stamp_ns
            self._settle()

    def to_dict(self, nodes: Mapping[str, NodeUsage]) -> dict[str, object]:
        """Return the summary as plain values. Open frames count as they are.

        Parameters
        ----------
        nodes : resources of each node.
        """
        with self._lock:
            if self._begin_ns is not None:
                for stamp_ns, entry in self._open.items():
                    self._count(stamp_ns, entry)
            self._open.clear()
            processed = len(self._latencies_ms)
            result: dict[str, object] = {
                "frames": {
                    "published": self._published,
                    "processed": processed,
                    "skipped": self._published - processed,
                },
                "faces": len(self._faces),
                "latency_ms": {
                    "p50": _rounded(self._latencies_ms, 0.5),
                    "p99": _rounded(self._latencies_ms, 0.99),
                    "max": _rounded(self._latencies_ms, 1.0),
                },
                "nodes": {
                    name: {
                        "cpu_percent": round(usage.cpu_percent, 1),
                        "rss_mb": round(usage.rss_mb, 1),
                        "restarts": usage.restarts,
                    }
                    for name, usage in nodes.items()
                },
                "labels": dict(sorted(self._labels.items())),
            }
            if self._truth:
                result |= self._judged()
            return result

    def _settle(self) -> None:
        """Count frames that cannot change any more: the network answers in their order."""
        forgotten_ns = max(self._open, default=0) - PATIENCE_NS
        if self._begin_ns is None:
            self._open = {
                stamp_ns: entry
                for stamp_ns, entry in self._open.items()
                if stamp_ns >= forgotten_ns
            }
            return
        overtaken_ns = -math.inf if self._last_answer_ns is None else self._last_answer_ns
        for stamp_ns, entry in list(self._open.items()):
            overtaken = entry.answers is None and stamp_ns < overtaken_ns
            if entry.is_whole or overtaken or stamp_ns < forgotten_ns:
                self._count(stamp_ns, self._open.pop(stamp_ns))

    def _count(self, stamp_ns: int, entry: _Open) -> None:
        self._published += 1
        if entry.answers is None:
            return
        self._latencies_ms.append(entry.latency_ms)
        self._faces.update(answer.face_id for answer in entry.answers)
        self._labels.update(answer.label for answer in entry.answers)
        if entry.index is None or not self._truth:
            return
        true_label, said = self._truth.get(entry.index), _said(entry.answers)
        self._moments.append(AnsweredFrame(stamp_ns, true_label, said))
        if true_label is not None:
            self._confusion[true_label, said] += 1

    def _judged(self) -> dict[str, object]:
        true_labels = sorted({true for true, _ in self._confusion})
        others = sorted({said for _, said in self._confusion} - set(true_labels))
        labels = true_labels + others
        followed = reaction_times(self._moments)
        return {
            "balanced_accuracy": _balanced_accuracy(self._confusion, true_labels),
            "confusion": [[self._confusion[true, said] for said in labels] for true in labels],
            "confusion_labels": labels,
            "reaction_ms": {
                "p50": _rounded(followed.reactions_ms, 0.5),
                "max": _rounded(followed.reactions_ms, 1.0),
                "missed": followed.missed,
            },
            "false_changes_per_5_s": followed.false_changes_per_5_s,
        }


def summary_text(summary: Mapping[str, Any]) -> str:
    """Return the main values of a summary as one line for people."""
    frames, latency, labels = summary["frames"], summary["latency_ms"], summary["labels"]
    if not frames["processed"]:
        return "no frame was answered"
    said = sorted(labels.items(), key=lambda item: -item[1])
    parts = [
        f"{frames['processed']} of {frames['published']} frames answered",
        ", ".join(f"{label} {count}" for label, count in said) or "no face",
    ]
    if latency["p50"] is not None:
        parts.append(f"latency {latency['p50']:.0f} ms (99 %: {latency['p99']:.0f} ms)")
    if (accuracy := summary.get("balanced_accuracy")) is not None:
        parts.append(f"balanced accuracy {accuracy:.2f}")
    return "; ".join(parts)


def _rounded(values: Sequence[float], fraction: float) -> float | None:
    """Return a rounded quantile; None without values that are known."""
    known = [value for value in values if not math.isnan(value)]
    return round(quantile(known, fraction), 3) if known else None


def _said(answers: Sequence[FaceAnswer]) -> str:
    """Return the label of the largest face, which the true label of the frame means."""
    return max(answers, key=lambda answer: answer.area_px).label if answers else UNDECIDED


def _balanced_accuracy(
    confusion: Mapping[tuple[str, str], int], true_labels: Sequence[str]
) -> float | None:
    """Mean over the labels of the share of their frames that were labelled correctly."""
    if not true_labels:
        return None
    recalls = []
    for true in true_labels:
        total = sum(count for (row, _), count in confusion.items() if row == true)
        recalls.append(confusion[true, true] / total)
    return round(sum(recalls) / len(recalls), 4)
