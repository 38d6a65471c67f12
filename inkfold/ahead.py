"""Items drawn ahead in a thread, from a source that may be slow or endless."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from queue import Empty, Queue
from threading import Event, Thread
from typing import TYPE_CHECKING, Generic, Self, TypeVar

if TYPE_CHECKING:
    from types import TracebackType

Drawn = TypeVar("Drawn")


class Ahead(Generic[Drawn]):
    """Draws items in a thread of its own, which ends with the ``with`` block.

    Parameters
    ----------
    items : iterable
        May be slow or endless. An error that it raises is raised again by `take`, after the items
        before it.
    limit : int
        The largest number of items that are drawn and not yet taken.
    """

    def __init__(self, items: Iterable[Drawn], *, limit: int) -> None:
        self._items = items
        self._drawn: Queue[Drawn | _End] = Queue(maxsize=limit)
        self._stopped = Event()
        self._end: _End | None = None

    def __enter__(self) -> Self:
        # a daemon, because nothing can wake a thread that waits for a line from a terminal
        Thread(target=self._draw, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopped.set()
        with suppress(Empty):  # make room: a thread that waits for room cannot see the event
            while True:
                self._drawn.get_nowait()

    def take(self, most: int, *, patience: float) -> list[Drawn]:
        """Wait for an item, and take up to `most` items as long as they keep coming.

        Parameters
        ----------
        most : int
        patience : float
            Seconds to wait for the next item before those at hand are returned.

        Returns
        -------
        items : list
            In the order of the source; empty after its last item.
        """
        taken: list[Drawn] = []
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
        """Draw until the source ends or the block does; the thread's work."""
        end = _End()
        try:
            for item in self._items:
                self._drawn.put(item)
                if self._stopped.is_set():
                    return
        except BaseException as error:  # `take` raises it again
            end = _End(error)
        self._drawn.put(end)


class _End:
    """Marks the end of the items: the source is exhausted, or raised `error`."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error
