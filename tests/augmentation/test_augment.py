"""Augmenting a packed dataset: the rows of the new file, and what they depend on."""

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

from inkfold.augmentation import augment
from inkfold.augmentation.augment import Augmentation, augment_dataset, check_augmentation
from inkfold.dataset.digests import digests
from inkfold.dataset.reader import open_dataset
from inkfold.dataset.split import CHUNK
from inkfold.elastic import Elastic, chunk_rng
from inkfold.errors import InkfoldError
from inkfold.recipe import Distortion
from inkfold.workers import local_crew
from tests.worlds.packed_strokes import write_packed
from tests.worlds.scripts import ROOT

DISTORTION = Distortion(sigma=4, alpha=30, rotate=5)
PLAN = Augmentation(DISTORTION, copies=3, seed=5)


def augmented(
    source: Path, target: Path, augmentation: Augmentation = PLAN, *, workers: int = 1
) -> Path:
    """Augment `source` to `target` as the command does."""
    with open_dataset(source) as packed, local_crew(workers) as crew:
        augment_dataset(packed, target, augmentation, crew=crew, overwrite=True)
    return target


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """700 training pictures: two whole chunks of 256 and one of 188."""
    return write_packed(tmp_path_factory.mktemp("packed") / "small.h5", (700, 300, 64))


@pytest.fixture(scope="module")
def target(source: Path) -> Path:
    """The augmented file: the 700 originals, each with three copies."""
    return augmented(source, source.with_name("small_elastic.h5"))


def test_every_original_stands_in_the_file_with_each_of_its_copies_once(target: Path) -> None:
    """The 2,800 rows are all pairs of 700 origins and copies 0 to 3."""
    with open_dataset(target) as dataset:
        origin, copy = dataset.train.origin, dataset.train.copy
        assert origin is not None
        assert copy is not None
        pairs = sorted(zip(origin.tolist(), copy.tolist(), strict=True))
        assert pairs == [(row, number) for row in range(700) for number in range(4)]
        assert origin.dtype == np.int64
        assert copy.dtype == np.int32


def test_copy_0_is_the_original_bit_for_bit(source: Path, target: Path) -> None:
    """The row of copy 0 has the pixels and the digest of the packed row that is its origin."""
    with open_dataset(source) as packed, open_dataset(target) as dataset:
        origin, copy = dataset.train.origin, dataset.train.copy
        assert origin is not None
        rows = np.flatnonzero(copy == 0)
        packed_rows = origin[rows]
        assert np.array_equal(dataset.train.images[:][rows], packed.train.images[:][packed_rows])
        assert np.array_equal(dataset.train.digest[rows], packed.train.digest[packed_rows])


def test_every_row_has_the_label_and_the_source_of_its_origin(source: Path, target: Path) -> None:
    """Originals and distorted copies alike have the label and the source of the packed row."""
    with open_dataset(source) as packed, open_dataset(target) as dataset:
        origin = dataset.train.origin
        assert origin is not None
        assert np.array_equal(dataset.train.labels, packed.train.labels[origin])
        names = np.array(packed.train.source)
        assert np.array_equal(dataset.train.source, names[origin])


def test_every_digest_is_that_of_the_pictures_pixels(target: Path) -> None:
    """The digests of the file are those computed again from its images."""
    with open_dataset(target) as dataset:
        assert np.array_equal(dataset.train.digest, digests(dataset.train.images[:]))


def test_the_copies_are_those_of_the_chunks_generator(source: Path, target: Path) -> None:
    """Copy 2 of chunk 1 is `distort` with ``chunk_rng(seed, 2, 1)``, and so for a short chunk."""
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
    """All 2,800 pictures of the file differ in their pixels."""
    with open_dataset(target) as dataset:
        assert len({digest.tobytes() for digest in dataset.train.digest}) == 2800


def test_chunks_are_mixed_and_only_the_last_rows_of_the_short_chunk_stand_together(
    target: Path,
) -> None:
    """Copies of whole chunks are chunks in mixed order; the 188 x 4 rows of chunk 2 come last."""
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
    """`Split.blocks` gives each of the 2,800 rows once, shuffled or in the order of the file."""
    with open_dataset(target) as dataset:
        images = dataset.train.images[:]
        for rng in (None, np.random.default_rng(0)):
            rows = []
            for block in dataset.train.blocks(rng):
                assert np.array_equal(block.images, images[block.rows])
                rows += block.rows.tolist()
            assert sorted(rows) == list(range(2800))


