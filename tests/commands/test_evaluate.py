"""The command line of the evaluation: what it prints, writes, records and refuses."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from inkfold.bundle.bundle import load_bundle, newest_bundle
from inkfold.commands.evaluate import main
from inkfold.dataset.reader import open_dataset
from tests.worlds.bands import write_bundle, write_dataset
from tests.worlds.scripts import run_script

TEST = ((0, 0, 1, 2), (0, 1, 1, 2))  # three of four are right
FILES = {
    *("summary.txt", "evaluation.json", "per_class.csv", "confusion.csv", "confusion.png"),
    *("confused_pairs.csv", "mistakes.csv", "reliability.csv", "coverage.csv", "report.html"),
}

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with the dataset d.h5 and a bundle `bands` whose record names d.h5."""
    monkeypatch.chdir(tmp_path)
    splits = {"train": ((0, 1), (0, 1)), "validation": ((3,), (3,)), "test": TEST}
    write_dataset(tmp_path / "d.h5", splits)
    with open_dataset(tmp_path / "d.h5") as dataset:
        write_bundle(tmp_path / "bands", provenance=dataset.provenance)
    return tmp_path


def test_the_report_is_printed_written_and_recorded(here: Path, capfd: Capture) -> None:
    """Stdout gets the summary, logs/bands/evaluation the files, and the bundle its test score."""
    code = main(["bands", "d.h5"])

    out, err = capfd.readouterr()
    folder = here / "logs" / "bands" / "evaluation"
    assert (code, err) == (0, "")
    assert out.startswith("bands on the test split of d.h5\n\nOf 4 pictures 3 were answered")
    assert "\nright              3 of 4, 75.00 %" in out
    assert out.splitlines()[-1].startswith("logs/bands/evaluation: 5 pictures answered in ")
    assert out.endswith(" a second; 4 of test, 1 to calibrate\n")
    assert (folder / "summary.txt").read_text(encoding="utf-8") in out
    assert {path.name for path in folder.iterdir()} == FILES
    score = load_bundle(here / "bands").scores["test"]
    assert (score["correct"], score["total"]) == (3, 4)


def test_measuring_a_bundle_does_not_make_it_the_newest(here: Path) -> None:
    """The newest bundle is the one trained last, even if an older one was evaluated since."""
    (here / "trained").mkdir()
    (here / "bands").rename(here / "trained" / "older")
    write_bundle(here / "trained" / "newer")
    for second, name in enumerate(("older", "newer")):
        os.utime(here / "trained" / name / "model.weights.h5", (second, second))

    assert main(["trained/older", "d.h5"]) == 0
    assert "test" in load_bundle(here / "trained" / "older").scores
    assert newest_bundle(here / "trained").name == "newer"


