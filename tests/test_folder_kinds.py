"""Every folder that a command writes is of its kind, so that --overwrite may replace it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inkfold.bundle.bundle import SHIPPED
from inkfold.commands.audit import main as audit
from inkfold.commands.evaluate import main as evaluate
from inkfold.commands.export import main as export
from inkfold.folder_kinds import (
    AUDIT,
    BUNDLE,
    COMPARISON,
    EXPORT,
    EXPORTED_FILES,
    REPORT,
    FolderKind,
)
from tests.worlds.audited import clean_splits, write_splits
from tests.worlds.bands import write_bundle, write_dataset

SPLITS = {"train": ((0, 1), (0, 1)), "validation": ((3,), (3,)), "test": ((0, 1), (1, 1))}


@pytest.fixture(autouse=True)
def _in_a_new_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make an empty folder the working folder, where outputs go."""
    monkeypatch.chdir(tmp_path)


def of_kind(folder: Path, kind: FolderKind) -> None:
    """Hold that a folder is of a kind, and no longer with any one more file or folder in it."""
    assert kind.objection(folder) is None
    for stranger in ("notes.txt", "deep/report.html"):
        (folder / stranger).parent.mkdir(exist_ok=True)
        (folder / stranger).touch()
        assert kind.objection(folder) == f"it holds {stranger!r}, which is no part of {kind.noun}"
        (folder / stranger).unlink()
    (folder / "deep").rmdir()
    (folder / kind.marker).unlink()
    assert kind.objection(folder) == f"it is not {kind.noun} (it has no {kind.marker})"


def test_a_report_and_a_comparison_are_of_their_kinds() -> None:
    """What evaluate.py writes of one bundle and of two is replaced by a second run."""
    write_dataset(Path("d.h5"), SPLITS)
    for name in ("one", "two"):
        write_bundle(Path(name))
    for _ in range(2):
        assert evaluate(["one", "d.h5", "-o", "report", "--overwrite"]) == 0
        assert evaluate(["one", "two", "d.h5", "-o", "both", "--overwrite"]) == 0

    of_kind(Path("report"), REPORT)
    of_kind(Path("both"), COMPARISON)


def test_an_audits_folder_is_of_its_kind() -> None:
    """An audit that finds something of every kind writes a folder that a second run replaces."""
    splits = clean_splits()
    (train, labels), (validation, _), (test, test_labels) = splits
    test[3], test_labels[3] = train[40], labels[40]
    test[4], test_labels[4] = train[41], (labels[41] + 1) % 3
    test[6] = np.roll(train[44], 1, axis=1)
    train[5], train[6], validation[0] = 0, 255 - train[6], validation[3]
    write_splits(Path("d.h5"), splits)
    for _ in range(2):
        assert audit(["d.h5", "--quick", "-o", "found", "--overwrite"]) == 1

    assert {"leaks.csv", "conflicts.csv", "blank.csv", "near_duplicates.png"} <= {
        path.name for path in Path("found").iterdir()
    }
    of_kind(Path("found"), AUDIT)


def test_an_export_is_of_its_kind() -> None:
    """The class folders of an export, whatever the classes are called, are replaced."""
    write_splits(Path("d.h5"), clean_splits((30, 6, 6)), classes=["a/b", "", "pictures.csv"])
    for _ in range(2):
        assert export(["d.h5", "out", "--overwrite"]) == 0

    of_kind(Path("out"), EXPORT)


def test_files_for_other_tools_are_of_their_kind() -> None:
    """What one format wrote is replaced by another, and is no export as class folders."""
    write_splits(Path("d.h5"), clean_splits((30, 6, 6)))
    for form in ("npz", "idx", "npz"):
        assert export(["d.h5", "out", "--format", form, "--overwrite"]) == 0
        assert export(["d.h5", form, "--format", form, "--overwrite"]) == 0

    assert export(["d.h5", "out", "--overwrite"]) == 2
    for folder in ("out", "npz", "idx"):
        of_kind(Path(folder), EXPORTED_FILES)


def test_a_bundle_is_of_its_kind() -> None:
    """The bundle that comes along has every file that a bundle may have, and no other."""
    assert BUNDLE.objection(SHIPPED) is None
