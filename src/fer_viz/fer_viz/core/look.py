"""Colours and sizes of a drawing at one scale."""

from __future__ import annotations

from dataclasses import dataclass

from fer_viz.core.palette import Theme

#: A picture of this height is drawn at the size of the design: one unit is one pixel.
DESIGN_HEIGHT = 480


@dataclass(frozen=True)
class Look:
    """How things look: the colours, and how many pixels a unit of the design takes."""

    theme: Theme
    unit: float

    def px(self, units: float) -> int:
        """Return a length of the design in whole pixels."""
        return round(units * self.unit)

    def at_least(self, least_px: int, units: float) -> int:
        """Return a length of the design in whole pixels, never below `least_px`."""
        return max(least_px, self.px(units))

    # Sizes at which capitals and small letters end on whole pixels, so that they look sharp.

    @property
    def small_px(self) -> float:
        """Size of figures at axes and of notes."""
        return 9.62 * self.unit

    @property
    def text_px(self) -> float:
        """Size of most text."""
        return 11.0 * self.unit

    @property
    def large_px(self) -> float:
        """Size of what is read from afar."""
        return 19.25 * self.unit
