"""Drawings are kept as PNG files in class folders that packing reads, and nowhere else."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from inkfold.canvas.kept_drawings import KeptDrawings
from inkfold.commands.create_dataset import main as pack
from inkfold.dataset.reader import open_dataset
from inkfold.errors import InkfoldError
from inkfold.picture import read

PICTURE = np.full((20, 30), 255, np.uint8)
PICTURE[5:15, 10:14] = 0
NASTY = [
    "../../x",
    "/etc/passwd",
    "CON",
    "nul.txt",
    "🦉",
    "x" * 300,
    ".",
    "..",
    ".hidden",
    "a\\b",
    "a:b",
    "%2e%2e",
]


def files_in(folder: Path) -> set[Path]:
    """The path of every file below a folder, relative to it."""
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


def test_a_kept_drawing_is_the_picture_itself(tmp_path: Path) -> None:
    """A drawing is kept pixel for pixel as a PNG file in the folder of its class."""
    kept = KeptDrawings(tmp_path / "kept").keep(PICTURE, "alef")

    assert (kept.name, kept.folder) == ("alef", "alef")
    assert np.array_equal(read(tmp_path / "kept" / "alef" / kept.file), PICTURE)


@pytest.mark.parametrize("name", NASTY)
def test_a_class_may_be_called_anything(tmp_path: Path, name: str) -> None:
    """Whatever a class is called, its drawing becomes one file in one folder of the collection."""
    collection = KeptDrawings(tmp_path / "kept")

    kept = collection.keep(PICTURE, name)

    assert files_in(tmp_path) == {Path("kept") / kept.folder / kept.file}
    assert collection.list() == [kept]
    assert kept.name == name or len(name) > 200  # a long name is cut, and ends in a hash


def test_names_of_two_classes_never_share_a_folder(tmp_path: Path) -> None:
    """Different names have different folders, even one that looks like an escaped other name."""
    collection = KeptDrawings(tmp_path)

    folders = {collection.keep(PICTURE, name).folder for name in ("a/b", "a%2Fb", *NASTY)}

    assert len(folders) == 2 + len(NASTY)


@pytest.mark.parametrize("name", ["", " ", "\n"])
def test_a_class_without_a_name_is_refused(tmp_path: Path, name: str) -> None:
    """A blank class name is an error, and neither a file nor a folder is written."""
    with pytest.raises(InkfoldError, match="the class has no name"):
        KeptDrawings(tmp_path / "kept").keep(PICTURE, name)

    assert list(tmp_path.iterdir()) == []


def test_removing_a_drawing_leaves_the_others(tmp_path: Path) -> None:
    """The last drawing of a class takes its folder along; an unknown number removes nothing."""
    collection = KeptDrawings(tmp_path)
    first, second, of_b = (collection.keep(PICTURE, name) for name in ("a", "a", "b"))

    assert collection.remove(first.number)
    assert not collection.remove(first.number)
    assert collection.list() == [second, of_b]
    assert collection.remove(second.number)
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_a_link_that_leads_out_is_not_part_of_the_collection(tmp_path: Path) -> None:
    """A drawing that lies outside, behind a linked folder, is not listed, shown or removed."""
    outside = KeptDrawings(tmp_path / "outside").keep(PICTURE, "a")
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "a").symlink_to(tmp_path / "outside" / "a")
    collection = KeptDrawings(tmp_path / "kept")

    assert collection.list() == []
    assert collection.path(outside.number) is None
    assert not collection.remove(outside.number)


def test_a_collection_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """Where the collection's folder is a file, the error says to choose another with --keep."""
    (tmp_path / "kept").write_text("a file")

    with pytest.raises(InkfoldError, match="choose another folder with --keep"):
        KeptDrawings(tmp_path / "kept").keep(PICTURE, "a")


def test_kept_drawings_can_be_packed(tmp_path: Path) -> None:
    """Ten kept drawings of two classes become a dataset of ten pictures in two classes."""
    collection = KeptDrawings(tmp_path / "kept")
    for number in range(10):
        picture = PICTURE.copy()
        picture[16, number] = 0
        collection.keep(picture, "ab"[number % 2])

    assert pack([str(tmp_path / "kept"), "-o", str(tmp_path / "d.h5"), "--workers", "1"]) == 0

    with open_dataset(tmp_path / "d.h5") as dataset:
        assert dataset.classes == ("a", "b")
        assert len(dataset.train) + len(dataset.validation) + len(dataset.test) == 10


KILLED = """
import os, signal, sys
import numpy as np
from pathlib import Path
from inkfold.canvas.kept_drawings import KeptDrawings
Path.write_bytes = lambda path, data: (path.touch(), os.kill(os.getpid(), signal.SIGKILL))
KeptDrawings(Path(sys.argv[1])).keep(np.zeros((9, 9), np.uint8), "a")
"""


def test_what_a_killed_process_left_is_swept_before_the_next_one_keeps(tmp_path: Path) -> None:
    """The unfinished file goes; drawings, other files and what a living process writes stay."""
    collection = KeptDrawings(tmp_path)
    kept = collection.keep(PICTURE, "a")
    process = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert process.returncode == -signal.SIGKILL
    (unfinished,) = (path for path in (tmp_path / "a").iterdir() if path.suffix == ".part")
    alive = re.sub(r"\.\d+\.part$", f".{os.getppid()}.part", unfinished.name)
    (tmp_path / "a" / alive).touch()
    (tmp_path / "a" / ".note").touch()

    collection.sweep()

    assert {path.name for path in (tmp_path / "a").iterdir()} == {kept.file, alive, ".note"}


def test_a_collection_that_does_not_exist_has_nothing_to_sweep(tmp_path: Path) -> None:
    """Neither an error nor a folder comes of it."""
    KeptDrawings(tmp_path / "kept").sweep()

    assert list(tmp_path.iterdir()) == []
