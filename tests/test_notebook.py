"""The notebook of a first session runs, and shows what its code gives."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from docs.site import run_notebook

pytest.importorskip("nbclient")  # a tool of requirements.txt

MOST = 500_000  # bytes: it is downloaded with the sources
OF_A_MACHINE = re.compile(r"/(?:home|root|tmp|usr|var|work|Users|mnt)/|[A-Z]:\\|Traceback|Warning")


def outputs(notebook: Any) -> list[list[Any]]:  # noqa: ANN401, nbformat's own class
    """What each cell of code shows."""
    return [list(cell.outputs) for cell in notebook.cells if cell.cell_type == "code"]


def kinds(shown: list[Any]) -> set[tuple[str, ...]]:
    """The kinds of a cell's outputs: which stream, or which forms of a picture or value."""
    return {
        (each.output_type, each.get("name", ""), *sorted(each.get("data", ()))) for each in shown
    }


def words(shown: list[Any]) -> str:
    """All text that a cell shows."""
    return "".join(each.get("text", "") for each in shown)


def test_the_outputs_of_the_notebook_are_those_of_its_code() -> None:
    """After a change of its code: python docs/site/run_notebook.py."""
    notebook = run_notebook.read()
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]

    assert notebook.metadata["code_digest"] == run_notebook.digest(notebook)
    assert counts == list(range(1, len(counts) + 1)), "not one run from the top down"


def test_the_notebook_is_small_and_knows_no_machine() -> None:
    """Its outputs hold no path of the machine that ran it, no error and no warning."""
    shown = [output for each in outputs(run_notebook.read()) for output in each]

    assert run_notebook.NOTEBOOK.stat().st_size < MOST
    assert {output.output_type for output in shown} <= {"stream", "display_data", "execute_result"}
    assert OF_A_MACHINE.findall(words(shown)) == []


@pytest.mark.slow
def test_the_notebook_runs_from_the_top_down(tmp_path: Path) -> None:
    """Every cell runs and shows the kinds of things that are kept, and the drawn 7 is read."""
    notebook = run_notebook.read()
    kept = outputs(notebook)

    run_notebook.run(notebook, tmp_path)

    fresh = outputs(notebook)
    assert [kinds(shown) for shown in fresh] == [kinds(shown) for shown in kept]
    assert any("mine.png 7\n" in words(shown) for shown in fresh)
    assert (tmp_path / "first-session/models/trained/small/bundle.json").is_file()
