"""Damaged files in small numbers: no command answers one with a traceback or without a word."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.worlds.scripts import ROOT

KINDS = (
    *("check", "export", "augment", "explore", "audit", "training", "resume"),
    *("bundle.json", "history.csv", "model.onnx"),
    *("picture: create_dataset", "picture: classify", "import_data", "by Keras"),
)


# together some minutes, tried by make long and, 25 times a kind, by make faults
LONG = {"by Keras", "explore", "history.csv", "audit", "bundle.json", "export", "check"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.long if kind in LONG else ()) for kind in KINDS]
)
def test_damage_is_refused_in_one_line_or_changes_nothing(kind: str) -> None:
    """Six damaged copies of a file, for every command that reads it: none is broken."""
    command = [sys.executable, "-m", "benchmarks.damage", "--count", "6", "--only", kind]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    tried = re.search(r"tried (\d+), .*broken: none$", done.stdout, re.MULTILINE)
    assert tried is not None
    assert int(tried[1]) > 3, "damage that changes nothing is not counted"