def test_nothing_is_recorded_in_a_bundle_that_comes_along(
    here: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bundle among the package's own files is measured, and stays as it was installed."""
    folder = (here / "bands").rename(here / "shipped")
    (here / "along").mkdir()
    bundle = folder.rename(here / "along/bands")
    monkeypatch.setattr("inkfold.bundle.bundle.COMES_ALONG", here / "along")
    monkeypatch.setattr("inkfold.commands.evaluate.COMES_ALONG", here / "along")
    before = (bundle / "bundle.json").read_bytes()

    assert main(["bands", "d.h5"]) == 0

    assert capfd.readouterr().err == f"not recorded in {bundle}: it is a part of Inkfold\n"
    assert (bundle / "bundle.json").read_bytes() == before


def test_validation_has_its_own_folder_and_a_warning(here: Path, capfd: Capture) -> None:
    """On validation, where the epoch was chosen, stderr and the report say that it flatters."""
    assert main(["bands", "d.h5", "--split", "validation"]) == 0

    out, err = capfd.readouterr()
    warning = "the epoch of bands was chosen on this split: the figures flatter it"
    assert err == f"warning: {warning}\n"
    assert f"NOTE: {warning}" in out
    report = here / "logs/bands/evaluation-validation/evaluation.json"
    assert json.loads(report.read_text(encoding="utf-8"))["caveat"] == warning


def test_an_existing_report_is_refused_before_anything_is_measured(
    here: Path, capfd: Capture
) -> None:
    """With an output that exists, the error is about the output, not about the missing dataset."""
    (here / "report").mkdir()

    assert main(["bands", "nowhere.h5", "-o", "report"]) == 2
    assert "report already exists" in capfd.readouterr().err


def test_an_earlier_report_is_kept_without_overwrite(here: Path, capfd: Capture) -> None:
    """Without --overwrite an earlier report is an error; with it the whole folder is replaced."""
    assert main(["bands", "d.h5"]) == 0
    capfd.readouterr()
    earlier = here / "logs" / "bands" / "evaluation" / "groups.csv"  # of a set that knew writers
    earlier.write_text("earlier")

    assert main(["bands", "d.h5"]) == 2
    out, err = capfd.readouterr()
    assert (out, earlier.read_text()) == ("", "earlier")
    assert "logs/bands/evaluation already exists; add --overwrite" in err
    assert main(["bands", "d.h5", "--overwrite"]) == 0
    assert not earlier.exists()


def test_what_is_not_a_report_survives_overwrite(here: Path, capfd: Capture) -> None:
    """With --overwrite, too, a user's file in the folder, the bundle and the dataset stay."""
    assert main(["bands", "d.h5", "-o", "report"]) == 0
    (here / "report/notes.txt").write_text("mine")
    (here / "mine").mkdir()
    (here / "mine/letter.txt").write_text("mine")
    before = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    capfd.readouterr()

    for output, message in (
        ("report", "report is not replaced: it holds 'notes.txt', which is no part of an eval"),
        ("mine", "mine is not replaced: it is not an evaluation's report (it has no evaluation.js"),
        ("bands", "bands is an input itself"),
        ("bands/report", "bands/report lies in bands, which is read"),
        (str(here), f"{here} holds bands, which is read"),
        ("d.h5", "d.h5 is the dataset itself"),
    ):
        assert main(["bands", "d.h5", "-o", output, "--overwrite"]) == 2
        assert capfd.readouterr().err.startswith(f"error: {message}")
    assert {path: path.read_bytes() for path in here.rglob("*") if path.is_file()} == before


def test_the_score_on_another_dataset_is_not_recorded(here: Path, capfd: Capture) -> None:
    """The score on another dataset is reported with a warning, and the bundle stays as it was."""
    write_dataset(here / "other.h5", {"test": TEST}, provenance={"source": {"fingerprint": "x"}})
    before = (here / "bands" / "bundle.json").read_bytes()
    splits = {"test": ((0,), (0,))}
    write_dataset(here / "different.h5", splits)

    assert main(["bands", "different.h5", "-o", "report"]) == 0

    err = capfd.readouterr().err
    assert "warning: different.h5 is another dataset than the one that bands was trained on" in err
    assert "not recorded in bands" in err
    assert {path.name for path in (here / "report").iterdir()} == FILES
    assert (here / "bands" / "bundle.json").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere", "d.h5"], "nowhere: no bundle here"),
        (["bands", "nowhere.h5"], "nowhere.h5: no such dataset"),
        (["bands", "d.h5", "--split", "holdout"], "'holdout' is not one of"),
        (["bands"], "Missing argument 'DATASET'"),
        (["bands", "empty.h5"], "empty.h5: the test split is empty"),
    ],
)
def test_a_users_mistake_gives_exit_code_2_and_no_report(
    here: Path, capfd: Capture, arguments: list[str], message: str
) -> None:
    """A missing bundle or dataset, a wrong option or an empty split is named on stderr."""
    write_dataset(here / "empty.h5", {})

    assert main(arguments) == 2
    assert message in capfd.readouterr().err
    assert not (here / "logs").exists()


def test_a_bundle_that_may_not_be_written_is_measured_all_the_same(
    here: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report is written, and a warning says that the score was not recorded."""

    def refuse(*_given: object, **_named: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("inkfold.evaluation.report.record_results", refuse)

    assert main(["bands", "d.h5"]) == 0
    assert capfd.readouterr().err == "warning: not recorded in bands: Permission denied\n"
    assert (here / "logs/bands/evaluation/summary.txt").exists()


def test_paths_that_are_not_utf_8_are_printed_escaped(here: Path) -> None:
    """A dataset and a report whose names are not UTF-8 are printed with \\udc escapes."""
    odd = os.fsdecode(b"d\xff.h5")
    (here / "d.h5").rename(here / odd)

    done = run_script("evaluate.py", "bands", odd, "-o", os.fsdecode(b"r\xff"), cwd=here)

    assert (done.returncode, done.stderr) == (0, b"")
    assert b"test split of d\\udcff.h5\n" in done.stdout
    assert b"\nr\\udcff: 5 pictures" in done.stdout
    report = json.loads((here / os.fsdecode(b"r\xff") / "evaluation.json").read_bytes())
    assert report["dataset"] == odd


def test_the_script_prints_class_names_in_utf_8(here: Path) -> None:
    """``evaluate.py`` writes class names of any script to its standard output."""
    done = run_script("evaluate.py", "bands", "d.h5", "-q", cwd=here)

    assert (done.returncode, done.stderr) == (0, b"")
    assert "  b b  あ  1\n" in done.stdout.decode("utf-8")
