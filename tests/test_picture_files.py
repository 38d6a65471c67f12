"""What a user's paths stand for, and how a folder is walked."""

from __future__ import annotations

import codecs
import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO, RawIOBase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkfold.errors import InkfoldError
from inkfold.picture_files import Entry, expand, listed_paths, walk
from tests.worlds.bands import write_picture

law = settings(deadline=None, derandomize=True, max_examples=200)
MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
names = st.lists(
    st.binary(min_size=2, max_size=6).filter(
        lambda name: b"\0" not in name and not name.startswith(MARKS)
    )
)
TEXTS = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), min_size=1, max_size=6)
)
WITHOUT_MARK = (
    "a.png\nb.png\n",
    "0\n1\n",
    "./漢\n",
    "漢/1.png\n",
    "/\n",
    ".\r\n",
    "ab/c",
    "日本.png\n",
)

Tree: TypeAlias = "Mapping[bytes, Tree | None]"  # by name what a folder holds: None is a file
NAME = st.binary(min_size=1, max_size=4).filter(
    lambda name: name not in (b".", b"..") and not set(name) & set(b"/\0")
)
TREES = st.dictionaries(
    NAME, st.recursive(st.none(), lambda inside: st.dictionaries(NAME, inside), max_leaves=12)
)


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


def build(folder: Path, tree: Tree) -> None:
    """Write the folders and the empty files of a tree."""
    folder.mkdir(exist_ok=True)
    for name, content in tree.items():
        path = folder / os.fsdecode(name)
        if content is None:
            path.touch()
        else:
            build(path, content)


