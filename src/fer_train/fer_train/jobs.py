"""Work on many pictures, distributed over several processes."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import TypeVar

from fer_common.core.process import blocked_signals
from fer_train.progress import Progress

CHUNK = 64

Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[Sequence[Item]], Sequence[Result]]


class Jobs:
    """Processes for a `with` block. They start with the first work and end with the block.

    Parameters
    ----------
    count : number of processes. With 1, the caller does the work itself.
    """

    def __init__(self, count: int = 1) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._processes: set[BaseProcess] = set()
        if count > 1:
            # Not by fork, which would inherit the threads of BLAS and OpenCV.
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
        # A second interrupt in between would leave processes that wait for work, and this program
        # would wait for them.
        with blocked_signals([signal.SIGINT]):
            # Cancel waiting work before ending the processes. Otherwise the pool's thread finds
            # them gone and, before CPython 3.12, fails on futures that `map` has cancelled.
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
        """Yield the results of `work` on chunks of the items, in the order of the items."""
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
        # New processes inherit the mask: Ctrl-C reaches all of them, and only this one handles it.
        with blocked_signals([signal.SIGINT]):
            results = self._pool.map(work, chunks)
            self._processes = set(multiprocessing.active_children()) - others
        return results
