"""Finds the image that a result belongs to: both carry the same stamp."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, NamedTuple, TypeVar

Item = TypeVar("Item")
Image = TypeVar("Image")
Result = TypeVar("Result")


class StampRing(Generic[Item]):
    """The last few items by their stamp. Holds references, copies nothing."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._items: OrderedDict[int, Item] = OrderedDict()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, stamp_ns: int, item: Item) -> None:
        """Keep an item; the one that came first makes room. An equal stamp replaces."""
        self._items.pop(stamp_ns, None)
        self._items[stamp_ns] = item
        while len(self._items) > self._capacity:
            self._items.popitem(last=False)

    def get(self, stamp_ns: int) -> Item | None:
        """Return the item of exactly this stamp, None where it is not (or no longer) there."""
        return self._items.get(stamp_ns)

    def forget_until(self, stamp_ns: int) -> None:
        """Drop everything that came before the item of this stamp."""
        if stamp_ns in self._items:
            while next(iter(self._items)) != stamp_ns:
                self._items.popitem(last=False)

    def clear(self) -> None:
        """Drop everything."""
        self._items.clear()


class Joined(NamedTuple, Generic[Image, Result]):
    """An image and the result that was made from it."""

    stamp_ns: int
    image: Image
    result: Result


class Joiner(Generic[Image, Result]):
    """Joins images with results in whichever order they come.

    Only the newest result waits for its image.

    Parameters
    ----------
    capacity : how many images wait for their result; older ones are let go.
    """

    def __init__(self, capacity: int) -> None:
        self._images: StampRing[Image] = StampRing(capacity)
        self._waiting: tuple[int, Result] | None = None
        #: Results whose image never came.
        self.unmatched = 0

    def add_image(self, stamp_ns: int, image: Image) -> Joined[Image, Result] | None:
        """Keep an image; returns it with its result where that was here first."""
        self._images.put(stamp_ns, image)
        if self._waiting is None or self._waiting[0] != stamp_ns:
            return None
        return self._join(stamp_ns, image, self._waiting[1])

    def image(self, stamp_ns: int) -> Image | None:
        """Return the image of exactly this stamp while it is kept."""
        return self._images.get(stamp_ns)

    def add_result(self, stamp_ns: int, result: Result) -> Joined[Image, Result] | None:
        """Return the image with its result, or let the result wait for it."""
        if self._waiting is not None:
            self.unmatched += 1
        self._waiting = (stamp_ns, result)
        image = self._images.get(stamp_ns)
        return None if image is None else self._join(stamp_ns, image, result)

    def clear(self) -> None:
        """Forget images and results."""
        self._images.clear()
        self._waiting = None

    def _join(self, stamp_ns: int, image: Image, result: Result) -> Joined[Image, Result]:
        self._waiting = None
        self._images.forget_until(stamp_ns)
        return Joined(stamp_ns, image, result)
