"""Inputs that change while a command reads them: it stops with one line and leaves nothing."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import log
from pathlib import Path

import pytest

from inkfold.bundle.bundle import RECORD
from inkfold.commands.cli import Advance
from inkfold.dataset.reader import open_dataset
from tests.worlds.bands import CLASSES, SPEC, write_bundle
from tests.worlds.packed_strokes import write_packed

COUNTS = (600, 40, 40)
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: d.h5 and other.h5, the bundle `mine` of d.h5, and `other`."""
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("d.h5", "other.h5")):
        write_packed(tmp_path / name, COUNTS, classes=CLASSES, size=SPEC.size, seed=seed)
    with open_dataset(tmp_path / "d.h5") as dataset:
        provenance, spec = dataset.provenance, dataset.spec
    write_bundle(tmp_path / "mine", spec=spec, provenance=provenance)
    write_bundle(tmp_path / "other", spec=spec, provenance=provenance, weight=log(3) / 4000)
    return tmp_path


def written_over() -> None:
    """Other bytes in the same file, as ``cp other.h5 d.h5`` leaves them."""
    Path("d.h5").write_bytes(Path("other.h5").read_bytes())


def written_again() -> None:
    """The same bytes once more: a file in which nothing but the time shows that it was written."""
    Path("d.h5").write_bytes(Path("d.h5").read_bytes())


def exchanged() -> None:
    """Another bundle in the place of the first, as a training with --overwrite leaves it."""
    Path("mine").rename("old")
    Path("other").rename("mine")


def run_changed(monkeypatch: pytest.MonkeyPatch, line: str, change: Callable[[], object]) -> int:
    """Run a command in whose first progress the change happens; returns its exit code."""
    command, *arguments = line.split()
    module, changes = importlib.import_module(f"inkfold.commands.{command}"), [change]

    @contextmanager
    def progress(_label: str, _total: int | None, *, quiet: bool) -> Iterator[Advance]:
        def advance(_count: int) -> None:
            if changes:
                changes.pop()()

        yield advance
        assert not quiet

    monkeypatch.setattr(module, "progress", progress)
    code: int = module.main(arguments)
    assert not changes, "nothing was changed"
    return code


LINES = [
    "audit d.h5 --quick -o out",
    "audit d.h5 --quick --fix out",
    "explore d.h5 -o out",
    "export d.h5 out",
    "evaluate mine d.h5 -o out",
    "evaluate mine other d.h5 -o out",
]


@pytest.mark.parametrize("change", [written_over, written_again])
@pytest.mark.parametrize("line", LINES)
def test_a_dataset_that_is_written_to_stops_the_command(
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
    line: str,
    change: Callable[[], None],
) -> None:
    """No output is left that was made of two files, and stderr names the one that changed."""
    before, record = {path.name for path in here.iterdir()}, Path("mine", RECORD).read_bytes()

    code = run_changed(monkeypatch, line, change)

    error = capsys.readouterr().err.splitlines()[-1]
    assert code == 2
    assert error == (
        "error: d.h5: changed while it was read (it was written to); run it again, and let nothing "
        "write there meanwhile"
    )
    assert {path.name for path in here.iterdir()} == before
    assert Path("mine", RECORD).read_bytes() == record


@pytest.mark.parametrize("line", ["evaluate mine d.h5 -o out", "evaluate other mine d.h5 -o out"])
def test_a_bundle_that_is_replaced_stops_its_evaluation(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, line: str
) -> None:
    """The score of one bundle is never recorded in the bundle that took its place."""
    record = Path("other", RECORD).read_bytes()

    code = run_changed(monkeypatch, line, exchanged)

    error = capsys.readouterr().err.splitlines()[-1]
    assert code == 2
    assert "changed while it was read (another file is in its place); run it again" in error
    assert not (here / "out").exists()
    assert Path("mine", RECORD).read_bytes() == record
    assert json.loads(Path("old", RECORD).read_text(encoding="utf-8"))["scores"] == {}


def test_a_dataset_that_is_renamed_over_is_read_to_its_end(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that opens its dataset once writes all of that file, whatever has its name now."""
    assert run_changed(monkeypatch, "export d.h5 before", lambda: None) == 0

    code = run_changed(monkeypatch, "export d.h5 out", lambda: Path("other.h5").replace("d.h5"))

    assert code == 0
    for path in (here / "before").rglob("*.png"):
        assert (here / "out" / path.relative_to(here / "before")).read_bytes() == path.read_bytes()
