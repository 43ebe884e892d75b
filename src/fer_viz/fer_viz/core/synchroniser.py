"""Streams of messages: match images with results by stamp, and limit the rate."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

Item = TypeVar("Item")
Image = TypeVar("Image")
Result = TypeVar("Result")


class StampBuffer(OrderedDict[int, Item]):
    """The last few items by stamp. Keeps references and copies nothing."""

    def __init__(self, capacity: int) -> None:
        super().__init__()
        self._capacity = capacity

    def put(self, stamp_ns: int, item: Item) -> None:
        """Keep an item and drop the oldest if there are too many. An equal stamp replaces."""
        self[stamp_ns] = item
        self.move_to_end(stamp_ns)
        while len(self) > self._capacity:
            self.popitem(last=False)

    def drop_before(self, stamp_ns: int) -> None:
        """Drop everything that was put before the item with this stamp."""
        if stamp_ns in self:
            while next(iter(self)) != stamp_ns:
                self.popitem(last=False)


class Synchroniser(Generic[Image, Result]):
    """Matches each result with the image of the same stamp, whichever comes first.

    Only the newest result waits for its image.

    Parameters
    ----------
    capacity : how many images wait for their result; older ones are dropped.
    """

    def __init__(self, capacity: int) -> None:
        self._images: StampBuffer[Image] = StampBuffer(capacity)
        self._waiting: tuple[int, Result] | None = None

    def add_image(self, stamp_ns: int, image: Image) -> Result | None:
        """Keep an image; return its result if that is already there."""
        self._images.put(stamp_ns, image)
        if self._waiting is None or self._waiting[0] != stamp_ns:
            return None
        _, result = self._waiting
        self._matched(stamp_ns)
        return result

    def add_result(self, stamp_ns: int, result: Result) -> Image | None:
        """Return the image of a result, or let the result wait for it."""
        self._waiting = (stamp_ns, result)
        image = self._images.get(stamp_ns)
        if image is not None:
            self._matched(stamp_ns)
        return image

    def image(self, stamp_ns: int) -> Image | None:
        """Return the image with exactly this stamp, None if it is not kept."""
        return self._images.get(stamp_ns)

    def clear(self) -> None:
        """Drop images and results."""
        self._images.clear()
        self._waiting = None

    def _matched(self, stamp_ns: int) -> None:
        self._waiting = None
        self._images.drop_before(stamp_ns)


class RateLimiter:
    """Decides whether the next picture is due.

    At most `rate_hz` T + 2 pictures pass in a time T. A stream of exactly `rate_hz` passes
    completely although its frames jitter: an early picture is charged to the next one.
    """

    def __init__(self, rate_hz: float) -> None:
        self.rate_hz = rate_hz
        self._due_s = float("-inf")

    def due(self, now_s: float) -> bool:
        """Return whether a picture may be drawn now; if so, count it as drawn."""
        period_s = 1 / self.rate_hz
        if now_s < self._due_s - 0.5 * period_s:
            return False
        self._due_s = max(self._due_s, now_s - 0.5 * period_s) + period_s
        return True
