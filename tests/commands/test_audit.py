"""The command line of the audit: what it prints and writes, how it ends, what it refuses."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from inkfold.audit.suspects import check_cleanlab
from inkfold.commands.audit import main
from inkfold.dataset.reader import open_dataset
from inkfold.errors import InkfoldError
from tests.worlds.audited import clean_splits, write_splits
from tests.worlds.scripts import ROOT

# audits in forked children, each killed before the n-th time that a file is renamed or removed;
# prints after each which of the two files there are
KILLED = """
import os, signal, sys
from pathlib import Path
from inkfold.commands.audit import main
import inkfold.audit.report, inkfold.audit.clean, cv2

ended, step = False, 0
while not ended:
    step += 1
    for name in ("clean.h5", "clean.h5.dropped.csv"):
        Path(name).unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        count = 0
        def hook(event, _arguments):
            global count
            if event in ("os.rename", "os.remove"):
                count += 1
                if count == step:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(hook)
        os._exit(main(["d.h5", "--quick", "--fix", "clean.h5", "--overwrite"]))
    ended = os.waitpid(child, 0)[1] != signal.SIGKILL
    print("seen", *sorted(path.name for path in Path().glob("clean.h5*")), flush=True)
"""


@pytest.fixture(autouse=True)
def _in_a_new_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make an empty folder the working folder, where outputs go."""
    monkeypatch.chdir(tmp_path)


def leaking(path: str = "d.h5") -> str:
    """A dataset with two leaked pictures, a near duplicate and a blank picture."""
    splits = clean_splits()
    (train, labels), _, (test, test_labels) = splits
    test[[3, 4]], test_labels[[3, 4]] = train[[40, 41]], labels[[40, 41]]
    test[6] = np.roll(train[44], 1, axis=1)
    train[5] = 0
    write_splits(Path(path), splits)
    return path


def rows_of(path: str) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_clean_set_ends_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    """The audit of a clean dataset prints a count of 0 for every fault, and nothing on stderr."""
    write_splits(Path("d.h5"), clean_splits())

    code = main(["d.h5", "--quick"])

    captured = capsys.readouterr()
    first, found, heading, *lines, verdict, rate = captured.out.splitlines()
    assert (
        found == "Nothing is surely wrong: no picture is in two splits, blank, or under two labels."
    )
    assert heading == "The figures:", "there is nothing to do"
    assert code == 0
    assert first == "d.h5: 420 pictures of 3 classes (300 / 60 / 60)"
    assert lines[0] == "  140 of each class"
    assert all(line.startswith("  0 ") for line in lines[1:-1])
    assert lines[-1].startswith("  most alike (distance over spread): ")
    assert "'Ж' and 'b' (" in lines[-1]
    assert verdict == "no picture is in two splits"
    assert rate.startswith("420 pictures in ")
    assert captured.err == ""


def test_a_leak_ends_with_1_and_all_faults_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """The folder gets tables with sources, a sheet of near duplicates, and the printed summary."""
    code = main([leaking(), "--quick", "-o", "found"])

    out = capsys.readouterr().out
    assert code == 1
    assert "LEAK: 2 pictures of validation and test are in another split too" in out
    assert out.startswith(Path("found/summary.txt").read_text(encoding="utf-8"))
    assert sorted(path.name for path in Path("found").iterdir()) == [
        "audit.json",
        "blank.csv",
        "classes.csv",
        "leaks.csv",
        "near_duplicates.csv",
        "near_duplicates.png",
        "summary.txt",
    ]
    leaks = [(row["split"], row["source"]) for row in rows_of("found/leaks.csv")]
    assert sorted(leaks[:2]) in (
        [("test", "test/3"), ("train", "train/40")],
        [("test", "test/4"), ("train", "train/41")],
    ), "pictures with the same pixels stand together"
    assert len(leaks) == 4
    (near,) = rows_of("found/near_duplicates.csv")
    assert (near["source"], near["other_source"]) == ("test/6", "train/44")
    assert float(near["correlation"]) > 0.99
    (blank,) = rows_of("found/blank.csv")
    assert blank == {"split": "train", "row": "5", "class": "c", "source": "train/5"}
    assert rows_of("found/classes.csv")[0] == {
        "class": "Ж",
        "train": "100",
        "validation": "20",
        "test": "19",  # the leaked pictures were given the labels of those that they repeat
    }
    assert json.loads(Path("found/audit.json").read_text(encoding="utf-8"))["leaked"] == 2
    sheet = cv2.imread("found/near_duplicates.png")
    assert sheet is not None
    assert sheet.std() > 10


