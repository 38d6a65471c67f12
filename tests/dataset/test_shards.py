"""Shards and their index: what is written, and that plain h5py reads it as one file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import h5py
import numpy as np
import pytest

from inkfold.dataset.shard_table import listed_shards, shard_folder
from inkfold.spec import SPLITS
from tests.worlds.packed_strokes import write_packed
from tests.worlds.sharded import write_sharded


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,500 training pictures, 300 for validation, none for test."""
    return write_packed(tmp_path_factory.mktemp("whole") / "whole.h5", (1500, 300, 0))


@pytest.fixture(scope="module")
def index(whole: Path) -> Path:
    """The same in shards of 512 rows; their names have what HDF5 takes for a pattern."""
    path = whole.with_name("50%b in shards.h5")
    write_sharded(whole, path, 512)
    return path


def content(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file below a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_plain_h5py_reads_an_index_as_the_one_file(
    whole: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attributes and every array equal those of the unsharded file, from any working folder."""
    monkeypatch.chdir("/")
    with h5py.File(whole) as file, h5py.File(index) as sharded:
        assert dict(file.attrs) == dict(sharded.attrs)
        assert np.array_equal(file["classes"][:], sharded["classes"][:])
        for split in SPLITS:
            assert set(file[split]) == set(sharded[split])
            for name in file[split]:
                assert file[split][name].dtype == sharded[split][name].dtype
                assert np.array_equal(file[split][name][:], sharded[split][name][:])


def test_the_table_tells_size_and_hash_of_every_shard(index: Path) -> None:
    """Three shards of train and one of validation, with the sizes and hashes of their files."""
    with h5py.File(index) as file:
        folder, shards = listed_shards(index, file)
    assert folder == shard_folder(index)
    assert [(shard.split, shard.first, shard.rows) for shard in shards] == [
        ("train", 0, 512),
        ("train", 512, 512),
        ("train", 1024, 476),
        ("validation", 0, 300),
    ]
    assert content(folder) == {shard.name: shard.sha256 for shard in shards}
    assert [(folder / shard.name).stat().st_size for shard in shards] == [s.size for s in shards]


def test_a_shard_is_plain_and_its_chunks_are_those_of_the_one_file(
    whole: Path, index: Path
) -> None:
    """The stored bytes of every chunk of images are the unsharded file's, without any plugin."""
    with h5py.File(index) as file:
        folder, shards = listed_shards(index, file)
    with h5py.File(whole) as file:
        for shard in shards:
            with h5py.File(folder / shard.name) as part:
                images = part[shard.split]["images"]
                assert images.shape == (shard.rows, 16, 16)
                for at in range(0, shard.rows, 256):
                    stored = images.id.read_direct_chunk((at, 0, 0))
                    in_one = file[shard.split]["images"].id.read_direct_chunk(
                        (shard.first + at, 0, 0)
                    )
                    assert stored == in_one


def test_two_runs_write_the_same_bytes(whole: Path, tmp_path: Path) -> None:
    """Index and shards are equal, file by file; no time, process or folder is in them."""
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_sharded(whole, tmp_path / folder / "d.h5", 512)

    assert content(tmp_path / "a") == content(tmp_path / "b")
    assert len(content(tmp_path / "a")) == 5, "the index and four shards, nothing else"
