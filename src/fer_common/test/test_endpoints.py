"""Lost messages are counted by their sequence numbers."""

from __future__ import annotations

from fer_common.ros.endpoints import LossCounter


def test_missing_messages_are_counted_for_each_publisher() -> None:
    losses = LossCounter(lambda: 1)

    def missed(number: int | None, publisher: str | None = "a") -> int:
        return losses.lost_before(
            {"publication_sequence_number": number, "publisher_gid": publisher}
        )

    assert [missed(number) for number in (7, 8, 12, 13)] == [0, 0, 3, 0]
    # Another publisher counts for itself, and so does one that begins anew.
    assert [missed(90, "b"), missed(92, "b"), missed(1, "b")] == [0, 1, 0]
    assert missed(None) == losses.lost_before({}) == 0
    assert "does not number" in str(losses.facts())


def test_publishers_that_are_not_named_are_counted_as_long_as_there_is_one() -> None:
    publishers = 1
    losses = LossCounter(lambda: publishers)

    def missed(number: int) -> int:
        return losses.lost_before({"publication_sequence_number": number})

    assert [missed(number) for number in (7, 8, 12, 13)] == [0, 0, 3, 0]
    publishers = 2
    assert [missed(number) for number in (90, 14, 92)] == [0, 0, 0]
    assert "does not tell 2 publishers apart" in str(losses.facts())
    publishers = 1
    assert [missed(number) for number in (93, 95)] == [0, 1]
    # A publisher that begins anew.
    assert [missed(number) for number in (1, 2)] == [0, 0]
    assert losses.facts() == {}
