"""How work is shared: among processes in the order of its tasks, and among threads.

Nothing heavy is imported at the top: `numpy_alone` is called before numpy is there.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

from inkfold.errors import InkfoldError

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext

    from threadpoolctl import ThreadpoolController

Task = TypeVar("Task")
Result = TypeVar("Result")
# Begins a progress bar from its title and its total (None while that is unknown); within the block
# the callable that it gives adds a count to what is done.
Progress = Callable[[str, int | None], AbstractContextManager[Callable[[int], None]]]
BLAS_THREADS = "OPENBLAS_NUM_THREADS"  # the variable that OpenBLAS reads when it is loaded


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


def local_executor(workers: int) -> AbstractContextManager[Executor]:
    """A pool of `workers` processes on this machine; a single worker is this process itself.

    No process is forked from this one, which may hold an open HDF5 file or threads.
    """
    if workers == 1:
        return InProcess()
    from concurrent.futures import ProcessPoolExecutor

    start_early(workers)
    return ProcessPoolExecutor(workers, mp_context=_context(), initializer=_follow_the_parent)


class InProcess(Executor):
    """Runs each task at once, in the caller's process: what a single worker needs."""

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
    of them; this starts the server, and does not wait for it. Elsewhere, or for a single worker,
    nothing happens.
    """
    if workers == 1 or sys.platform != "linux":
        return
    from multiprocessing import forkserver

    _context().set_forkserver_preload(list(modules))
    # A server with a single thread is safe to fork from: OpenBLAS starts its own when imported.
    before = os.environ.get(BLAS_THREADS)
    os.environ[BLAS_THREADS] = "1"
    try:
        forkserver.ensure_running()
    finally:
        if before is None:
            del os.environ[BLAS_THREADS]
        else:
            os.environ[BLAS_THREADS] = before


def _context() -> BaseContext:
    """How processes are started: on Linux from a server, which is quicker than a fresh start."""
    from multiprocessing import get_context

    return get_context("forkserver" if sys.platform == "linux" else "spawn")


def _follow_the_parent() -> None:
    """Leave Ctrl-C to the parent process, and end when it ends, even by SIGKILL.

    A pool's worker holds both ends of its queue, so it never sees the queue close.
    """
    from multiprocessing import parent_process

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=watch, daemon=True).start()


def processors() -> int:
    """The number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def numpy_alone() -> Iterator[None]:
    """Keep numpy's BLAS from starting threads, if numpy is first imported within the block.

    Starting them takes 15 of the 60 ms of an import on two processors, and a program that leaves
    matrix products to another library has no use for them. A number of threads that the user has
    set stays.
    """
    if "numpy" in sys.modules or BLAS_THREADS in os.environ:
        yield
        return
    os.environ[BLAS_THREADS] = "1"
    try:
        yield
    finally:
        del os.environ[BLAS_THREADS]  # processes that this one starts shall not inherit it


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep OpenCV and BLAS to one thread within the block.

    Two workers with two threads each would fight for two processors; and the result of a single
    worker is then computed in the same way as that of many.
    """
    import cv2

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
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
