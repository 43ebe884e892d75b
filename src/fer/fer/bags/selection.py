"""Which topics are meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from fer_common.core.graph_names import resolve

#: Of the graph's topics, those that are made from others and only while somebody listens.
DERIVED = (
    *(f"{topic}{twin}" for topic in ("overlay", "dashboard") for twin in ("", "/compressed")),
    "image_raw/compressed",
    "face_crop",
)
DIAGNOSTICS = "/diagnostics"


@dataclass(frozen=True)
class Selection:
    """Topics by name or by pattern (`*`, `?`); relative names lie below the namespace.

    Attributes
    ----------
    topics : what is wanted; empty: what the caller takes without being told.
    """

    namespace: str
    topics: Sequence[str] = ()
    exclude: Sequence[str] = ()

    def resolved(self, name: str) -> str:
        """Return the absolute form of a name or pattern."""
        return resolve(self.namespace, name)

    @staticmethod
    def absolute(topic: str) -> str:
        """Return the name of a topic of a bag, which may lack the slash at its front."""
        return topic if topic.startswith("/") else f"/{topic}"

    def literal(self, name: str) -> str:
        """Return the absolute form of a name, empty where it is a pattern."""
        return "" if {*"*?["} & {*name} else self.resolved(name)

    def names(self, topic: str) -> bool:
        """Whether a topic (absolute) was asked for by name."""
        return self._matches(topic, self.topics) and not self._matches(topic, self.exclude)

    def records(self, topic: str) -> bool:
        """Whether to record a topic: without a choice the graph's own, and the diagnostics."""
        if self.topics:
            return self.names(topic)
        own = topic.startswith(self.resolved("")) and not self._matches(topic, DERIVED)
        return (own or topic == DIAGNOSTICS) and not self._matches(topic, self.exclude)

    def plays(self, topic: str) -> bool:
        """Whether to play a topic: without a choice, all."""
        return self.names(topic) if self.topics else not self._matches(topic, self.exclude)

    def _matches(self, topic: str, patterns: Sequence[str]) -> bool:
        name = self.absolute(topic)
        return any(fnmatchcase(name, self.resolved(pattern)) for pattern in patterns)
