"""Archives in the memory of this process: what holds of every store, without a server."""

from __future__ import annotations

import io
import random
import tarfile
import zipfile
from pathlib import Path

import fsspec
import pytest

from inkfold.archives.archive import Archive
from inkfold.archives.stored import StoredObject
from inkfold.archives.url import Url
from inkfold.errors import InkfoldError
from inkfold.workers import local_crew
from tests.archives.test_archive import LOOSE, PNG, archived
from tests.packing.test_layout import draw
from tests.worlds.memory_store import memory
from tests.worlds.packing_run import packed

__all__ = ["memory"]  # a fixture
ZIP, TAR = Url("memory://a.zip"), Url("memory://a.tar")


def test_members_in_no_order_pack_to_the_bytes_of_the_folder(
    memory: fsspec.AbstractFileSystem, tmp_path: Path
) -> None:
    """Read as they lie, the files are packed, counted and named as those of the folder are."""
    root = draw(tmp_path / "in", "train/b", "train/a", "test/b", "test/a", count=30)
    for name in ("train/b/7.png", "test/a/3.png", "train/a/20.png"):
        (root / name).write_bytes(b"no picture")
    paths = sorted(root.rglob("*.png"))
    random.Random(0).shuffle(paths)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for path in paths:
            archive.write(path, path.relative_to(root))
    memory.pipe_file(ZIP.text, file.getvalue())

    one = packed(root, tmp_path / "folder.h5", LOOSE)
    other = packed(ZIP, tmp_path / "object.h5", LOOSE)

    assert (tmp_path / "object.h5").read_bytes() == (tmp_path / "folder.h5").read_bytes()
    assert other.unreadable == one.unreadable
    assert (other.remarks, other.read) == (one.remarks, one.read)


def test_memory_is_refused_where_other_processes_work(
    memory: fsspec.AbstractFileSystem, tmp_path: Path
) -> None:
    """Another process has another memory; the message says what to do."""
    root = draw(tmp_path / "in", "a", "b")
    memory.pipe_file(ZIP.text, archived(root, "zip").read_bytes())

    with local_crew(2) as crew, pytest.raises(InkfoldError, match="use --workers 1"):
        packed(ZIP, tmp_path / "d.h5", crew=crew)


def test_headers_that_only_tarfile_reads_are_read_in_a_store(
    memory: fsspec.AbstractFileSystem, tmp_path: Path
) -> None:
    """A tar file of a rare kind gives the members that its copy on the disk gives."""
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name in ("a/1.png", "b/2.png"):
            info = tarfile.TarInfo(name)
            info.size, info.pax_headers = len(PNG), {"hdrcharset": "BINARY"}
            archive.addfile(info, io.BytesIO(PNG))
    memory.pipe_file(TAR.text, path.read_bytes())

    local, stored = Archive(path, tmp_path), Archive(TAR, tmp_path)

    assert list(stored.entries()) == list(local.entries())
    names = [b"a/1.png", b"b/2.png"]
    assert stored.members(names).tolist() == local.members(names).tolist()
    assert stored.read(b"b/2.png") == PNG


def test_members_without_an_ending_are_looked_at_together(
    memory: fsspec.AbstractFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether they are pictures is found by one request for all that lie close together."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(50):
            archive.writestr(f"a/{number}", PNG if number % 2 else b"a text")
        archive.writestr("filler", bytes(1 << 20))
    memory.pipe_file(ZIP.text, file.getvalue())
    made = Archive(ZIP, tmp_path)
    asked = []
    read = StoredObject.read

    def counted(self: StoredObject, start: int, size: int) -> bytes:
        asked.append(size)
        return read(self, start, size)

    monkeypatch.setattr(StoredObject, "read", counted)

    found = [made.is_picture(b"a/%d" % number) for number in range(50)]

    assert found == [number % 2 == 1 for number in range(50)]
    assert len(asked) == 1


def test_an_object_packs_in_shards_as_its_folder_does(
    memory: fsspec.AbstractFileSystem, tmp_path: Path
) -> None:
    """The index and each shard have the bytes that the folder gives."""
    root = draw(tmp_path / "in", "a", "b", count=200)
    memory.pipe_file(ZIP.text, archived(root, "zip").read_bytes())
    made = []
    for name, source in (("one", root), ("other", ZIP)):
        (tmp_path / name).mkdir()
        packed(source, tmp_path / name / "d.h5", shards=256)
        files = sorted(path for path in (tmp_path / name).rglob("*.h5"))
        made.append({path.relative_to(tmp_path / name): path.read_bytes() for path in files})

    assert len(made[0]) > 3
    assert made[1] == made[0]
