"""Outputs that are whole or absent, the leftovers of dead processes, and the form of text."""

from __future__ import annotations

import csv
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest

from inkfold.errors import InkfoldError
from inkfold.output import (
    check_free,
    csv_row,
    new_file,
    new_folder,
    scratch_folder,
    write_csv,
    write_text,
)

HOST = "".join(c if c.isalnum() or c == "_" else "-" for c in socket.gethostname())


def names(folder: Path) -> list[str]:
    """The names in a folder, sorted."""
    return sorted(path.name for path in folder.iterdir())


def dead() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def fail(output: AbstractContextManager[Path], *, inside: str = "") -> None:
    """Begin to write an output, or a file `inside` it, and raise an error."""
    with output as part:
        (part / inside if inside else part).write_text("half")
        raise ZeroDivisionError


def overtaken(path: Path) -> None:
    """Write an output while another process writes one of the same name."""
    with new_file(path, overwrite=False) as part:
        part.write_text("mine")
        path.write_text("yours")


def test_an_output_that_exists_is_refused(tmp_path: Path) -> None:
    """An output that exists is refused unless it may be overwritten."""
    (tmp_path / "out").touch()

    with pytest.raises(InkfoldError, match="out already exists; add --overwrite"):
        check_free(tmp_path / "out", overwrite=False)
    check_free(tmp_path / "out", overwrite=True)
    check_free(tmp_path / "other", overwrite=False)


def test_an_output_in_an_impossible_place_is_refused(tmp_path: Path) -> None:
    """A file in place of a folder is refused even with overwrite, and so is a place in a file."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()

    with pytest.raises(InkfoldError, match="folder is a folder; give the name of a file"):
        check_free(tmp_path / "folder", overwrite=True, file=True)
    check_free(tmp_path / "folder", overwrite=True)
    for path in ("file/out", "file/deep/out"):
        with pytest.raises(InkfoldError, match="file is a file, not a folder; choose another"):
            check_free(tmp_path / path, overwrite=True)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs Linux' /proc")
def test_a_place_where_no_folder_can_be_made_is_named() -> None:
    """An output in /proc, where no folder can be made, is refused with the name of that folder."""
    outputs = (partial(new_file, overwrite=False), partial(new_folder, overwrite=False))
    for output in (*outputs, scratch_folder):
        with pytest.raises(InkfoldError, match=r"/proc/letters: no folder can be made there"):
            fail(output(Path("/proc/letters/a.h5")))


def test_a_file_gets_its_name_at_the_end(tmp_path: Path) -> None:
    """Missing folders are made, and an old file stays until the new one is complete."""
    out = tmp_path / "deep/er/out"
    with new_file(out, overwrite=False) as part:
        part.write_text("new")
        assert not out.exists()
    with new_file(out, overwrite=True) as part:
        part.write_text("newer")
        assert out.read_text() == "new"

    assert out.read_text() == "newer"
    assert names(out.parent) == ["out"]


def test_a_file_whose_writing_fails_leaves_the_old_one(tmp_path: Path) -> None:
    """After an error the old file is unchanged and nothing of the new one is left."""
    (tmp_path / "out").write_text("old")

    with pytest.raises(ZeroDivisionError):
        fail(new_file(tmp_path / "out", overwrite=True))

    assert (tmp_path / "out").read_text() == "old"
    assert names(tmp_path) == ["out"]


def test_a_file_that_came_in_the_meantime_is_not_overwritten(tmp_path: Path) -> None:
    """Of two runs with the same output the second to end is refused, without overwrite."""
    with pytest.raises(InkfoldError, match="already exists"):
        overtaken(tmp_path / "out")

    assert (tmp_path / "out").read_text() == "yours"
    assert names(tmp_path) == ["out"]


def test_a_folder_gets_its_name_at_the_end(tmp_path: Path) -> None:
    """A folder is renamed with everything in it, and nothing of the old folder is left."""
    out = tmp_path / "out"
    with new_folder(out, overwrite=False) as part:
        (part / "one").touch()
        assert not out.exists()
    with new_folder(out, overwrite=True) as part:
        (part / "two").touch()
        assert names(out) == ["one"]

    assert names(out) == ["two"]
    assert names(tmp_path) == ["out"]


def test_a_folder_whose_filling_fails_leaves_the_old_one(tmp_path: Path) -> None:
    """After an error the old folder is unchanged and nothing of the new one is left."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out/old").touch()

    with pytest.raises(ZeroDivisionError):
        fail(new_folder(tmp_path / "out", overwrite=True), inside="new")

    assert names(tmp_path / "out") == ["old"]
    assert names(tmp_path) == ["out"]


