"""Augmenting a packed dataset: what is in the file, and that nothing else decides it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from inkfold.augmentation.augment import Augmentation, augment_dataset, plan_augmentation
from inkfold.dataset.reader import CHUNK, open_dataset
from inkfold.dataset.writer import digests
from inkfold.elastic import Elastic, chunk_rng
from inkfold.errors import InkfoldError
from inkfold.recipe import Distortion
from inkfold.workers import local_executor
from tests.worlds.packed_strokes import write_packed
from tests.worlds.scripts import ROOT

DISTORTION = Distortion(sigma=4, alpha=30, rotate=5)
PLAN = Augmentation(DISTORTION, copies=3, seed=5)


def augmented(
    source: Path, target: Path, augmentation: Augmentation = PLAN, *, workers: int = 1
) -> Path:
    """Run it as the command does."""
    with local_executor(workers) as executor:
        augment_dataset(
            source, target, augmentation, executor=executor, in_flight=2 * workers, overwrite=True
        )
    return target


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """700 training pictures: two whole chunks of 256 and one of 188."""
    return write_packed(tmp_path_factory.mktemp("packed") / "small.h5", (700, 300, 64))


@pytest.fixture(scope="module")
def target(source: Path) -> Path:
    """The same with three copies."""
    return augmented(source, source.with_name("small_elastic.h5"))


def test_every_original_stands_in_the_file_with_each_of_its_copies_once(target: Path) -> None:
    """2,800 rows: 700 origins times copy 0 to 3."""
    with open_dataset(target) as dataset:
        origin, copy = dataset.train.origin, dataset.train.copy
        assert origin is not None
        assert copy is not None
        pairs = sorted(zip(origin.tolist(), copy.tolist(), strict=True))
        assert pairs == [(row, number) for row in range(700) for number in range(4)]
        assert origin.dtype == np.int64
        assert copy.dtype == np.int32


def test_copy_0_is_the_original_bit_for_bit(source: Path, target: Path) -> None:
    """Found by its origin, with its label, its source and its digest."""
    with open_dataset(source) as packed, open_dataset(target) as dataset:
        origin, copy = dataset.train.origin, dataset.train.copy
        assert origin is not None
        rows = np.flatnonzero(copy == 0)
        of = origin[rows]
        assert np.array_equal(dataset.train.images[:][rows], packed.train.images[:][of])
        assert np.array_equal(dataset.train.digest[rows], packed.train.digest[of])


def test_every_row_has_the_label_and_the_source_of_its_origin(source: Path, target: Path) -> None:
    """Also the distorted ones."""
    with open_dataset(source) as packed, open_dataset(target) as dataset:
        origin = dataset.train.origin
        assert origin is not None
        assert np.array_equal(dataset.train.labels, packed.train.labels[origin])
        names = np.array(packed.train.source)
        assert np.array_equal(dataset.train.source, names[origin])


def test_every_digest_is_that_of_the_pictures_pixels(target: Path) -> None:
    """BLAKE2b-128, computed again."""
    with open_dataset(target) as dataset:
        assert np.array_equal(dataset.train.digest, digests(dataset.train.images[:]))


def test_the_copies_are_those_of_the_chunks_generator(source: Path, target: Path) -> None:
    """Copy 2 of chunk 1 is `distort` with ``chunk_rng(seed, 2, 1)``; of a short chunk too."""
    with open_dataset(source) as packed, open_dataset(target) as dataset:
        images, elastic = dataset.train.images[:], Elastic.of(packed.spec.size, DISTORTION)
        for copy, chunk in ((2, 1), (1, 2), (3, 0)):
            originals = packed.train.images[chunk * CHUNK : (chunk + 1) * CHUNK]
            expected = elastic.distort(originals, chunk_rng(5, copy, chunk))
            origin = np.asarray(dataset.train.origin)
            drawn = (dataset.train.copy == copy) & (origin // CHUNK == chunk)
            order = np.argsort(origin[drawn])
            assert np.array_equal(images[drawn][order], expected)


def test_no_two_copies_of_a_picture_are_equal(target: Path) -> None:
    """2,800 different pictures."""
    with open_dataset(target) as dataset:
        assert len({digest.tobytes() for digest in dataset.train.digest}) == 2800


def test_chunks_are_mixed_and_only_the_last_rows_of_the_short_chunk_stand_together(
    target: Path,
) -> None:
    """Copies of whole chunks are chunks, permuted; then come the 188 x 4 rows of chunk 2."""
    with open_dataset(target) as dataset:
        origin, copy = np.asarray(dataset.train.origin), np.asarray(dataset.train.copy)
        places = []
        for start in range(0, 8 * CHUNK, CHUNK):
            part = slice(start, start + CHUNK)
            assert len(set(copy[part])) == 1
            assert np.array_equal(origin[part] % CHUNK, np.arange(CHUNK))
            places.append((int(origin[start]) // CHUNK, int(copy[start])))
        assert sorted(places) == [(chunk, number) for chunk in (0, 1) for number in range(4)]
        assert places != sorted(places)
        assert (origin[8 * CHUNK :] >= 2 * CHUNK).all()


def test_a_shuffling_reader_meets_every_row_once(target: Path) -> None:
    """`Split.blocks` on the permuted file, with and without a generator."""
    with open_dataset(target) as dataset:
        images = dataset.train.images[:]
        for rng in (None, np.random.default_rng(0)):
            rows = []
            for block in dataset.train.blocks(rng):
                assert np.array_equal(block.images, images[block.rows])
                rows += block.rows.tolist()
            assert sorted(rows) == list(range(2800))


def test_validation_and_test_are_copied_untouched(source: Path, target: Path) -> None:
    """Every array, and the stored bytes of every chunk of pictures; no origin, no copy."""
    with h5py.File(source) as packed, h5py.File(target) as file:
        for split in ("validation", "test"):
            assert set(file[split]) == {"images", "labels", "source", "digest"}
            for name in file[split]:
                assert file[split][name].dtype == packed[split][name].dtype
                assert np.array_equal(file[split][name][:], packed[split][name][:])
            for start in range(0, len(file[split]["images"]), CHUNK):
                stored, copied = (
                    f[split]["images"].id.read_direct_chunk((start, 0, 0)) for f in (packed, file)
                )
                assert stored == copied


def test_pictures_stored_in_another_way_are_copied_just_as_well(
    source: Path, tmp_path: Path
) -> None:
    """Another chunk, no compression, another filter, chunks never written: the same content."""
    layouts: tuple[dict[str, Any], ...] = (
        {"chunks": (64, 16, 16), "compression": "gzip"},
        {"chunks": (CHUNK, 16, 16)},
        {"chunks": (CHUNK, 16, 16), "compression": "gzip", "shuffle": True},
        {"chunks": (CHUNK, 16, 16), "compression": "lzf"},
    )
    for number, layout in enumerate(layouts):
        other = tmp_path / f"{number}.h5"
        other.write_bytes(source.read_bytes())
        with h5py.File(other, "r+") as file:
            for split in ("train", "validation", "test"):
                images = file[split]["images"][:]
                del file[split]["images"]
                file[split].create_dataset("images", data=images, maxshape=(None, 16, 16), **layout)
        augmented(other, tmp_path / "copy.h5")
        with open_dataset(source) as packed, open_dataset(tmp_path / "copy.h5") as dataset:
            assert np.array_equal(dataset.validation.images[:], packed.validation.images[:])
            assert np.array_equal(dataset.test.images[:], packed.test.images[:])


def test_compressed_pictures_are_not_compressed_again(source: Path, tmp_path: Path) -> None:
    """Somebody's gzip of the highest level, in chunks like ours, arrives byte for byte."""
    other = tmp_path / "other.h5"
    other.write_bytes(source.read_bytes())
    with h5py.File(other, "r+") as file:
        images = file["test/images"][:]
        del file["test/images"]
        file["test"].create_dataset(
            "images",
            data=images,
            chunks=(CHUNK, 16, 16),
            maxshape=(None, 16, 16),
            compression="gzip",
            compression_opts=9,
        )
    augmented(other, tmp_path / "copy.h5")
    with h5py.File(other) as packed, h5py.File(tmp_path / "copy.h5") as file:
        stored, copied = (f["test/images"].id.read_direct_chunk((0, 0, 0)) for f in (packed, file))
        assert stored == copied