def described(tree: Tree, folder: bytes = b"") -> Iterator[Entry]:
    """The folders and files of a tree, hidden ones left out, in the order that a walk promises."""
    yield Entry(folder, "folder")
    prefix = folder + b"/" if folder else b""
    inside = [
        (prefix + name, content)
        for name, content in sorted(tree.items(), key=lambda item: item[0])
        if not name.startswith(b".")
    ]
    yield from (Entry(path, "file") for path, content in inside if content is None)
    for path, content in inside:
        if content is not None:
            yield from described(content, path)


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders named "locked" cannot be read, not even by the superuser."""
    scandir = os.scandir

    def refusing(path: bytes) -> Iterator[os.DirEntry[bytes]]:
        if path.rstrip(b"/").endswith(b"locked"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)


@law
@given(names, st.lists(st.integers(0, 1000), max_size=4))
def test_zero_bytes_separate_any_names(listed: list[bytes], at: list[int]) -> None:
    """A list as find -print0 writes it gives whole names, line ends in them included.

    This holds wherever the pipe cuts the list.
    """
    data = b"".join(name + b"\0" for name in listed)
    first = data.find(b"\0") + 1

    paths = list(listed_paths(Bits([data[:first], *cut(data[first:], at)])))

    assert [os.fsencode(path) for path in paths] == listed


@law
@given(names, st.sampled_from([b"\n", b"\r\n"]), st.booleans(), st.lists(st.integers(0, 1000)))
def test_lines_are_paths(listed: list[bytes], end: bytes, ended: bool, at: list[int]) -> None:
    """Each line is a path, with Unix or Windows line ends, whether or not the last line has one.

    This holds wherever the pipe cuts the list.
    """
    listed = [path for name in listed if (path := name.translate(None, b"\r\n"))]
    data = end.join(listed) + (end if ended else b"")

    paths = list(listed_paths(Bits(cut(data, at))))

    assert [os.fsencode(path) for path in paths] == listed


@law
@given(
    TEXTS,
    st.sampled_from(["utf-8-sig", "utf-16-le", "utf-16-be"]),
    st.sampled_from(["\n", "\r\n"]),
    st.lists(st.integers(0, 1000), max_size=4),
)
def test_a_byte_order_mark_tells_how_lines_are_written(
    listed: list[str], encoding: str, end: str, at: list[int]
) -> None:
    """Lines of UTF-8 or UTF-16 after their mark are the same paths, wherever the pipe cuts them."""
    mark = "" if encoding == "utf-8-sig" else "\ufeff"
    data = (mark + end.join(listed)).encode(encoding)

    assert list(listed_paths(Bits(cut(data, at)))) == listed


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", WITHOUT_MARK)
def test_utf_16_without_its_mark_is_no_list(text: str, encoding: str) -> None:
    """Such a list is refused before a path of it is named; cut in pieces, before one of a byte."""
    data = text.encode(encoding)
    for size in (1, 2, 3, len(data)):
        paths: list[str] = []

        with pytest.raises(InkfoldError, match=r"seems to be UTF-16 .*; write the list as UTF-8"):
            list(map(paths.append, listed_paths(Bits(cut(data, range(size, len(data), size))))))

        assert all(len(path) > 1 for path in paths)
        assert size < len(data) or not paths


def test_paths_of_one_byte_are_no_utf_16() -> None:
    """Folders named by digits, or a dot before what lies in it, may have zero bytes after them."""
    digits = b"".join(b"%d\0" % digit for digit in range(10))

    assert list(listed_paths(Bits([digits]))) == list("0123456789")
    assert list(listed_paths(Bits([b".\0./a\0./b\0"]))) == [".", "./a", "./b"]
    assert list(listed_paths(Bits([b"/\0/a\0"]))) == ["/", "/a"]
    assert list(listed_paths(Bits([b".\0"]))) == ["."]
    assert list(listed_paths(Bits([b"a\0" * 600]))) == ["a"] * 600
    assert list(listed_paths(Bits([b"\0ab\0\0cd"]))) == ["ab", "cd"]
    assert list(listed_paths(Bits([b"\0"]))) == []


def test_a_line_with_a_zero_byte_is_never_a_path() -> None:
    """The error names the line and what the list seems to be; the lines before it are paths."""
    mixed = listed_paths(Bits([b"one.png\n", b"two.png\n./a.png\0./b.png\0"]))
    torn = listed_paths(Bits([b"ab\n", b"\0c\0d\0"]))

    assert [next(mixed), next(mixed), next(torn)] == ["one.png", "two.png", "ab"]
    with pytest.raises(InkfoldError, match=r"line 3: a zero byte in .* seems to mix the two"):
        next(mixed)
    with pytest.raises(InkfoldError, match=r"line 2: .* seems to be UTF-16 without a byte order"):
        next(torn)


def test_utf_16_that_is_cut_short_is_an_error() -> None:
    """The last half of a character that is missing is told, after the lines before it."""
    paths = listed_paths(Bits(["\ufeffa\nb".encode("utf-16-le")[:-1]]))

    assert next(paths) == "a"
    with pytest.raises(InkfoldError, match="ends in the middle of a character"):
        next(paths)


def test_empty_lines_are_no_paths() -> None:
    """Empty lines in a list are passed over, at its beginning, between paths and at its end."""
    assert list(listed_paths(Bits([b"\n\na\n\r\n\nb\n\n"]))) == ["a", "b"]


def test_a_path_is_given_before_the_next_line_is_read() -> None:
    """A program that writes one line into the pipe sees it used before it writes the next."""
    reads: list[bytes] = []

    class Watched(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            reads.append(super().read(2))
            assert size != -1, "a read without end waits for the end"
            return reads[-1]

    paths = listed_paths(Watched(b"a\nb\n"))  # type: ignore[arg-type]  # it reads like a raw stream

    assert next(paths) == "a"
    assert reads == [b"a\n"]


@law
@given(TREES)
def test_a_walk_takes_files_before_folders_by_the_bytes_of_their_names(tree: Tree) -> None:
    """A walk meets every file and folder that is not hidden, and reports every hidden one once."""
    with TemporaryDirectory() as folder:
        build(Path(folder), tree)
        entries = list(walk(os.fsencode(folder)))

    assert [entry for entry in entries if not entry.reason] == list(described(tree))
    folders = {entry.path for entry in entries if entry.kind == "folder"}
    hidden = [entry.path for entry in entries if entry.reason]
    assert {entry.reason for entry in entries if entry.reason} <= {"hidden"}
    assert len(set(hidden)) == len(hidden)
    assert {os.path.dirname(path) for path in hidden} <= folders  # noqa: PTH120, bytes
    assert sum(name.startswith(b".") for name in tree) == sum(b"/" not in path for path in hidden)


def test_a_walk_follows_links_except_into_a_folder_that_they_lie_in(tmp_path: Path) -> None:
    """A link back to a folder above it is reported as a circle; other links are followed.

    A folder that two links lead to is walked twice; a file that links to itself is a file.
    """
    build(tmp_path / "in", {b"a": {b"1": None}, b"b": {}})
    build(tmp_path / "aside", {b"2": None})
    for name, target in (("a/up", ".."), ("b/x", "../../aside"), ("b/y", "../../aside")):
        (tmp_path / "in" / name).symlink_to(target)
    (tmp_path / "in/self").symlink_to("self")

    assert list(walk(os.fsencode(tmp_path / "in"))) == [
        Entry(b"", "folder"),
        Entry(b"self", "file"),
        Entry(b"a", "folder"),
        Entry(b"a/1", "file"),
        Entry(b"a/up", "circle", "a link to a folder that it lies in"),
        Entry(b"b", "folder"),
        Entry(b"b/x", "folder"),
        Entry(b"b/x/2", "file"),
        Entry(b"b/y", "folder"),
        Entry(b"b/y/2", "file"),
    ]


def test_a_folder_stands_for_no_thumbnails(tmp_path: Path) -> None:
    """The thumbnails of a network drive are not among a folder's pictures; a file so named is."""
    for path in ("a.png", "@eaDir/a.png", "b/@EADIR/b.png", "b/b.png", "b/lost+found/c.png"):
        write_picture(tmp_path / "in" / path, 0)
    write_picture(tmp_path / "in" / "b" / "__MACOSX", 0)

    paths = list(expand([str(tmp_path / "in")], stdin=RawIOBase))

    assert [os.path.relpath(path, tmp_path / "in") for path in paths] == [
        "a.png",
        "b/__MACOSX",
        "b/b.png",
    ]