def test_a_scratch_folder_is_gone_after_use(tmp_path: Path) -> None:
    """A scratch folder is removed with its files when its block ends, even by an error."""
    with pytest.raises(ZeroDivisionError):
        fail(scratch_folder(tmp_path / "out"), inside="much")

    assert names(tmp_path) == []


@pytest.mark.parametrize("output", [scratch_folder, partial(new_folder, overwrite=False)])
def test_a_signal_right_after_a_folder_is_made_leaves_nothing(
    output: Callable[[Path], AbstractContextManager[Path]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A signal between making the folder and yielding it leaves no folder behind."""

    def stopped(path: Path) -> None:
        os.mkdir(path)  # noqa: PTH102, Path.mkdir itself is replaced here
        raise SystemExit(143)

    (tmp_path / "out").mkdir()
    monkeypatch.setattr(Path, "mkdir", lambda path, **_: None if path.exists() else stopped(path))

    with pytest.raises(SystemExit):
        fail(output(tmp_path / "out/d.h5"))
    assert names(tmp_path / "out") == []


def test_leftovers_of_dead_processes_are_removed(tmp_path: Path) -> None:
    """Leftovers are removed only if output and machine are the same and the process is dead."""
    pid, living = dead(), os.getppid()
    kept = [
        f".other.{HOST}.{pid}.part",
        f".out.elsewhere.{pid}.part",
        f".out.{HOST}.{living}.part",
        f".out.{HOST}.{pid}.notes",
    ]
    for name in (f".out.{HOST}.{pid}.part", *kept):
        (tmp_path / name).touch()
    (tmp_path / f".out.{HOST}.{pid}.scratch").mkdir()
    (tmp_path / f".out.{HOST}.{pid}.scratch/images").touch()

    with new_file(tmp_path / "out", overwrite=False) as part:
        part.touch()

    assert names(tmp_path) == sorted([*kept, "out"])


def test_a_dead_process_may_have_had_our_number(tmp_path: Path) -> None:
    """Leftovers with this process's own number are replaced, as every run may be process 7."""
    (tmp_path / f".out.{HOST}.{os.getpid()}.scratch").mkdir()
    (tmp_path / f".out.{HOST}.{os.getpid()}.part").mkdir()

    with scratch_folder(tmp_path / "out") as scratch:
        (scratch / "mine").touch()
        with new_file(tmp_path / "out", overwrite=False) as part:
            part.touch()
        assert names(scratch) == ["mine"]

    assert names(tmp_path) == ["out"]


def test_a_folder_lost_between_two_renames_is_put_back(tmp_path: Path) -> None:
    """A folder that a killed process had moved away, to replace it, gets its name back."""
    old = tmp_path / f".out.{HOST}.{dead()}.old"
    old.mkdir()
    (old / "precious").touch()

    with pytest.raises(InkfoldError), new_folder(tmp_path / "out", overwrite=False):
        pass

    assert names(tmp_path / "out") == ["precious"]


def test_csv_cells_are_quoted_where_they_need_it_and_rows_end_with_a_newline(
    tmp_path: Path,
) -> None:
    """Cells with a comma, a quote or a line end are quoted, None is empty, and rows end with LF."""
    rows: list[list[object]] = [["a,b", 'say "c"', None, 1.5], ["d\re", "f\ng", "", 0]]

    write_csv(tmp_path / "t.csv", ["1", "2", "3", "4"], rows)

    assert csv_row(rows[0]) == '"a,b","say ""c""",,1.5\n'
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["1", "2", "3", "4"],
            ["a,b", 'say "c"', "", "1.5"],
            ["d\re", "f\ng", "", "0"],
        ]
    assert (tmp_path / "t.csv").read_bytes().count(b"\n") == 4, "one of them in a cell"


def test_bytes_of_a_path_that_are_not_text_are_escaped(tmp_path: Path) -> None:
    """A path that is not UTF-8 can be written into a text, with its odd bytes as escapes."""
    write_text(tmp_path / "t.txt", os.fsdecode(b"\xff\xc3\xa4"))

    assert (tmp_path / "t.txt").read_text(encoding="utf-8") == "\\udcff\u00e4"
