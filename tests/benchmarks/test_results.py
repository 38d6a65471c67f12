"""The measured results: one source, `benchmarks/results.json`."""

from __future__ import annotations

import re

import pytest

from benchmarks.results import (
    BEGIN,
    END,
    PAGE,
    README,
    SCRIPTS,
    SETS,
    page,
    read,
    readme_table,
    with_table,
)
from tests.worlds.scripts import ROOT


def test_the_page_is_made_from_the_kept_rows() -> None:
    """`benchmarks/results.md` holds what `page` makes of the rows that were kept."""
    assert PAGE.read_text(encoding="utf-8") == page(read())


def test_the_readme_shows_the_kept_rows() -> None:
    """The README's table holds what `readme_table` makes of the rows that were kept."""
    readme = README.read_text(encoding="utf-8")
    assert with_table(readme, readme_table(read())) == readme


def test_the_readmes_table_says_on_which_processor_it_was_measured() -> None:
    """Its first line names the processor and the instruction sets that decide its speed."""
    table = readme_table(read())
    processor, sets, *_ = table.partition(":")[0].split(", ")

    assert processor == read().machine["processor"]
    assert sets in SETS


def test_every_benchmark_is_run_and_in_the_page() -> None:
    """Every script of benchmarks/ that reports rows is run by make bench and named on the page."""
    runnable = {
        path.stem
        for path in (ROOT / "benchmarks").glob("*.py")
        if "report(" in path.read_text(encoding="utf-8").partition("__main__")[2]
    }
    assert runnable == set(SCRIPTS)
    assert all(f"benchmarks/{name}.py" in page(read()) for name in SCRIPTS)


def test_every_row_names_a_benchmark_that_measures_it_again() -> None:
    """Every row has the command that measures it again, and a ratio between its extremes."""
    for row in read().rows:
        found = re.fullmatch(r"python benchmarks/(\w+)\.py", row.command)
        assert found is not None
        assert found[1] in SCRIPTS
        assert row.ratio.low <= row.ratio.median <= row.ratio.high


def test_the_table_is_put_between_its_marks() -> None:
    """A new table replaces what stands between the two marks, and nothing around them."""
    before = f"a\n{BEGIN}\nold\n{END}\nz\n"
    assert with_table(before, "new") == f"a\n{BEGIN}\nnew\n{END}\nz\n"


@pytest.mark.parametrize("readme", ["", BEGIN, f"{END} {BEGIN}"])
def test_a_readme_without_the_marks_is_refused(readme: str) -> None:
    """A text that lacks a mark, or has them in the wrong order, is an error and is not changed."""
    with pytest.raises(ValueError, match="lacks"):
        with_table(readme, "new")