def test_a_walk_reports_what_it_passes_over_before_the_files_of_a_folder(tmp_path: Path) -> None:
    """A hidden folder is not entered, and neither it nor a pipe is taken for a file."""
    build(tmp_path / "in", {b"a": None, b"b": {b"1": None, b".git": {b"2": None}}})
    os.mkfifo(tmp_path / "in/pipe")

    assert list(walk(os.fsencode(tmp_path / "in"))) == [
        Entry(b"", "folder"),
        Entry(b"pipe", "other", "neither a file nor a folder"),
        Entry(b"a", "file"),
        Entry(b"b", "folder"),
        Entry(b"b/.git", "hidden", "hidden"),
        Entry(b"b/1", "file"),
    ]


@pytest.mark.usefixtures("locked")
def test_a_walk_reports_a_folder_that_cannot_be_read_and_continues(tmp_path: Path) -> None:
    """The reason is the system's; the folders after the unreadable one are walked."""
    build(tmp_path, {b"locked": {b"1": None}, b"open": {b"2": None}})

    assert list(walk(os.fsencode(tmp_path))) == [
        Entry(b"", "folder"),
        Entry(b"locked", "folder"),
        Entry(b"locked", "unreadable", "folder cannot be read: Permission denied"),
        Entry(b"open", "folder"),
        Entry(b"open/2", "file"),
    ]


