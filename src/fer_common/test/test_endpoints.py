"""Lost messages are counted by their sequence numbers."""

from __future__ import annotations

from fer_common.ros.endpoints import LossCounter


def test_missing_messages_are_counted_for_each_publisher() -> None:
    losses = LossCounter()

    def missed(number: int | None, publisher: str | None = "a") -> int:
        return losses.lost_before(
            {"publication_sequence_number": number, "publisher_gid": publisher}
        )

    assert [missed(number) for number in (7, 8, 12, 13)] == [0, 0, 3, 0]
    # Another publisher counts for itself, and so does one that begins anew.
    assert [missed(90, "b"), missed(92, "b"), missed(1, "b")] == [0, 1, 0]
    assert missed(None) == missed(5, None) == losses.lost_before({}) == 0
