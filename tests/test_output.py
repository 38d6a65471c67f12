"""Outputs that are whole or not there, and what dead processes left behind."""

from __future__ import annotations

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
from inkfold.output import check_free, new_file, new_folder, scratch_folder

HOST = "".join(c if c.isalnum() or c == "_" else "-" for c in socket.gethostname())


def names(folder: Path) -> list[str]:
    """What is in a folder."""
    return sorted(path.name for path in folder.iterdir())


def dead() -> int:
    """The number of a process that is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def fail(output: AbstractContextManager[Path], *, inside: str = "") -> None:
    """Begin to write an output, as a file or as one `inside` it, and come to grief."""
    with output as part:
        (part / inside if inside else part).write_text("half")
        raise ZeroDivisionError


def overtaken(path: Path) -> None:
    """Write an output that somebody else makes in the meantime."""
    with new_file(path, overwrite=False) as part:
        part.write_text("mine")
        path.write_text("yours")


def test_an_output_that_exists_is_refused(tmp_path: Path) -> None:
    """Unless it is to be overwritten."""
    (tmp_path / "out").touch()

    with pytest.raises(InkfoldError, match="out already exists; add --overwrite"):
        check_free(tmp_path / "out", overwrite=False)
    check_free(tmp_path / "out", overwrite=True)
    check_free(tmp_path / "other", overwrite=False)


def test_an_output_that_cannot_be_is_refused(tmp_path: Path) -> None:
    """A file where a folder of that name is, even to overwrite; a place inside a file."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()

    with pytest.raises(InkfoldError, match="folder is a folder; give the name of a file"):
        check_free(tmp_path / "folder", overwrite=True, file=True)
    check_free(tmp_path / "folder", overwrite=True)
    for path in ("file/out", "file/deep/out"):
        with pytest.raises(InkfoldError, match="file is a file, not a folder; choose another"):
            check_free(tmp_path / path, overwrite=True)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="wants Linux' /proc")
def test_a_place_that_holds_no_folders_of_ours_is_named() -> None:
    """/proc says that there is no such file when a folder is made in it."""
    outputs = (partial(new_file, overwrite=False), partial(new_folder, overwrite=False))
    for output in (*outputs, scratch_folder):
        with pytest.raises(InkfoldError, match=r"/proc/letters: no folder can be made there"):
            fail(output(Path("/proc/letters/a.h5")))


def test_a_file_gets_its_name_at_the_end(tmp_path: Path) -> None:
    """Folders on the way are made; the old file stays until the new one is whole."""
    out = tmp_path / "deep/er/out"
    with new_file(out, overwrite=False) as part:
        part.write_text("new")
        assert not out.exists()
    with new_file(out, overwrite=True) as part:
        part.write_text("newer")
        assert out.read_text() == "new"

    assert out.read_text() == "newer"
    assert names(out.parent) == ["out"]


def test_a_file_whose_writing_fails_is_not_there(tmp_path: Path) -> None:
    """And what was there before still is."""
    (tmp_path / "out").write_text("old")

    with pytest.raises(ZeroDivisionError):
        fail(new_file(tmp_path / "out", overwrite=True))

    assert (tmp_path / "out").read_text() == "old"
    assert names(tmp_path) == ["out"]


def test_a_file_that_came_in_the_meantime_is_not_overwritten(tmp_path: Path) -> None:
    """Two runs of some hours with the same output: the second one to end is refused."""
    with pytest.raises(InkfoldError, match="already exists"):
        overtaken(tmp_path / "out")

    assert (tmp_path / "out").read_text() == "yours"
    assert names(tmp_path) == ["out"]


def test_a_folder_gets_its_name_at_the_end(tmp_path: Path) -> None:
    """With everything in it; nothing of the one before is left."""
    out = tmp_path / "out"
    with new_folder(out, overwrite=False) as part:
        (part / "one").touch()
        assert not out.exists()
    with new_folder(out, overwrite=True) as part:
        (part / "two").touch()
        assert names(out) == ["one"]

    assert names(out) == ["two"]
    assert names(tmp_path) == ["out"]


def test_a_folder_whose_filling_fails_is_not_there(tmp_path: Path) -> None:
    """The old one is."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out/old").touch()

    with pytest.raises(ZeroDivisionError):
        fail(new_folder(tmp_path / "out", overwrite=True), inside="new")

    assert names(tmp_path / "out") == ["old"]
    assert names(tmp_path) == ["out"]


def test_a_scratch_folder_is_gone_after_use(tmp_path: Path) -> None:
    """Also after an error."""
    with pytest.raises(ZeroDivisionError):
        fail(scratch_folder(tmp_path / "out"), inside="much")

    assert names(tmp_path) == []


@pytest.mark.parametrize("output", [scratch_folder, partial(new_folder, overwrite=False)])
def test_a_signal_right_after_a_folder_is_made_leaves_nothing(
    output: Callable[[Path], AbstractContextManager[Path]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may come between any two instructions: here before the folder is handed over."""

    def stopped(path: Path) -> None:
        os.mkdir(path)  # noqa: PTH102, Path's own is what is replaced
        raise SystemExit(143)

    (tmp_path / "out").mkdir()
    monkeypatch.setattr(Path, "mkdir", lambda path, **_: None if path.exists() else stopped(path))

    with pytest.raises(SystemExit):
        fail(output(tmp_path / "out/d.h5"))
    assert names(tmp_path / "out") == []


def test_what_dead_processes_left_is_swept(tmp_path: Path) -> None:
    """Files and folders of this output on this machine; not those of the living, or of others."""
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
    """In a container every run can be process 7: what it left does not stop the next run."""
    (tmp_path / f".out.{HOST}.{os.getpid()}.scratch").mkdir()
    (tmp_path / f".out.{HOST}.{os.getpid()}.part").mkdir()

    with scratch_folder(tmp_path / "out") as scratch:
        (scratch / "mine").touch()
        with new_file(tmp_path / "out", overwrite=False) as part:
            part.touch()
        assert names(scratch) == ["mine"]

    assert names(tmp_path) == ["out"]


def test_a_folder_lost_between_two_renames_is_put_back(tmp_path: Path) -> None:
    """A process killed after it moved the old folder away, before the new one had its name."""
    old = tmp_path / f".out.{HOST}.{dead()}.old"
    old.mkdir()
    (old / "precious").touch()

    with pytest.raises(InkfoldError), new_folder(tmp_path / "out", overwrite=False):
        pass

    assert names(tmp_path / "out") == ["precious"]