def test_a_folder_stands_for_the_pictures_in_it(tmp_path: Path) -> None:
    """Pictures come by name, files before folders, as in packing; other files are left out."""
    for name in ("b.png", "a/z.JPG", "a/deeper/x.png", "c.png", ".hidden.png", ".git/y.png"):
        write_picture(tmp_path / name, 0)
    write_picture(tmp_path / "no suffix", 0)
    (tmp_path / "notes.txt").write_text("no picture")

    paths = expanded("other.txt", tmp_path, "missing.png")

    inside = ["b.png", "c.png", "no suffix", "a/z.JPG", "a/deeper/x.png"]
    assert paths == ["other.txt", *(f"{tmp_path}/{name}" for name in inside), "missing.png"]


def test_a_slash_after_a_folder_is_not_doubled(tmp_path: Path) -> None:
    """The paths of pictures begin with the folder as the user wrote it."""
    write_picture(tmp_path / "a.png", 0)
    write_picture(tmp_path / "in" / "b.png", 0)

    assert expanded(f"{tmp_path}/") == [f"{tmp_path}/a.png", f"{tmp_path}/in/b.png"]


def test_a_folder_without_pictures_stands_for_itself(tmp_path: Path) -> None:
    """The path of a folder without pictures is kept, so that the user learns of it."""
    (tmp_path / "empty" / "deeper").mkdir(parents=True)

    assert expanded(tmp_path / "empty") == [f"{tmp_path}/empty"]


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    """Each way to a folder gives its pictures once, and circles of links end.

    A link to itself is a file that cannot be read.
    """
    write_picture(tmp_path / "in" / "a.png", 0)
    (tmp_path / "in" / "again").symlink_to(tmp_path / "in")
    write_picture(tmp_path / "in" / "deep" / "deeper" / "c.png", 0)
    (tmp_path / "in" / "deep" / "deeper" / "up").symlink_to(tmp_path / "in" / "deep")
    (tmp_path / "in" / "loop.png").symlink_to("loop.png")
    (tmp_path / "in" / "twin").symlink_to(tmp_path / "aside")
    write_picture(tmp_path / "aside" / "b.png", 0)

    paths = expanded(tmp_path / "in")

    names = ("a.png", "loop.png", "deep/deeper/c.png", "twin/b.png")
    assert paths == [f"{tmp_path}/in/{name}" for name in names]


def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path: Path) -> None:
    """Only files count as pictures, so a pipe that is named like one is left alone."""
    os.mkfifo(tmp_path / "waits.png")
    write_picture(tmp_path / "z.png", 0)

    assert expanded(tmp_path) == [f"{tmp_path}/z.png"]


@pytest.mark.usefixtures("locked")
def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """An unreadable folder stands among the pictures, in its place; the others are found."""
    write_picture(tmp_path / "a.png", 0)
    write_picture(tmp_path / "locked" / "b.png", 0)
    write_picture(tmp_path / "open" / "c.png", 0)

    assert expanded(tmp_path) == [
        f"{tmp_path}/{name}" for name in ("a.png", "locked", "open/c.png")
    ]
    assert expanded(tmp_path / "locked") == [f"{tmp_path}/locked"]


def test_the_list_on_stdin_holds_files_and_folders(tmp_path: Path) -> None:
    """Each path of the list stands for what it would stand for as an argument, in its place."""
    write_picture(tmp_path / "in" / "a.png", 0)
    listed = f"x.png\n{tmp_path}/in\n".encode()

    assert expanded("1", "-", "2", listed=listed) == ["1", "x.png", f"{tmp_path}/in/a.png", "2"]


def test_an_empty_list_is_named() -> None:
    """An empty list on stdin stands for the path "-", which cannot be read."""
    assert expanded("-") == ["-"]


def test_stdin_is_left_alone_when_no_path_asks_for_it() -> None:
    """Stdin is not opened without "-": it may be closed, or somebody's keyboard."""

    def refuse() -> RawIOBase:
        raise AssertionError("opened")

    assert list(expand(["a.png"], refuse)) == ["a.png"]