def test_fix_writes_a_cleaned_copy_and_the_list_of_dropped_pictures(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The exit code is 1 for the audited dataset with its leak; auditing the copy gives 0."""
    code = main([leaking(), "--quick", "--fix", "made/clean.h5"])

    last = capsys.readouterr().out.splitlines()[-1]
    assert code == 1
    assert last == (
        "made/clean.h5: 417 pictures; dropped 0 conflicts, 2 leaks, 1 blank, "
        "each in made/clean.h5.dropped.csv"
    )
    assert [(row["source"], row["why"]) for row in rows_of("made/clean.h5.dropped.csv")] == [
        ("train/5", "blank"),
        ("train/40", "same pixels in a later split"),
        ("train/41", "same pixels in a later split"),
    ]
    assert main(["made/clean.h5", "--quick"]) == 0
    with open_dataset("made/clean.h5") as clean:
        assert len(clean.train) == 297


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no.h5"], "no.h5: no such dataset; pack one with: inkfold create_dataset FOLDER"),
        (["d.h5", "--fix", "d.h5", "--overwrite"], "d.h5 is the dataset itself; give --fix"),
        (["d.h5", "--fix", "old.csv"], "old.csv already exists; add --overwrite"),
        (["d.h5", "--fix", "old.h5"], "old.h5.dropped.csv already exists; add --overwrite"),
        (["d.h5", "-o", "old.csv", "--overwrite"], "old.csv is a file; give -o the name of a"),
        (["d.h5", "-o", "."], ". holds d.h5, which is read; choose another place with -o"),
        (["empty.h5"], "empty.h5 holds no picture; pack a folder that has some"),
    ],
)
def test_mistakes_are_answered_in_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong path or output is one line on stderr with exit code 2, and no file changes."""
    leaking()
    write_splits(Path("empty.h5"), clean_splits((0, 0, 0)))
    Path("old.csv").write_text("mine")
    Path("old.h5.dropped.csv").write_text("mine")
    files = sorted(Path().iterdir())

    code = main([*arguments, "--quick"])

    captured = capsys.readouterr()
    assert code == 2
    assert captured.err.startswith(f"error: {message}")
    assert len(captured.err.splitlines()) == 1
    assert captured.out == ""
    assert sorted(Path().iterdir()) == files
    assert Path("old.csv").read_text() == "mine"


def test_without_cleanlab_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without cleanlab the audit stops before it reads a picture; with --quick it needs none."""
    leaking()
    monkeypatch.setattr("inkfold.extras.find_spec", lambda _name: None)

    with monkeypatch.context() as patch:
        patch.delattr("inkfold.audit.audit.originals_of")  # reading a picture would be an error
        code = main(["d.h5"])

    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    assert "pip install 'inkfold[audit]', or leave it out with --quick" in captured.err
    assert main(["d.h5", "--quick"]) == 1
    with pytest.raises(InkfoldError, match="cleanlab, keras and tensorflow, which are not"):
        check_cleanlab()


def test_a_cleaned_dataset_never_lies_there_without_its_list() -> None:
    """Killed at any rename, --fix leaves neither file, the list alone, or both; a rerun works."""
    leaking()

    done = subprocess.run(
        [sys.executable, "-c", KILLED],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    seen = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("seen")]
    one, both = ["clean.h5.dropped.csv"], ["clean.h5", "clean.h5.dropped.csv"]
    assert [files for files in seen if files not in ([], one, both)] == []
    assert (seen[0], seen[-1]) == ([], both)
    assert one in seen
    assert sorted(path.name for path in Path().iterdir()) == [*both, "d.h5"]


@pytest.mark.slow
def test_an_audit_that_is_stopped_while_its_network_learns_gives_all_that_it_found() -> None:
    """The findings are printed before the network starts; Ctrl-C then writes the lists as well."""
    pytest.importorskip("cleanlab", reason="the extra [audit] is not installed")
    leaking()
    command = [sys.executable, "-m", "inkfold.commands.main", "audit", "d.h5", "-o", "found"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        printed = ""
        while "LEAK: 2 pictures" not in printed:
            printed += process.stdout.readline()
            assert process.poll() is None, process.stderr
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate()

    assert process.returncode == 130
    assert "suspected" not in rest
    told = "stopped before all was done, the lists are in found\ninterrupted\n"
    assert errors == told
    assert len(rows_of("found/leaks.csv")) == 4
    assert not Path("found/suspects.csv").exists()


@pytest.mark.slow
@pytest.mark.long
def test_wrong_labels_of_real_digits_are_ranked_first(capsys: pytest.CaptureFixture[str]) -> None:
    """Of 9 labels made wrong among 901 digits, at least 8 are among the first 18 suspects."""
    pytest.importorskip("cleanlab", reason="the extra [audit] is not installed")
    from sklearn.datasets import load_digits

    digits, rng = load_digits(n_class=5), np.random.default_rng(0)
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    images = np.pad(images, ((0, 0), (2, 2), (2, 2)))
    labels = digits.target.astype(np.int32)
    wrong = rng.choice(len(labels), 9, replace=False)
    labels[wrong] = (labels[wrong] + rng.integers(1, 5, 9)) % 5
    ends = (0, 700, 800, 901)
    parts = [slice(a, b) for a, b in zip(ends[:-1], ends[1:], strict=True)]  # noqa: RUF007, one use
    splits = [(images[part], labels[part]) for part in parts]
    write_splits(Path("d.h5"), splits, classes=[*map(str, range(5)), "rare"])

    code = main(["d.h5", "-o", "found"])

    names = ("train", "validation", "test")
    planted = {f"{names[s]}/{w - ends[s]}" for w in wrong.tolist() for s in range(3)
               if ends[s] <= w < ends[s + 1]}  # fmt: skip
    ranked = [row["source"] for row in rows_of("found/suspects.csv")]
    assert code == 0
    assert len(planted & set(ranked[:18])) >= 8
    assert len(ranked) == 100
    right = {f"{names[s]}/{row}": str(digits.target[ends[s] + row]) for s in range(3)
             for row in range(ends[s + 1] - ends[s])}  # fmt: skip
    suggested = [row for row in rows_of("found/suspects.csv")[:18] if row["source"] in planted]
    assert sum(row["suggested"] == right[row["source"]] for row in suggested) >= 7
    assert Path("found/suspects.png").exists()
    assert "labels suspected by cleanlab; the quick network agreed with 8" in (
        capsys.readouterr().out
    )
    assert "suspected by cleanlab" in Path("found/summary.txt").read_text()
    counts = json.loads(Path("found/audit.json").read_text())["suspected_labels"]
    assert (counts["judged"], counts["not_judged"]) == (901, 0)
    assert 5 <= counts["count"] <= 30
