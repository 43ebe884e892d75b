"""Work on many pictures, shared by several processes."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import TypeVar

from fer_common.core.process import blocked_signals

CHUNK = 64

Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[Sequence[Item]], Sequence[Result]]
Progress = Callable[[int, int], None]
"""Called with how many are done, and of how many."""


class Jobs:
    """Processes for a `with` block; they start with the first work and are kept for all of it.

    Parameters
    ----------
    count : how many, 1 or more; of one no process is started, the caller does the work itself.
    """

    def __init__(self, count: int = 1) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._processes: set[BaseProcess] = set()
        if count > 1:
            # A fresh interpreter each: a fork would inherit the threads of BLAS and OpenCV.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(count, context)

    def __enter__(self) -> Jobs:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._pool is None:
            return
        # A second interrupt in between would leave processes that wait for work, and the program
        # waiting for them.
        with blocked_signals([signal.SIGINT]):
            # What waits is dropped before the processes are ended: the pool's thread would else
            # find them gone and, before CPython 3.12, die of the futures that map has cancelled.
            self._pool.shutdown(wait=kind is None, cancel_futures=True)
            if kind is not None:
                for process in self._processes:
                    process.terminate()
                for process in self._processes:
                    process.join()

    def in_chunks(
        self,
        work: Work[Item, Result],
        items: Sequence[Item],
        progress: Progress,
        chunk: int = CHUNK,
    ) -> Iterator[Result]:
        """Yield the results of `work` on chunks of the items, in order, whoever did them."""
        chunks = [items[k : k + chunk] for k in range(0, len(items), chunk)]
        done = 0
        for results in self._mapped(work, chunks):
            yield from results
            done += len(results)
            progress(done, len(items))

    def _mapped(
        self, work: Work[Item, Result], chunks: Sequence[Sequence[Item]]
    ) -> Iterable[Sequence[Result]]:
        if self._pool is None:
            return map(work, chunks)
        others = set(multiprocessing.active_children()) - self._processes
        # New processes inherit it: Ctrl-C goes to all of them, and only this one deals with it.
        with blocked_signals([signal.SIGINT]):
            results = self._pool.map(work, chunks)
            self._processes = set(multiprocessing.active_children()) - others
        return results
