"""Reading a dataset in shards: equal to the one file, and refused where a shard is not its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkfold.dataset import split as split_module
from inkfold.dataset.arrays import ShardedImages
from inkfold.dataset.check import check_dataset
from inkfold.dataset.index import _map
from inkfold.dataset.reader import Dataset, open_dataset, reopened
from inkfold.dataset.shard_table import listed_shards, shard_folder
from inkfold.errors import InkfoldError
from inkfold.training.batches import Batches
from tests.worlds.packed_strokes import write_packed
from tests.worlds.sharded import write_sharded

COUNTS = (1500, 300, 0)
ROWS = (256, 512, 1024, 2048)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``whole.h5``, and the same in shards of 256, 512, 1,024 and 2,048 rows."""
    folder = tmp_path_factory.mktemp("sharded")
    whole = write_packed(folder / "whole.h5", COUNTS, size=8)
    for rows in ROWS:
        write_sharded(whole, folder / f"{rows}.h5", rows)
    return folder


@pytest.fixture(scope="module")
def whole(folder: Path) -> Iterator[Dataset]:
    """The dataset in one file."""
    with open_dataset(folder / "whole.h5") as dataset:
        yield dataset


@pytest.fixture(scope="module")
def sharded(folder: Path) -> Iterator[dict[int, Dataset]]:
    """The datasets in shards, by the rows of a shard."""
    opened = {rows: open_dataset(folder / f"{rows}.h5") for rows in ROWS}
    yield opened
    for dataset in opened.values():
        dataset.close()


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    """A dataset in shards of 512 rows, to be damaged: four shards."""
    shutil.copyfile(folder / "512.h5", tmp_path / "512.h5")
    shutil.copytree(folder / "512.shards", tmp_path / "512.shards")
    return tmp_path / "512.h5"


def shards_of(path: Path) -> list[Path]:
    """The files of a dataset's shards, in the order of their names."""
    return sorted(shard_folder(path).iterdir())


@pytest.mark.parametrize("rows", ROWS)
def test_every_array_and_the_record_equal_those_of_the_one_file(
    whole: Dataset, sharded: dict[int, Dataset], rows: int
) -> None:
    """Classes, spec, provenance, and images, labels, source and digest of every split."""
    dataset = sharded[rows]
    assert (dataset.classes, dataset.spec) == (whole.classes, whole.spec)
    assert dataset.provenance == whole.provenance
    for ours, theirs in zip(dataset.splits, whole.splits, strict=True):
        assert len(ours) == len(theirs)
        assert repr(ours) == repr(theirs)
        assert ours.images.shape == theirs.images.shape
        assert np.array_equal(ours.images[:], theirs.images[:])
        assert np.array_equal(ours.labels, theirs.labels)
        assert np.array_equal(ours.digest, theirs.digest)
        assert ours.source == theirs.source
        assert [ours.origin, ours.copy, ours.group] == [None] * 3


@settings(deadline=None)
@given(
    rows=st.sampled_from(ROWS),
    part=st.builds(slice, *2 * [st.integers(-1600, 1600)], st.integers(1, 700)),
)
def test_any_slice_gives_the_rows_of_the_one_file(
    whole: Dataset, sharded: dict[int, Dataset], rows: int, part: slice
) -> None:
    """Within a shard, over several, from the end, empty, and with steps."""
    ours, theirs = sharded[rows].train, whole.train
    whole_part = slice(part.start, part.stop)
    block, expected = ours[whole_part], theirs[whole_part]
    assert np.array_equal(block.images, expected.images)
    assert np.array_equal(block.labels, expected.labels)
    assert np.array_equal(block.rows, expected.rows)
    assert ours.texts("source", part) == theirs.texts("source", part)
    everything = np.asarray(theirs.images[:])
    assert np.array_equal(ours.images[part, 2:4], everything[part, 2:4])


