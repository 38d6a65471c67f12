"""Writing the packed file: what other programs read in it, and what the writer refuses."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import threading
import zlib
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from isal import isal_zlib

from inkfold.dataset.digests import digests
from inkfold.dataset.reader import open_dataset
from inkfold.dataset.split import CHUNK
from inkfold.dataset.writer import Rows, SplitWriter, deflate, writing_dataset
from inkfold.spec import SPLITS, ImageSpec
from tests.worlds.packed_strokes import write_packed


def noise(count: int) -> Rows:
    """Rows of seven classes, whose images are noise."""
    images = np.random.default_rng(0).integers(0, 256, (count, 8, 8)).astype(np.uint8)
    return Rows(
        images=images,
        labels=(np.arange(count) % 7).astype(np.int32),
        source=np.array([f"é/{row}.png".encode() for row in range(count)], "S12"),
        digest=digests(images),
    )


ROWS = noise(600)  # two whole chunks and one of 88 rows


def test_plain_h5py_reads_the_file(tmp_path: Path) -> None:
    """Types, chunks and text are those of the format, read without any code of this package."""
    path = write_packed(tmp_path / "d.h5", (300, 40, 0), classes=("a", "Ж", "漢字", "d"))

    with h5py.File(path) as file:
        assert file.attrs["format"] == "inkfold-dataset"
        assert file.attrs["format_version"] == 1
        assert json.loads(file.attrs["spec"])["size"] == 16
        assert file["classes"].asstr()[:].tolist() == ["a", "Ж", "漢字", "d"]
        for split, count in zip(SPLITS, (300, 40, 0), strict=True):
            images = file[split]["images"]
            assert (images.dtype, images.shape) == (np.uint8, (count, 16, 16))
            assert (images.chunks, images.compression) == ((CHUNK, 16, 16), "gzip")
            assert (file[split]["labels"].dtype, file[split]["digest"].shape) == (
                np.int32,
                (count, 16),
            )
            assert len(file[split]["source"].asstr()[:]) == count
        last = file["train/images"][299]
        assert file["train/digest"][299].tobytes() == hashlib.blake2b(last, digest_size=16).digest()
        assert file["train/source"].asstr()[299] == "train/00299.png"


def test_h5dump_reads_the_file(tmp_path: Path) -> None:
    """HDF5's own tool reads labels without a plugin."""
    tool = shutil.which("h5dump")
    if tool is None:
        pytest.skip("h5dump is not installed (package hdf5-tools)")
    path = write_packed(tmp_path / "d.h5", classes=("a", "Ж", "漢字", "d"))

    process = subprocess.run(
        [tool, "-d", "/train/labels", "-c", "5", str(path)], capture_output=True, check=True
    )

    assert b"0, 1, 2, 3, 0" in process.stdout


def test_the_same_rows_make_the_same_bytes(tmp_path: Path) -> None:
    """Two files of the same rows are equal: neither holds the time or its own name."""
    first, second = write_packed(tmp_path / "first.h5"), write_packed(tmp_path / "second.h5")

    assert first.read_bytes() == second.read_bytes()


def test_the_fingerprint_changes_with_pixels_classes_and_spec(tmp_path: Path) -> None:
    """Files that differ in the pixels, in a class name or in the image size differ in it."""
    fingerprints = set()
    for classes, size, seed in (("abcd", 16, 0), ("abcd", 16, 1), ("abce", 16, 0), ("abcd", 15, 0)):
        path = write_packed(tmp_path / "d.h5", classes=classes, size=size, seed=seed)
        with open_dataset(path) as dataset:
            fingerprints.add(dataset.fingerprint)

    assert len(fingerprints) == 4


def test_a_splits_digest_changes_with_labels_and_with_pixels(tmp_path: Path) -> None:
    """Labels in another order, and pixels in another order, each change a split's digest."""
    rows = ROWS[:10]
    split_digests = set()
    for changed in (
        rows,
        replace(rows, labels=rows.labels[::-1]),
        replace(rows, digest=rows.digest[::-1]),
    ):
        with h5py.File(tmp_path / "d.h5", "w") as file:
            writer = SplitWriter(file.create_group("train"), 10, rows)
            writer.append(changed)
            split_digests.add(writer.finish())

    assert len(split_digests) == 3


