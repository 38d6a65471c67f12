"""Outputs are written beside their place and renamed at the end, so that none is ever half there.

Text and CSV files are written here too, as UTF-8.
"""

from __future__ import annotations

import contextlib
import csv
import errno
import io
import os
import re
import shutil
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from inkfold.errors import InkfoldError
from inkfold.folder_kinds import FolderKind
from inkfold.renames import exchange, rename_new

# what a spreadsheet takes for the beginning of a formula, in East Asia the wide forms as well, and
# the mark that says that a cell is text
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", "'")

SYNCED = 100  # files of a folder that are written to the disk one by one, before it gets its name
# what a file system answers that cannot synchronise a folder, or a folder that may not be read
NO_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES, errno.EPERM}


def check_free(
    path: Path, *, overwrite: bool, kind: FolderKind | None = None, inputs: Iterable[Path] = ()
) -> None:
    """Refuse an output that exists or would damage something, before any work is done.

    Parameters
    ----------
    path : Path
        The output's place.
    overwrite : bool
        Whether an output that exists may be replaced.
    kind : FolderKind, optional
        The kind of folder to be written; None for a file.
    inputs : iterable of Path
        Files and folders that the work reads.

    Raises
    ------
    InkfoldError
        If `path` exists and may not be replaced, is an input, lies in or around one, or a folder
        that is to contain it is a file.
    """
    place = place_of(path)
    _sweep(place)
    if kind is None and place.is_dir():
        raise InkfoldError(f"{path} is a folder; give the name of a file in it with -o")
    for each in inputs:
        _check_apart(path, place, each, kind)
    if os.path.lexists(place):
        _check_replaceable(path, place, kind, overwrite=overwrite)
    for parent in place.parents:
        if parent.exists() and not parent.is_dir():
            raise InkfoldError(f"{parent} is a file, not a folder; choose another place with -o")


def place_of(path: Path) -> Path:
    """Where an output is written: where a link leads, else the path itself."""
    if path.is_symlink() or path.name in ("", ".."):
        return Path(os.path.realpath(path))
    return path


def _check_apart(path: Path, place: Path, read: Path, kind: FolderKind | None) -> None:
    """Refuse an output that is what the work reads, or lies in it or around it.

    A file may lie in a folder that is read, for that may be the working folder; it replaces only
    a dataset there.
    """
    above_place, above_read = ([each, *each.parents] for each in map(_real, (place, read)))
    if any(_same(each, read) for each in above_place[:1]):
        what = "the dataset" if read.is_file() else "an input"
        raise InkfoldError(f"{path} is {what} itself; choose another output with -o")
    harmless = kind is None and (not place.exists() or _is_hdf5(place))
    if any(_same(each, read) for each in above_place[1:]) and not harmless:
        raise InkfoldError(f"{path} lies in {read}, which is read; choose another place with -o")
    if any(_same(each, place) for each in above_read[1:]):
        raise InkfoldError(f"{path} holds {read}, which is read; choose another place with -o")


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _same(one: Path, other: Path) -> bool:
    """Whether two paths lead to the same existing file or folder."""
    return one.exists() and other.exists() and one.samefile(other)


def _is_hdf5(path: Path) -> bool:
    """Whether a file begins as every HDF5 file does."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(8) == b"\x89HDF\r\n\x1a\n"


def _check_replaceable(
    path: Path, place: Path, kind: FolderKind | None, *, overwrite: bool
) -> None:
    """Refuse what may not be replaced by a file, or by a folder of a kind."""
    if place.is_symlink():
        raise InkfoldError(f"{path} is a link that leads back to itself; remove it")
    if not place.is_file() and not place.is_dir():
        raise InkfoldError(f"{path} is no file but a device, a pipe or a socket; choose another -o")
    if not overwrite:
        raise InkfoldError(f"{path} already exists; add --overwrite or choose another with -o")
    if kind is None:
        return
    if place.is_file():
        raise InkfoldError(f"{path} is a file; give -o the name of a folder")
    here = Path.cwd()
    if any(_same(each, place) for each in (here, *here.parents)):
        raise InkfoldError(
            f"{path} is the working folder or lies around it; choose another place with -o"
        )
    objection = kind.objection(place)
    if objection is not None:
        raise InkfoldError(
            f"{path} is not replaced: {objection}; move that away or choose another with -o"
        )


@contextmanager
def new_file(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """A path beside `path` to write to, renamed to `path` if the block ends without an error."""
    check_free(path, overwrite=overwrite)
    place = place_of(path)
    part = _part(place)
    try:
        with naming(path):
            yield part
            _sync(part)
        check_free(path, overwrite=overwrite)  # the work may have taken hours
        if overwrite:
            part.replace(place)
        else:
            _rename_new(part, place, path)
        with naming(path):
            sync_folder(place.parent)
    finally:
        with contextlib.suppress(OSError):  # an earlier error, or the success, is what counts
            part.unlink()


@contextmanager
def new_folder(
    path: Path, kind: FolderKind, *, overwrite: bool, inputs: Iterable[Path] = ()
) -> Iterator[Path]:
    """A folder beside `path` to fill, renamed to `path` if the block ends without an error.

    An earlier folder is removed after the new one has taken its name: the two exchange their names
    in one step.
    """
    inputs = tuple(inputs)
    check_free(path, overwrite=overwrite, kind=kind, inputs=inputs)
    place = place_of(path)
    part = old = _part(place)
    try:
        part.mkdir()  # within try, because a signal may come right after it
        with naming(path):
            yield part
            _sync_files(part)
        check_free(path, overwrite=overwrite, kind=kind, inputs=inputs)
        if place.exists():
            old = exchange(part, place, _part(place, ending="old"))
        else:
            _rename_new(part, place, path)
        with naming(path):
            sync_folder(place.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Name a file in an error of the disk that names none: one of a file that is open."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise


def _rename_new(part: Path, place: Path, path: Path) -> None:
    """Give a finished output its name, unless something else took it in the meantime."""
    try:
        rename_new(part, place)
    except FileExistsError:
        raise InkfoldError(
            f"{path} already exists; add --overwrite or choose another with -o"
        ) from None


@contextmanager
def scratch_folder(path: Path) -> Iterator[Path]:
    """A folder beside the output `path` for temporary files, removed when the block ends."""
    folder = _part(place_of(path), ending="scratch")
    try:
        folder.mkdir()
        with naming(path):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _part(place: Path, *, ending: str = "part") -> Path:
    """A path beside `place` that is this process's own; leftovers of dead processes are removed."""
    make_folder(place.parent)
    _sweep(place, ending)
    return place.with_name(f".{place.name}.{_host()}.{os.getpid()}.{ending}")


