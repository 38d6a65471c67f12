"""A zip or tar file in place of a folder: what it holds, without unpacking it.

The file lies on a disk, or is an object in a store.
"""

from __future__ import annotations

import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import IO, cast

import numpy as np
from isal import igzip
from numpy.typing import NDArray

from inkfold.archives.members import DEFLATED, MEMBER, NOWHERE, PLAIN, STORED, read_member
from inkfold.archives.spans import File, reader
from inkfold.archives.stored import ObjectFile, StoredObject, Window
from inkfold.archives.tar_headers import (
    Kind,
    TarMember,
    UnusualTarError,
    members_in,
    tar_members,
)
from inkfold.archives.url import Place, Url
from inkfold.errors import InkfoldError, PictureError
from inkfold.identity import Identity
from inkfold.picture_files import Entry, passed_over
from inkfold.picture_formats import HEAD, begins_a_picture, named_as_a_picture
from inkfold.tally import Tally

METHODS = {zipfile.ZIP_STORED: STORED, zipfile.ZIP_DEFLATED: DEFLATED}
TIMES, SPARE = 100, 1 << 30  # members may unpack to so many times the archive's size, and 1 GiB
STEP = 1 << 22
# Bytes of an object that are read together: of a zip its directory lies at the end; a tar is read
# from header to header, and what lies between small members is read along.
DIRECTORY, HEADERS = 1 << 20, 1 << 23
DAMAGE = (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, NotImplementedError)

Lies = tuple[int, int, int, int, int]  # where a member lies, as `MEMBER` has it


@dataclass
class _Found:
    """The members of an archive.

    Attributes
    ----------
    files : dict of bytes to tuple
        By path, where each file lies.
    folders : set of bytes
    others : dict of bytes to str
        By path, members of other kinds, and what they are.
    refused : Tally
    """

    files: dict[bytes, Lies] = field(default_factory=dict)
    folders: set[bytes] = field(default_factory=set)
    others: dict[bytes, str] = field(default_factory=dict)
    refused: Tally = field(default_factory=Tally)

    def path(self, name: str) -> bytes | None:
        """A member's name as a path in the archive; None, and counted, if it leads out of it."""
        parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
        if name.startswith(("/", "\\")) or ".." in parts or name[1:3] in (":\\", ":/"):
            self.refused.add(name, "leads out of the archive")
            return None
        return "/".join(parts).encode("utf-8", "surrogateescape")


