"""Many pieces of work on any executor: bounded in flight, answered in order."""

from __future__ import annotations

import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from multiprocessing import get_context, parent_process
from multiprocessing.context import BaseContext
from threading import Thread
from typing import Any, TypeVar

import cv2
from threadpoolctl import ThreadpoolController

from inkfold.errors import InkfoldError

Task = TypeVar("Task")
Result = TypeVar("Result")


class InProcess(Executor):
    """Runs each piece at once, in the caller's process: what one worker needs."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401, the base class's signature
        """Run ``fn(*args, **kwargs)`` now; the future that comes back is done."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def start_early(workers: int, *modules: str) -> None:
    """Begin what `local_executor` will need, while the caller still has much to import.

    On Linux workers are forked from a small server process, which imports `modules` once for all
    of them; this starts it, and does not wait. Elsewhere, or for one worker, nothing happens.
    """
    if workers == 1 or sys.platform != "linux":
        return
    from multiprocessing import forkserver

    _context().set_forkserver_preload(list(modules))
    # A server with one thread alone is safe to fork from: OpenBLAS starts its own when imported.
    before = os.environ.get("OPENBLAS_NUM_THREADS")
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    try:
        forkserver.ensure_running()
    finally:
        if before is None:
            del os.environ["OPENBLAS_NUM_THREADS"]
        else:
            os.environ["OPENBLAS_NUM_THREADS"] = before


def local_executor(workers: int) -> AbstractContextManager[Executor]:
    """A pool of `workers` processes on this machine; one worker stays in this process.

    No process is forked from this one, which may hold an open HDF5 file or threads.
    """
    if workers == 1:
        return InProcess()
    start_early(workers)
    return ProcessPoolExecutor(workers, mp_context=_context(), initializer=_follow_the_parent)


def _context() -> BaseContext:
    """How processes are started: on Linux from a server, which is quicker than afresh."""
    return get_context("forkserver" if sys.platform == "linux" else "spawn")


def _follow_the_parent() -> None:
    """Leave Ctrl-C to the parent, and end when it ends, even by SIGKILL.

    A pool's worker holds both ends of its queue, so it never sees the queue close.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=watch, daemon=True).start()


def in_order(
    executor: Executor,
    function: Callable[[Task], Result],
    tasks: Iterable[Task],
    *,
    in_flight: int,
) -> Iterator[Result]:
    """Yield ``function(task)`` for each task, in the order of the tasks.

    Parameters
    ----------
    executor : concurrent.futures.Executor
        Any executor: a local pool, or a cluster's.
    function, tasks
        Must be picklable when the executor's workers are other processes.
    in_flight : int
        How many results may exist at a time, done or not: the bound on memory.

    Raises
    ------
    InkfoldError
        If a worker was killed from outside.
    """
    waiting: deque[Future[Result]] = deque()
    try:
        for task in tasks:
            waiting.append(executor.submit(function, task))
            if len(waiting) >= in_flight:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenExecutor:
        raise InkfoldError(
            "a worker process was killed, most likely because memory ran out; "
            "try again with fewer --workers"
        ) from None
    finally:
        for future in waiting:
            future.cancel()


def processors() -> int:
    """The number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def numpy_alone() -> Iterator[None]:
    """Where numpy is imported first within the block, its BLAS starts no threads.

    Starting them takes 15 ms of an import of 60, on two processors, and a program that leaves the
    products to another library has no use for them. What a user has set holds.
    """
    name = "OPENBLAS_NUM_THREADS"
    if "numpy" in sys.modules or name in os.environ:
        yield
        return
    os.environ[name] = "1"
    try:
        yield
    finally:
        del os.environ[name]  # other processes are not meant


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep OpenCV and BLAS to one thread within the block.

    Two workers with two threads each would fight for two processors; and one worker's result is
    then made in the same way as that of many.
    """
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with _libraries().limit(limits=1, user_api="blas"):
            yield
    finally:
        cv2.setNumThreads(before)


@cache
def _libraries() -> ThreadpoolController:
    """The BLAS libraries of this process: 2.5 ms to find, 0.02 ms to limit once found."""
    return ThreadpoolController()