def make_folder(folder: Path) -> None:
    """Make a folder and those that it lies in, where they are missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileNotFoundError:  # raised by file systems without room for our folders, like /proc
        raise InkfoldError(
            f"{folder}: no folder can be made there; choose another place with -o"
        ) from None
    except FileExistsError:  # a file, or a link that leads nowhere
        raise InkfoldError(
            f"{folder} is no folder; move it away or choose another place with -o"
        ) from None


def _host() -> str:
    return re.sub(r"\W", "-", socket.gethostname())


def _sweep(place: Path, own_ending: str = "old") -> None:
    """Remove the leftovers of dead processes; put back a folder that lost its name.

    In a container every process may have the same number: what has this process's own number is a
    leftover if it has the ending `own_ending`, of which this process has none. What cannot be
    removed stays, and is in nobody's way.
    """
    for entry, pid, ending in _unfinished(place.parent, re.escape(place.name)):
        if ending != own_ending if pid == os.getpid() else _alive(pid):
            continue
        with contextlib.suppress(OSError):
            if ending == "old" and not os.path.lexists(place):
                entry.rename(place)  # the process died between two renames
            elif entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()


def sweep_all(folder: Path) -> None:
    """Remove the unfinished files that dead processes left in a folder, whatever their outputs.

    To be called before this process writes there: what bears its number is a leftover as well.
    """
    for entry, pid, ending in _unfinished(folder, ".+"):
        if ending == "part" and (pid == os.getpid() or not _alive(pid)):
            with contextlib.suppress(OSError):  # it stays, and is in nobody's way
                entry.unlink()


def _unfinished(folder: Path, name: str) -> Iterator[tuple[Path, int, str]]:
    """What processes of this machine write or left in a folder: its path, process and ending.

    `name` is the pattern of the outputs' names. A folder that may not be looked into holds nothing.
    """
    pattern = re.compile(rf"\.{name}\.{_host()}\.(\d+)\.(part|old|scratch)")
    try:
        entries = list(folder.iterdir())
    except OSError:
        return
    for entry in entries:
        if match := pattern.fullmatch(entry.name):
            yield entry, int(match[1]), match[2]


def _alive(pid: int) -> bool:
    """Whether a process with this number runs on this machine."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True  # it runs, and belongs to another user
    return True


def _sync(path: Path) -> None:
    """Have a file's bytes written to the disk, before it is renamed."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _sync_files(folder: Path) -> None:
    """Have what a folder holds written to the disk, where that is little.

    Bundles, evaluations and audits are; for an export of 10,000 pictures it would take longer than
    to write them.
    """
    found = list(islice(folder.rglob("*"), SYNCED + 1))
    if len(found) > SYNCED:
        return
    for path in found:
        if path.is_dir():
            sync_folder(path)
        else:
            _sync(path)
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Have a folder's list of names written to the disk; not every file system can do that."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in NO_SYNC:
            raise


def csv_row(cells: Iterable[object]) -> str:
    r"""One line of CSV: a comma between the cells, quotes where needed, nothing for None.

    Line ends of either kind inside a cell are kept, and the row ends with ``\n`` alone. Python's
    writer quotes a carriage return in a cell only if its own rows end with one.

    A text that a spreadsheet would take for a formula gets an apostrophe before it, and so does one
    that begins with an apostrophe: a reader drops the first of a cell. Numbers are written as such.
    """
    row = io.StringIO()
    csv.writer(row, lineterminator="\r\n").writerow(map(_no_formula, cells))
    return row.getvalue().removesuffix("\r\n") + "\n"


def _no_formula(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULAS) else cell


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file; bytes of a path that are not text are escaped, as JSON does it."""
    path.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a header and rows as a UTF-8 CSV file, in the form of `csv_row`."""
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        file.write(csv_row(header))
        file.writelines(map(csv_row, rows))