def test_a_chunk_that_was_never_written_is_copied_as_paper(source: Path, tmp_path: Path) -> None:
    """HDF5 stores nothing for it; reading gives zeros."""
    other = tmp_path / "holes.h5"
    other.write_bytes(source.read_bytes())
    with h5py.File(other, "r+") as file:
        del file["validation/images"]
        file["validation"].create_dataset(
            "images", (300, 16, 16), np.uint8, chunks=(CHUNK, 16, 16), compression="gzip"
        )
    with open_dataset(augmented(other, tmp_path / "copy.h5")) as dataset:
        assert not dataset.validation.images[:].any()


def test_the_provenance_tells_the_options_and_keeps_the_packed_files_own(
    source: Path, target: Path
) -> None:
    """Tool, options, seed, counts, the dataset's provenance inside; no path of any kind."""
    with open_dataset(source) as packed, open_dataset(target) as dataset:
        told = dataset.provenance
        assert told["tool"] == "augment"
        assert told["options"] == {
            "copies": 3,
            "sigma": 4,
            "alpha": 30,
            "rotate": 5,
            "scale": 0,
            "shear": 0,
            "shift": 0,
        }
        assert told["seed"] == 5
        assert told["counts"] == {"originals": 700, "train": 2800, "validation": 300, "test": 64}
        assert told["dataset"] == packed.provenance
        assert dataset.fingerprint != packed.fingerprint
        assert str(source.parent) not in json.dumps(told)
        assert (dataset.classes, dataset.spec) == (packed.classes, packed.spec)


