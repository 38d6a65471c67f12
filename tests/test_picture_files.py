"""What a user's paths stand for."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from io import BytesIO, RawIOBase
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkfold.picture_files import expand, listed_paths
from tests.worlds.bands import write_picture

law = settings(deadline=None, derandomize=True, max_examples=200)
names = st.lists(st.binary(min_size=1, max_size=6).filter(lambda name: b"\0" not in name))


class Bits(RawIOBase):
    """A stream that gives these pieces, one a read, as a pipe may."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = iter(pieces)

    def read(self, _size: int = -1) -> bytes:
        """The next piece; nothing at the end."""
        return next((piece for piece in self._pieces if piece), b"")


def cut(data: bytes, at: Sequence[int]) -> list[bytes]:
    """The data in pieces."""
    places = [0, *sorted(place % (len(data) + 1) for place in at), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(places)]


def expanded(*given: str | Path, listed: bytes = b"") -> list[str]:
    """What the paths stand for, with a list on stdin."""
    return list(expand(map(str, given), lambda: Bits([listed])))


@law
@given(names, st.lists(st.integers(0, 1000), max_size=4))
def test_zero_bytes_separate_any_names(listed: list[bytes], at: list[int]) -> None:
    """As find -print0 writes them, however the pipe cuts them; names with line ends are whole."""
    data = b"".join(name + b"\0" for name in listed)
    first = data.find(b"\0") + 1

    found = list(listed_paths(Bits([data[:first], *cut(data[first:], at)])))

    assert [os.fsencode(path) for path in found] == listed


@law
@given(names, st.sampled_from([b"\n", b"\r\n"]), st.booleans(), st.lists(st.integers(0, 1000)))
def test_lines_are_paths(listed: list[bytes], end: bytes, ended: bool, at: list[int]) -> None:
    """With Unix or Windows line ends, the last one ended or not, however the pipe cuts them."""
    listed = [kept for name in listed if (kept := name.translate(None, b"\r\n"))]
    data = end.join(listed) + (end if ended else b"")

    found = list(listed_paths(Bits(cut(data, at))))

    assert [os.fsencode(path) for path in found] == listed


def test_empty_lines_are_no_paths() -> None:
    """Neither between paths nor at the end."""
    assert list(listed_paths(Bits([b"\n\na\n\r\n\nb\n\n"]))) == ["a", "b"]


def test_a_path_is_given_before_the_list_goes_on() -> None:
    """Whoever writes a line gets it used before the next one is read."""
    reads: list[bytes] = []

    class Watched(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            reads.append(super().read(2))
            assert size != -1, "a read without end waits for the end"
            return reads[-1]

    paths = listed_paths(Watched(b"a\nb\n"))  # type: ignore[arg-type]  # it reads like a raw stream

    assert next(paths) == "a"
    assert reads == [b"a\n"]


def test_a_folder_stands_for_the_pictures_in_it(tmp_path: Path) -> None:
    """By name, files before folders, as packing takes them; hidden and other files are left out."""
    for name in ("b.png", "a/z.JPG", "a/deeper/x.png", "c.png", ".hidden.png", ".git/y.png"):
        write_picture(tmp_path / name, 0)
    write_picture(tmp_path / "no suffix", 0)
    (tmp_path / "notes.txt").write_text("no picture")

    found = expanded("other.txt", tmp_path, "missing.png")

    inside = ["b.png", "c.png", "no suffix", "a/z.JPG", "a/deeper/x.png"]
    assert found == ["other.txt", *(f"{tmp_path}/{name}" for name in inside), "missing.png"]


def test_a_folder_without_pictures_stands_for_itself(tmp_path: Path) -> None:
    """So that it can be named as what could not be answered."""
    (tmp_path / "empty" / "deeper").mkdir(parents=True)

    assert expanded(tmp_path / "empty") == [f"{tmp_path}/empty"]


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    """A folder is taken once on each way to it; a link to itself is a file that cannot be read."""
    write_picture(tmp_path / "in" / "a.png", 0)
    (tmp_path / "in" / "again").symlink_to(tmp_path / "in")
    write_picture(tmp_path / "in" / "deep" / "deeper" / "c.png", 0)
    (tmp_path / "in" / "deep" / "deeper" / "up").symlink_to(tmp_path / "in" / "deep")
    (tmp_path / "in" / "loop.png").symlink_to("loop.png")
    (tmp_path / "in" / "twin").symlink_to(tmp_path / "aside")
    write_picture(tmp_path / "aside" / "b.png", 0)

    found = expanded(tmp_path / "in")

    names = ("a.png", "loop.png", "deep/deeper/c.png", "twin/b.png")
    assert found == [f"{tmp_path}/in/{name}" for name in names]


def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path: Path) -> None:
    """Only files are pictures, whatever they are called."""
    os.mkfifo(tmp_path / "waits.png")
    write_picture(tmp_path / "z.png", 0)

    assert expanded(tmp_path) == [f"{tmp_path}/z.png"]


def test_a_folder_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In its place among the pictures; the others are found."""
    write_picture(tmp_path / "a.png", 0)
    write_picture(tmp_path / "locked" / "b.png", 0)
    write_picture(tmp_path / "open" / "c.png", 0)
    scandir = os.scandir

    def refusing(path: bytes) -> Iterator[os.DirEntry[bytes]]:
        if path.endswith(b"locked"):
            raise PermissionError
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)

    assert expanded(tmp_path) == [
        f"{tmp_path}/{name}" for name in ("a.png", "locked", "open/c.png")
    ]


def test_the_list_on_stdin_holds_files_and_folders(tmp_path: Path) -> None:
    """Each stands for what it would stand for as an argument, in its place."""
    write_picture(tmp_path / "in" / "a.png", 0)
    listed = f"x.png\n{tmp_path}/in\n".encode()

    assert expanded("1", "-", "2", listed=listed) == ["1", "x.png", f"{tmp_path}/in/a.png", "2"]


def test_an_empty_list_is_named() -> None:
    """As the path "-", which cannot be read."""
    assert expanded("-") == ["-"]


def test_stdin_is_left_alone_when_no_path_asks_for_it() -> None:
    """It may be closed, or somebody's keyboard."""

    def refuse() -> RawIOBase:
        raise AssertionError("opened")

    assert list(expand(["a.png"], refuse)) == ["a.png"]
