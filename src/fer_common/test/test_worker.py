"""Frame queue and worker: newest frame wins, what is skipped is counted, errors are not lost."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_common.core.worker import FrameQueue, Worker
from fer_testing.ros import wait_for


def test_newest_wins_and_the_others_are_counted() -> None:
    queue: FrameQueue[int] = FrameQueue()
    for item in range(5):
        queue.put(item)
    assert queue.get() == (4, 4)
    queue.put(5)
    assert queue.get() == (5, 0)
    assert queue.get(timeout_s=0) is None


def test_every_frame_queues_up_to_the_capacity() -> None:
    queue: FrameQueue[int] = FrameQueue(every_frame=True, capacity=3)
    for item in range(5):
        queue.put(item)
    assert queue.get() == (2, 2)
    assert queue.get() == (3, 0)
    queue.every_frame = False
    queue.put(6)
    assert queue.get() == (6, 1)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["put", "take"])), st.booleans(), st.integers(1, 4))
def test_every_item_is_taken_or_counted_and_order_is_kept(
    actions: list[str], every_frame: bool, capacity: int
) -> None:
    queue: FrameQueue[int] = FrameQueue(every_frame, capacity)
    taken, skipped, sent = [], 0, 0
    for action in [*actions, *["take"] * (capacity + 1)]:
        if action == "put":
            queue.put(sent)
            sent += 1
        elif (item := queue.get(timeout_s=0)) is not None:
            taken.append(item[0])
            skipped += item[1]
    assert taken == sorted(taken)
    assert len(taken) + skipped == sent
    assert not sent or taken[-1] == sent - 1


def test_a_worker_that_waits_gets_a_head_start() -> None:
    done: list[int] = []
    worker: Worker[int] = Worker(
        lambda item, skipped: done.append(item), lambda error: None, "test", head_start_s=10.0
    )
    for item in range(3):
        wait_for(lambda: worker.queue.waiting, "the worker waits")
        worker.queue.put(item)
        assert done == list(range(item + 1))
    worker.stop()


def test_a_worker_that_takes_long_is_not_waited_for() -> None:
    may_end = threading.Event()

    def work(item: int, skipped: int) -> None:
        may_end.wait(10)

    worker: Worker[int] = Worker(work, lambda error: None, "test", head_start_s=0.001)
    wait_for(lambda: worker.queue.waiting, "the worker waits")
    for item in range(3):
        worker.queue.put(item)
    assert not may_end.is_set()
    may_end.set()
    wait_for(lambda: worker.queue.waiting, "the worker is done")
    worker.stop()


def test_close_wakes_a_waiter_and_keeps_nothing() -> None:
    queue: FrameQueue[int] = FrameQueue()
    results: list[object] = []
    waiter = threading.Thread(target=lambda: results.append(queue.get()))
    waiter.start()
    queue.close()
    waiter.join(5)
    assert results == [None]
    queue.put(1)
    assert queue.get() is None


def test_worker_works_in_order_and_stops() -> None:
    done: list[tuple[int, int]] = []
    worker: Worker[int] = Worker(
        lambda item, skipped: done.append((item, skipped)), pytest.fail, "worker", every_frame=True
    )
    for item in range(20):
        worker.queue.put(item)
    wait_for(lambda: len(done) == 20, "all items")
    assert done == [(item, 0) for item in range(20)]
    worker.stop()
    worker.queue.put(99)
    assert len(done) == 20


def test_slow_worker_gets_the_newest() -> None:
    begun, go_on = threading.Event(), threading.Event()
    done: list[tuple[int, int]] = []

    def work(item: int, skipped: int) -> None:
        begun.set()
        go_on.wait(5)
        done.append((item, skipped))

    worker: Worker[int] = Worker(work, pytest.fail, "slow")
    worker.queue.put(0)
    assert begun.wait(5)
    for item in range(1, 10):
        worker.queue.put(item)
    go_on.set()
    wait_for(lambda: len(done) == 2, "two items")
    assert done == [(0, 0), (9, 8)]
    worker.stop()


def test_error_of_the_work_is_passed_on() -> None:
    errors: list[BaseException] = []
    worker: Worker[int] = Worker(lambda item, skipped: [][item], errors.append, "broken")
    worker.queue.put(3)
    wait_for(lambda: errors, "the error")
    assert isinstance(errors[0], IndexError)
    worker.stop()


def test_worker_can_stop_itself() -> None:
    stopped = threading.Event()

    def work(item: int, skipped: int) -> None:
        worker.stop()
        stopped.set()

    worker: Worker[int] = Worker(work, pytest.fail, "self")
    worker.queue.put(1)
    assert stopped.wait(5)
