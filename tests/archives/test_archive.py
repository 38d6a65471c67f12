"""Archives in place of folders: the same file out, and members that cannot be used are named."""

from __future__ import annotations

import io
import re
import shutil
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inkfold.archives.archive import Archive
from inkfold.dataset.class_folders import COLUMNS
from inkfold.errors import InkfoldError
from tests.packing.test_layout import draw
from tests.worlds.drawn_pictures import encode, glyph
from tests.worlds.packing_run import SMALL, packed

PNG = encode(".png", glyph(np.random.default_rng(0)))
KINDS = {"zip": "zip", "tar": "tar", "tar.gz": "gztar"}
LOOSE = replace(SMALL, allow_bad=100)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three classes, one name of two forms, a note and a hidden file."""
    root = draw(tmp_path / "letters", "b/deep/er", "b", "a.d", "漢", "a", count=5)
    (root / "b/notes.txt").write_text("no picture")
    (root / "b/bare").write_bytes(PNG)
    (root / ".hidden").mkdir()
    (root / ".hidden/1.png").write_bytes(PNG)
    (root / "empty").mkdir()
    (root / "b/@eaDir").mkdir()
    (root / "b/@eaDir/thumb.png").write_bytes(PNG)
    return root


def archived(folder: Path, ending: str, *, wrapped: bool = False) -> Path:
    """The folder's content as an archive beside it, in the folder's name or bare."""
    base = str(folder.parent / f"archive-{wrapped}")
    where = (
        {"root_dir": folder.parent, "base_dir": folder.name} if wrapped else {"root_dir": folder}
    )
    made = Path(shutil.make_archive(base, KINDS[ending], **where))
    return made.rename(made.with_name(f"archive-{wrapped}.{ending}"))


@pytest.mark.parametrize("wrapped", [False, True], ids=["bare", "wrapped"])
@pytest.mark.parametrize("ending", KINDS)
def test_an_archive_packs_to_the_same_bytes_as_its_folder(
    folder: Path, ending: str, *, wrapped: bool
) -> None:
    """Zip and tar, with and without the folder's own name above: the dataset is the folder's."""
    wanted, found = folder.parent / "folder.h5", folder.parent / "archive.h5"

    one = packed(folder, wanted)
    other = packed(archived(folder, ending, wrapped=wrapped), found)

    assert found.read_bytes() == wanted.read_bytes()
    assert other.plan.empty == one.plan.empty == ("empty",)
    assert sorted(other.ignored.first) == sorted(one.ignored.first)


def test_split_folders_and_patterns_work_in_archives(tmp_path: Path) -> None:
    """An archive of split folders keeps the split; --label-by reads the members' paths."""
    root = draw(tmp_path / "in", "train/a", "train/b", "test/a", "test/b")
    path = archived(root, "zip")

    split = packed(path, tmp_path / "split.h5")
    by_name = packed(path, tmp_path / "name.h5", replace(SMALL, label_by=r"/(\d)\.png"))

    assert [len(order) for order in split.plan.orders] == [6, 2, 8]
    assert by_name.plan.classes == ("0", "1", "2", "3")


@pytest.mark.parametrize("prefix", ["", "in/"], ids=["inside", "from the top"])
def test_a_table_names_members_of_an_archive(tmp_path: Path, prefix: str) -> None:
    """Paths may begin inside of the archive's only folder, or with it."""
    root = draw(tmp_path / "in", "a/x", "b/y", count=2)
    path = archived(root, "zip", wrapped=True)
    rows = [
        f"{prefix}{part}/{n}.png,{label}" for part, label in (("a/x", 1), ("b/y", 2)) for n in "01"
    ]
    (tmp_path / "t.csv").write_text("path,label\n" + "\n".join(rows))

    report = packed(path, tmp_path / "d.h5", replace(SMALL, labels=tmp_path / "t.csv"))

    assert report.plan.classes == ("1", "2")
    assert report.unreadable.count == 0


