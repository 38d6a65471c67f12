"""Outputs that are whole or absent, the leftovers of dead processes, and the form of text."""

from __future__ import annotations

import contextlib
import csv
import errno
import io
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
from inkfold.folder_kinds import FolderKind
from inkfold.output import (
    check_free,
    csv_row,
    new_file,
    new_folder,
    scratch_folder,
    write_csv,
    write_text,
)
from tests.worlds.tables import exact

HOST = "".join(c if c.isalnum() or c == "_" else "-" for c in socket.gethostname())

KIND = FolderKind(noun="a box", marker="one", files="one|two")


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
        check_free(tmp_path / "folder", overwrite=True)
    check_free(tmp_path / "folder", overwrite=True, kind=KIND)
    for path in ("file/out", "file/deep/out"):
        with pytest.raises(InkfoldError, match="file is a file, not a folder; choose another"):
            check_free(tmp_path / path, overwrite=True)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs Linux' /proc")
def test_a_place_where_no_folder_can_be_made_is_named() -> None:
    """An output in /proc, where no folder can be made, is refused with the name of that folder."""
    outputs = (partial(new_file, overwrite=False), partial(new_folder, kind=KIND, overwrite=False))
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


@pytest.mark.parametrize("form", ["file", "folder"])
def test_bytes_are_on_the_disk_before_the_name_and_the_name_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """Files and new folders are synchronised under their first names, and the name at the end."""
    steps: list[tuple[str, bool]] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        name = Path(f"/proc/self/fd/{descriptor}").readlink()
        steps.append((name.name, (tmp_path / "out").exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    if form == "file":
        with new_file(tmp_path / "out", overwrite=False) as part:
            part.write_text("1")
    else:
        with new_folder(tmp_path / "out", KIND, overwrite=False) as part:
            (part / "one").write_text("1")
            (part / "inner").mkdir()
            (part / "inner/two").write_text("2")

    *files, last = steps
    written = {part.name} if form == "file" else {part.name, "one", "inner", "two"}
    assert {name for name, _ in files} == written
    assert not any(named for _, named in files)
    assert last == (tmp_path.name, True)


@pytest.mark.parametrize(
    "output",
    [
        partial(new_file, overwrite=False),
        partial(new_folder, kind=KIND, overwrite=False),
        scratch_folder,
    ],
)
def test_a_disk_error_without_a_file_names_the_output(
    tmp_path: Path, output: Callable[[Path], AbstractContextManager[Path]]
) -> None:
    """An error of a file that is open has a number alone; it gets the name of the output."""
    path = tmp_path / "out"
    with pytest.raises(OSError, match="No space left") as caught, output(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    assert caught.value.filename == str(path)


@pytest.mark.parametrize(("number", "raised"), [(errno.EIO, True), (errno.EINVAL, False)])
def test_a_disk_that_cannot_keep_a_name_is_told_apart_from_one_that_does_not_synchronise_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, *, raised: bool
) -> None:
    """EIO of the folder that holds the output is an error with its name; EINVAL is none."""
    fsync = os.fsync

    def failing(descriptor: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").readlink() == tmp_path:
            raise OSError(number, os.strerror(number))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", failing)
    expected = pytest.raises(OSError, match=r"/out'$") if raised else contextlib.nullcontext()
    with expected, new_file(tmp_path / "out", overwrite=False) as part:
        part.write_text("whole")

    assert (tmp_path / "out").read_text() == "whole"


def test_an_unfinished_file_that_cannot_be_removed_hides_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first error is raised, not that of the removal, and a finished output stays a success."""

    def fail(_path: Path, *, missing_ok: bool = False) -> None:
        raise OSError(errno.EIO, f"cannot remove, missing_ok={missing_ok}")

    monkeypatch.setattr(Path, "unlink", fail)
    with pytest.raises(ValueError, match="the first"), new_file(tmp_path / "a", overwrite=False):
        raise ValueError("the first")
    with new_file(tmp_path / "b", overwrite=False) as part:
        part.write_text("1")

    assert (tmp_path / "b").read_text() == "1"


def test_a_folder_gets_its_name_at_the_end(tmp_path: Path) -> None:
    """A folder is renamed with everything in it, and nothing of the old folder is left."""
    out = tmp_path / "out"
    with new_folder(out, KIND, overwrite=False) as part:
        (part / "one").touch()
        assert not out.exists()
    with new_folder(out, KIND, overwrite=True) as part:
        (part / "one").touch()
        (part / "two").touch()
        assert names(out) == ["one"]

    assert names(out) == ["one", "two"]
    assert names(tmp_path) == ["out"]


def test_a_folder_whose_filling_fails_leaves_the_old_one(tmp_path: Path) -> None:
    """After an error the old folder is unchanged and nothing of the new one is left."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out/one").touch()

    with pytest.raises(ZeroDivisionError):
        fail(new_folder(tmp_path / "out", KIND, overwrite=True), inside="new")

    assert names(tmp_path / "out") == ["one"]
    assert names(tmp_path) == ["out"]


def test_a_scratch_folder_is_gone_after_use(tmp_path: Path) -> None:
    """A scratch folder is removed with its files when its block ends, even by an error."""
    with pytest.raises(ZeroDivisionError):
        fail(scratch_folder(tmp_path / "out"), inside="much")

    assert names(tmp_path) == []


@pytest.mark.parametrize(
    "output", [scratch_folder, partial(new_folder, kind=KIND, overwrite=False)]
)
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

    with pytest.raises(InkfoldError), new_folder(tmp_path / "out", KIND, overwrite=False):
        pass

    assert names(tmp_path / "out") == ["precious"]


def test_a_folder_with_anything_else_in_it_is_not_replaced(tmp_path: Path) -> None:
    """With overwrite, too, a folder stays that lacks its kind's marker or holds a stranger."""
    strangers = {
        "notes": ["one", "notes"],
        "two/": ["one", "two/"],
        "deep/one": ["one", "deep/one"],
    }
    for name, held in {**strangers, "marker": ["two"]}.items():
        out = tmp_path / name.strip("/").replace("/", "-")
        for each in held:
            (out / each).parent.mkdir(parents=True, exist_ok=True)
            (out / each).mkdir() if each.endswith("/") else (out / each).write_text("kept")
        expected = "has no one" if name == "marker" else f"it holds '{name}', which is no part of"

        with pytest.raises(InkfoldError, match=f"is not replaced: .*{expected}"):
            fail(new_folder(out, KIND, overwrite=True), inside="one")
        assert [(out / each).exists() for each in held] == [True] * len(held)

    (tmp_path / "link").mkdir()
    (tmp_path / "link/one").touch()
    (tmp_path / "link/else").symlink_to(tmp_path / "marker")
    with pytest.raises(InkfoldError, match="it holds 'else'"):
        check_free(tmp_path / "link", overwrite=True, kind=KIND)


def test_a_stranger_that_comes_during_the_work_is_kept(tmp_path: Path) -> None:
    """What somebody puts into the folder while the new one is made keeps the old one in place."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "one").write_text("old")

    def work() -> None:
        with new_folder(out, KIND, overwrite=True) as part:
            (part / "one").write_text("new")
            (out / "mine").write_text("mine")

    with pytest.raises(InkfoldError, match="it holds 'mine'"):
        work()
    assert names(tmp_path) == ["out"]
    assert ((out / "one").read_text(), (out / "mine").read_text()) == ("old", "mine")


def test_an_empty_folder_and_leftovers_in_a_folder_are_replaced(tmp_path: Path) -> None:
    """Nothing is lost with an empty folder, nor with the hidden beginnings of a killed command."""
    for name, held in (("empty", []), ("left", ["one", ".one.host.12.part"])):
        (tmp_path / name).mkdir()
        for each in held:
            (tmp_path / name / each).touch()
        with new_folder(tmp_path / name, KIND, overwrite=True) as part:
            (part / "one").touch()
        assert names(tmp_path / name) == ["one"]


def test_an_output_apart_from_its_inputs(tmp_path: Path) -> None:
    """An output that is an input, or lies in or around one, by whatever path, is refused."""
    (tmp_path / "in/deep").mkdir(parents=True)
    (tmp_path / "in/deep/file").touch()
    (tmp_path / "hard").hardlink_to(tmp_path / "in/deep/file")
    (tmp_path / "way").symlink_to(tmp_path / "in")
    file, folder = tmp_path / "in/deep/file", tmp_path / "in/deep"

    for out, read, message in (
        (tmp_path / "hard", file, "is the dataset itself"),
        (tmp_path / "way/deep/file", file, "is the dataset itself"),
    ):
        with pytest.raises(InkfoldError, match=message):
            check_free(out, overwrite=True, inputs=[read])
    for out, read, message in (
        (tmp_path / "way/deep", folder, "is an input itself"),
        (tmp_path / "way/deep/new", folder, "lies in .*deep, which is read"),
        (tmp_path / "in/deep/new/er", folder, "lies in .*deep, which is read"),
        (tmp_path / "way", folder, "holds .*deep, which is read"),
        (tmp_path / "in", file, "holds .*file, which is read"),
    ):
        with pytest.raises(InkfoldError, match=message):
            check_free(out, overwrite=True, kind=KIND, inputs=[read])
    check_free(tmp_path / "in/deeper", overwrite=True, kind=KIND, inputs=[folder, file])


def test_the_working_folder_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An output that is the working folder, or holds it, is refused by whatever name."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    for path in (".", "..", "../here", "/", tmp_path):
        with pytest.raises(InkfoldError, match="is the working folder or lies around it"):
            check_free(Path(path), overwrite=True, kind=KIND)


def test_a_link_leads_to_the_place_that_is_written(tmp_path: Path) -> None:
    """An output that is a link is written where it leads, and the link stays a link."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk/old").mkdir()
    (tmp_path / "disk/old/one").write_text("old")
    (tmp_path / "out").symlink_to("disk/old")
    (tmp_path / "file").symlink_to("disk/a/file")  # leads nowhere yet

    with new_folder(tmp_path / "out", KIND, overwrite=True) as part:
        (part / "two").touch()
        (part / "one").write_text("new")
    with new_file(tmp_path / "file", overwrite=False) as part:
        part.write_text("new")

    assert names(tmp_path) == ["disk", "file", "out"]
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "file").is_symlink()
    assert names(tmp_path / "disk/old") == ["one", "two"]
    assert (tmp_path / "disk/a/file").read_text() == "new"
    assert names(tmp_path / "disk") == ["a", "old"]


