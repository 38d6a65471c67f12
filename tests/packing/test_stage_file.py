"""Stage files: what a worker puts into buckets comes out of them, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inkfold.errors import InkfoldError
from inkfold.packing.buckets import MOST_BITS, TOGETHER, Buckets
from inkfold.packing.stage import FACTS, Files, prepare_files, summary_of
from inkfold.packing.stage_file import Piece, StagedFacts, StageFiles, stage_piece
from inkfold.spec import ImageSpec
from tests.worlds.many_kinds import write_many_kinds

SPEC = ImageSpec(size=7)
BUCKETS = Buckets(seed=3, bits=3, files=60, run=100)


def staged(folder: Path, work: Path, count: int) -> tuple[StageFiles, list[Piece]]:
    """Stage files of a folder with `count` files of many kinds, and the pieces that made them."""
    work.mkdir()
    paths = sorted(str(path.relative_to(folder)).encode() for path in folder.rglob("*.png"))
    stage = StageFiles(folder=work, count=count, size=7, rows=256, buckets=BUCKETS)
    made = [
        Piece(
            files=Files(bytes(folder), tuple(paths[start : start + BUCKETS.files]), SPEC),
            groups=tuple(b"g%d" % (start + at) for at in range(len(paths[start : start + 60]))),
            first=start,
            path=stage.path(number),
            buckets=BUCKETS,
        )
        for number, start in enumerate(range(0, count, BUCKETS.files))
    ]
    for piece in made:
        stage_piece(piece)
    return stage, made


def test_every_picture_that_can_be_used_is_in_its_bucket_once(tmp_path: Path) -> None:
    """Images, digests, paths and groups are those of the prepared files, by the hash's first bits.

    Damaged files are in no bucket.
    """
    folder = write_many_kinds(tmp_path / "in", 210)

    stage, pieces = staged(folder, tmp_path / "stage", 210)

    places: list[int] = []
    for number, piece in enumerate(pieces):
        done = prepare_files(piece.files)
        bad = {place for place, _ in done.bad}
        for bucket in range(8):
            found = stage.bucket(number, bucket)
            for at, place in enumerate(found.heads["place"].tolist()):
                inside = place - piece.first
                key = BUCKETS.keys(done.facts["file"][inside : inside + 1, 0])[0]
                assert int(key) >> 61 == bucket
                assert np.array_equal(found.images[at], done.images[inside])
                assert found.heads["pixels"][at].tobytes() == done.facts["pixels"][inside].tobytes()
                assert found.texts[2 * at] == piece.files.paths[inside].decode().encode()
                assert found.texts[2 * at + 1] == b"g%d" % place
                assert inside not in bad
            places += found.heads["place"].tolist()
        assert stage.summary(number) == summary_of(
            piece.files.paths, done.facts, [place for place, _ in done.bad]
        )
    assert (
        len(set(places))
        == len(places)
        == 210 - sum(len(prepare_files(piece.files).bad) for piece in pieces)
    )


def test_facts_are_read_as_from_one_file(tmp_path: Path) -> None:
    """Columns and chosen facts are those of all pieces one after another, in any order."""
    folder = write_many_kinds(tmp_path / "in", 210)
    stage, pieces = staged(folder, tmp_path / "stage", 210)
    every = np.concatenate([prepare_files(piece.files).facts for piece in pieces])
    facts = StagedFacts(stage)
    rows = np.random.default_rng(1).integers(0, 210, 50)

    assert np.array_equal(facts.column("file", 1), every["file"][:, 1])
    assert np.array_equal(facts.take(rows), every[rows])
    assert facts.take(rows[:0]).dtype == FACTS

    facts.order = order = np.random.default_rng(2).permutation(210)
    assert np.array_equal(facts.column("pixels", 0), every["pixels"][order, 0])
    assert np.array_equal(facts.take(rows), every[order[rows]])


def test_a_piece_that_is_worked_on_twice_gives_the_same_file(tmp_path: Path) -> None:
    """What a killed worker left is read by nobody, and the second file replaces the first."""
    folder = write_many_kinds(tmp_path / "in", 50)
    stage, (piece,) = staged(folder, tmp_path / "stage", 50)
    first = piece.path.read_bytes()
    (tmp_path / "stage/0000000.stage.0123456789abcdef.part").write_bytes(b"half")

    stage_piece(piece)

    assert piece.path.read_bytes() == first
    assert len(stage) == 1
    assert len(list((tmp_path / "stage").iterdir())) == 2


def test_a_stage_file_that_is_missing_or_short_is_refused(tmp_path: Path) -> None:
    """Whoever reads it learns which file, and what to do; zeros are never read."""
    folder = write_many_kinds(tmp_path / "in", 50)
    stage, (piece,) = staged(folder, tmp_path / "stage", 50)
    data = piece.path.read_bytes()

    for left, act in (
        (len(data) - 1, lambda: [stage.bucket(0, each) for each in range(8)]),
        (500, lambda: stage.facts(0)),
        (5, lambda: stage.summary(0)),
    ):
        piece.path.write_bytes(data[:left])
        with pytest.raises(InkfoldError, match="shorter than it was written; let nothing write"):
            act()
    piece.path.unlink()
    with pytest.raises(InkfoldError, match=r"0000000\.stage is gone, or .* does not see it"):
        stage.facts(0)
    with pytest.raises(InkfoldError, match="does not see this folder; let every worker see it"):
        stage_piece(replace(piece, path=tmp_path / "nowhere/0.stage"))


@pytest.mark.parametrize("count", [0, 1, 10**5, 10**7, 10**9, 10**12])
@pytest.mark.parametrize("size", [8, 32, 1024])
@pytest.mark.parametrize("rows", [256, 1 << 20])
def test_buckets_fit_into_memory(count: int, size: int, rows: int) -> None:
    """A bucket, a stage file and a run have at most 96 MiB of images, as far as 2^14 buckets go.

    A stage file has as many pictures as today's pieces at least, and a bucket no more than a shard.
    """
    buckets = Buckets.of(count, size, seed=0, rows=rows, far=False)
    most = max(1, TOGETHER // size**2)

    assert buckets.files == 256 or buckets.files <= most
    assert buckets.run <= most
    if buckets.bits < MOST_BITS:
        assert count / len(buckets) <= min(most, rows)
    assert len(Buckets.of(count, size, seed=0, rows=rows, far=True)) == len(buckets)


def test_buckets_ascend_with_the_hash() -> None:
    """The number of a bucket is what the hash begins with."""
    keys = np.array([0, 2**61 - 1, 2**61, 2**64 - 1], np.uint64)

    assert BUCKETS.numbers(keys).tolist() == [0, 0, 1, 7]
    assert replace(BUCKETS, bits=0).numbers(keys).tolist() == [0, 0, 0, 0]
