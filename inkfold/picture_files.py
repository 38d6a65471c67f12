"""Which files are pictures, and which pictures the paths that a user gives stand for."""

from __future__ import annotations

import codecs
import os
from collections.abc import Callable, Iterable, Iterator
from io import RawIOBase
from itertools import chain
from typing import Literal, NamedTuple

from inkfold.byte_marks import UTF16
from inkfold.errors import InkfoldError
from inkfold.picture_formats import HEAD, begins_a_picture, named_as_a_picture

STDIN = "-"
CHUNK = 1 << 16
# what seem to be paths of one byte where text is UTF-16, and how many may wait for a longer one
LINE_ENDS, TELLING, MOST_WAITING = (b"\r", b"\n"), {b".", b"/", b"\\"}, 255
# Folders in which file systems and photograph managers keep small versions of pictures, deleted
# files, and parts of files: by name in lower case. Their pictures are no handwriting of a class.
PASSED_OVER = {
    b"@eadir": "thumbnails of a network drive",
    b"#recycle": "deleted files of a network drive",
    b"$recycle.bin": "deleted files",
    b"system volume information": "a folder of the file system",
    b"lost+found": "a folder of the file system",
    b"__macosx": "remarks of an archive",
}
Kind = Literal["folder", "file", "circle", "unreadable", "hidden", "other"]
Identity = frozenset[tuple[int, int]]  # device and inode of a folder; of several folders together


class Entry(NamedTuple):
    """A file, a folder, or whatever else lies in a folder.

    Attributes
    ----------
    path : bytes
        Under the folder that is walked, with forward slashes; empty for that folder itself.
    kind : {"folder", "file", "circle", "unreadable", "hidden", "other"}
        What it is. A circle is a link to a folder that the link lies in.
    reason : str
        Why a walk takes nothing from it; empty for files and folders.
    """

    path: bytes
    kind: Kind
    reason: str = ""


def expand(given: Iterable[str], stdin: Callable[[], RawIOBase]) -> Iterator[str]:
    """Every path that `given` stands for, in that order, as it comes.

    Parameters
    ----------
    given : iterable of str
        A folder stands for the pictures in it, ``-`` for the paths in a list on stdin.
    stdin : callable
        Opens a raw binary stream, as `listed_paths` takes it: one path a line; or a zero byte
        after each, as ``find -print0`` writes. A read may return as little as has arrived.

    Yields
    ------
    path : str
        Of a file; or a path that cannot be read as a picture (no such file, a folder that is
        unreadable or without pictures, ``-`` for an empty list), for the reader to report.
    """
    for path in given:
        for name in _or(path, listed_paths(stdin())) if path == STDIN else (path,):
            yield from _pictures(name) if os.path.isdir(name) else (name,)  # noqa: PTH112, str


def listed_paths(stream: RawIOBase) -> Iterator[str]:
    """The paths in a list, each as soon as it has arrived whole.

    Zero bytes separate the paths if there is one in what arrives first, else line ends. Empty
    paths are passed over. A byte order mark tells that the text is UTF-16, whose paths are taken as
    UTF-8, or belongs to no path before lines of UTF-8.

    Raises
    ------
    InkfoldError
        If a line holds a zero byte, or if the list seems to be UTF-16 without its mark.
    """
    chunks = iter(lambda: stream.read(CHUNK) or b"", b"")
    head = _head(chunks)
    encoding = UTF16.get(head[:2])
    if encoding is not None:
        text = _as_utf8(chain([head[2:]], chunks), encoding)
        paths = _lines(_separated(text, b"\n"))
    elif b"\0" in head:
        for _ in _zero_ended(head.split(b"\0")[:-1]):
            pass  # what has arrived is refused as a whole, before a path in it is named
        paths = _zero_ended(_separated(chain([head], chunks), b"\0"))
    else:
        head = head.removeprefix(codecs.BOM_UTF8)
        paths = _lines(_separated(chain([head], chunks), b"\n"))
    yield from (os.fsdecode(path) for path in paths if path)


def _head(chunks: Iterator[bytes]) -> bytes:
    """What arrives first: up to a separator at least, or the whole list."""
    head = b""
    for chunk in chunks:
        head += chunk
        if b"\n" in head or b"\0" in head:
            break
    return head