@settings(deadline=None)
@given(rows=st.sampled_from(ROWS), chosen=st.sets(st.integers(0, 1499), max_size=20))
def test_single_rows_and_masks_are_those_of_the_one_file(
    whole: Dataset, sharded: dict[int, Dataset], rows: int, chosen: set[int]
) -> None:
    """Rising row numbers in any shards, the same as a mask, and each row alone."""
    ours, everything = sharded[rows].train, np.asarray(whole.train.images[:])
    numbers = np.array(sorted(chosen), np.int64)
    mask = np.zeros(1500, bool)
    mask[numbers] = True
    assert np.array_equal(ours.images[numbers], everything[numbers])
    assert np.array_equal(ours.images[mask], everything[numbers])
    for row in numbers[:3].tolist():
        assert np.array_equal(ours.images[row], everything[row])
        assert np.array_equal(ours.images[row - 1500, 3], everything[row, 3])
        assert ours[row].label == whole.train.labels[row]


def test_images_refuse_what_hdf5_refuses(sharded: dict[int, Dataset]) -> None:
    """Rows out of range, falling rows, a mask of another length, and steps back."""
    images = sharded[512].train.images
    assert isinstance(images, ShardedImages)
    for rows in (1500, -1501, [3, 1500], np.ones(7, bool)):
        with pytest.raises(IndexError):
            images[rows]
    for falling in ([5, 3], [3, 3], slice(10, 0, -1)):
        with pytest.raises(TypeError):
            images[falling]


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("seed", [None, 0])
def test_blocks_and_batches_are_those_of_the_one_file(
    whole: Dataset, sharded: dict[int, Dataset], rows: int, seed: int | None
) -> None:
    """Shuffled or in order: an epoch of training does not depend on shards."""
    blocks = [
        list(dataset.train.blocks(None if seed is None else np.random.default_rng(seed)))
        for dataset in (sharded[rows], whole)
    ]
    for ours, theirs in zip(*blocks, strict=True):
        assert np.array_equal(ours.images, theirs.images)
        assert np.array_equal(ours.labels, theirs.labels)
        assert np.array_equal(ours.rows, theirs.rows)
    epochs = [
        list(Batches([dataset.train, dataset.validation], 64, seed=3).epoch(1))
        for dataset in (sharded[rows], whole)
    ]
    for (images, labels), (other_images, other_labels) in zip(*epochs, strict=True):
        assert np.array_equal(images, other_images)
        assert np.array_equal(labels, other_labels)


def test_few_shards_are_open_at_a_time(folder: Path) -> None:
    """With two at the most, all rows are read in any order, and no more stay open."""
    with open_dataset(folder / "256.h5") as dataset:
        shards = dataset._shards  # only it knows its open files
        assert shards is not None
        shards.close()
        shards.at_most = 2
        for block in dataset.train.blocks(np.random.default_rng(1)):
            assert len(block.images)
            assert len(shards._open) <= 2