class Archive:
    """A zip or tar file in place of a folder.

    If everything lies in one folder, and all pictures in folders inside of it, then that one stands
    for the archive, as if it had been packed: ``letters.zip`` with ``letters/A/1.png`` in it has
    the class A.

    Parameters
    ----------
    path : Path or Url
    scratch : Path
        Existing folder, where a compressed tar file is unpacked to one tar file.

    Attributes
    ----------
    file : bytes or StoredObject
        What the members are read from: the path of a file, or an object.
    refused : Tally
        Members that cannot be used, and why.

    Raises
    ------
    InkfoldError
        If the file is no archive of its kind, is damaged, unpacks to far more than itself, or
        changes meanwhile; or if it is an object that cannot be read.
    """

    def __init__(self, path: Place, scratch: Path) -> None:
        self.path = path
        self._identity = StoredObject.of(path) if isinstance(path, Url) else Identity.of(path)
        with self._identity.unchanged():
            try:
                self.file, self._found = _listed(self._identity, path, scratch / "inflated.tar")
            except DAMAGE as error:
                raise InkfoldError(
                    f"{path}: a damaged archive, or none ({error}); download or make it again"
                ) from None
        full = sum(full for _, _, full, _, _ in self._found.files.values())
        _check_size(path, self._identity.size, full)
        self.refused = self._found.refused
        self._outer = _outer(self._found.files)
        stored = self.file if isinstance(self.file, StoredObject) else None
        self._looking = None if stored is None else Window(stored, DIRECTORY)

    def unchanged(self) -> AbstractContextManager[None]:
        """A block that reads members; the archive must be the same after it."""
        return self._identity.unchanged()

    def check_unchanged(self) -> None:
        """Refuse another archive in the place of this one.

        Raises
        ------
        InkfoldError
            If the archive was replaced, written to or removed since it was listed.
        """
        self._identity.check()

    def entries(self) -> Iterator[Entry]:
        """What the archive holds, in the order of a walk through the folder that it stands for."""
        found, kinds = self._found, dict[bytes, str]()
        for path in found.files:
            folder = path
            while (folder := folder.rpartition(b"/")[0]) and folder not in kinds:
                kinds[folder] = "folder"
        kinds |= dict.fromkeys(found.folders, "folder") | found.others
        kinds |= dict.fromkeys(found.files, "file")
        inside = (path for path in kinds if path.startswith(self._outer) and path != self._outer)
        passed: set[bytes] = set()
        for path in sorted(inside, key=lambda path: _walk_key(path, kinds[path] != "folder")):
            short, kind = path[len(self._outer) :], kinds[path]
            top, reason = _passed_over(short, folder=kind == "folder")
            if reason and top not in passed:
                passed.add(top)
                yield Entry(top, "hidden", reason)
            elif not reason and kind in ("file", "folder"):
                yield Entry(short, "file" if kind == "file" else "folder")
            elif not reason:
                yield Entry(short, "other", kind)

    def is_picture(self, path: bytes) -> bool:
        """Whether a member counts as a picture, by suffix or first bytes."""
        if named_as_a_picture(path):
            return True
        try:
            return begins_a_picture(self.read(path)[:HEAD])
        except PictureError:
            return False

    def read(self, path: bytes) -> bytes:
        """The bytes of a member; raises PictureError if there is no such member or it is damaged.

        Of an object the surroundings are read along, for the next member that is looked at.
        """
        members = self.members([path])
        if self._looking is not None:
            window = self._looking
            return read_member(lambda start, size: window[start : start + size], members[0])
        return read_member(reader(self.file, members), members[0])

    def open(self, path: bytes) -> IO[bytes]:
        """A member as a file; raises PictureError as `read`."""
        return BytesIO(self.read(path))

    def full_path(self, path: bytes) -> bytes:
        """A member's path from the top of the archive, which may begin with its only folder."""
        return self._outer + path

    def members(self, paths: Iterable[bytes]) -> NDArray[np.void]:
        """Where members lie, as an array of `MEMBER`; a table may name them from the top."""
        files, nowhere = self._found.files, (0, 0, 0, 0, NOWHERE)
        places = [files.get(self._outer + path, files.get(path, nowhere)) for path in paths]
        return np.array(places, MEMBER)


def _check_size(path: Place, size: int, full: int) -> None:
    """Refuse an archive of `size` bytes whose members are far more than itself."""
    most = TIMES * size + SPARE
    if full > most:
        raise InkfoldError(
            f"{path}: its members unpack to more than {most >> 20:,} MiB, which no pictures do; "
            "unpack it yourself if you trust it"
        )


def _outer(files: Iterable[bytes]) -> bytes:
    """The folder, with a slash, in whose folders all files lie; empty if there is no such one.

    Beside these folders may lie what is no picture by its ending, such as the list of an export.
    """
    tops: set[bytes] = set()
    for path in files:
        top, _, inside = path.partition(b"/")
        if _passed_over(path, folder=False)[1]:
            continue
        tops.add(top)
        beside = b"/" not in inside and b"." in inside and not named_as_a_picture(inside)
        if len(tops) > 1 or (b"/" not in inside and not beside):
            return b""
    return next(iter(tops)) + b"/" if tops else b""


def _walk_key(path: bytes, is_file: bool) -> list[tuple[int, bytes]]:
    """Sorts as a walk goes: in each folder the files, then the folders with what they hold."""
    *folders, name = path.split(b"/")
    return [*((1, part) for part in folders), (0 if is_file else 1, name)]


def _passed_over(path: bytes, *, folder: bool) -> tuple[bytes, str]:
    """The outermost part of a path that a walk does not enter, and why; empty if there is none."""
    parts = path.split(b"/")
    for at, part in enumerate(parts):
        if reason := passed_over(part, folder=folder or at + 1 < len(parts)):
            return b"/".join(parts[: at + 1]), reason
    return b"", ""


