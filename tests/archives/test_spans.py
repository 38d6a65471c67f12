"""Few requests for many members: each is read whole, and what lies far apart is not read along."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inkfold.archives import spans
from inkfold.archives.members import MEMBER, NOWHERE, PLAIN, STORED
from inkfold.archives.spans import Spans, lengths, spans_of
from inkfold.archives.stored import StoredObject
from inkfold.archives.url import Url

PLACES = st.lists(
    st.tuples(st.integers(0, 4000), st.integers(0, 300), st.sampled_from([PLAIN, STORED, NOWHERE])),
    max_size=20,
)


def members(places: list[tuple[int, int, int]]) -> NDArray[np.void]:
    """Members by start, size and kind."""
    return np.array([(start, size, size, 0, kind) for start, size, kind in places], MEMBER)


@dataclass(frozen=True, kw_only=True)
class Counted(StoredObject):
    """An object of known bytes, whose requests are kept."""

    data: bytes
    asked: list[tuple[int, int]] = field(default_factory=list)

    def read(self, start: int, size: int) -> bytes:
        """The bytes, as of a store."""
        self.asked.append((start, size))
        return self.data[start : max(start, min(start + size, self.size))]


def counted(size: int) -> Counted:
    """An object of `size` bytes that are not alike."""
    data = np.random.default_rng(0).bytes(size)
    return Counted(url=Url("memory://a"), size=size, version=(), data=data)


@settings(deadline=None)  # a bound on time is no behaviour
@given(places=PLACES, hole=st.integers(0, 600), longest=st.integers(1, 2000))
def test_each_member_lies_in_one_span(
    places: list[tuple[int, int, int]], hole: int, longest: int
) -> None:
    """Spans are apart by more than a hole or as long as they may be, and end with the archive."""
    size = 4200
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spans, "HOLE", hole)
        patch.setattr(spans, "LONGEST", longest)
        table = members(places)
        found = spans_of(table, size)

    wanted = table[table["kind"] != NOWHERE]
    for member, length in zip(wanted, lengths(wanted).tolist(), strict=True):
        start = int(member["start"])
        stop = min(start + length, size)
        assert any(span.start <= start and stop <= span.stop for span in found)
    for span in found:
        assert span.stop <= size
        inside = [int(start) for start in wanted["start"] if start == span.start]
        assert inside, "a span begins with a member"
    for one, other in itertools.pairwise(found):
        assert other.start - one.stop > hole or other.stop - one.start > longest


@settings(deadline=None)  # a bound on time is no behaviour
@given(places=PLACES, kept=st.integers(0, 5000), order=st.randoms())
def test_spans_give_the_bytes_of_the_object(
    places: list[tuple[int, int, int]], kept: int, order: object
) -> None:
    """In any order, with little held at a time, each read has the object's own bytes."""
    stored = counted(4200)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spans, "HOLE", 100)
        patch.setattr(spans, "KEPT", kept)
        read = Spans(stored, members(places))
        order.shuffle(places)  # type: ignore[attr-defined]  # a random.Random
        for start, size, _ in places:
            assert read(start, size) == stored.data[start : start + size]


def test_members_side_by_side_take_one_request() -> None:
    """A thousand members of 4 bytes are read at once, and once only."""
    stored = counted(8000)
    read = Spans(stored, members([(8 * number, 4, PLAIN) for number in range(1000)]))

    assert [read(8 * number, 4) for number in range(1000)] == [
        stored.data[8 * number : 8 * number + 4] for number in range(1000)
    ]
    assert stored.asked == [(0, 7996)]


def test_members_far_apart_take_a_request_each() -> None:
    """What lies between them is not read, and a member that is never read costs nothing."""
    far = 3 * spans.HOLE
    stored = counted(far + 10)
    read = Spans(stored, members([(0, 4, PLAIN), (far, 4, PLAIN), (spans.HOLE * 3 // 2, 4, PLAIN)]))

    read(far, 4)
    read(0, 4)

    assert stored.asked == [(far, 4), (0, 4)]
