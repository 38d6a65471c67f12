"""Outputs through kills: before every change of the disk the process is killed, and looked after.

A driver in a process of its own forks one child for each step. In the child an audit hook, which
Python calls before each rename, removal, link, folder or opened file, ends it by SIGKILL at the
n-th call; n grows until a child reaches its end.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from inkfold.renames import exchange, rename_new
from tests.worlds.scripts import ROOT

DRIVER = """
import os, shutil, signal, sys
from pathlib import Path
import inkfold.output as output
import inkfold.renames as renames
from inkfold.errors import InkfoldError
from inkfold.folder_kinds import FolderKind

STEPS = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "open", "os.scandir",
         "os.listdir", "shutil.rmtree", "ctypes.dlsym"}
KIND = FolderKind(noun="a box", marker="one", files="one|two")
form, root = sys.argv[1], Path(sys.argv[2])
if form == "two renames":  # a file system that lacks the exchange
    renames._renameat2 = lambda *_: False
output.rename_new, output.exchange  # bound before the steps are counted
renames._system_call()


def write(path, text, overwrite):
    if form == "file":
        with output.new_file(path, overwrite=overwrite) as part:
            part.write_text(text)
    else:
        with output.new_folder(path, KIND, overwrite=overwrite) as part:
            (part / "one").write_text(text)
            (part / "two").write_text(text)


def stands(path):
    files = [path] if form == "file" else [path / "one", path / "two"]
    return {file.read_text() for file in files} if path.exists() else set()


def killed(step, path, overwrite):
    child = os.fork()
    if child == 0:
        count = 0
        def hook(event, _arguments):
            nonlocal count
            if event in STEPS:
                count += 1
                if count == step:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(hook)
        write(path, "new", overwrite)
        os._exit(0)
    return os.waitpid(child, 0)[1] == signal.SIGKILL


def check(step, overwrite):
    folder = root / f"{overwrite}-{step}"
    folder.mkdir()
    path = folder / "out"
    if overwrite:
        write(path, "old", False)
    ended = not killed(step, path, overwrite)
    seen = stands(path)
    if form == "two renames" and not seen:
        try:  # put back before the name is taken for free
            output.check_free(path, overwrite=False, kind=KIND)
        except InkfoldError:
            pass
        seen = stands(path)
    allowed = [{"old"}, {"new"}] if overwrite else [set(), {"new"}]
    assert seen in allowed, (step, seen, os.listdir(folder))
    write(path, "newer", overwrite or bool(seen))
    assert stands(path) == {"newer"}, step
    assert os.listdir(folder) == ["out"], (step, os.listdir(folder))
    return ended


for overwrite in (False, True):
    step = 1
    while not check(step, overwrite):
        step += 1
    assert step > 5, step
    print(overwrite, step - 1)
"""


@pytest.mark.parametrize("form", ["file", "folder", "two renames"])
def test_a_kill_at_any_step_leaves_the_old_output_or_the_new_one_whole(
    form: str, tmp_path: Path
) -> None:
    """Killed before any change of the disk, old or new stands whole, and a rerun works."""
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, form, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    kills = [int(line.split()[1]) for line in done.stdout.splitlines()]
    assert len(kills) == 2
    assert min(kills) > 5, "the hook saw no step"


def test_two_folders_exchange_their_names(tmp_path: Path) -> None:
    """After an exchange each folder has what the other had, under the name that is returned."""
    for name in ("new", "place"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()

    hidden = exchange(tmp_path / "new", tmp_path / "place", tmp_path / "old")

    assert [path.name for path in (tmp_path / "place").iterdir()] == ["new"]
    assert [path.name for path in hidden.iterdir()] == ["place"]


def test_a_new_name_replaces_nothing(tmp_path: Path) -> None:
    """A rename to a name that is taken, if by a link that leads nowhere, is refused."""
    (tmp_path / "new").write_text("new")
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to("nowhere")

    for name in ("file", "link"):
        with pytest.raises(FileExistsError):
            rename_new(tmp_path / "new", tmp_path / name)
    rename_new(tmp_path / "new", tmp_path / "free")

    assert (tmp_path / "file").read_text() == "old"
    assert (tmp_path / "free").read_text() == "new"