def test_the_same_bytes_for_any_number_of_workers(source: Path, target: Path) -> None:
    """1, 2 and 3 processes, and whatever was in flight."""
    expected = target.read_bytes()
    for workers in (2, 3):
        other = target.with_name(f"by_{workers}.h5")
        assert augmented(source, other, workers=workers).read_bytes() == expected


def test_another_seed_draws_other_copies_of_the_same_originals(
    source: Path, target: Path, tmp_path: Path
) -> None:
    """No distorted picture is in both files; every original is."""
    other = augmented(source, tmp_path / "other.h5", replace(PLAN, seed=6))
    with open_dataset(target) as one, open_dataset(other) as two:
        drawn = [
            {digest.tobytes() for digest in file.train.digest[np.asarray(file.train.copy) > 0]}
            for file in (one, two)
        ]
        assert not drawn[0] & drawn[1]
        order = [np.asarray(file.train.copy) * 1000 + file.train.origin for file in (one, two)]
        assert not np.array_equal(order[0], order[1])
        assert one.fingerprint != two.fingerprint


@pytest.mark.parametrize("count", [1, 255, 256, 257, 512])
def test_any_number_of_pictures_is_augmented_whole(tmp_path: Path, count: int) -> None:
    """Less than a chunk, a chunk, a chunk and one row: every origin with every copy."""
    packed = write_packed(tmp_path / "packed.h5", (count, 4, 4), size=8)
    with open_dataset(augmented(packed, tmp_path / "out.h5")) as dataset:
        origin, copy = np.asarray(dataset.train.origin), np.asarray(dataset.train.copy)
        assert len(dataset.train) == 4 * count
        assert len(set(zip(origin, copy, strict=True))) == 4 * count
        assert np.array_equal(dataset.train.digest, digests(dataset.train.images[:]))


def test_empty_splits_stay_empty(tmp_path: Path) -> None:
    """No validation picture, no test picture: nothing to copy."""
    packed = write_packed(tmp_path / "packed.h5", (300, 0, 0), size=8)
    with open_dataset(augmented(packed, tmp_path / "out.h5")) as dataset:
        assert [len(split) for split in (dataset.train, dataset.validation, dataset.test)] == [
            1200,
            0,
            0,
        ]


def test_progress_adds_up_to_the_new_training_rows(source: Path, tmp_path: Path) -> None:
    """Progress is reported chunk by chunk."""
    told: list[int] = []
    with local_executor(1) as executor:
        augment_dataset(
            source, tmp_path / "out.h5", PLAN, executor=executor, in_flight=1, advance=told.append
        )
    assert told == [1024, 1024, 752]


def test_an_augmented_dataset_is_refused(target: Path, tmp_path: Path) -> None:
    """Copies of copies would be worth less than they look."""
    with pytest.raises(InkfoldError, match="augmented already"):
        plan_augmentation(target, tmp_path / "out.h5", PLAN, overwrite=False)


