"""A dataset that changes while it is augmented: the run stops and leaves nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from inkfold.augmentation.augment import Augmentation, augment_dataset
from inkfold.dataset.reader import open_dataset
from inkfold.errors import InkfoldError
from inkfold.recipe import Distortion
from inkfold.workers import local_crew
from tests.worlds.packed_strokes import write_packed
from tests.worlds.scripts import ROOT

PLAN = Augmentation(Distortion(sigma=4, alpha=20), copies=2)


def rename_over(other: Path, path: Path) -> None:
    """Put a copy of the other dataset in the place of the first, as our own commands do."""
    shutil.copyfile(other, other.with_suffix(".part")).replace(path)


CHANGES = [
    (rename_over, "another file is in its place"),
    (shutil.copyfile, "it was written to"),
    (lambda _other, path: path.unlink(), "it is gone"),
    (lambda _other, path: path.write_bytes(b""), "it was written to"),
]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(("change", "how"), CHANGES)
def test_a_dataset_that_changes_after_the_first_chunk_stops_the_run(
    tmp_path: Path, change: Callable[[Path, Path], object], how: str, workers: int
) -> None:
    """No worker reads from another file than the first one did, and no output is left."""
    path = write_packed(tmp_path / "d.h5", (3000, 64, 64))
    other = write_packed(tmp_path / "other.h5", (3000, 80, 80), seed=1)
    done: list[int] = []

    def advance(rows: int) -> None:
        if not done:
            change(other, path)
        done.append(rows)

    with (
        pytest.raises(InkfoldError) as error,
        open_dataset(path) as packed,
        local_crew(workers) as crew,
    ):
        augment_dataset(
            packed,
            tmp_path / "out.h5",
            PLAN,
            crew=crew,
            advance=advance,
        )

    assert str(error.value).startswith(f"{path}: changed while it was read ({how}); run it again")
    assert len(done) < 12, "not all chunks were made"
    assert {path.name for path in tmp_path.iterdir()} <= {"d.h5", "other.h5"}


def test_what_is_copied_at_the_end_is_refused_as_well_if_it_changed(tmp_path: Path) -> None:
    """Validation and test are read after the last chunk; a file written to by then is refused."""
    path = write_packed(tmp_path / "d.h5", (100, 64, 64))
    other = write_packed(tmp_path / "other.h5", (100, 64, 64), seed=1)

    def advance(_rows: int) -> None:
        path.write_bytes(other.read_bytes())

    with (
        pytest.raises(InkfoldError, match=r"changed while it was read \(it was written to\)"),
        open_dataset(path) as packed,
        local_crew(1) as crew,
    ):
        augment_dataset(
            packed,
            tmp_path / "out.h5",
            PLAN,
            crew=crew,
            advance=advance,
        )

    assert not (tmp_path / "out.h5").exists()


def test_the_script_ends_with_one_line_and_exit_code_2(tmp_path: Path) -> None:
    """A file that is renamed over the dataset of a running augment.py stops it, tidily.

    The work would take a minute, so that its middle is not missed on a busy machine.
    """
    path = write_packed(tmp_path / "d.h5", (8000, 64, 64))
    other = write_packed(tmp_path / "other.h5", (8000, 64, 64), seed=1)
    command = [sys.executable, str(ROOT / "augment.py"), str(path), "--copies", "300"]
    with subprocess.Popen(
        [*command, "--workers", "2", "-o", str(tmp_path / "out.h5")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while process.poll() is None and not list(tmp_path.glob(".out.h5.*.part")):
            time.sleep(0.01)
        other.replace(path)
        output, errors = process.communicate()

    assert (process.returncode, output) == (2, ""), errors
    assert errors == (
        f"error: {path}: changed while it was read (another file is in its place); run it again, "
        "and let nothing write there meanwhile\n"
    )
    assert [entry.name for entry in tmp_path.iterdir()] == ["d.h5"]
