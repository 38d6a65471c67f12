"""Writing the packed file: what others read in it, and what the writer refuses."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest

from inkfold.dataset.reader import CHUNK, open_dataset
from inkfold.dataset.writer import Rows, SplitWriter, deflate, digests, writing_dataset
from inkfold.spec import SPLITS, ImageSpec
from tests.worlds.packed_strokes import strokes, write_packed


def some_rows(count: int) -> Rows:
    """Drawn rows of two classes."""
    labels = (np.arange(count) % 2).astype(np.int32)
    images = strokes(labels, 8, np.random.default_rng(0))
    source = np.array([f"é/{i}".encode() for i in range(count)], "S12")
    return Rows(images, labels, source, digests(images))


def test_plain_h5py_reads_the_file(tmp_path: Path) -> None:
    """Types, chunks and text as the format says, with nothing of ours imported."""
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
    """HDF5's own tool, without a plugin."""
    tool = shutil.which("h5dump")
    if tool is None:
        pytest.skip("h5dump is not installed (package hdf5-tools)")
    path = write_packed(tmp_path / "d.h5", classes=("a", "Ж", "漢字", "d"))

    done = subprocess.run(
        [tool, "-d", "/train/labels", "-c", "5", str(path)], capture_output=True, check=True
    )

    assert b"0, 1, 2, 3, 0" in done.stdout


def test_the_same_rows_make_the_same_bytes(tmp_path: Path) -> None:
    """Nothing in the file knows the time or its own name."""
    one, other = write_packed(tmp_path / "one.h5"), write_packed(tmp_path / "other.h5")

    assert one.read_bytes() == other.read_bytes()


def test_the_fingerprint_changes_with_labels_pixels_classes_and_spec(tmp_path: Path) -> None:
    """And with nothing else that the file holds."""
    prints = set()
    for classes, size, seed in (("abcd", 16, 0), ("abcd", 16, 1), ("abce", 16, 0), ("abcd", 15, 0)):
        path = write_packed(tmp_path / "d.h5", classes=classes, size=size, seed=seed)
        with open_dataset(path) as dataset:
            prints.add(dataset.fingerprint)

    assert len(prints) == 4


def test_ten_thousand_class_names_fit(tmp_path: Path) -> None:
    """As a dataset they may be longer than the 64 KiB of an attribute."""
    classes = [f"class {index:05d} " + "語" * 30 for index in range(10_000)]
    path = write_packed(tmp_path / "d.h5", (4, 4, 4), classes=classes)

    with open_dataset(path) as dataset:
        assert list(dataset.classes) == classes


def _written(tmp_path: Path, count: int, *pieces: int) -> SplitWriter:
    """A split of `count` rows after so many were appended."""
    rows = some_rows(CHUNK + 10)
    file = h5py.File(tmp_path / "d.h5", "w")
    writer = SplitWriter(file.create_group("train"), count, rows)
    for piece in pieces:
        part = slice(piece)
        writer.append(
            Rows(rows.images[part], rows.labels[part], rows.source[part], rows.digest[part])
        )
    return writer


def test_a_split_s_digest_changes_with_labels_and_with_pixels(tmp_path: Path) -> None:
    """Each alone."""
    rows = some_rows(10)
    found = set()
    for labels, digest in (
        (rows.labels, rows.digest),
        (rows.labels[::-1], rows.digest),
        (rows.labels, rows.digest[::-1]),
    ):
        with h5py.File(tmp_path / "d.h5", "w") as file:
            writer = SplitWriter(file.create_group("train"), 10, rows)
            writer.append(Rows(rows.images, labels, rows.source, digest))
            found.add(writer.finish())

    assert len(found) == 3


def test_rows_too_many_or_too_few_are_refused(tmp_path: Path) -> None:
    """A chunk that is not full, not the last; one over; one missing at the end."""
    with pytest.raises(ValueError, match="10 rows cannot be written at 0 of 266"):
        _written(tmp_path, CHUNK + 10, 10)
    with pytest.raises(ValueError, match="11 rows cannot be written at 256 of 266"):
        _written(tmp_path, CHUNK + 10, CHUNK, 11)
    with pytest.raises(ValueError, match="1 chunks were never written"):
        _written(tmp_path, CHUNK + 10, CHUNK).finish()


def test_rows_of_another_type_are_refused(tmp_path: Path) -> None:
    """A chunk is written as it is: HDF5 would not notice int64 where int32 was said."""
    writer = _written(tmp_path, 10)
    rows = some_rows(10)

    with pytest.raises(ValueError, match="labels is int64, the split was begun with int32"):
        writer.append(Rows(rows.images, rows.labels.astype(np.int64), rows.source, rows.digest))


def test_a_file_that_is_not_finished_is_not_there(tmp_path: Path) -> None:
    """An error on the way leaves nothing."""
    with (
        pytest.raises(ZeroDivisionError),
        writing_dataset(tmp_path / "d.h5", ["a"], ImageSpec(), overwrite=False),
    ):
        raise ZeroDivisionError

    assert list(tmp_path.iterdir()) == []


def test_what_is_kept_of_written_chunks_is_bounded(tmp_path: Path) -> None:
    """HDF5 keeps a quarter of a MiB of its index at most, after 1,500 chunks in mixed order."""
    rows = Rows(
        np.zeros((CHUNK, 1, 1), np.uint8),
        np.zeros(CHUNK, np.int32),
        np.zeros(CHUNK, "S1"),
        np.zeros((CHUNK, 16), np.uint8),
    )
    done = {name: deflate(array) for name, array in rows.items()}
    with writing_dataset(tmp_path / "d.h5", ["a"], ImageSpec(size=1), overwrite=False) as writer:
        file = writer._file  # nothing else tells
        with writer.split("train", 1500 * CHUNK, like=rows) as split:
            for place in np.random.default_rng(0).permutation(1500).tolist():
                split.write(place * CHUNK, rows, deflated=done)
        assert file.id.get_mdc_size()[2] <= 256 << 10
        writer.finish({})

    with h5py.File(tmp_path / "d.h5") as file:
        assert not file["train/labels"][:].any()
