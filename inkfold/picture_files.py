"""What the paths that a user gives stand for: files, folders of pictures, a list on stdin."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from io import RawIOBase

STDIN = "-"
CHUNK = 1 << 16
SUFFIXES = (b".png", b".jpg", b".jpeg", b".bmp", b".tif", b".tiff", b".webp", b".pgm", b".ppm")
SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"P5\n", b"P6\n")
Ancestors = frozenset[tuple[int, int]]  # device and inode of a folder and of those above it


def expand(given: Iterable[str], stdin: Callable[[], RawIOBase]) -> Iterator[str]:
    """Every path that `given` stands for, in that order, as it comes.

    Parameters
    ----------
    given : iterable of str
        A folder stands for the pictures in it, ``-`` for the paths in a list on stdin.
    stdin : callable
        Opens a raw binary stream: one path a line; or a zero byte after each, as ``find -print0``
        writes. It may give what it has bit by bit.

    Yields
    ------
    path : str
        Of a file, or of what is none (no such file, a folder that cannot be read or without any
        pictures, ``-`` for an empty list): whoever reads it says what is wrong.
    """
    for path in given:
        for name in _or(path, listed_paths(stdin())) if path == STDIN else (path,):
            yield from _pictures(name) if os.path.isdir(name) else (name,)  # noqa: PTH112, str


def listed_paths(stream: RawIOBase) -> Iterator[str]:
    """The paths in a list, each as soon as it has arrived whole.

    Zero bytes separate them if there is one in what comes first, else line ends; empty ones are
    passed over.
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
    """Nothing while it cannot be told."""
    return next((mark for mark in (b"\0", b"\n") if mark in beginning), b"")


def _decoded(name: bytes, separator: bytes) -> str:
    if separator != b"\0":
        name = name.removesuffix(b"\r")  # a list from Windows
    return os.fsdecode(name)


def _pictures(folder: str) -> Iterator[str]:
    """The pictures in a folder and in the folders in it; the folder itself if there are none."""
    return _or(folder, map(os.fsdecode, _walk(os.fsencode(folder))))


def _or(name: str, paths: Iterator[str]) -> Iterator[str]:
    """The paths, or `name` where there are none."""
    yield next(paths, name)
    yield from paths


def _walk(top: bytes) -> Iterator[bytes]:
    """Pictures by name, files before folders; a folder that cannot be read is given in their place.

    Hidden entries are passed over, and links to a folder that they lie in.
    """
    waiting: list[tuple[bytes, Ancestors]] = [(top, frozenset())]
    while waiting:
        here, above = waiting.pop()
        if folder_identity(here) & above:
            continue
        try:
            with os.scandir(here) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError:
            yield here
            continue
        shown = [(entry, kind_of(entry)) for entry in entries if not entry.name.startswith(b".")]
        for entry, what in shown:
            if what == "file" and is_picture(here, entry.name):
                yield entry.path
        inside = [entry.path for entry, what in shown if what == "folder"]
        waiting += [(path, above | folder_identity(here)) for path in reversed(inside)]


def readable(name: bytes) -> str:
    r"""A file's name as text; bytes that are not UTF-8 become ``\xff``."""
    return name.decode("utf-8", "backslashreplace")


def folder_identity(folder: bytes) -> Ancestors:
    """Which folder this is, whatever it is called; nothing when it cannot be asked."""
    try:
        status = os.stat(folder)  # noqa: PTH116, pathlib has no bytes
    except OSError:
        return frozenset()
    return frozenset([(status.st_dev, status.st_ino)])


def kind_of(entry: os.DirEntry[bytes]) -> str:
    """``folder``, ``file``, or why it is neither; a link that leads nowhere is a file."""
    try:
        if entry.is_dir():
            return "folder"
        if entry.is_file():
            return "file"
        entry.stat()
    except OSError:
        return "file"  # whoever reads it says what is wrong with it
    return "neither a file nor a folder"


def is_picture(top: bytes, path: bytes) -> bool:
    """Whether the file at `path` under `top` counts as one, by its suffix or its first bytes."""
    if path.lower().endswith(SUFFIXES):
        return True
    try:
        with open(top + b"/" + path, "rb") as file:  # noqa: PTH123, pathlib has no bytes
            return _begins_a_picture(file.read(16))
    except OSError:
        return False


def _begins_a_picture(head: bytes) -> bool:
    """Whether a file's first 16 bytes are a picture's.

    OpenCV could tell too, but ends the process when a path is not valid UTF-8.
    """
    bitmap = head.startswith(b"BM") and head[6:10] == bytes(4)
    return head.startswith(SIGNATURES) or bitmap or head[8:12] == b"WEBP"
