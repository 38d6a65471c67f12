"""The command lines of shards: augment --shards, merge, and others on what they made."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from inkfold.commands.main import main
from inkfold.dataset.reader import open_dataset
from tests.worlds.packed_strokes import write_packed


@pytest.fixture
def packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dataset with 300 training pictures in the working folder, which is moved from."""
    monkeypatch.chdir(tmp_path)
    return write_packed(Path("d.h5"), (300, 40, 40), size=8)


AUGMENT = ["augment", "d.h5", "--copies", "2", "--workers", "1"]


@pytest.mark.usefixtures("packed")
def test_augment_in_shards_and_merge_give_the_bytes_of_augment(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Both say what they wrote, and how many shards there are."""
    assert main([*AUGMENT, "-o", "one.h5"]) == 0
    assert main([*AUGMENT, "-o", "many.h5", "--shards", "512"]) == 0
    assert main(["merge", "many.h5", "-o", "merged.h5"]) == 0
    one, many, merged = capsys.readouterr().out.splitlines()

    assert Path("one.h5").read_bytes() == Path("merged.h5").read_bytes()
    assert re.search(r"d\.h5; 900 written in \d", one)
    assert re.search(r"d\.h5; 900 written as 4 shards in \d", many)
    assert re.match(r"merged\.h5: 980 pictures from 4 shards of many\.h5, written in \d", merged)


@pytest.mark.usefixtures("packed")
@pytest.mark.parametrize("rows", ["0", "100", "1000", "-256", "x"])
def test_shards_of_other_than_whole_chunks_are_refused(
    rows: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message names a number that would do; nothing is written."""
    assert main([*AUGMENT, "--shards", rows]) == 2
    assert re.search(rf"'{rows}' is no multiple of 256, such as \d+", capsys.readouterr().err)
    assert [path.name for path in Path().iterdir()] == ["d.h5"]


@pytest.mark.usefixtures("packed")
def test_a_dataset_of_one_file_is_not_merged(capsys: pytest.CaptureFixture[str]) -> None:
    """One line, exit code 2."""
    assert main(["merge", "d.h5", "-o", "one.h5"]) == 2
    assert capsys.readouterr().err == (
        "error: d.h5 is one file already; give a dataset in shards\n"
    )


@pytest.mark.usefixtures("packed")
def test_other_commands_read_a_dataset_in_shards(capsys: pytest.CaptureFixture[str]) -> None:
    """Check and export say and write what they do for the one file."""
    assert main([*AUGMENT, "-o", "one.h5", "-q"]) == 0
    assert main([*AUGMENT, "-o", "many.h5", "--shards", "256", "-q"]) == 0
    for name in ("one", "many"):
        assert main(["check", f"{name}.h5", "-q"]) == 0
        assert main(["export", f"{name}.h5", name, "--format", "npz", "-q"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if ": whole; " in line]

    assert {line.partition(": ")[2].rpartition(";")[0] for line in lines} == {
        "whole; 4 classes, train 900, validation 40, test 40"
    }
    assert len(lines) == 2
    one, many = (np.load(f"{name}/dataset.npz") for name in ("one", "many"))
    assert set(one) == set(many)
    assert all(np.array_equal(one[name], many[name]) for name in one)


@pytest.mark.usefixtures("packed")
def test_a_missing_shard_is_one_line_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    """Every command that opens the dataset says which file is missing, with exit code 2."""
    assert main([*AUGMENT, "-o", "many.h5", "--shards", "256", "-q"]) == 0
    next(Path("many.shards").glob("train-00001-*")).unlink()
    capsys.readouterr()
    for line in (["check", "many.h5"], ["merge", "many.h5", "-o", "x.h5"], ["audit", "many.h5"]):
        assert main(line) == 2
        error = capsys.readouterr().err
        assert re.match(
            r"error: .*many\.shards/train-00001-\w+\.h5: this shard of many\.h5 cannot be read "
            r"\(No such file or directory\); move many\.shards with many\.h5, restore ",
            error,
        )
        assert error.count("\n") == 1


@pytest.mark.usefixtures("packed")
def test_overwriting_changes_between_one_file_and_shards() -> None:
    """Nothing is left over of what was there."""
    for options, names in (
        (["--shards", "256"], ["d.h5", "out.h5", "out.shards"]),
        (["--overwrite"], ["d.h5", "out.h5"]),
        (["--overwrite", "--shards", "512"], ["d.h5", "out.h5", "out.shards"]),
        (["--overwrite", "--shards", "256"], ["d.h5", "out.h5", "out.shards"]),
    ):
        assert main([*AUGMENT, "-o", "out.h5", *options]) == 0
        assert sorted(path.name for path in Path().iterdir()) == names
        with open_dataset("out.h5") as dataset:
            listed = {shard.name for shard in dataset.shards or ()}
        assert {path.name for path in Path().glob("out.shards/*")} == listed