def test_validation_and_test_are_copied_untouched(source: Path, target: Path) -> None:
    """Both splits keep every array and the stored bytes of the images, and get no new arrays."""
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


def test_pictures_stored_in_a_foreign_layout_are_copied_as_well(
    source: Path, tmp_path: Path
) -> None:
    """Other chunks, no compression and other filters all give the same validation and test."""
    layouts: tuple[dict[str, Any], ...] = (
        {"chunks": (64, 16, 16), "compression": "gzip"},
        {"chunks": (CHUNK, 16, 16)},
        {"chunks": (CHUNK, 16, 16), "compression": "gzip", "shuffle": True},
        {"chunks": (CHUNK, 16, 16), "compression": "lzf"},
    )
    for number, layout in enumerate(layouts):
        foreign = tmp_path / f"{number}.h5"
        foreign.write_bytes(source.read_bytes())
        with h5py.File(foreign, "r+") as file:
            for split in ("train", "validation", "test"):
                images = file[split]["images"][:]
                del file[split]["images"]
                file[split].create_dataset("images", data=images, maxshape=(None, 16, 16), **layout)
        augmented(foreign, tmp_path / "copy.h5")
        with open_dataset(source) as packed, open_dataset(tmp_path / "copy.h5") as dataset:
            assert np.array_equal(dataset.validation.images[:], packed.validation.images[:])
            assert np.array_equal(dataset.test.images[:], packed.test.images[:])


def test_compressed_pictures_are_not_compressed_again(source: Path, tmp_path: Path) -> None:
    """Chunks of 256 rows that gzip compressed at its highest level are copied byte for byte."""
    foreign = tmp_path / "foreign.h5"
    foreign.write_bytes(source.read_bytes())
    with h5py.File(foreign, "r+") as file:
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
    augmented(foreign, tmp_path / "copy.h5")
    with h5py.File(foreign) as packed, h5py.File(tmp_path / "copy.h5") as file:
        stored, copied = (f["test/images"].id.read_direct_chunk((0, 0, 0)) for f in (packed, file))
        assert stored == copied


def test_a_chunk_that_was_never_written_is_not_taken_for_paper(
    source: Path, tmp_path: Path
) -> None:
    """HDF5 reads a chunk for which nothing is stored as zeros, which have another digest."""
    holes = tmp_path / "holes.h5"
    holes.write_bytes(source.read_bytes())
    with h5py.File(holes, "r+") as file:
        del file["validation/images"]
        file["validation"].create_dataset(
            "images", (300, 16, 16), np.uint8, chunks=(CHUNK, 16, 16), compression="gzip"
        )
    with pytest.raises(InkfoldError, match="/validation/images: the pixels of row 0 differ"):
        augmented(holes, tmp_path / "copy.h5")

    assert not (tmp_path / "copy.h5").exists()


def test_the_provenance_holds_the_options_and_the_packed_files_own(
    source: Path, target: Path
) -> None:
    """It has tool, options, seed, counts and the packed dataset's provenance, but no path."""
    with open_dataset(source) as packed, open_dataset(target) as dataset:
        provenance = dataset.provenance
        assert provenance["tool"] == "augment"
        assert provenance["options"] == {
            "copies": 3,
            "sigma": 4,
            "alpha": 30,
            "rotate": 5,
            "scale": 0,
            "shear": 0,
            "shift": 0,
        }
        assert provenance["seed"] == 5
        assert provenance["counts"] == {
            "originals": 700,
            "train": 2800,
            "validation": 300,
            "test": 64,
        }
        assert provenance["dataset"] == packed.provenance
        assert dataset.fingerprint != packed.fingerprint
        assert str(source.parent) not in json.dumps(provenance)
        assert (dataset.classes, dataset.spec) == (packed.classes, packed.spec)


