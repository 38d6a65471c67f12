"""Reading a packed dataset, and refusing files that are no dataset."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from inkfold.dataset.reader import open_dataset
from inkfold.dataset.split import CHUNK, POOL
from inkfold.errors import InkfoldError
from tests.worlds.packed_strokes import write_packed
from tests.worlds.tracing import watched

COUNT = CHUNK * POOL * 2 + 700  # three blocks, the last chunk not full


def refusal(path: Path) -> str:
    """The message with which `open_dataset` refuses `path`."""
    with pytest.raises(InkfoldError) as caught:
        open_dataset(path)
    return str(caught.value)


def test_a_dataset_has_classes_spec_fingerprint_and_three_splits(tmp_path: Path) -> None:
    """The open file gives what was written; a split that is not augmented has no origin or copy."""
    with open_dataset(write_packed(tmp_path / "d.h5", (300, 20, 10))) as dataset:
        assert dataset.classes == ("a", "b", "c", "d")
        assert dataset.spec.size == 16
        assert [len(split) for split in dataset.splits] == [300, 20, 10]
        assert dataset.train.images.shape == (300, 16, 16)
        assert dataset.train.digest.shape == (300, 16)
        assert dataset.train.source[7] == "train/00007.png"
        assert dataset.train.origin is dataset.train.copy is None
        assert dataset.train.originals.tolist() == [True] * 300
        assert len(dataset.fingerprint) == 32


def test_a_split_is_a_sequence_of_images_with_their_labels(tmp_path: Path) -> None:
    """A number gives one row, a slice gives a block, iterating gives every row in file order."""
    with open_dataset(write_packed(tmp_path / "d.h5", (300, 20, 10))) as dataset:
        split = dataset.train
        images, labels = split.images[:], split.labels.tolist()

        image, label = split[3]
        assert np.array_equal(image, images[3])
        assert type(label) is int
        assert label == labels[3]
        assert np.array_equal(split[-1].image, images[299])
        assert split[np.int64(7)].label == labels[7]
        block = split[250:270]
        assert np.array_equal(block.images, images[250:270])
        assert block.rows.tolist() == list(range(250, 270))
        assert len(split[8:3].images) == 0
        rows = list(split)
        assert [row.label for row in rows] == labels
        assert np.array_equal(np.stack([row.image for row in rows]), images)


def test_an_index_that_names_no_row_is_refused(tmp_path: Path) -> None:
    """An index past either end, a slice with a step, and a word raise IndexError or TypeError."""
    with open_dataset(write_packed(tmp_path / "d.h5", (300, 20, 10))) as dataset:
        for wrong in (10, -11):
            with pytest.raises(IndexError, match=rf"test split of 10 rows .* has no row {wrong}"):
                dataset.test[wrong]
        with pytest.raises(TypeError, match="slices of step 1, found step 2"):
            dataset.test[::2]
        with pytest.raises(TypeError):
            dataset.test["3"]  # type: ignore[call-overload]  # the mistake under test


def test_splits_are_found_in_order_and_by_name(tmp_path: Path) -> None:
    """Train, validation and test are attributes, a tuple in this order, and found by name."""
    with open_dataset(write_packed(tmp_path / "d.h5", (300, 20, 10))) as dataset:
        assert dataset.splits == (dataset.train, dataset.validation, dataset.test)
        assert [split.name for split in dataset.splits] == ["train", "validation", "test"]
        assert dataset.split("validation") is dataset.validation
        with pytest.raises(KeyError):
            dataset.split("dev")


def test_python_shows_a_dataset_by_its_path_and_counts(tmp_path: Path) -> None:
    """The repr of a dataset has path, classes and rows; that of a split has rows and pixels."""
    path = write_packed(tmp_path / "d.h5", (1300, 20, 10))
    with open_dataset(path) as dataset:
        assert repr(dataset) == f"<dataset {path}: 4 classes; train 1,300, validation 20, test 10>"
        assert repr(dataset.test) == "<test split of 10 rows of 16x16 pixels>"


def test_what_is_no_dataset_is_refused_with_the_next_step(tmp_path: Path) -> None:
    """A missing file, a folder, a text and another program's HDF5 are each refused."""
    (tmp_path / "text.h5").write_text("hello " * 1000)
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["x"] = np.zeros(3)

    assert "no such dataset; pack one with: inkfold create_dataset" in refusal(tmp_path / "no")
    assert f"is a folder; pack it with: inkfold create_dataset {tmp_path}" in refusal(tmp_path)
    assert "text.h5: not an HDF5 file or a damaged one" in refusal(tmp_path / "text.h5")
    assert "format is None, expected 'inkfold-dataset'" in refusal(tmp_path / "foreign.h5")


