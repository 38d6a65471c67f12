"""Objects in stores: their bytes in any order, and whether they are the same as before."""

from __future__ import annotations

import io
import time

import fsspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkfold.archives.stored import ObjectFile, StoredObject
from inkfold.archives.url import Url
from inkfold.errors import InkfoldError
from tests.worlds.memory_store import memory

__all__ = ["memory"]  # a fixture
URL = Url("memory://a.zip")
STEPS = st.lists(
    st.tuples(st.integers(0, 120), st.integers(0, 2), st.integers(0, 60)), min_size=1, max_size=12
)


@settings(deadline=None)  # a bound on time is no behaviour
@given(data=st.binary(max_size=100), width=st.integers(1, 130), steps=STEPS)
def test_an_object_reads_like_a_file(
    data: bytes, width: int, steps: list[tuple[int, int, int]]
) -> None:
    """Whatever is sought and read, and however much is read along, the bytes are a file's."""
    fsspec.filesystem("memory").pipe_file("memory://a.zip", data)
    ours, plain = ObjectFile(StoredObject.of(URL), width), io.BytesIO(data)

    for offset, whence, size in steps:
        to = offset if whence == 0 else -min(offset, plain.tell() if whence == 1 else len(data))
        assert ours.seek(to, whence) == plain.seek(to, whence)
        assert ours.read(size) == plain.read(size)
        assert ours.tell() == plain.tell()


def test_an_object_that_is_replaced_is_refused(memory: fsspec.AbstractFileSystem) -> None:
    """Another object of the same size is noticed by what the store says of it."""
    memory.pipe_file("memory://a.zip", b"one")
    stored = StoredObject.of(URL)
    stored.check()
    time.sleep(0.01)
    memory.pipe_file("memory://a.zip", b"two")

    with (
        pytest.raises(InkfoldError, match=r"a\.zip: changed while it was read"),
        stored.unchanged(),
    ):
        stored.read(0, 3)


def test_an_object_that_is_gone_is_refused(memory: fsspec.AbstractFileSystem) -> None:
    """The error of a read names the address, and so does that of the look afterwards."""
    memory.pipe_file("memory://a.zip", b"one")
    stored = StoredObject.of(URL)
    memory.rm("memory://a.zip")

    with pytest.raises(InkfoldError, match=r"memory://a\.zip: no such object in this process"):
        stored.read(0, 3)
    with pytest.raises(InkfoldError, match=r"memory://a\.zip: no such object in this process"):
        stored.check()


def test_an_object_that_became_shorter_is_refused(memory: fsspec.AbstractFileSystem) -> None:
    """Fewer bytes than were listed are never taken for what was asked for."""
    memory.pipe_file("memory://a.zip", b"three")
    stored = StoredObject.of(URL)
    memory.pipe_file("memory://a.zip", b"two")

    with pytest.raises(InkfoldError, match="changed while it was read"):
        stored.read(0, 5)


def test_a_folder_in_a_store_is_refused(memory: fsspec.AbstractFileSystem) -> None:
    """A prefix that looks like an archive by its name is no archive."""
    memory.pipe_file("memory://letters.zip/a/1.png", b"one")

    with pytest.raises(InkfoldError, match=r"letters\.zip is a folder; expected an archive"):
        StoredObject.of(Url("memory://letters.zip"))