def test_members_that_lead_out_or_are_encrypted_are_refused_by_name(tmp_path: Path) -> None:
    """Nothing outside is read; the other members are packed."""
    path = tmp_path / "d.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("a/1.png", "b/1.png", "../out.png", "/etc/a.png", "C:\\b\\2.png"):
            archive.writestr(name, PNG)
        archive.writestr("a/2.png", PNG)
    data = bytearray(path.read_bytes())
    entry = data.rindex(b"PK\1\2")  # the directory's entry of the last member
    data[entry + 8] |= 1
    path.write_bytes(data)

    report = packed(path, tmp_path / "d.h5", LOOSE)

    assert sum(report.plan.sizes) == 2
    assert dict(report.unreadable.first) == {
        "../out.png": "leads out of the archive",
        "/etc/a.png": "leads out of the archive",
        "C:\\b\\2.png": "leads out of the archive",
        "a/2.png": "encrypted; unpack the archive with its password",
    }


def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path) -> None:
    """A link could lead anywhere, and is named; a pipe is passed over as in a folder."""
    path = tmp_path / "d.tar"
    with tarfile.open(path, "w") as archive:
        for name in ("a/1.png", "b/1.png"):
            info = tarfile.TarInfo(name)
            info.size = len(PNG)
            archive.addfile(info, io.BytesIO(PNG))
        for name, kind in (("a/link.png", tarfile.SYMTYPE), ("a/pipe.png", tarfile.FIFOTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)

    report = packed(path, tmp_path / "d.h5", LOOSE)

    assert [name for name, _ in report.unreadable.first] == ["a/link.png"]
    assert report.ignored.first == [("a/pipe.png", "neither a file nor a folder")]


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    """A zip whose members unpack to far more than itself, and a tar.gz that swells, are refused."""
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/1.png", bytes(1 << 20))
    data = bytearray(bomb.read_bytes())
    for mark, at in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        place = data.index(mark) + at
        data[place : place + 4] = (0xFFFFFFF0).to_bytes(4, "little")
    bomb.write_bytes(data)

    with pytest.raises(InkfoldError, match=r"bomb\.zip: its members unpack to more than 1,024 MiB"):
        packed(bomb, tmp_path / "d.h5")


def test_a_member_that_is_damaged_is_named_and_the_others_are_packed(tmp_path: Path) -> None:
    """Every changed byte of a stored picture is noticed by its checksum."""
    path = tmp_path / "d.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("a/1.png", "a/2.png", "b/1.png"):
            archive.writestr(name, PNG)
    data = bytearray(path.read_bytes())
    data[data.index(b"a/2.png") + 40] ^= 1
    path.write_bytes(data)

    report = packed(path, tmp_path / "d.h5", LOOSE)

    assert [name for name, _ in report.unreadable.first] == ["a/2.png"]
    assert report.unreadable.first[0][1].startswith("damaged in the archive")


@pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz", "tgz"])
@pytest.mark.parametrize("data", [b"", b"hello", b"\x1f\x8b\x08\x00 torn", b"PK\3\4"])
def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, ending: str, data: bytes) -> None:
    """The error names the file and what to do; nothing is written."""
    path = tmp_path / f"d.{ending}"
    path.write_bytes(data)

    with pytest.raises(InkfoldError) as caught:
        packed(path, tmp_path / "d.h5")

    assert str(path) in str(caught.value)
    assert sorted(tmp_path.iterdir()) == [path]


def test_an_archive_cut_short_is_refused(folder: Path) -> None:
    """Wherever the file ends, nothing is taken for whole that is not."""
    for ending in KINDS:
        path = archived(folder, ending)
        whole = path.read_bytes()
        for share in (0.2, 0.4, 0.6):
            path.write_bytes(whole[: int(len(whole) * share)])
            with pytest.raises(InkfoldError, match=re.escape(str(path))):
                packed(path, folder.parent / "d.h5", LOOSE)


