"""Merging shards: the very bytes of the run without shards, or an error."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from inkfold.augmentation.augment import Augmentation, augment_dataset
from inkfold.augmentation.shards import augment_shards
from inkfold.dataset.merge import merge_dataset
from inkfold.dataset.reader import open_dataset
from inkfold.dataset.shard_table import shard_folder
from inkfold.errors import InkfoldError
from inkfold.recipe import Distortion
from inkfold.workers import local_crew
from tests.worlds.packed_strokes import write_packed
from tests.worlds.sharded import write_sharded

PLAN = Augmentation(Distortion(sigma=4, alpha=20), copies=3, seed=5)


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """1,100 training pictures, 300 for validation, none for test."""
    return write_packed(tmp_path / "whole.h5", (1100, 300, 0), size=8)


def merged(path: Path) -> bytes:
    """The bytes of the one file that is made of a dataset in shards."""
    output = path.with_name("merged.h5")
    with open_dataset(path) as dataset:
        merge_dataset(dataset, output, overwrite=True)
    return output.read_bytes()


@pytest.mark.parametrize("rows", [256, 512, 4096])
def test_a_packed_dataset_is_merged_to_the_bytes_of_the_one_file(whole: Path, rows: int) -> None:
    """Row by row, shards of any size."""
    index = whole.with_name("d.h5")
    write_sharded(whole, index, rows)

    assert merged(index) == whole.read_bytes()


@pytest.mark.parametrize("originals", [1100, 1024, 100])
def test_an_augmented_dataset_is_merged_to_the_bytes_of_the_one_file(
    tmp_path: Path, originals: int
) -> None:
    """In the order in which its chunks are made: whole ones and a short one, or either alone."""
    packed = write_packed(tmp_path / "packed.h5", (originals, 300, 20), size=8)
    with open_dataset(packed) as dataset, local_crew(1) as crew:
        augment_dataset(dataset, tmp_path / "one.h5", PLAN, crew=crew)
        augment_shards(dataset, tmp_path / "many.h5", PLAN, 512, crew=crew)

    assert merged(tmp_path / "many.h5") == (tmp_path / "one.h5").read_bytes()


def test_images_that_others_compressed_are_merged_as_they_are_stored(tmp_path: Path) -> None:
    """Validation pictures of gzip's highest level keep their bytes on both ways."""
    packed = write_packed(tmp_path / "packed.h5", (300, 300, 20), size=8)
    with h5py.File(packed, "r+") as file:
        images = file["validation/images"][:]
        del file["validation/images"]
        file["validation"].create_dataset(
            "images", data=images, chunks=(256, 8, 8), compression="gzip", compression_opts=9
        )
    with open_dataset(packed) as dataset, local_crew(1) as crew:
        augment_dataset(dataset, tmp_path / "one.h5", PLAN, crew=crew)
        augment_shards(dataset, tmp_path / "many.h5", PLAN, 256, crew=crew)

    assert merged(tmp_path / "many.h5") == (tmp_path / "one.h5").read_bytes()


def test_a_damaged_shard_is_not_merged(whole: Path) -> None:
    """A byte of a picture differs: no file is left, and the shard is named."""
    index = whole.with_name("d.h5")
    write_sharded(whole, index, 512)
    shard = sorted(shard_folder(index).iterdir())[1]
    data = bytearray(shard.read_bytes())
    with h5py.File(shard) as file:
        place = file["train/images"].id.get_chunk_info(1).byte_offset
    data[place + 30] ^= 1
    shard.write_bytes(data)

    with pytest.raises(InkfoldError, match=rf"{shard.name}: the file: SHA-256"):
        merged(index)
    assert not whole.with_name("merged.h5").exists()


def test_what_cannot_be_merged_is_refused_before_any_work(whole: Path) -> None:
    """A dataset of one file; and an output that is the dataset, or among the shards, or there."""
    index = whole.with_name("d.h5")
    write_sharded(whole, index, 512)
    with (
        open_dataset(whole) as dataset,
        pytest.raises(InkfoldError, match=r"whole\.h5 is one file already"),
    ):
        merge_dataset(dataset, index, overwrite=True)
    with open_dataset(index) as dataset:
        with pytest.raises(InkfoldError, match="is the dataset itself"):
            merge_dataset(dataset, index, overwrite=True)
        with pytest.raises(InkfoldError, match="lies among the shards"):
            merge_dataset(dataset, shard_folder(index) / "one.h5", overwrite=True)
        with pytest.raises(InkfoldError, match="already exists"):
            merge_dataset(dataset, whole, overwrite=False)
        assert np.array_equal(dataset.train[:9].rows, np.arange(9))


def test_an_augmented_dataset_whose_record_tells_no_places_is_not_merged(whole: Path) -> None:
    """Another order of the chunks would be another file."""
    index = whole.with_name("many.h5")
    with open_dataset(whole) as dataset, local_crew(1) as crew:
        augment_shards(dataset, index, replace(PLAN, copies=1), 512, crew=crew)
    with h5py.File(index, "r+") as file:
        text = file.attrs["provenance"]
        file.attrs["provenance"] = text.replace('"copies": 1', '"copies": 2')

    with pytest.raises(InkfoldError, match="does not tell how copies were placed"):
        merged(index)