def _as_utf8(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Text in UTF-16, as it comes, in UTF-8; half a pair, as a name in Windows may hold, is kept.

    Raises
    ------
    InkfoldError
        If the text ends in the middle of a character.
    """
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    for chunk in chunks:
        yield decoder.decode(chunk).encode("utf-8", "surrogatepass")
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise InkfoldError(
            "the list of paths is UTF-16 by its mark and ends in the middle of a character; "
            "is it cut short?"
        ) from None


def _separated(chunks: Iterable[bytes], separator: bytes) -> Iterator[bytes]:
    """What stands between the separators, and after the last one."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(separator)
        yield from whole
    yield rest


def _lines(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The paths in lines; raises InkfoldError at a zero byte, which no path can hold."""
    for number, line in enumerate(lines, 1):
        if b"\0" in line:
            zeros = max(line[0::2].count(0), line[1::2].count(0))
            seems = (
                "be UTF-16 without a byte order mark" if 3 * zeros > len(line) else "mix the two"
            )
            raise InkfoldError(
                f"the list of paths, line {number}: a zero byte in {line[:40]!r}; expected a path "
                f"a line, or a zero byte after each path; the list seems to {seems}: "
                "write it as UTF-8, in one of the two ways"
            )
        yield line.removesuffix(b"\r")  # a list from Windows


def _zero_ended(paths: Iterable[bytes]) -> Iterator[bytes]:
    """The paths of a list with a zero byte after each; UTF-16 without its mark is refused.

    Such a text is known by what would be paths of one byte, since one of the two bytes of a letter
    is zero: a line end; a dot or a slash beside another of them; any of them after an empty path.
    So paths of one byte wait for the path that follows.

    Raises
    ------
    InkfoldError
        If the list seems to be UTF-16.
    """
    waiting: list[bytes] = []
    before: bytes | None = None
    for path in paths:
        beside = before == b"" or (len(waiting) > 0 and not TELLING.isdisjoint({before, path}))
        if path in LINE_ENDS or (len(path) == 1 and beside):
            raise InkfoldError(
                f"the list of paths seems to be UTF-16 without a byte order mark: {path!r} between "
                "two zero bytes is no likely path; write the list as UTF-8, or with its mark"
            )
        waiting += filter(None, [path])
        before = path
        if len(path) != 1 or len(waiting) > MOST_WAITING:
            yield from waiting
            waiting.clear()
    yield from waiting


def _pictures(folder: str) -> Iterator[str]:
    """The pictures in a folder and in the folders inside it; the folder itself if it has none.

    A folder that cannot be read stands for itself too, in its place among the pictures.
    """
    top = os.fsencode(folder)
    paths = (
        os.path.join(top, entry.path) if entry.path else top  # noqa: PTH118, pathlib has no bytes
        for entry in walk(top)
        if entry.kind == "unreadable" or (entry.kind == "file" and is_picture(top, entry.path))
    )
    return _or(folder, map(os.fsdecode, paths))


def _or(name: str, paths: Iterator[str]) -> Iterator[str]:
    """The paths, or `name` if there are none."""
    yield next(paths, name)
    yield from paths


def walk(top: bytes) -> Iterator[Entry]:
    """Everything in a folder and in the folders inside it, in a fixed order.

    Each folder is followed by what it holds: first what a walk passes over, as the system lists
    it; then the files, then the folders one after the other, both in the order of the bytes of
    their names. Links are followed, except to a folder that they lie in. A folder that cannot be
    read comes a second time, as unreadable.
    """
    waiting: list[tuple[bytes, Identity]] = [(b"", frozenset())]
    while waiting:
        folder, above = waiting.pop()
        itself = _identity(top + b"/" + folder)
        if itself & above:
            yield Entry(folder, "circle", "a link to a folder that it lies in")
            continue
        yield Entry(folder, "folder")
        files: list[bytes] = []
        folders: list[bytes] = []
        try:
            with os.scandir(top + b"/" + folder) as listing:
                for item in listing:
                    entry = _entry(folder, item)
                    if entry.reason:
                        yield entry
                    else:
                        (folders if entry.kind == "folder" else files).append(entry.path)
        except OSError as error:
            yield Entry(folder, "unreadable", f"folder cannot be read: {error.strerror}")
        yield from (Entry(path, "file") for path in sorted(files))
        waiting += [(path, above | itself) for path in sorted(folders, reverse=True)]


def _identity(folder: bytes) -> Identity:
    """Which folder this is, whatever it is called; empty if the system does not say."""
    try:
        status = os.stat(folder)  # noqa: PTH116, pathlib has no bytes
    except OSError:
        return frozenset()
    return frozenset([(status.st_dev, status.st_ino)])


def _entry(folder: bytes, item: os.DirEntry[bytes]) -> Entry:
    """What an item of a folder's listing is; a link that leads nowhere is a file."""
    path = folder + b"/" + item.name if folder else item.name
    if reason := passed_over(item.name):
        return Entry(path, "hidden", reason)
    try:
        if item.is_dir():
            reason = passed_over(item.name, folder=True)
            return Entry(path, "hidden" if reason else "folder", reason)
        if item.is_file():
            return Entry(path, "file")
        item.stat()
    except OSError:
        return Entry(path, "file")  # whoever reads it reports what is wrong with it
    return Entry(path, "other", "neither a file nor a folder")


def passed_over(name: bytes, *, folder: bool = False) -> str:
    """Why a walk does not look at a file, or a folder, of this name; empty if it does."""
    if name.startswith(b"."):
        return "hidden"
    return PASSED_OVER.get(name.lower(), "") if folder else ""


def readable(name: bytes) -> str:
    r"""A file's name as text; bytes that are not UTF-8 become ``\xff``."""
    return name.decode("utf-8", "backslashreplace")


def is_picture(top: bytes, path: bytes) -> bool:
    """Whether the file at `path` under `top` counts as a picture, by suffix or first bytes.

    A picture in a format that is known and not read counts too: whoever reads it names the format.
    """
    if named_as_a_picture(path):
        return True
    try:
        with open(top + b"/" + path, "rb") as file:  # noqa: PTH123, pathlib has no bytes
            return begins_a_picture(file.read(HEAD))
    except OSError:
        return False
