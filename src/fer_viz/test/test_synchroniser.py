"""Images and results find each other by stamp; pictures come no faster than they may."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from fer_viz.core.synchroniser import RateLimiter, StampBuffer, Synchroniser


def test_ring_keeps_the_last_by_stamp() -> None:
    ring: StampBuffer[str] = StampBuffer(2)
    for stamp_ns, item in ((1, "a"), (2, "b"), (3, "c")):
        ring.put(stamp_ns, item)
    assert [ring.get(stamp_ns) for stamp_ns in (1, 2, 3, 4)] == [None, "b", "c", None]
    assert len(ring) == 2


def test_an_equal_stamp_replaces() -> None:
    ring: StampBuffer[str] = StampBuffer(2)
    ring.put(1, "old")
    ring.put(2, "other")
    ring.put(1, "new")
    ring.put(3, "last")
    assert (ring.get(1), ring.get(2), ring.get(3)) == ("new", None, "last")


def test_result_after_its_image() -> None:
    synchroniser: Synchroniser[str, str] = Synchroniser(4)
    assert synchroniser.add_image(10, "image") is None
    assert synchroniser.add_result(10, "result") == "image"


def test_result_before_its_image() -> None:
    synchroniser: Synchroniser[str, str] = Synchroniser(4)
    assert synchroniser.add_result(10, "result") is None
    assert synchroniser.add_image(9, "earlier") is None
    assert synchroniser.add_image(10, "image") == "result"


def test_one_nanosecond_off_is_another_image() -> None:
    synchroniser: Synchroniser[str, str] = Synchroniser(4)
    synchroniser.add_image(10, "image")
    assert synchroniser.add_result(11, "result") is None


def test_only_the_newest_result_waits() -> None:
    synchroniser: Synchroniser[str, str] = Synchroniser(4)
    synchroniser.add_result(10, "old")
    synchroniser.add_result(20, "new")
    assert synchroniser.add_image(10, "image") is None
    assert synchroniser.add_image(20, "image") == "new"


def test_images_are_let_go() -> None:
    synchroniser: Synchroniser[str, str] = Synchroniser(3)
    for stamp_ns in range(5):
        synchroniser.add_image(stamp_ns, "image")
    assert synchroniser.add_result(1, "too late") is None
    assert synchroniser.add_result(4, "in time") is not None


def test_a_recording_that_loops_joins_again() -> None:
    synchroniser: Synchroniser[int, str] = Synchroniser(4)
    for image, stamp_ns in enumerate((10, 20, 30, 10, 20, 30)):
        synchroniser.add_image(stamp_ns, image)
        assert synchroniser.add_result(stamp_ns, "result") == image


def test_clear_forgets_both() -> None:
    synchroniser: Synchroniser[str, str] = Synchroniser(4)
    synchroniser.add_image(1, "image")
    synchroniser.add_result(2, "result")
    synchroniser.clear()
    assert synchroniser.add_result(1, "result") is None
    synchroniser.clear()
    assert synchroniser.add_image(1, "image") is None


def passed(rate_hz: float, times_s: list[float]) -> int:
    limiter = RateLimiter(rate_hz)
    return sum(limiter.due(time_s) for time_s in times_s)


def test_a_stream_at_the_rate_passes_whole_with_jitter() -> None:
    jitter_s = (0.0, 0.009, -0.008, 0.004, -0.011)
    times_s = [k / 30 + jitter_s[k % 5] for k in range(300)]
    assert passed(30.0, times_s) == 300


def test_a_faster_stream_is_thinned_to_the_rate() -> None:
    times_s = [k / 30 for k in range(301)]
    assert abs(passed(20.0, times_s) - 200) <= 2
    assert abs(passed(7.0, times_s) - 70) <= 2


@settings(max_examples=60, deadline=None)
@given(st.floats(0.5, 120), st.lists(st.floats(0, 0.2), min_size=1, max_size=200))
def test_never_more_than_the_rate(rate_hz: float, gaps_s: list[float]) -> None:
    times_s = [sum(gaps_s[: k + 1]) for k in range(len(gaps_s))]
    assert passed(rate_hz, times_s) <= rate_hz * (times_s[-1] - times_s[0]) + 2
