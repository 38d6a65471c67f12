"""The counting of other bytes: a stage that heeds its surroundings is counted as broken."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks.determinism import Surrounding, differing, short_writes
from benchmarks.fault_stages import Stage

WRITE = "import os, stat; open('out.txt', 'w').write({})"
SURROUNDINGS = (
    Surrounding(name="variable", variables={"TZ": "Pacific/Kiritimati"}),
    Surrounding(name="umask", umask=0o077),
    Surrounding(name="workers", workers=7),
    Surrounding(name="order", shuffled=True),
)


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("'same'", []),
        ("os.environ.get('TZ', '')", ["variable"]),
        ("oct(stat.S_IMODE(os.stat('out.txt').st_mode))", ["umask"]),
        ("str(__import__('sys').argv)", ["workers"]),
        ("'' if os.path.exists('empty') else 'none'", ["order"]),
    ],
)
def test_only_the_surroundings_that_change_the_bytes_are_broken(
    tmp_path: Path, text: str, broken: list[str]
) -> None:
    """Each surrounding reaches the stage, and the names of those that change its bytes are told."""
    (tmp_path / "empty").mkdir()  # a shuffled copy makes the folders of files only
    (tmp_path / "file.txt").write_text("input")
    command = ("-c", WRITE.format(text), "--workers", "2")
    stage = Stage(name="lines", command=command, outputs=("out.txt",))

    assert differing(stage, tmp_path, SURROUNDINGS) == broken


def test_a_stage_that_fails_in_other_surroundings_is_broken(tmp_path: Path) -> None:
    """An exit code other than 0 is counted, although the bytes were written."""
    (tmp_path / "file.txt").write_text("input")
    fails = "raise SystemExit(os.environ.get('TZ') == 'Pacific/Kiritimati')"
    code = f"{WRITE.format(repr('same'))}; {fails}"
    stage = Stage(name="lines", command=("-c", code), outputs=("out.txt",))

    assert differing(stage, tmp_path, SURROUNDINGS) == ["variable"]


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no C compiler is installed")
def test_a_stage_that_takes_a_short_write_for_a_whole_one_is_broken(tmp_path: Path) -> None:
    """Every write takes half of its bytes: one that is not gone on with gives another file."""
    (tmp_path / "world").mkdir()
    short = short_writes(tmp_path)
    opened = "import os; file = os.open('out.txt', os.O_WRONLY | os.O_CREAT)"
    careless = Stage(
        name="careless", outputs=("out.txt",), command=("-c", f"{opened}; os.write(file, b'whole')")
    )
    careful = Stage(name="careful", outputs=("out.txt",), command=("-c", WRITE.format("'whole'")))

    assert differing(careless, tmp_path / "world", short) == ["short writes"]
    assert differing(careful, tmp_path / "world", short) == []