def test_the_dataset_itself_is_refused_as_output_also_by_another_name(
    source: Path, tmp_path: Path
) -> None:
    """With --overwrite too, through a link too: it would be gone."""
    link = tmp_path / "link.h5"
    link.symlink_to(source)
    for name in (source, link):
        with pytest.raises(InkfoldError, match="the dataset itself"):
            plan_augmentation(source, name, PLAN, overwrite=True)


def test_what_cannot_be_done_is_refused_before_any_work(source: Path, tmp_path: Path) -> None:
    """An output that exists, no copies, an option out of range, strings of variable length."""
    out = tmp_path / "out.h5"
    out.write_bytes(b"mine")
    with pytest.raises(InkfoldError, match="already exists"):
        plan_augmentation(source, out, PLAN, overwrite=False)
    with pytest.raises(InkfoldError, match="copies is 0"):
        plan_augmentation(source, out, replace(PLAN, copies=0), overwrite=True)
    with pytest.raises(InkfoldError, match="sigma is 0"):
        plan_augmentation(source, out, Augmentation(Distortion(sigma=0)), overwrite=True)
    assert out.read_bytes() == b"mine"

    other = tmp_path / "other.h5"
    other.write_bytes(source.read_bytes())
    with h5py.File(other, "r+") as file:
        del file["train/source"]
        file["train"]["source"] = ["a"] * 700
    with pytest.raises(InkfoldError, match="not of fixed length"):
        augmented(other, out)
    assert out.read_bytes() == b"mine"


def test_an_output_that_appears_during_the_work_is_kept(source: Path, tmp_path: Path) -> None:
    """The work may take hours; what somebody else wrote meanwhile is theirs."""
    out = tmp_path / "out.h5"
    with local_executor(1) as executor, pytest.raises(InkfoldError, match="already exists"):
        augment_dataset(
            source,
            out,
            PLAN,
            executor=executor,
            in_flight=1,
            advance=lambda _rows: out.touch(),
        )
    assert [path.name for path in tmp_path.iterdir()] == ["out.h5"]
    assert out.stat().st_size == 0


def test_a_dataset_without_training_pictures_is_refused(tmp_path: Path) -> None:
    """There is nothing to make copies of."""
    packed = write_packed(tmp_path / "packed.h5", (0, 4, 4), size=8)
    with pytest.raises(InkfoldError, match="no training picture"):
        plan_augmentation(packed, tmp_path / "out.h5", PLAN, overwrite=False)


@pytest.mark.slow
@pytest.mark.parametrize("moment", [0.05, 0.4, 0.9])
def test_sigkill_leaves_no_half_file_and_the_next_run_starts_clean(
    tmp_path: Path, moment: float
) -> None:
    """Killed while it writes: no output, and what it left beside is swept by the next run."""
    packed = write_packed(tmp_path / "packed.h5", (6000, 64, 64), size=32)
    command = [sys.executable, str(ROOT / "augment.py"), str(packed), "--workers", "2", "-q"]
    process = subprocess.Popen(command)
    while not list(tmp_path.glob(".packed_elastic.h5.*.part")):
        time.sleep(0.005)
    time.sleep(moment)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    target = tmp_path / "packed_elastic.h5"
    assert process.returncode == -signal.SIGKILL or target.exists(), "killed, or through before"
    assert process.returncode == 0 or not target.exists()
    subprocess.run([*command, "--overwrite"], check=True)
    assert sorted(tmp_path.iterdir()) == [packed, target]
    with open_dataset(target) as dataset:
        assert len(dataset.train) == 60_000


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells the peak there")
def test_memory_does_not_grow_with_the_dataset(tmp_path: Path) -> None:
    """Peak resident memory for four times as many pictures is at most 8 MB higher."""
    # VmHWM and not ru_maxrss: that one begins with what this process, which starts it, has used
    script = (
        "import sys; from pathlib import Path; from inkfold.commands.augment import main;"
        "code = main(sys.argv[1:]); status = Path('/proc/self/status').read_text();"
        "print(status.split('VmHWM:')[1].split()[0]); sys.exit(code)"
    )
    peaks = []
    for count in (8_000, 32_000):
        packed = write_packed(tmp_path / f"{count}.h5", (count, 64, 64), size=32)
        done = subprocess.run(
            [sys.executable, "-c", script, str(packed), "--workers", "1"],
            check=True,
            capture_output=True,
            text=True,
        )
        peaks.append(int(done.stdout.split()[-1]) / 1024)
    assert peaks[1] - peaks[0] < 8, peaks
