"""Drawing from an iterable ahead of need, in a thread, without ever waiting longer than needed."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from queue import Empty, Queue
from threading import Event, Thread
from types import TracebackType
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")


class _End:
    """Behind the last item: all were drawn, or drawing failed."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class Ahead(Generic[Item]):
    """Draws items in a thread of its own; a context manager, whose end is the thread's too.

    Parameters
    ----------
    items : iterable
        May be slow, endless, or fail: what it raises is raised by `take`, after the items before.
    limit : int
        How many items are drawn and not yet taken, at most.
    """

    def __init__(self, items: Iterable[Item], *, limit: int) -> None:
        self._items = items
        self._drawn: Queue[Item | _End] = Queue(maxsize=limit)
        self._stopped = Event()
        self._end: _End | None = None

    def __enter__(self) -> Self:
        # a daemon: nothing can wake a thread that waits for its next line from a terminal
        Thread(target=self._draw, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopped.set()
        with suppress(Empty):  # make room, so that the thread gets to see that it is to stop
            while True:
                self._drawn.get_nowait()

    def take(self, most: int, *, patience: float) -> list[Item]:
        """Wait for one item, then for up to `most`, as long as they keep coming.

        Parameters
        ----------
        most : int
        patience : float
            Seconds to wait for the next one before those at hand are given.

        Returns
        -------
        items : list
            In their order; empty when there are no more.
        """
        taken: list[Item] = []
        while len(taken) < most and self._end is None:
            try:
                item = self._drawn.get(timeout=patience if taken else None)
            except Empty:
                break
            if isinstance(item, _End):
                self._end = item
            else:
                taken.append(item)
        if not taken and self._end is not None and self._end.error is not None:
            raise self._end.error
        return taken

    def _draw(self) -> None:
        end = _End()
        try:
            for item in self._items:
                self._drawn.put(item)
                if self._stopped.is_set():
                    return
        except BaseException as error:  # it is raised again, by `take`
            end = _End(error)
        self._drawn.put(end)
