"""Who works: an executor, how much it does at once, and its results in order.

A crew is the processes of this machine (`inkfold.workers`) or those of a cluster
(`inkfold.cluster`). Any other `concurrent.futures.Executor` makes one too, such as that of
mpi4py.futures: ``Crew(executor, lambda: 8)``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, wait
from dataclasses import dataclass
from typing import Any, TypeVar

from inkfold.errors import InkfoldError

Task = TypeVar("Task")
Result = TypeVar("Result")


def _as_it_is(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return function


@dataclass(frozen=True)
class Crew:
    """Workers that are given pieces of work.

    Attributes
    ----------
    executor : concurrent.futures.Executor
    at_a_time : callable
        Gives how many tasks run at once; a cluster's number may change.
    far : bool
        Whether the workers are those of a cluster, where each task costs milliseconds: pieces of
        work are then larger.
    prepared : callable
        Makes of each function what the workers are given in its place.
    """

    executor: Executor
    at_a_time: Callable[[], int]
    far: bool = False
    prepared: Callable[[Callable[[Any], Any]], Callable[[Any], Any]] = _as_it_is

    @property
    def in_flight(self) -> int:
        """How many results may exist at a time, done or not: the bound on memory."""
        return 2 * self.at_a_time() + 2

    def in_order(
        self, function: Callable[[Task], Result], tasks: Iterable[Task]
    ) -> Iterator[Result]:
        """Yield ``function(task)`` for each task, in the order of the tasks.

        Parameters
        ----------
        function, tasks
            Must be picklable when the workers are other processes.

        Raises
        ------
        InkfoldError
            If a worker was killed from outside, or the cluster is gone.
        """
        waiting: deque[Future[Result]] = deque()
        work = self.prepared(function)
        try:
            for task in tasks:
                waiting.append(self.executor.submit(work, task))
                if len(waiting) >= self.in_flight:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except Exception as error:
            if (lost := _lost(error)) is not None:
                raise InkfoldError(lost) from None
            raise
        finally:
            # work that has begun cannot be cancelled; what it uses shall not be removed under it
            wait([future for future in waiting if not future.cancel()])


def _lost(error: Exception) -> str | None:
    """What happened to the workers, if an error says that they are lost; None for other errors."""
    if isinstance(error, BrokenExecutor):
        return (
            "a worker process was killed, most likely because memory ran out; "
            "try again with fewer --workers"
        )
    kind = type(error).__name__  # Dask is not imported for this
    if isinstance(error, CancelledError) or kind in ("CommClosedError", "ClosedClientError"):
        return (
            "the cluster's scheduler is gone, and with it the work that was under way; start the "
            "cluster again and repeat the command"
        )
    if kind == "KilledWorker":
        return (
            "the cluster gave up a piece of work whose worker ended each time, most likely because "
            "memory ran out; give the workers more memory, or fewer threads each, and repeat the "
            "command"
        )
    if isinstance(error, ModuleNotFoundError) and (error.name or "").startswith("inkfold"):
        return (
            f"a worker of the cluster cannot import {error.name}; install the same version of "
            "Inkfold there as here"
        )
    return None
