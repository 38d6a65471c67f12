"""``inkfold check`` says that a dataset or a bundle is whole, or names the damaged place."""

from __future__ import annotations

from pathlib import Path

import h5py
import pytest

from inkfold.bundle.bundle import RECORD, SHIPPED
from inkfold.commands.main import main
from tests.worlds.packed_strokes import write_packed


def test_a_whole_dataset_is_counted_and_a_damaged_one_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 0 and the counts on stdout; exit code 2 and one line on stderr."""
    path = write_packed(tmp_path / "d.h5", (300, 20, 10))

    assert main(["check", str(path)]) == 0
    whole = capsys.readouterr()
    assert whole.out.startswith(f"{path}: whole; 4 classes, train 300, validation 20, test 10; ")
    assert whole.err == ""
    with h5py.File(path, "r+") as file:
        file["train/images"][5, 3, 3] ^= 1
    assert main(["check", str(path)]) == 2
    damaged = capsys.readouterr()
    assert damaged.out == ""
    assert damaged.err.startswith(f"error: {path}: /train/images: the pixels of row 5 differ from")
    assert len(damaged.err.splitlines()) == 1


def test_what_is_not_there_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A path without a file and a folder without a bundle end with exit code 2."""
    assert main(["check", str(tmp_path / "no.h5")]) == 2
    assert "no.h5: nothing there" in capsys.readouterr().err
    assert main(["check", str(tmp_path)]) == 2
    assert f"no bundle here ({RECORD} is missing)" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(not SHIPPED.is_dir(), reason="no bundle comes with this checkout")
def test_the_bundle_that_comes_along_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """Its files, both its networks and its history are as its record says."""
    assert main(["check", str(SHIPPED)]) == 0
    assert capsys.readouterr().out.startswith(f"{SHIPPED}: whole; 47 classes, ")