def _listed(of: Identity | StoredObject, path: Place, plain: Path) -> tuple[File, _Found]:
    """What an archive holds, and what its members are read from: itself, or `plain` unpacked."""
    name = path.name.lower()
    if name.endswith((".gz", ".tgz")):
        with _whole(of, HEADERS) as file:
            _inflate(file, path, of.size, plain)
        return os.fsencode(plain.absolute()), _tar_members(plain)
    if name.endswith(".zip"):
        with _whole(of, DIRECTORY) as file:
            found = _zip_members(file)
    else:
        found = _tar_members(of if isinstance(of, StoredObject) else of.path)
    return of if isinstance(of, StoredObject) else os.fsencode(of.path.absolute()), found


def _whole(of: Identity | StoredObject, width: int) -> IO[bytes]:
    """An archive as a file; of an object `width` bytes are read together."""
    if isinstance(of, StoredObject):
        return cast("IO[bytes]", ObjectFile(of, width))
    return of.path.open("rb")


def _zip_members(file: IO[bytes]) -> _Found:
    """The members by the zip's directory."""
    found = _Found()
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            inner = found.path(info.filename)
            if inner is None:
                continue
            if info.is_dir():
                found.folders.add(inner)
            elif info.flag_bits & 1:
                found.refused.add(info.filename, "encrypted; unpack the archive with its password")
            elif info.compress_type not in METHODS:
                method = f"compressed by method {info.compress_type}"
                found.refused.add(info.filename, f"{method}, expected deflate; zip it anew")
            else:
                found.files[inner] = (
                    info.header_offset,
                    info.compress_size,
                    info.file_size,
                    info.CRC,
                    METHODS[info.compress_type],
                )
    return found


def _tar_members(tar: Path | StoredObject) -> _Found:
    """The members by the headers in a tar file, which is not compressed."""
    try:
        if isinstance(tar, StoredObject):
            return _found_in(members_in(Window(tar, HEADERS)))
        return _found_in(tar_members(tar))
    except UnusualTarError:
        if isinstance(tar, StoredObject):
            return _found_in(_slow_tar_members(cast("IO[bytes]", ObjectFile(tar, HEADERS))))
        with tar.open("rb") as file:
            return _found_in(_slow_tar_members(file))


def _found_in(members: Iterator[TarMember]) -> _Found:
    """Take the files and folders of a tar file; links are refused."""
    found = _Found()
    for member in members:
        inner = found.path(member.name)
        if inner is None:
            continue
        if member.kind == "file":
            found.files[inner] = (member.start, member.size, member.size, 0, PLAIN)
        elif member.kind == "folder":
            found.folders.add(inner)
        elif member.kind == "link":
            found.refused.add(member.name, "a link, which leads elsewhere; unpack the archive")
        else:
            found.others[inner] = "neither a file nor a folder"
    return found


def _slow_tar_members(file: IO[bytes]) -> Iterator[TarMember]:
    """The members as `tarfile` finds them, which reads every kind of header."""
    with tarfile.open(
        fileobj=file, mode="r:", encoding="utf-8", errors="surrogateescape"
    ) as archive:
        for info in archive:
            archive.members = []  # type: ignore[attr-defined]  # it would keep all of them
            link, plain = info.islnk() or info.issym(), info.isreg() and not info.issparse()
            kind: Kind = "link" if link else "file" if plain else "other"
            if info.isdir():
                kind = "folder"
            yield TarMember(info.name, kind, info.offset_data, info.size)
        end = archive.offset
    file.seek(end)
    mark = file.read(tarfile.BLOCKSIZE)
    if any(mark) or len(mark) < tarfile.BLOCKSIZE:
        raise tarfile.ReadError("without the mark of its end: cut short?")


def _inflate(file: IO[bytes], path: Place, size: int, plain: Path) -> None:
    """Unpack a compressed tar file to one tar file, as long as it stays in proportion."""
    done = 0
    try:
        with igzip.open(file, "rb") as unpacked, plain.open("wb") as output:
            while data := unpacked.read(STEP):
                done += len(data)
                _check_size(path, size, done)
                output.write(data)
    except igzip.BadGzipFile as error:
        raise tarfile.ReadError(str(error)) from None
