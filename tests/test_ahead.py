"""Items drawn ahead in a thread: their order, the bound, and the end of the thread."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from inkfold.ahead import Ahead


def wait_until(condition: Callable[[], bool]) -> None:
    """Give other threads up to ten seconds to make the condition true."""
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert condition()


@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_all_items_are_taken_in_order(limit: int) -> None:
    """Takes of 1, 2, 4 and more give every item in order, and then an empty list each time."""
    with Ahead(range(50), limit=limit) as ahead:
        taken = [item for most in (1, 2, 4, 8, 100) for item in ahead.take(most, patience=10)]

        assert taken == list(range(50))
        assert ahead.take(5, patience=10) == []
        assert ahead.take(5, patience=10) == []


def test_no_more_are_taken_than_asked_for() -> None:
    """A take of one item gives one, even when all items have been drawn."""
    with Ahead(range(50), limit=100) as ahead:
        assert ahead.take(1, patience=10) == [0]
        assert ahead.take(3, patience=10) == [1, 2, 3]


def test_an_item_is_taken_while_the_source_pauses() -> None:
    """A source that waits between two items does not keep back the first."""
    resume = threading.Event()

    def pausing() -> Iterator[str]:
        yield "first"
        assert resume.wait(3), "the first was kept back"
        yield "second"

    with Ahead(pausing(), limit=10) as ahead:
        assert ahead.take(10, patience=0.01) == ["first"]
        resume.set()
        assert ahead.take(10, patience=10) == ["second"]


def test_the_sources_error_comes_after_the_items_before_it() -> None:
    """The error of a source is raised unchanged, after the items that it gave before."""

    def failing() -> Iterator[int]:
        yield 1
        raise LookupError("no more lists")

    with Ahead(failing(), limit=10) as ahead:
        assert ahead.take(10, patience=10) == [1]
        with pytest.raises(LookupError, match="no more lists"):
            ahead.take(10, patience=10)


def test_an_endless_source_is_drawn_to_the_limit_only() -> None:
    """With a limit of 5, six items are drawn: five that wait and one without room."""
    drawn: list[int] = []

    def endless() -> Iterator[int]:
        for item in itertools.count():
            drawn.append(item)
            yield item

    with Ahead(endless(), limit=5):
        wait_until(lambda: len(drawn) == 6)
        time.sleep(0.05)

        assert len(drawn) == 6


def test_the_thread_ends_with_the_block() -> None:
    """The drawing thread ends with the ``with`` block, even while it waits for room."""
    before = threading.active_count()
    drawn: list[int] = []

    def endless() -> Iterator[int]:
        for item in itertools.count():
            drawn.append(item)
            yield item

    with Ahead(endless(), limit=2):
        wait_until(lambda: len(drawn) == 3)
        time.sleep(0.05)

    wait_until(lambda: threading.active_count() == before)

    assert threading.active_count() == before