def test_a_link_that_leads_back_to_itself_is_refused(tmp_path: Path) -> None:
    """Two links that lead to each other are no place for an output."""
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")

    for kind in (None, KIND):
        with pytest.raises(InkfoldError, match="is a link that leads back to itself"):
            check_free(tmp_path / "a", overwrite=True, kind=kind)


@pytest.mark.parametrize("ending", ["part", "old", "scratch"])
def test_a_link_among_leftovers_is_removed_and_blocks_nothing(tmp_path: Path, ending: str) -> None:
    """A leftover that is a link to a folder is unlinked; what it leads to is untouched."""
    (tmp_path / "far").mkdir()
    (tmp_path / "far/precious").touch()
    (tmp_path / "out").mkdir()
    (tmp_path / f".out.{HOST}.{dead()}.{ending}").symlink_to(tmp_path / "far")

    for _ in range(2):
        with new_folder(tmp_path / "out", KIND, overwrite=True) as part:
            (part / "one").touch()

    assert names(tmp_path) == ["far", "out"]
    assert names(tmp_path / "far") == ["precious"]


def test_what_is_neither_file_nor_folder_is_never_replaced(tmp_path: Path) -> None:
    """A named pipe, a socket and a device are refused with overwrite, as file and as folder."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(tmp_path / "socket"))
    paths = [tmp_path / "pipe", tmp_path / "link", tmp_path / "socket", Path("/dev/null")]

    for path in paths:
        for kind in (None, KIND):
            with pytest.raises(InkfoldError, match="is no file but a device, a pipe or a socket"):
                check_free(path, overwrite=True, kind=kind)
    assert Path("/dev/null").is_char_device()


def test_a_file_is_not_replaced_by_a_folder(tmp_path: Path) -> None:
    """A file in the place of a folder stays, with overwrite too."""
    (tmp_path / "out").write_text("mine")

    with pytest.raises(InkfoldError, match="is a file; give -o the name of a folder"):
        fail(new_folder(tmp_path / "out", KIND, overwrite=True), inside="one")
    assert (tmp_path / "out").read_text() == "mine"


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


@pytest.mark.parametrize("first", [*"=+-@\t\r\n'", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_no_text_in_a_csv_cell_is_a_formula_and_all_are_read_back(first: str) -> None:
    """A cell with a text like =1+1 begins with an apostrophe, the first of which a reader drops."""
    text = f'{first}HYPERLINK("http://a.example",1)'

    (row,) = csv.reader(io.StringIO(csv_row([text, first, f"a{first}", 7]), newline=""))

    assert row == [f"'{text}", f"'{first}", f"a{first}", "7"]
    assert [exact(cell) for cell in row[:3]] == [text, first, f"a{first}"]


def test_numbers_in_csv_are_numbers_even_below_zero() -> None:
    """A number is written without an apostrophe, also below zero, and what is empty stays empty."""
    assert csv_row([-0.5, -3, 0.25, None, ""]) == "-0.5,-3,0.25,,\n"


def test_bytes_of_a_path_that_are_not_text_are_escaped(tmp_path: Path) -> None:
    """A path that is not UTF-8 can be written into a text, with its odd bytes as escapes."""
    write_text(tmp_path / "t.txt", os.fsdecode(b"\xff\xc3\xa4"))

    assert (tmp_path / "t.txt").read_text(encoding="utf-8") == "\\udcff\u00e4"


def test_a_file_in_a_folder_that_is_read_replaces_a_dataset_alone(tmp_path: Path) -> None:
    """A file may be written into a folder that is read, but replaces no picture there."""
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "d.h5").write_bytes(b"\x89HDF\r\n\x1a\n")

    check_free(tmp_path / "new.h5", overwrite=False, inputs=[tmp_path])
    check_free(tmp_path / "d.h5", overwrite=True, inputs=[tmp_path])
    with pytest.raises(InkfoldError, match=r"a\.png lies in .*, which is read"):
        check_free(tmp_path / "a.png", overwrite=True, inputs=[tmp_path])
