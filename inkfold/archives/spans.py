"""How the bytes of an archive's members are read: one call of the system, or few range requests."""

from __future__ import annotations

import os
import weakref
from bisect import bisect_right
from threading import Lock
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from inkfold.archives.members import HEADER, NOWHERE, PLAIN, REMARKS, Read
from inkfold.archives.stored import StoredObject
from inkfold.picture import MAX_BYTES, READ

HOLE = 1 << 20  # bytes between two members that take less time to read than a further request
LONGEST = 1 << 25  # bytes of a request, but for a member that is longer
KEPT = 1 << 26  # bytes of all requests that are held at a time, but for the last one
File: TypeAlias = "bytes | StoredObject"  # the path of an archive, or what stands in its place


class Span(NamedTuple):
    """A part of an archive that is read by one request."""

    start: int
    stop: int


def reader(file: File, members: NDArray[np.void]) -> Read:
    """The function that gives the bytes of an archive, to read some of its members.

    Threads may share it. A file is open as long as the function is in use.

    Parameters
    ----------
    file : bytes or StoredObject
        The path of a file, or an object.
    members : array of `MEMBER` of shape (n,)
        Those that will be read.
    """
    return Spans(file, members) if isinstance(file, StoredObject) else Opened(file)


class Opened:
    """Gives the bytes of a file, from any place on."""

    def __init__(self, path: bytes) -> None:
        self._descriptor = os.open(path, READ)
        weakref.finalize(self, os.close, self._descriptor)

    def __call__(self, start: int, size: int) -> bytes:
        """Up to `size` bytes from `start` on, fewer at the end of the file."""
        return os.pread(self._descriptor, size, start)


class Spans:
    """Gives the bytes of some members of an object, by a request for each of their spans.

    A span is read when the first of its members is. What was read is held for the next members, up
    to 64 MiB.

    Parameters
    ----------
    stored : StoredObject
    members : array of `MEMBER` of shape (n,)
    """

    def __init__(self, stored: StoredObject, members: NDArray[np.void]) -> None:
        self._stored, self._spans = stored, spans_of(members, stored.size)
        self._starts = [span.start for span in self._spans]
        self._held: dict[int, bytes] = {}
        self._lock = Lock()

    def __call__(self, start: int, size: int) -> bytes:
        """Up to `size` bytes from `start` on, fewer at the end of the object."""
        stop = min(start + size, self._stored.size)
        number = bisect_right(self._starts, start) - 1
        if number < 0 or stop > self._spans[number].stop:
            return self._stored.read(start, size)
        begin = self._starts[number]
        with self._lock:  # else two threads would read the same span
            return self._of(number)[start - begin : stop - begin]

    def _of(self, number: int) -> bytes:
        """The bytes of a span."""
        if number not in self._held:
            begin, end = self._spans[number]
            while self._held and sum(map(len, self._held.values())) + end - begin > KEPT:
                del self._held[next(iter(self._held))]
            self._held[number] = self._stored.read(begin, end - begin)
        return self._held[number]


def spans_of(members: NDArray[np.void], size: int) -> list[Span]:
    """The parts of an archive of `size` bytes that hold some members, in the order of the archive.

    Members with less than a megabyte between them share a span, up to 32 MiB.
    """
    # what is nowhere or no picture is refused before it is read
    wanted = members[(members["kind"] != NOWHERE) & (members["full"] <= MAX_BYTES)]
    starts = wanted["start"]
    stops = np.minimum(starts + lengths(wanted), size)
    spans: list[Span] = []
    for at in np.argsort(starts, kind="stable").tolist():
        start, stop = int(starts[at]), int(stops[at])
        if spans:
            begin, end = spans[-1]
            if start - end <= HOLE and stop - begin <= LONGEST:
                spans[-1] = Span(begin, max(end, stop))
                continue
        spans.append(Span(start, stop))
    return spans


def lengths(members: NDArray[np.void]) -> NDArray[np.int64]:
    """How many bytes are read of each member: in a zip its own header, too."""
    header = np.where(members["kind"] == PLAIN, 0, HEADER + REMARKS)
    return np.asarray(members["size"] + header, np.int64)