def test_labels_beyond_those_that_are_held_are_read_by_block(
    folder: Path, whole: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks, slices, rows and counts are equal where no array of all labels is kept."""
    monkeypatch.setattr(split_module, "HELD", 100)
    monkeypatch.setattr(split_module, "LABELS", 512)
    with open_dataset(folder / "512.h5") as dataset:
        ours, theirs = dataset.train, whole.train
        assert ours._labels is None
        assert np.array_equal(ours.labels, theirs.labels)
        assert np.array_equal(ours.counts(4), np.bincount(theirs.labels, minlength=4))
        assert np.array_equal(ours[500:520].labels, theirs.labels[500:520])
        assert ours[-1].label == theirs.labels[-1]
        rng = np.random.default_rng(2)
        for block in ours.blocks(rng):
            assert np.array_equal(block.labels, theirs.labels[block.rows])
    with h5py.File(folder / "512.shards" / shards_of(folder / "512.h5")[2].name) as file:
        assert file["train/labels"].shape == (476,)


def test_a_label_that_no_class_has_is_found_in_any_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row that is named is counted in the whole split."""
    monkeypatch.setattr(split_module, "LABELS", 256)
    path = write_packed(tmp_path / "d.h5", (600, 10, 10))
    with h5py.File(path, "r+") as file:
        file["train/labels"][530] = 9
    with pytest.raises(InkfoldError, match="/train/labels: row 530 has label 9, expected 0 to 3"):
        open_dataset(path)


def missing(path: Path) -> str:
    """The second of four is gone."""
    shards_of(path)[1].unlink()
    return "this shard of .* cannot be read .No such file"


def shorter(path: Path) -> str:
    """A byte less."""
    shard = shards_of(path)[1]
    shard.write_bytes(shard.read_bytes()[:-1])
    return "is not the shard that .*512.h5 lists"


def of_another_run(path: Path) -> str:
    """A shard of the same name and the same size, with other pictures."""
    shard = shards_of(path)[1]
    with h5py.File(shard, "r+") as file:
        file.attrs["digest"] = np.bytes_("0" * 32)
    return "a shard of another dataset or run"


def of_other_rows(path: Path) -> str:
    """The first shard in the place of the second."""
    first, second, *_ = shards_of(path)
    data = first.read_bytes()
    second.write_bytes(data + bytes(max(0, second.stat().st_size - len(data))))
    return "is not the shard that .*512.h5 lists"


def no_file_of_ours(path: Path) -> str:
    """As many zeros."""
    shard = shards_of(path)[1]
    shard.write_bytes(bytes(shard.stat().st_size))
    return "its beginning: cannot be read"


def folder_gone(path: Path) -> str:
    """The index was moved alone."""
    shutil.rmtree(shard_folder(path))
    return "move 512.shards with 512.h5"


def folder_renamed_with_the_index(path: Path) -> str:
    """The index knows the folder's old name only."""
    path.rename(path.with_name("new.h5"))
    shard_folder(path).rename(path.with_name("new.shards"))
    return "give the folder new.shards its old name back, 512.shards"


DAMAGES = [
    missing,
    shorter,
    of_another_run,
    of_other_rows,
    no_file_of_ours,
    folder_gone,
    folder_renamed_with_the_index,
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_dataset_whose_shard_is_not_its_own_is_not_opened(
    copied: Path, damage: Callable[[Path], str]
) -> None:
    """HDF5 would read zeros, or the other pictures; the message names the shard."""
    words = damage(copied)
    index = next(copied.parent.glob("*.h5"))

    with pytest.raises(InkfoldError, match=words) as error:
        open_dataset(index)
    assert "\n" not in str(error.value)
    assert ".shards/" in str(error.value)


def test_a_worker_refuses_a_shard_that_is_not_its_own(copied: Path) -> None:
    """Whoever opens the dataset again reads whole shards, and refuses the one that is missing."""
    with open_dataset(copied) as dataset:
        identity = dataset.identity
    shards_of(copied)[1].unlink()

    with reopened(identity) as splits:
        assert splits["train"].read("labels", 0, 512).shape == (512,)
        with pytest.raises(InkfoldError, match="this shard of"):
            splits["train"].read("labels", 512, 600)


def replaced(shard: Path) -> None:
    """The same bytes in another file."""
    shutil.copyfile(shard, shard.with_suffix(".new")).replace(shard)


@pytest.mark.parametrize("change", [Path.unlink, replaced, lambda path: path.write_bytes(b"")])
@pytest.mark.parametrize("seen", [False, True])
def test_a_shard_that_changes_while_the_dataset_is_open_is_refused(
    copied: Path, change: Callable[[Path], object], seen: bool
) -> None:
    """Neither zeros nor the pictures of a new run are read, whether the shard is open or not."""
    with open_dataset(copied) as dataset:
        if seen:
            assert len(dataset.train[512:600].images) == 88
        change(shards_of(copied)[1])
        assert len(dataset.train[:512].images) == 512
        with pytest.raises(InkfoldError, match=r"train-00001-.*(changed while|cannot be read)"):
            dataset.train[512:600]
        with pytest.raises(InkfoldError, match="changed while it was read"):
            dataset.check_unchanged()


def test_index_and_folder_may_be_moved_together_and_the_index_renamed(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder keeps its name; a link to the index leads to the folder beside the index."""
    with open_dataset(copied) as dataset:
        expected = dataset.train.images[:]
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    copied.rename(moved / "new.h5")
    (tmp_path / "512.shards").rename(moved / "512.shards")
    (tmp_path / "link.h5").symlink_to("elsewhere/new.h5")
    monkeypatch.chdir(tmp_path)

    for path in ("elsewhere/new.h5", "link.h5"):
        with open_dataset(path) as dataset:
            assert np.array_equal(dataset.train.images[:], expected)


def test_a_shard_alone_is_no_dataset(copied: Path) -> None:
    """The message says what it is."""
    with pytest.raises(InkfoldError, match="is one shard of a dataset"):
        open_dataset(shards_of(copied)[0])


def test_the_thorough_check_reads_all_shards(copied: Path) -> None:
    """Whole; then a byte that no opening looks at is changed, and its shard is named."""
    counts = check_dataset(copied)
    assert counts == {"classes": 4, "train": 1500, "validation": 300, "test": 0}
    shard = shards_of(copied)[2]
    data = bytearray(shard.read_bytes())
    with h5py.File(shard) as file:
        place = file["train/source"].id.get_chunk_info(0).byte_offset
    data[place + 20] ^= 1
    shard.write_bytes(data)

    with open_dataset(copied):
        pass
    with pytest.raises(InkfoldError, match=r"train-00002-.*SHA-256"):
        check_dataset(copied)


def test_the_thorough_check_refuses_virtual_arrays_that_lead_elsewhere(copied: Path) -> None:
    """Plain h5py would read the rows of another shard."""
    with h5py.File(copied, "r+") as file:
        _, shards = listed_shards(copied, file)
        first, second, third = (shard for shard in shards if shard.split == "train")
        swapped = [replace(first, name=second.name), replace(second, name=first.name), third]
        del file["train/source"]
        _map(file["train"], "source", np.zeros(0, "S24"), swapped, "512.shards")

    with pytest.raises(InkfoldError, match="/train/source: does not lead to the shards"):
        check_dataset(copied)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", b"../512.shards/train-00001.h5", "expected a file's name"),
        ("name", b"..", "expected a file's name"),
        ("rows", 511, "its rows do not follow"),
        ("first", 256, "its rows do not follow"),
        ("split", b"other", "its rows do not follow"),
        ("size", -1, "is not the shard"),
    ],
)
def test_a_table_that_leads_elsewhere_is_refused(
    copied: Path, field: str, value: object, words: str
) -> None:
    """No file outside of the folder is opened, and no row is missing or there twice."""
    with h5py.File(copied, "r+") as file:
        table = file["shards"][:]
        folder = file["shards"].attrs["folder"]
        kind = [
            (name, "S40" if name == "name" else table.dtype[name]) for name in table.dtype.names
        ]
        table = table.astype(kind)
        table[field][1] = value
        del file["shards"]
        file.create_dataset("shards", data=table).attrs["folder"] = folder

    with pytest.raises(InkfoldError, match=words):
        open_dataset(copied)


def test_shards_that_an_index_no_longer_maps_are_refused(copied: Path) -> None:
    """A table without the last shard has fewer rows than the arrays say."""
    with h5py.File(copied, "r+") as file:
        table, folder = file["shards"][:], file["shards"].attrs["folder"]
        del file["shards"]
        file.create_dataset("shards", data=table[:-1]).attrs["folder"] = folder

    with pytest.raises(InkfoldError, match="/validation/images: 300 rows, its shards have 0"):
        open_dataset(copied)
