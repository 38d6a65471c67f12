"""Outputs are written beside and renamed at the end: nobody ever meets half a file."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from inkfold.errors import InkfoldError


def check_free(path: Path, *, overwrite: bool, file: bool = False) -> None:
    """Refuse an output that exists, before any work is done.

    Parameters
    ----------
    path : Path
    overwrite : bool
    file : bool
        Whether a file is to be written: a folder is then refused even with `overwrite`.

    Raises
    ------
    InkfoldError
        If `path` exists and may not be replaced, or the folder it is to lie in is a file.
    """
    if file and path.is_dir():
        raise InkfoldError(f"{path} is a folder; give the name of a file in it with -o")
    if path.exists() and not overwrite:
        raise InkfoldError(f"{path} already exists; add --overwrite or choose another with -o")
    for parent in path.parents:
        if parent.exists() and not parent.is_dir():
            raise InkfoldError(f"{parent} is a file, not a folder; choose another place with -o")


@contextmanager
def new_file(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """A path beside `path` to write to; it gets its name when the block ends without an error."""
    check_free(path, overwrite=overwrite, file=True)
    part = _part(path)
    try:
        yield part
        _sync(part)
        check_free(path, overwrite=overwrite)  # the work may have taken hours
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def new_folder(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """A folder beside `path` to fill; it gets its name when the block ends without an error."""
    check_free(path, overwrite=overwrite)
    part = _part(path)
    try:
        part.mkdir()  # in here: a signal may come right after it
        yield part
        check_free(path, overwrite=overwrite)
        if path.exists():
            old = _part(path, ending="old")
            path.rename(old)
            part.rename(path)
            shutil.rmtree(old)
        else:
            part.rename(path)
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextmanager
def scratch_folder(path: Path) -> Iterator[Path]:
    """A folder beside `path` for what is needed on the way; gone when the block ends."""
    folder = _part(path, ending="scratch")
    try:
        folder.mkdir()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _part(path: Path, *, ending: str = "part") -> Path:
    """A name beside `path` that is this process's own; what dead processes left is swept away."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileNotFoundError:  # what file systems say that hold no folders of ours, /proc for one
        raise InkfoldError(
            f"{path.parent}: no folder can be made there; choose another place with -o"
        ) from None
    host = re.sub(r"\W", "-", socket.gethostname())
    leftover = re.compile(rf"\.{re.escape(path.name)}\.{host}\.(\d+)\.(part|old|scratch)")
    for entry in list(path.parent.iterdir()):
        match = leftover.fullmatch(entry.name)
        if match is None:
            continue
        # in a container the dead process may have had this one's number
        same = int(match[1]) == os.getpid() and match[2] == ending
        if _alive(int(match[1])) and not same:
            continue
        if match[2] == "old" and not path.exists():
            entry.rename(path)  # killed between the two renames of new_folder: nothing is lost
        else:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    return path.with_name(f".{path.name}.{host}.{os.getpid()}.{ending}")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # it lives, and belongs to somebody else
    return True


def _sync(path: Path) -> None:
    """Have the bytes on the disk before the name is."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def csv_row(cells: Iterable[object]) -> str:
    r"""One line: a comma between the cells, quotes where needed, nothing for None.

    Line ends of either kind inside a cell are kept, and the row ends with ``\n`` alone. Python's
    writer quotes a carriage return only if it is part of the row's own end.
    """
    row = io.StringIO()
    csv.writer(row, lineterminator="\r\n").writerow(cells)
    return row.getvalue().removesuffix("\r\n") + "\n"


def write_text(path: Path, text: str) -> None:
    """UTF-8; what of a path is no text is escaped, in the way that JSON does it."""
    path.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """UTF-8, a comma between fields, quotes where a field needs them; undefined is empty."""
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        file.write(csv_row(header))
        file.writelines(map(csv_row, rows))
