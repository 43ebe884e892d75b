"""Reactions and false changes, against clips small enough to count by hand."""

from __future__ import annotations

import pytest

from fer.report.reaction_times import AnsweredFrame, reaction_times


def frames(true: str, said: str) -> list[AnsweredFrame]:
    """Return frames 100 ms apart; `.` is a frame without a label."""
    pairs = zip(true, said, strict=True)
    return [AnsweredFrame(k * 10**8, None if t == "." else t, s) for k, (t, s) in enumerate(pairs)]


def test_a_reaction_lasts_from_the_first_frame_with_the_label_to_the_answer() -> None:
    result = reaction_times(frames("nnn..sssnn", "nnnnnnssnn"))
    assert result.reactions_ms == (100.0, 0.0)
    assert (result.missed, result.false_changes_per_5_s) == (0, 0.0)


def test_what_is_said_before_counts_as_at_once_and_what_is_never_said_as_missed() -> None:
    result = reaction_times(frames("nn..sss..nn", "nnssssssss?"))
    assert result.reactions_ms == (0.0,)
    assert result.missed == 1


def test_changes_beyond_the_true_ones_are_false() -> None:
    result = reaction_times(frames("n" * 21, "nnnnsnnnnnnnnnn?nnnnn"))
    assert result.false_changes_per_5_s == pytest.approx(4 / 2.0 * 5)


def test_order_does_not_matter_and_nothing_is_nothing() -> None:
    clip = frames("nnssnn", "nnnssn")
    assert reaction_times(clip[::-1]) == reaction_times(clip)
    assert reaction_times([]) == reaction_times(clip[:1])