def test_the_same_bytes_for_any_number_of_workers(source: Path, target: Path) -> None:
    """Two and three processes write the bytes that one process writes."""
    expected = target.read_bytes()
    for workers in (2, 3):
        output = target.with_name(f"by_{workers}.h5")
        assert augmented(source, output, workers=workers).read_bytes() == expected


@pytest.mark.parametrize("pixels", [1, 3 * CHUNK * 32 * 32, 1 << 40])
def test_the_bytes_do_not_depend_on_the_size_of_a_piece(
    source: Path, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pixels: int
) -> None:
    """Pieces of one chunk, of a few and of a chunk with all its copies write the same file."""
    monkeypatch.setattr(augment, "PIECE", pixels)

    assert augmented(source, tmp_path / "out.h5").read_bytes() == target.read_bytes()


@pytest.mark.parametrize("count", [1, 100, 256])
def test_short_chunks_are_cut_into_the_same_rows_by_any_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """Many copies of 1, 100 and 256 pictures are the same file in small pieces and in one."""
    packed = write_packed(tmp_path / "packed.h5", (count, 4, 4), size=8)
    plan = replace(PLAN, copies=30)
    files = []
    for pixels in (1, 1 << 40):
        monkeypatch.setattr(augment, "PIECE", pixels)
        files.append(augmented(packed, tmp_path / "out.h5", plan).read_bytes())

    assert files[0] == files[1]


def test_a_piece_of_work_does_not_grow_with_the_number_of_copies(tmp_path: Path) -> None:
    """Of 40 copies at 32x32 a worker makes 16 chunks of 256 at most before it hands them over."""
    packed = write_packed(tmp_path / "packed.h5", (256, 4, 4), size=32)
    reported: list[int] = []
    with local_crew(1) as crew, open_dataset(packed) as dataset:
        augment_dataset(
            dataset,
            tmp_path / "out.h5",
            replace(PLAN, copies=40),
            crew=crew,
            advance=reported.append,
        )

    assert sum(reported) == 41 * 256
    assert max(reported) <= 16 * CHUNK


def test_a_new_seed_draws_new_copies_of_the_same_originals(
    source: Path, target: Path, tmp_path: Path
) -> None:
    """With two seeds no distorted copy is in both files, and the rows stand in another order."""
    reseeded = augmented(source, tmp_path / "reseeded.h5", replace(PLAN, seed=6))
    with open_dataset(target) as first, open_dataset(reseeded) as second:
        copies, originals = (
            [
                {digest.tobytes() for digest in file.train.digest[file.train.originals == original]}
                for file in (first, second)
            ]
            for original in (False, True)
        )
        assert not copies[0] & copies[1]
        assert originals[0] == originals[1]
        order = [np.asarray(file.train.copy) * 1000 + file.train.origin for file in (first, second)]
        assert not np.array_equal(order[0], order[1])
        assert first.fingerprint != second.fingerprint


@pytest.mark.parametrize("count", [1, 255, 256, 257, 512])
def test_any_number_of_pictures_is_augmented_whole(tmp_path: Path, count: int) -> None:
    """Fewer rows than a chunk, whole chunks and one row more: every origin has every copy."""
    packed = write_packed(tmp_path / "packed.h5", (count, 4, 4), size=8)
    with open_dataset(augmented(packed, tmp_path / "out.h5")) as dataset:
        origin, copy = np.asarray(dataset.train.origin), np.asarray(dataset.train.copy)
        assert len(dataset.train) == 4 * count
        assert len(set(zip(origin, copy, strict=True))) == 4 * count
        assert np.array_equal(dataset.train.digest, digests(dataset.train.images[:]))


def test_empty_splits_stay_empty(tmp_path: Path) -> None:
    """A dataset without validation and test pictures is augmented, and both stay empty."""
    packed = write_packed(tmp_path / "packed.h5", (300, 0, 0), size=8)
    with open_dataset(augmented(packed, tmp_path / "out.h5")) as dataset:
        assert [len(split) for split in dataset.splits] == [1200, 0, 0]


def test_progress_adds_up_to_the_new_training_rows(source: Path, tmp_path: Path) -> None:
    """Progress is reported after each chunk of originals, with the number of its new rows."""
    reported: list[int] = []
    with open_dataset(source) as packed, local_crew(1) as crew:
        augment_dataset(
            packed,
            tmp_path / "out.h5",
            PLAN,
            crew=crew,
            advance=reported.append,
        )
    assert reported == [1024, 1024, 752]