def test_an_unknown_version_of_the_format_is_refused(tmp_path: Path) -> None:
    """The message names the version of the file and the version that this package reads."""
    path = write_packed(tmp_path / "d.h5")
    with h5py.File(path, "a") as file:
        file.attrs["format_version"] = 99

    assert "dataset format 99, this version reads format 1; pack it again" in refusal(path)


@pytest.mark.parametrize("name", ["classes", "train/labels", "validation", "test/digest"])
def test_a_missing_array_is_named(tmp_path: Path, name: str) -> None:
    """A file without one of the arrays of format 1 is refused, and the message names the array."""
    path = write_packed(tmp_path / "d.h5")
    with h5py.File(path, "a") as file:
        del file[name]

    assert f"{name} is missing" in refusal(path) or f"{name}/images is missing" in refusal(path)


def test_arrays_of_different_lengths_are_refused(tmp_path: Path) -> None:
    """A split that has one label more than it has pictures is refused."""
    path = write_packed(tmp_path / "d.h5")
    with h5py.File(path, "a") as file:
        file["train/labels"].resize((321,))

    assert "/train holds arrays of different lengths" in refusal(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_file_cut_short_is_refused(tmp_path: Path, share: float) -> None:
    """A file that ends early, like a download that broke off, is refused as damaged."""
    path = write_packed(tmp_path / "d.h5")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])

    assert "a damaged one" in refusal(path)


@pytest.mark.parametrize("seed", [None, 0])
def test_blocks_hold_every_row_once(tmp_path: Path, seed: int | None) -> None:
    """Shuffled or in file order, each row comes once, with its own image and label."""
    with open_dataset(write_packed(tmp_path / "d.h5", (COUNT, 3, 3), size=4)) as dataset:
        images, labels = dataset.train.images[:], dataset.train.labels
        rng = None if seed is None else np.random.default_rng(seed)
        blocks = list(dataset.train.blocks(rng))

    rows = np.concatenate([block.rows for block in blocks])
    assert sorted(rows.tolist()) == list(range(COUNT))
    assert (rows.tolist() == list(range(COUNT))) == (seed is None)
    assert max(len(block.rows) for block in blocks) == CHUNK * POOL
    for block in blocks:
        assert np.array_equal(block.images, images[block.rows])
        assert np.array_equal(block.labels, labels[block.rows])


def test_blocks_are_shuffled_over_the_whole_split(tmp_path: Path) -> None:
    """A block draws from the whole split and mixes its rows; the seed fixes the whole order."""
    with open_dataset(write_packed(tmp_path / "d.h5", (COUNT, 3, 3), size=4)) as dataset:
        first, again, reseeded = (
            [block.rows for block in dataset.train.blocks(np.random.default_rng(seed))]
            for seed in (0, 0, 1)
        )

    assert np.array_equal(np.concatenate(first), np.concatenate(again))
    assert not np.array_equal(np.concatenate(first), np.concatenate(reseeded))
    assert first[0].min() < COUNT / 3
    assert first[0].max() > 2 * COUNT / 3
    assert np.count_nonzero(np.diff(first[0]) == 1) < 20, "neighbours do not stay neighbours"


def test_a_split_without_rows_has_no_blocks(tmp_path: Path) -> None:
    """An empty split, as --split 0.9,0.1,0 makes it, gives no blocks and no sources."""
    with open_dataset(write_packed(tmp_path / "d.h5", (10, 5, 0))) as dataset:
        assert list(dataset.test.blocks(np.random.default_rng(0))) == []
        assert dataset.test.source == []


@watched
@pytest.mark.parametrize("number", [2, 3, 4])
@pytest.mark.parametrize("line", ["export d.h5 out -q", "augment d.h5 -o out --workers 1 -q"])
def test_a_disk_that_fails_when_a_dataset_is_closed_is_told(
    tmp_path: Path, line: str, number: int
) -> None:
    """One line names the dataset that is read, and not the output; or the command is done before.

    Where the dataset is read by those who work on it the line has the whole path.

    Earlier closings are those of other checks, which have tests of their own.
    """
    write_packed(tmp_path / "d.h5")
    strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-P", str(tmp_path / "d.h5")]
    fault = ["-e", "trace=close", "-e", f"inject=close:error=EIO:when={number}"]
    done = subprocess.run(
        [*strace, *fault, sys.executable, "-m", "inkfold.commands.main", *line.split()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == (0 if line.startswith("export") and number > 2 else 2)
    if done.returncode == 2:
        assert done.stderr.startswith(("error: d.h5: ", f"error: {tmp_path}/d.h5: "))
        assert done.stderr.count("\n") == 1