def test_ten_thousand_class_names_fit(tmp_path: Path) -> None:
    """Class names are stored as an array, which may be longer than an attribute's 64 KiB."""
    classes = [f"class {index:05d} " + "語" * 30 for index in range(10_000)]
    path = write_packed(tmp_path / "d.h5", (4, 4, 4), classes=classes)

    with open_dataset(path) as dataset:
        assert list(dataset.classes) == classes


def write_in_order(path: Path, starts: tuple[int, ...]) -> str:
    """The fingerprint of a file whose train split was written chunk by chunk in this order."""
    with writing_dataset(path, "abcdefg", ImageSpec(size=8), overwrite=True) as writer:
        for name in SPLITS:
            count = 600 if name == "train" else 0
            with writer.split(name, count, like=ROWS[:0]) as split:
                for start in starts if count else ():
                    split.write(start, ROWS[start : start + CHUNK])
        writer.finish({})
    with open_dataset(path) as dataset:
        return dataset.fingerprint


def test_the_order_of_writing_changes_neither_content_nor_fingerprint(tmp_path: Path) -> None:
    """Chunks written in three orders, the short one first or last, make the same split."""
    fingerprints = set()
    for number, starts in enumerate(((0, 256, 512), (512, 0, 256), (256, 512, 0))):
        fingerprints.add(write_in_order(tmp_path / f"{number}.h5", starts))
        with open_dataset(tmp_path / f"{number}.h5") as dataset:
            assert np.array_equal(dataset.train.images[:], ROWS.images)
            assert np.array_equal(dataset.train.labels, ROWS.labels)
            assert dataset.train.source == [name.decode() for name in ROWS.source]
    assert len(fingerprints) == 1


def test_every_chunk_is_written_exactly_once(tmp_path: Path) -> None:
    """A chunk that comes twice, misplaced, too short, too long or never is refused."""

    def attempt(split: SplitWriter) -> None:
        split.write(256, ROWS[256:512])
        for at, rows in (
            (256, ROWS[256:512]),
            (10, ROWS[0:256]),
            (0, ROWS[0:255]),
            (512, ROWS[344:600]),
            (600, ROWS[0:0]),
            (768, ROWS[0:256]),
            (-256, ROWS[0:256]),
        ):
            with pytest.raises(ValueError, match=f"rows cannot be written at {at} of 600"):
                split.write(at, rows)

    with (
        pytest.raises(ValueError, match="/train: 2 chunks were never written"),
        writing_dataset(tmp_path / "a.h5", "abcdefg", ImageSpec(), overwrite=True) as writer,
        writer.split("train", 600, like=ROWS[:0]) as split,
    ):
        attempt(split)
    assert not list(tmp_path.iterdir())


def append(tmp_path: Path, count: int, *lengths: int) -> SplitWriter:
    """The writer of a split of `count` rows after chunks of these lengths were appended."""
    file = h5py.File(tmp_path / "d.h5", "w")
    writer = SplitWriter(file.create_group("train"), count, ROWS)
    for length in lengths:
        writer.append(ROWS[:length])
    return writer


def test_rows_too_many_or_too_few_are_refused(tmp_path: Path) -> None:
    """A first chunk that is not full, a last chunk with a row too many, and no last chunk."""
    with pytest.raises(ValueError, match="10 rows cannot be written at 0 of 266"):
        append(tmp_path, CHUNK + 10, 10)
    with pytest.raises(ValueError, match="11 rows cannot be written at 256 of 266"):
        append(tmp_path, CHUNK + 10, CHUNK, 11)
    with pytest.raises(ValueError, match="1 chunks were never written"):
        append(tmp_path, CHUNK + 10, CHUNK).finish()


