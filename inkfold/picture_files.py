"""Which files are pictures, and which pictures the paths that a user gives stand for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from io import RawIOBase
from typing import Literal, NamedTuple

from inkfold.picture_formats import HEAD, SUFFIXES, begins_a_picture

STDIN = "-"
CHUNK = 1 << 16
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
        Opens a raw binary stream: one path a line; or a zero byte after each, as ``find -print0``
        writes. A read may return as little as has arrived.

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
    paths are passed over.
    """
    separator, rest = b"", b""
    while chunk := stream.read(CHUNK):
        rest += chunk
        separator = separator or _separator(rest)
        if separator:
            *whole, rest = rest.split(separator)
            yield from (path for name in whole if (path := _decoded(name, separator)))
    if last := _decoded(rest, separator):
        yield last


def _separator(beginning: bytes) -> bytes:
    """What separates the paths of a list; empty as long as `beginning` holds no separator."""
    return next((mark for mark in (b"\0", b"\n") if mark in beginning), b"")


def _decoded(name: bytes, separator: bytes) -> str:
    if separator != b"\0":
        name = name.removesuffix(b"\r")  # a list from Windows
    return os.fsdecode(name)


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
    if item.name.startswith(b"."):
        return Entry(path, "hidden", "hidden")
    try:
        if item.is_dir():
            reason = PASSED_OVER.get(item.name.lower(), "")
            return Entry(path, "hidden" if reason else "folder", reason)
        if item.is_file():
            return Entry(path, "file")
        item.stat()
    except OSError:
        return Entry(path, "file")  # whoever reads it reports what is wrong with it
    return Entry(path, "other", "neither a file nor a folder")


def readable(name: bytes) -> str:
    r"""A file's name as text; bytes that are not UTF-8 become ``\xff``."""
    return name.decode("utf-8", "backslashreplace")


def is_picture(top: bytes, path: bytes) -> bool:
    """Whether the file at `path` under `top` counts as a picture, by suffix or first bytes.

    A picture in a format that is known and not read counts too: whoever reads it names the format.
    """
    if path.lower().endswith(SUFFIXES):
        return True
    try:
        with open(top + b"/" + path, "rb") as file:  # noqa: PTH123, pathlib has no bytes
            return begins_a_picture(file.read(HEAD))
    except OSError:
        return False
