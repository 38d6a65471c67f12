"""The scan of class folders: which pictures it lists, and what it reports as ignored."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from inkfold.errors import InkfoldError
from inkfold.packing.listing import Listing
from inkfold.packing.scan import scan
from inkfold.packing.source import open_source
from inkfold.tally import NAMED, Tally
from tests.worlds.drawn_pictures import encode, glyph

PNG = encode(".png", glyph(np.random.default_rng(0)))


def put(root: Path, *names: str | bytes) -> Path:
    """Write picture files with these names under a folder, which is returned."""
    for name in names:
        path = Path(os.fsdecode(os.fsencode(root) + b"/" + os.fsencode(name)))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PNG)
    return root


def scanned(root: Path, scratch: Path) -> tuple[Listing, list[str]]:
    """The listing, and the paths that it holds."""
    scratch.mkdir(exist_ok=True)
    with closing(scan(open_source(root, scratch), scratch)) as listing:
        return listing, [path.decode("utf-8", "surrogateescape") for path in listing.paths]


def test_each_folder_is_a_class_in_the_order_of_names(tmp_path: Path) -> None:
    """Classes and files come in the order of their names, folders in a class after its files."""
    root = put(tmp_path / "in", "b/2.png", "b/10.png", "a/x/y/3.png", "a/z.png", "a/w/1.png")

    listing, paths = scanned(root, tmp_path / "spool")

    assert listing.classes == ("a", "b")
    assert paths == ["a/z.png", "a/w/1.png", "a/x/y/3.png", "b/10.png", "b/2.png"]
    assert listing.ends.tolist() == [3, 5]
    assert listing.labels(np.arange(5)).tolist() == [0, 0, 0, 1, 1]
    assert listing.ignored.count == 0
    assert listing.empty == ()


def test_class_names_may_be_in_any_script(tmp_path: Path) -> None:
    """A class has its folder's name, in which bytes that are not UTF-8 are spelled out."""
    names = ["Ж", "é", "漢字", "ก็", "🦉", "a b", "'q\"", "new\nline"]
    root = put(tmp_path / "in", *(f"{name}/1.png" for name in names), b"\xff\xfe/1.png")

    listing, _ = scanned(root, tmp_path / "spool")

    assert set(listing.classes) == {*names, r"\xff\xfe"}
    assert list(listing.classes[:-1]) == sorted(names)


def test_two_folders_that_read_the_same_are_refused(tmp_path: Path) -> None:
    r"""A folder named by the byte ff and one named by the text \xff cannot both be classes."""
    root = put(tmp_path / "in", b"\xff/1.png", b"\\xff/1.png")

    with pytest.raises(InkfoldError, match="two class folders have the same name"):
        scanned(root, tmp_path / "spool")


def test_files_that_are_not_pictures_are_named_with_the_reason(tmp_path: Path) -> None:
    """Stray, hidden and other files are reported as ignored, and a class without pictures too."""
    root = put(tmp_path / "in", "a/1.png", ".git/x.png", "a/.DS_Store", "stray.png")
    (root / "a/notes.txt").write_text("RIFF and BM are how some files begin")
    (root / "a/sound.wav").write_bytes(b"RIFF\x24\0\0\0WAVEfmt ")
    (root / "a/BM.txt").write_text("BM")
    (root / "empty/deep").mkdir(parents=True)
    os.mkfifo(root / "a/pipe.png")

    listing, paths = scanned(root, tmp_path / "spool")

    assert paths == ["a/1.png"]
    assert listing.classes == ("a",)
    assert listing.empty == ("empty",)
    assert dict(listing.ignored.first) == {
        ".git": "hidden",
        "stray.png": "lies beside the class folders",
        "a/.DS_Store": "hidden",
        "a/pipe.png": "neither a file nor a folder",
        "a/BM.txt": "not a picture",
        "a/notes.txt": "not a picture",
        "a/sound.wav": "not a picture",
    }
    assert listing.ignored.count == 7


def test_folders_of_thumbnails_and_of_the_system_are_no_classes(tmp_path: Path) -> None:
    """The thumbnails of a network drive, deleted files and the like are ignored with the reason."""
    root = put(tmp_path / "in", "a/1.png", "@eaDir/1.png/SYNOPHOTO_THUMB_M.jpg", "a/@eaDir/1.png")
    put(root, "$RECYCLE.BIN/2.png", "lost+found/3.png", "System Volume Information/4.png")
    put(root, "__MACOSX/5.png", ".thumbnails/6.png", "a/#recycle/7.png")

    listing, paths = scanned(root, tmp_path / "spool")

    assert (listing.classes, listing.empty, paths) == (("a",), (), ["a/1.png"])
    assert dict(listing.ignored.first) == {
        "@eaDir": "thumbnails of a network drive",
        "a/@eaDir": "thumbnails of a network drive",
        "$RECYCLE.BIN": "deleted files",
        "lost+found": "a folder of the file system",
        "System Volume Information": "a folder of the file system",
        "__MACOSX": "remarks of an archive",
        ".thumbnails": "hidden",
        "a/#recycle": "deleted files of a network drive",
    }


