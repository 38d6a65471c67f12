"""Hashing a bundle's files in threads gives hashlib's digests while other work goes on."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

from inkfold.bundle import hashing
from inkfold.bundle.hashing import sha256, sha256_of_all


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 16, 17, 100])
def test_a_files_hash_is_that_of_its_bytes(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The digest is hashlib's for a file that is empty, ends within a block, or ends with one."""
    monkeypatch.setattr(hashing, "BLOCK", 8)
    data = bytes(range(size))
    (tmp_path / "file").write_bytes(data)

    assert sha256(tmp_path / "file") == hashlib.sha256(data).hexdigest()


def test_hashes_come_in_the_order_of_the_files(tmp_path: Path) -> None:
    """The digest of a small file does not overtake that of a large file before it."""
    contents = [bytes(3_000_000), b"small", b"", b"x" * 1000]
    for at, content in enumerate(contents):
        (tmp_path / str(at)).write_bytes(content)

    digests = sha256_of_all([tmp_path / str(at) for at in range(4)], lambda: None)

    assert digests == [hashlib.sha256(content).hexdigest() for content in contents]


def test_this_thread_is_free_while_others_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other work runs in the calling thread while hashing threads are still busy."""
    worked = threading.Event()
    threads: list[threading.Thread] = []

    def waiting(path: Path) -> str:
        assert worked.wait(5), "the other work did not begin before the hashes were ready"
        return path.name

    def work() -> None:
        threads.append(threading.current_thread())
        worked.set()

    monkeypatch.setattr(hashing, "sha256", waiting)

    assert sha256_of_all([tmp_path / "a", tmp_path / "b"], work) == ["a", "b"]
    assert threads == [threading.current_thread()]


def test_what_goes_wrong_meanwhile_or_in_a_file_comes_through(tmp_path: Path) -> None:
    """An error of the other work and an error of a hashing thread both reach the caller."""

    def failing() -> None:
        raise LookupError("no such engine")

    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(LookupError, match="no such engine"):
        sha256_of_all([tmp_path / "file"], failing)
    with pytest.raises(FileNotFoundError):
        sha256_of_all([tmp_path / "missing"], lambda: None)
