"""The table of processors' levels: what is kept of each, and how it is laid out."""

from __future__ import annotations

from dataclasses import asdict

from benchmarks.levels import LEVELS, Kept, available, table
from benchmarks.measuring import Row, Spread
from inkfold.keras_backend import cpu_flags


def row(ours: str, ratio: float) -> Row:
    """A row of a benchmark whose peer is named along with a figure."""
    return Row(
        stage="training",
        ours=ours,
        peer=f"the limit: NumPy's product, {ratio} GFLOP/s",
        theirs="1",
        ratio=Spread(ratio, ratio, ratio),
        target="",
        command="python any.py",
    )


def kept(ours: str, ratio: float) -> dict[str, object]:
    """A level with one script and one row."""
    machine = {"processor": "P", "instruction sets": "avx2", "cores": "2"}
    rows = [asdict(row(ours, ratio))]
    return {"machine": machine, "scripts": {"training": {"date": "2026-01-02", "rows": rows}}}


def test_a_row_stands_once_with_a_figure_for_each_level() -> None:
    """Figures in a peer's name, which differ from level to level, do not make rows of their own."""
    found: Kept = {"AVX2": kept("10", 1.5), "AVX512_CORE": kept("30", 2.5)}

    lines = table(found).splitlines()

    assert lines[0] == "- AVX2: P (avx2), 2 cores, 2026-01-02"
    assert lines[3] == "| stage | beside | AVX2 | ratio | AVX512_CORE | ratio |"
    assert lines[5:] == [
        "| training | the limit | 10 | 1.50 (1.50 to 1.50) | 30 | 2.50 (2.50 to 2.50) |"
    ]


def test_only_levels_that_the_processor_has_are_available() -> None:
    """A level needs its feature, and every switch stands for leaving something out."""
    flags = cpu_flags()

    assert available() == [name for name, (feature, _) in LEVELS.items() if feature in flags]
    assert all(variables for _, variables in LEVELS.values())