def test_a_tar_that_ends_between_two_members_is_refused(folder: Path) -> None:
    """A tar file says where it ends; one that was cut before that could lack any picture."""
    path = archived(folder, "tar")
    with tarfile.open(path) as archive:
        *_, last = archive
    path.write_bytes(path.read_bytes()[: last.offset])

    with pytest.raises(InkfoldError, match="without the mark of its end"):
        packed(path, folder.parent / "d.h5")


def test_a_member_that_comes_again_replaces_the_first(tmp_path: Path) -> None:
    """The later one of two members with one name is read, as unpacking would leave it."""
    path = tmp_path / "d.tar"
    with tarfile.open(path, "w") as archive:
        for data in (b"damaged", PNG):
            info = tarfile.TarInfo("./a/1.png")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))

    with_one = Archive(path, tmp_path)

    assert [entry.path for entry in with_one.entries()] == [b"a", b"a/1.png"]
    assert with_one.members([b"a/1.png"])["size"].tolist() == [len(PNG)]


def test_names_that_an_export_escaped_come_back_from_an_archive(tmp_path: Path) -> None:
    """The list of an export is read inside of the archive, too: the bytes are the folder's."""
    root = draw(tmp_path / "in", "%2F", "b")
    names = (("%2F", "/"), ("b", "b"))
    lines = [f"{folder}/{n}.png,{name},train,,\n" for folder, name in names for n in "0123"]
    (root / "pictures.csv").write_text(",".join(COLUMNS) + "\n" + "".join(lines))

    folder = packed(root, tmp_path / "folder.h5")
    packed(archived(root, "zip", wrapped=True), tmp_path / "zip.h5")

    assert folder.plan.classes == ("/", "b")
    assert (tmp_path / "zip.h5").read_bytes() == (tmp_path / "folder.h5").read_bytes()


@pytest.mark.parametrize("ending", KINDS)
def test_a_table_may_lie_in_the_archive(tmp_path: Path, ending: str) -> None:
    """ARCHIVE/labels.csv is the table inside; the bytes are those with the table on the disk."""
    root = draw(tmp_path / "in", "scans", count=8)
    rows = [f"scans/{n}.png,{'ab'[n % 2]}" for n in range(8)]
    (root / "labels.csv").write_text("path,label\n" + "\n".join(rows))
    path = archived(root, ending)

    packed(root, tmp_path / "one.h5", replace(SMALL, labels=root / "labels.csv"))
    packed(path, tmp_path / "other.h5", replace(SMALL, labels=path / "labels.csv"))

    assert (tmp_path / "other.h5").read_bytes() == (tmp_path / "one.h5").read_bytes()


def test_a_table_that_the_archive_lacks_is_told_by_its_own_path(tmp_path: Path) -> None:
    """Missing or damaged, it is named as it was given, never by a scratch file."""
    root = draw(tmp_path / "in", "a", "b")
    (root / "bad.csv").write_text("path,colour\n")
    path = archived(root, "zip")

    for name, words in (("none.csv", "no such file"), ("bad.csv", "has no column")):
        with pytest.raises(InkfoldError, match=rf"^{re.escape(str(path))}/{name}.*{words}"):
            packed(path, tmp_path / "d.h5", replace(SMALL, labels=path / name))


def test_an_archive_two_folders_deep_is_told_how_to_be_packed(tmp_path: Path) -> None:
    """A folder inside of an archive has no path of its own; the command that works is named."""
    root = draw(tmp_path / "in", "data/letters/a", "data/letters/b")
    path = archived(root, "zip")

    with pytest.raises(InkfoldError, match=r"zip --label-by '\^\[\^/\]\+/\(\[\^/\]\+\)/'"):
        packed(path, tmp_path / "d.h5")
    report = packed(path, tmp_path / "d.h5", replace(SMALL, label_by="^[^/]+/([^/]+)/"))

    assert report.plan.classes == ("a", "b")