def test_an_augmented_dataset_is_refused(target: Path, tmp_path: Path) -> None:
    """Augmenting twice is refused: copies of copies would be worth less than they look."""
    with (
        open_dataset(target) as dataset,
        pytest.raises(InkfoldError, match="augmented already"),
    ):
        check_augmentation(dataset, tmp_path / "out.h5", PLAN, overwrite=False)


def test_the_dataset_itself_is_refused_as_output_even_through_a_link(
    source: Path, tmp_path: Path
) -> None:
    """An augmentation never overwrites the dataset that it reads, by its own name or a link's."""
    link = tmp_path / "link.h5"
    link.symlink_to(source)
    for name in (source, link):
        with (
            open_dataset(source) as packed,
            pytest.raises(InkfoldError, match="the dataset itself"),
        ):
            check_augmentation(packed, name, PLAN, overwrite=True)


def test_what_cannot_be_done_is_refused_before_any_work(source: Path, tmp_path: Path) -> None:
    """An existing output, no copies, an option out of range and foreign strings are refused."""
    out = tmp_path / "out.h5"
    out.write_bytes(b"mine")
    with open_dataset(source) as packed:
        with pytest.raises(InkfoldError, match="already exists"):
            check_augmentation(packed, out, PLAN, overwrite=False)
        with pytest.raises(InkfoldError, match="copies is 0"):
            check_augmentation(packed, out, replace(PLAN, copies=0), overwrite=True)
        with pytest.raises(InkfoldError, match="sigma is 0"):
            check_augmentation(packed, out, Augmentation(Distortion(sigma=0)), overwrite=True)
    assert out.read_bytes() == b"mine"

    foreign = tmp_path / "foreign.h5"
    foreign.write_bytes(source.read_bytes())
    with h5py.File(foreign, "r+") as file:
        del file["train/source"]
        file["train"]["source"] = ["a"] * 700
    with pytest.raises(InkfoldError, match="not of fixed length"):
        augmented(foreign, out)
    assert out.read_bytes() == b"mine"


def test_an_output_that_appears_during_the_work_is_kept(source: Path, tmp_path: Path) -> None:
    """A file that somebody writes under the output's name during the work is not replaced."""
    out = tmp_path / "out.h5"
    with (
        open_dataset(source) as packed,
        local_crew(1) as crew,
        pytest.raises(InkfoldError, match="already exists"),
    ):
        augment_dataset(
            packed,
            out,
            PLAN,
            crew=crew,
            advance=lambda _rows: out.touch(),
        )
    assert [path.name for path in tmp_path.iterdir()] == ["out.h5"]
    assert out.stat().st_size == 0


def test_a_dataset_without_training_pictures_is_refused(tmp_path: Path) -> None:
    """A dataset whose train split is empty has nothing to make copies of, and is refused."""
    path = write_packed(tmp_path / "packed.h5", (0, 4, 4), size=8)
    with (
        open_dataset(path) as packed,
        pytest.raises(InkfoldError, match="no training picture"),
    ):
        check_augmentation(packed, tmp_path / "out.h5", PLAN, overwrite=False)


@pytest.mark.slow
@pytest.mark.parametrize("moment", [0.05, 0.4, 0.9])
def test_sigkill_leaves_no_half_file_and_the_next_run_starts_clean(
    tmp_path: Path, moment: float
) -> None:
    """A killed run leaves no output, or a whole one; the next run removes its unfinished file."""
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
    if target.exists():  # the kill may come between the last step and the process' end
        with open_dataset(target) as dataset:
            assert len(dataset.train) == 60_000
    subprocess.run([*command, "--overwrite"], check=True)
    assert sorted(tmp_path.iterdir()) == [packed, target]
    with open_dataset(target) as dataset:
        assert len(dataset.train) == 60_000


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from there")
def test_memory_does_not_grow_with_the_dataset(tmp_path: Path) -> None:
    """Peak resident memory for four times as many pictures is at most 8 MB higher."""
    # VmHWM and not ru_maxrss, which begins with what the parent process has used
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
