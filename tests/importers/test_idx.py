"""Sets in IDX files, as MNIST is published: sides, classes, and torn files."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from inkfold.importers.formats import FORMATS
from tests.worlds.foreign_files import idx_bytes, letters, write_idx
from tests.worlds.reading import described, refusal


@pytest.mark.parametrize("packed", [False, True])
def test_idx_is_read_as_mnist_is_published(tmp_path: Path, packed: bool) -> None:
    """Pictures come in the order of the files, train before test, and can be read again."""
    write_idx(tmp_path / "Digits", "train", [3, 0, 3], packed=packed)
    write_idx(tmp_path / "Digits", "t10k", [1], packed=packed)

    collection = FORMATS["idx"].read(tmp_path / "Digits")

    end = ".gz" if packed else ""
    assert (collection.name, collection.classes) == ("digits", ("0", "1", "2", "3"))
    assert described(collection) == described(collection)
    assert described(collection) == [
        ("3", "train", f"train-images-idx3-ubyte{end}:0", None),
        ("0", "train", f"train-images-idx3-ubyte{end}:1", None),
        ("3", "train", f"train-images-idx3-ubyte{end}:2", None),
        ("1", "test", f"t10k-images-idx3-ubyte{end}:0", None),
    ]


def test_a_pair_without_a_side_and_one_file_of_a_pair(tmp_path: Path) -> None:
    """A file stands for its pair; its pictures have no side if the name has none."""
    write_idx(tmp_path, "train", [1])
    write_idx(tmp_path, "mine", [2])

    mine = FORMATS["idx"].read(tmp_path / "mine-images-idx3-ubyte")
    train = FORMATS["idx"].read(tmp_path / "train-labels-idx1-ubyte")

    assert [(split, source) for _, split, source, _ in described(mine)] == [
        (None, "mine-images-idx3-ubyte:0")
    ]
    assert [split for _, split, _, _ in described(train)] == ["train"]
    assert "holds 2 sets: '', 'mine'; name one by the beginning" in refusal("idx", tmp_path)


def test_a_class_map_beside_kmnist_names_the_classes(tmp_path: Path) -> None:
    """The characters of a class map beside the files are the classes."""
    write_idx(tmp_path, "train", [1, 0])
    (tmp_path / "kmnist_classmap.csv").write_text(
        "index,codepoint,char\n0,U+304A,お\n1,U+304D,き\n", encoding="utf-8"
    )

    assert [name for name, *_ in described(FORMATS["idx"].read(tmp_path))] == ["き", "お"]


def test_a_file_that_is_not_compressed_comes_before_the_same_one_that_is(tmp_path: Path) -> None:
    """Of a file and its compressed copy, the file that is not compressed is read."""
    write_idx(tmp_path, "train", [1, 0])
    write_idx(tmp_path, "train", [1, 0, 2], packed=True)

    assert [source for *_, source, _ in described(FORMATS["idx"].read(tmp_path))] == [
        "train-images-idx3-ubyte:0",
        "train-images-idx3-ubyte:1",
    ]


def test_records_come_in_blocks_without_a_gap(tmp_path: Path) -> None:
    """Pictures and labels that are read in several blocks stay in order."""
    pictures = np.zeros((600, 2, 3), np.uint8)
    pictures[:, 1, 2], pictures[:, 0, 0] = np.arange(600) % 256, np.arange(600) // 256
    (tmp_path / "x-images-idx3-ubyte").write_bytes(idx_bytes(pictures))
    labels = (np.arange(600) % 7).astype(np.uint8)
    (tmp_path / "x-labels-idx1-ubyte").write_bytes(idx_bytes(labels))

    glyphs = list(FORMATS["idx"].read(tmp_path).glyphs())

    assert np.array_equal(np.stack([glyph.pixels for glyph in glyphs]), pictures)
    assert [glyph.label for glyph in glyphs] == labels.tolist()


@pytest.mark.parametrize("packed", [False, True])
def test_a_torn_idx_file_is_reported_with_the_byte(tmp_path: Path, packed: bool) -> None:
    """A file that is cut, too long, of another type or unlike its pair in number is refused."""

    def spoil(name: str, data: bytes) -> str:
        write_idx(tmp_path, "train", [1, 2], packed=packed)
        end = ".gz" if packed else ""
        data = gzip.compress(data) if packed else data
        (tmp_path / f"train-{name}-ubyte{end}").write_bytes(data)
        return refusal("idx", tmp_path)

    images, labels = idx_bytes(letters(2)), idx_bytes(np.array([1, 2], np.uint8))
    assert "ends at byte 10 of its content, expected 12 bytes from byte 4" in spoil(
        "images-idx3", images[:10]
    )
    cut = spoil("images-idx3", images[:-1])
    long = spoil("images-idx3", images + b"x")
    if packed:
        assert "ends at byte 1,583 of its content, expected 1,568 bytes from byte 16 on" in cut
        assert "goes on after byte 1,584, where its 2 records of 784 bytes end" in long
    else:
        assert "1,583 bytes, but its header tells of 2 records, which end at byte 1,584" in cut
        assert "1,585 bytes, but its header tells of 2 records" in long
    assert "magic number 0x00000801 at byte 0, expected 0x00000803 for pictures" in spoil(
        "images-idx3", labels
    )
    assert "holds 2 pictures" in spoil("labels-idx1", idx_bytes(np.array([1], np.uint8)))
    assert "pictures of 0 x 28 pixels at byte 8" in spoil(
        "images-idx3", idx_bytes(np.zeros((2, 0, 28), np.uint8))
    )


def test_a_damaged_gzip_file_is_reported(tmp_path: Path) -> None:
    """A gzip file that is cut, or in which a byte differs, is refused."""
    write_idx(tmp_path, "train", list(range(100)), packed=True)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    data = path.read_bytes()

    path.write_bytes(data[: len(data) // 2])
    assert "of its content, expected 78,400 bytes from byte 16 on" in refusal("idx", tmp_path)
    path.write_bytes(data[:100] + bytes([data[100] ^ 255]) + data[101:])
    assert "images-idx3-ubyte.gz: " in refusal("idx", tmp_path)
    path.write_bytes(data[:-6] + b"\0\0" + data[-4:])  # the checksum
    assert "damaged somewhere after byte" in refusal("idx", tmp_path)
