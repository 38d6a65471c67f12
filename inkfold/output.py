"""Outputs are written beside their place and renamed at the end, so that none is ever half there.

Text and CSV files are written here too, as UTF-8.
"""

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
        The output's place.
    overwrite : bool
        Whether an output that exists may be replaced.
    file : bool
        Whether a file is to be written, not a folder: an existing folder is then refused even with
        `overwrite`.

    Raises
    ------
    InkfoldError
        If `path` exists and may not be replaced, or a folder that is to contain it is a file.
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
    """A path beside `path` to write to, renamed to `path` if the block ends without an error."""
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
    """A folder beside `path` to fill, renamed to `path` if the block ends without an error."""
    check_free(path, overwrite=overwrite)
    part = _part(path)
    try:
        part.mkdir()  # within try, because a signal may come right after it
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
    """A folder beside `path` for temporary files, removed when the block ends."""
    folder = _part(path, ending="scratch")
    try:
        folder.mkdir()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _part(path: Path, *, ending: str = "part") -> Path:
    """A path beside `path` that is this process's own; leftovers of dead processes are removed."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileNotFoundError:  # raised by file systems without room for our folders, like /proc
        raise InkfoldError(
            f"{path.parent}: no folder can be made there; choose another place with -o"
        ) from None
    host = re.sub(r"\W", "-", socket.gethostname())
    leftover = re.compile(rf"\.{re.escape(path.name)}\.{host}\.(\d+)\.(part|old|scratch)")
    for entry in list(path.parent.iterdir()):
        match = leftover.fullmatch(entry.name)
        if match is None:
            continue
        # in a container the dead process may have had the number of this one
        own_number = int(match[1]) == os.getpid() and match[2] == ending
        if _alive(int(match[1])) and not own_number:
            continue
        if match[2] == "old" and not path.exists():
            entry.rename(path)  # the process died between the two renames of `new_folder`
        else:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    return path.with_name(f".{path.name}.{host}.{os.getpid()}.{ending}")


def _alive(pid: int) -> bool:
    """Whether a process with this number runs on this machine."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # it runs, and belongs to another user
    return True


def _sync(path: Path) -> None:
    """Have a file's bytes written to the disk, before it is renamed."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def csv_row(cells: Iterable[object]) -> str:
    r"""One line of CSV: a comma between the cells, quotes where needed, nothing for None.

    Line ends of either kind inside a cell are kept, and the row ends with ``\n`` alone. Python's
    writer quotes a carriage return in a cell only if its own rows end with one.
    """
    row = io.StringIO()
    csv.writer(row, lineterminator="\r\n").writerow(cells)
    return row.getvalue().removesuffix("\r\n") + "\n"


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file; bytes of a path that are not text are escaped, as JSON does it."""
    path.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a header and rows as a UTF-8 CSV file, in the form of `csv_row`."""
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        file.write(csv_row(header))
        file.writelines(map(csv_row, rows))