def test_rows_of_a_different_type_are_refused(tmp_path: Path) -> None:
    """A chunk is stored byte for byte, so HDF5 would not notice int64 in a split of int32."""
    writer = append(tmp_path, 10)
    rows = replace(ROWS[:10], labels=ROWS.labels[:10].astype(np.int64))

    with pytest.raises(ValueError, match="labels is int64, the split was begun with int32"):
        writer.append(rows)


def test_an_error_while_writing_leaves_no_file(tmp_path: Path) -> None:
    """The folder is empty after an error, without the dataset and without its part."""
    with (
        pytest.raises(ZeroDivisionError),
        writing_dataset(tmp_path / "d.h5", ["a"], ImageSpec(), overwrite=False),
    ):
        raise ZeroDivisionError

    assert list(tmp_path.iterdir()) == []


def test_the_index_of_written_chunks_takes_little_memory(tmp_path: Path) -> None:
    """HDF5 keeps a quarter of a MiB of its index at most, after 1,500 chunks in mixed order."""
    rows = Rows(
        images=np.zeros((CHUNK, 1, 1), np.uint8),
        labels=np.zeros(CHUNK, np.int32),
        source=np.zeros(CHUNK, "S1"),
        digest=np.zeros((CHUNK, 16), np.uint8),
    )
    deflated = {name: deflate(array) for name, array in rows.items()}
    with writing_dataset(tmp_path / "d.h5", ["a"], ImageSpec(size=1), overwrite=False) as writer:
        file = writer._file  # only HDF5's own file object reports the size
        with writer.split("train", 1500 * CHUNK, like=rows) as split:
            for place in np.random.default_rng(0).permutation(1500).tolist():
                split.write(place * CHUNK, rows, deflated=deflated)
        assert file.id.get_mdc_size()[2] <= 256 << 10
        writer.finish({})

    with h5py.File(tmp_path / "d.h5") as file:
        assert not file["train/labels"][:].any()


@given(
    rows=st.integers(1, CHUNK),
    width=st.integers(1, 9),
    values=st.integers(1, 256),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_deflated_chunk_is_a_zlib_stream_of_its_rows_and_zeros(
    rows: int, width: int, values: int, seed: int
) -> None:
    """Python's own zlib and igzip read it, whatever the rows hold and however many are there."""
    chunk = np.random.default_rng(seed).integers(0, values, (rows, width), dtype=np.uint8)
    data = deflate(chunk)

    expected = chunk.tobytes() + bytes((CHUNK - rows) * width)
    assert zlib.decompress(data) == expected
    assert isal_zlib.decompress(data) == expected


@pytest.mark.slow
def test_the_place_of_a_threads_stack_does_not_change_a_chunks_bytes() -> None:
    """2,000 threads at different addresses deflate the same labels to the same bytes.

    Without a dictionary one thread in about 8,192 differed.
    """
    labels = np.arange(256, dtype=np.int32) // 37 % 3
    found, done, lock = set(), threading.Event(), threading.Lock()

    def work() -> None:
        data = deflate(labels)
        with lock:
            found.add(data)
        done.wait()

    before = threading.stack_size(1 << 20)
    try:
        threads = [threading.Thread(target=work) for _ in range(2000)]
        for thread in threads:
            thread.start()
    finally:
        threading.stack_size(before)
        done.set()
    for thread in threads:
        thread.join()

    assert len(found) == 1


CHUNKS = """
import hashlib
import numpy as np
from inkfold.dataset.writer import deflate
numbers = [np.full(256, number, np.int32) for number in range(3000)]
images = np.zeros((20, 256, 24, 24), np.uint8)
images[..., 9:15, 4:20] = np.random.default_rng(0).integers(0, 256, (20, 256, 6, 16))
print(hashlib.sha256(b"".join(map(deflate, [*numbers, *images]))).hexdigest())
"""


def test_chunks_are_deflated_alike_in_every_process() -> None:
    """Three thousand chunks of one number each, and images, have the same bytes in eight processes.

    Without a dictionary about every second process differs in one of them.
    """
    command = [sys.executable, "-c", CHUNKS]
    found = {subprocess.run(command, capture_output=True, check=True).stdout for _ in range(8)}

    assert len(found) == 1
