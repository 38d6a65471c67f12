"""Objects in the memory of this process, which fsspec reads as it reads those of a store."""

from __future__ import annotations

from collections.abc import Iterator

import fsspec
import pytest


@pytest.fixture
def memory() -> Iterator[fsspec.AbstractFileSystem]:
    """The memory store, empty before and after the test."""
    store = fsspec.filesystem("memory")
    store.store.clear()
    yield store
    store.store.clear()
