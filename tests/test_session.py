"""Whole sessions as a user runs them: the README's first session, and the demo."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from inkfold.bundle.bundle import load_bundle
from inkfold.folder_kinds import DEMO

ROOT = Path(__file__).resolve().parents[1]


def draw_classes(folder: Path, count: int) -> None:
    """Write `count` crosses, rings and bars of different places, sizes, widths and grey levels."""
    rng = np.random.default_rng(8)
    for name in ("十", "O", "bar 1"):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            sheet = np.full((48, 40), 245, np.uint8)
            row, column = (int(v) for v in rng.integers((18, 15), (30, 25)))
            radius, width = int(rng.integers(8, 13)), int(rng.integers(2, 5))
            ink = int(rng.integers(0, 90))
            if name == "O":
                cv2.circle(sheet, (column, row), radius, ink, width)
            else:
                cv2.line(sheet, (column - radius, row), (column + radius, row), ink, width)
            if name == "十":
                cv2.line(sheet, (column, row - radius), (column, row + radius), ink, width)
            data = cv2.imencode(".png", sheet)[1].tobytes()
            (folder / name / f"hand {number:03d}.png").write_bytes(data)


def session() -> list[list[str]]:
    """The words of each line of the README's first session."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"```sh\n(python create_dataset\.py .*?)```", text, re.DOTALL)
    assert block is not None
    return [shlex.split(line, comments=True) for line in block[1].splitlines()]


def run(folder: Path, line: list[str]) -> str:
    """Run a line of the session in `folder`; its standard output."""
    script = str(ROOT / line[1])
    done = subprocess.run(
        [sys.executable, script, *line[2:]], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_first_session_of_the_readme_runs_as_written(tmp_path: Path) -> None:
    """The README's four lines, without options, turn class folders into labels of new pictures."""
    draw_classes(tmp_path / "FOLDER", 60)
    lines = session()
    (tmp_path / "a.png").write_bytes((tmp_path / "FOLDER/十/hand 001.png").read_bytes())
    (tmp_path / "b.png").write_bytes((tmp_path / "FOLDER/O/hand 002.png").read_bytes())

    assert [line[1] for line in lines] == [
        "create_dataset.py",
        "augment.py",
        "models/cnn32.py",
        "classify.py",
    ]
    for line in lines[:-1]:
        run(tmp_path, line)
    assert run(tmp_path, lines[-1]) == "a.png 十\nb.png O\n"

    dataset, bundle = "datasets/characters.h5", tmp_path / "models/trained/cnn32"
    run(tmp_path, ["python", "evaluate.py", "models/trained/cnn32", dataset])
    score = load_bundle(bundle).scores["test"]
    assert score["total"] == 18
    assert score["correct"] >= 17, "a cross, a ring and a bar are easy to keep apart"
    assert (tmp_path / "datasets/characters_elastic.h5").exists()
    assert (tmp_path / "logs/cnn32/evaluation/report.html").exists()
    assert not list(tmp_path.rglob(".*part*")), "nothing half written is left"


@pytest.mark.slow
def test_the_demo_prints_its_score_and_names_files_that_exist(tmp_path: Path) -> None:
    """``inkfold demo`` packs, augments, trains, evaluates and classifies real digits by itself."""
    line = [sys.executable, "-m", "inkfold.commands.main", "demo"]

    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    score = re.search(r"^test +(\d+) of (\d+), .*95 % interval", done.stdout, re.MULTILINE)
    assert score is not None
    correct, total = int(score[1]), int(score[2])
    assert total == 179
    assert correct >= 170, "well under 95 % would be a broken network"
    for name in re.findall(r"^  (demo/\S+\.png)$", done.stdout, re.MULTILINE):
        assert (tmp_path / name).stat().st_size > 10_000
    assert done.stdout.count(".png") >= 3
    assert DEMO.objection(tmp_path / "demo") is None, "a second run could not replace it"