@pytest.mark.parametrize("ending", [".png", ".jpg", ".bmp", ".tif", ".webp", ".pgm"])
def test_pictures_are_known_by_suffix_or_by_content(tmp_path: Path, ending: str) -> None:
    """Pictures are listed whatever their suffix; an empty .png is left for the reader to refuse."""
    data = encode(ending, glyph(np.random.default_rng(0)))
    folder = tmp_path / "in/a"
    folder.mkdir(parents=True)
    for name in ("bare", "wrong.txt", "LOUD" + ending.upper()):
        (folder / name).write_bytes(data)
    (folder / f"zero{ending.upper()}").touch()

    _, paths = scanned(tmp_path / "in", tmp_path / "spool")

    assert paths == [f"a/{n}" for n in sorted(["bare", "wrong.txt", "LOUD" + ending.upper()])] + [
        f"a/zero{ending.upper()}"
    ]


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    """Links to folders and files elsewhere are followed; links to a folder above are reported."""
    root = put(tmp_path / "in", "a/1.png")
    put(tmp_path / "elsewhere", "deep/2.png")
    (root / "a/folder").symlink_to(tmp_path / "elsewhere")
    (root / "a/3.png").symlink_to(tmp_path / "elsewhere/deep/2.png")
    (root / "a/dangling.png").symlink_to("nowhere.png")
    (root / "a/self.png").symlink_to("self.png")
    (root / "a/up").symlink_to(".")
    (root / "b").symlink_to(root)
    (root / "c").symlink_to(tmp_path / "elsewhere")

    listing, paths = scanned(root, tmp_path / "spool")

    assert paths == [
        "a/1.png",
        "a/3.png",
        "a/dangling.png",
        "a/self.png",
        "a/folder/deep/2.png",
        "c/deep/2.png",
    ]
    assert listing.ignored.first == [
        ("a/up", "a link to a folder that it lies in"),
        ("b", "a link to a folder that it lies in"),
    ]
    assert listing.empty == ("b",)


def dig(root: Path, name: str, depth: int) -> Iterator[int]:
    """Nest folders; yields a descriptor of the innermost one, and removes all of them after."""
    deepest = os.open(root, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(name, dir_fd=deepest)
        inner = os.open(name, os.O_RDONLY, dir_fd=deepest)
        os.close(deepest)
        deepest = inner
    try:
        yield deepest
    finally:
        os.close(deepest)
        # shutil.rmtree, and so pytest, gives up on so deep a tree
        subprocess.run(["/bin/rm", "-rf", str(root)], check=True)


def test_very_deep_folders_are_read(tmp_path: Path) -> None:
    """Folders nested more deeply than Python's recursion allows are read."""
    root = put(tmp_path / "in", "a/1.png")
    for deepest in dig(root / "a", "d", 1200):
        file = os.open("2.png", os.O_WRONLY | os.O_CREAT, dir_fd=deepest)
        os.write(file, PNG)
        os.close(file)

        _, paths = scanned(root, tmp_path / "spool")

    assert paths == ["a/1.png", f"a/{'d/' * 1200}2.png"]


def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    """An unreadable folder is reported as ignored, and the others are read."""
    root = put(tmp_path / "in", "a/1.png", "b/1.png")
    (root / "b").chmod(0)
    if os.access(root / "b", os.R_OK):
        (root / "b").chmod(0o700)
        pytest.skip("this user may read every folder")

    listing, _ = scanned(root, tmp_path / "spool")
    (root / "b").chmod(0o700)

    assert listing.ignored.first == [("b", "folder cannot be read: Permission denied")]


def test_a_path_too_long_for_the_system_is_named(tmp_path: Path) -> None:
    """A folder whose path exceeds 4,096 bytes is reported as unreadable."""
    root = put(tmp_path / "in", "a/1.png")
    for _ in dig(root / "a", "x" * 250, 20):
        listing, paths = scanned(root, tmp_path / "spool")

    assert paths == ["a/1.png"]
    assert [why for _, why in listing.ignored.first] == [
        "folder cannot be read: File name too long"
    ]


def _refusal(root: Path, spool: Path) -> str:
    with pytest.raises(InkfoldError) as caught:
        scanned(root, spool)
    return str(caught.value)


def test_every_way_to_hold_no_classes_has_its_own_message(tmp_path: Path) -> None:
    """A missing folder, a file, an empty folder, stray pictures and empty classes are refused."""
    spool = tmp_path / "spool"
    (tmp_path / "file").touch()
    (tmp_path / "bare").mkdir()
    put(tmp_path / "flat", "1.png", "2.png")
    (tmp_path / "hollow/a").mkdir(parents=True)
    (tmp_path / "hollow/b").mkdir()

    assert "nowhere: no such folder; expected a folder with" in _refusal(
        tmp_path / "nowhere", spool
    )
    assert "file is a file; expected a folder with" in _refusal(tmp_path / "file", spool)
    assert "bare holds no folders; expected one folder" in _refusal(tmp_path / "bare", spool)
    flat = _refusal(tmp_path / "flat", spool)
    assert "pictures lie directly in it (2, the first is '1.png'); expected one folder" in flat
    assert f"create_dataset {tmp_path / 'flat'} --label-by REGEX" in flat
    assert "no pictures in its 2 folders; expected pictures" in _refusal(tmp_path / "hollow", spool)


def test_a_tally_counts_all_and_names_the_first() -> None:
    """A tally's memory is bounded: it counts a million bad files and names the first 2,000."""
    tally = Tally()
    for number in range(NAMED + 10):
        tally.add(str(number), "bad")

    assert tally.count == NAMED + 10
    assert tally.first[-1] == (str(NAMED - 1), "bad")
    assert len(tally.first) == NAMED
