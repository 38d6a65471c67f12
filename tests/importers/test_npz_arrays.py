"""npz files of any names: arrays of pictures and labels in many types and arrangements."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inkfold.importers import formats
from inkfold.importers.formats import FORMATS
from tests.worlds.foreign_files import letters
from tests.worlds.reading import described, refusal

ARRANGED: dict[str, NDArray[Any]] = {
    "grey": letters(3),
    "one channel": letters(3)[..., None],
    "colours": np.repeat(letters(3)[..., None], 3, axis=3),
    "channels first": np.repeat(letters(3)[:, None], 3, axis=1),
    "flat": letters(3).reshape(3, -1),
    "int64": letters(3).astype(np.int64),
    "float32 to 255": letters(3).astype(np.float32),
    "float64 to 1": letters(3) / 255,
    "big-endian": letters(3).astype(">f4"),
}
LABELLED = {
    "int64": np.array([2, 0, 1]),
    "column": np.array([[2], [0], [1]], np.uint16),
    "float": np.array([2.0, 0.0, 1.0]),
    "one-hot": np.eye(4)[[2, 0, 1]],
    "one-hot like a square": np.eye(16, dtype=np.uint8)[[2, 0, 1]],
    "texts": np.array(["2", "0", "1"]),
}


@pytest.mark.parametrize("how", ARRANGED)
def test_pictures_of_any_arrangement_are_upright(tmp_path: Path, how: str) -> None:
    """Grey and coloured pictures, flat ones, and values to 1 and to 255 give the same letters."""
    path = tmp_path / "mine.npz"
    np.savez_compressed(path, images=ARRANGED[how], labels=np.array([2, 0, 1]))

    collection = FORMATS["npz"].read(path)

    assert FORMATS["npz"].recognise(path)
    assert [name for name, *_ in described(collection)] == ["2", "0", "1"]
    assert (" times 255" in collection.notes[0]) == (how == "float64 to 1")


@pytest.mark.parametrize("how", LABELLED)
def test_labels_of_any_type_are_the_same_classes(tmp_path: Path, how: str) -> None:
    """Whole numbers of any type, a 1 in each row, and texts name the same class."""
    np.savez(tmp_path / "mine.npz", letters(3), LABELLED[how])

    assert [name for name, *_ in described(FORMATS["npz"].read(tmp_path))] == ["2", "0", "1"]


def test_one_file_with_train_and_test_keeps_its_split(tmp_path: Path) -> None:
    """Keras' mnist.npz has four arrays; its test is the test."""
    path = tmp_path / "mnist.npz"
    np.savez(
        path,
        x_test=letters(1),
        y_test=np.array([1]),
        x_train=letters(2),
        y_train=np.array([0, 1]),
    )

    collection = FORMATS["npz"].read(path)

    assert collection.name == "mnist"
    assert described(collection) == [
        ("0", "train", "mnist.npz:x_train:0", None),
        ("1", "train", "mnist.npz:x_train:1", None),
        ("1", "test", "mnist.npz:x_test:0", None),
    ]


def test_a_validation_is_a_side_and_two_files_are_two_sides(tmp_path: Path) -> None:
    """The names of arrays say the side, and where they do not, the file's name does."""
    np.savez(
        tmp_path / "set_train.npz",
        train_images=letters(1),
        train_labels=np.array([0]),
        val_images=letters(1),
        val_labels=np.array([1]),
    )
    np.savez(tmp_path / "set_test.npz", x=letters(1), y=np.array([1]))

    collection = FORMATS["npz"].read(tmp_path)

    assert [split for _, split, *_ in described(collection)] == ["train", "validation", "test"]


def test_names_decide_between_arrays_and_then_the_user(tmp_path: Path) -> None:
    """A second array of numbers is no label where the other is called so; the option chooses."""
    path = tmp_path / "mine.npz"
    first, second = np.array([0, 1, 0]), np.array([7, 8, 9])
    np.savez(path, x=letters(3), y=first, writer=second)
    assert [name for name, *_ in described(FORMATS["npz"].read(path))] == ["0", "1", "0"]

    np.savez(path, pictures=letters(3), fine=first, coarse=second)
    message = refusal("npz", path)
    assert "more than one reading: pictures with fine, or pictures with coarse; name the" in message
    chosen = formats.read("npz", path, label_column="coarse")
    assert [name for name, *_ in described(chosen)] == ["7", "8", "9"]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": letters(3), "y": np.array([1, 2])}, "no array of as many labels as there are pic"),
        ({"x": letters(2) / 127.5 - 1, "y": [0, 1]}, "values from -1 to 1, expected pixels from 0"),
        ({"x": letters(2) // 16, "y": [0, 1]}, "values from 0 to 15, expected pixels from 0 to 1"),
        ({"x": letters(2) * np.nan, "y": [0, 1]}, "a value is not a number"),
        ({"x": letters(2), "y": [0.5, 1]}, "a label is 0.5, expected whole numbers or texts"),
        ({"x": letters(2), "y": [np.inf, 1]}, "a label is inf, expected whole numbers or texts"),
        ({"x": letters(2), "y": [-1, 1]}, "label '-1' of picture 0, expected whole numbers from 0"),
        ({"x": letters(2), "y": [1, 1]}, "all 2 pictures have the label '1'"),
        ({"x": letters(2), "y": [1, 70_000]}, "label 70000 of picture 1, expected at most 65535"),
        ({"x": letters(2), "y": np.array([{}, 1])}, "y.npy holds Python objects, which are not"),
        ({"x": np.zeros((2, 2, 3)), "y": [0, 1]}, "no array of pictures with an array of as many"),
    ],
)
def test_what_is_no_pair_is_refused(
    tmp_path: Path, arrays: dict[str, NDArray[Any]], message: str
) -> None:
    """Other counts, values that are no pixels or no labels, objects, and tables are refused."""
    (first, pictures), (second, labels) = arrays.items()
    assert (first, second) == ("x", "y")
    np.savez(tmp_path / "mine.npz", x=pictures, y=np.array(labels))
    assert message in refusal("npz", tmp_path)


def test_a_torn_file_and_two_sets_are_refused(tmp_path: Path) -> None:
    """A byte that differs is noticed, and of two sets one must be named."""
    path = tmp_path / "mine.npz"
    np.savez(path, x=letters(300), y=np.arange(300) % 3)
    data = path.read_bytes()
    path.write_bytes(data[:90_000] + bytes([data[90_000] ^ 255]) + data[90_001:])
    assert "damaged somewhere after byte" in refusal("npz", path)
    path.write_bytes(data)
    (tmp_path / "other.npz").write_bytes(data)
    assert "holds 2 sets: mine.npz, other.npz; name one of the files" in refusal("npz", tmp_path)


def test_a_damaged_header_is_refused(tmp_path: Path) -> None:
    """A heading of an array that is no dict, which NumPy takes for Python's code, is refused."""
    path = tmp_path / "mine.npz"
    for text in (b"{'descr': (", b"{'descr': 3, 'fortran_order': 0, 'shape': (1,)}", b"1 2"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x.npy", b"\x93NUMPY\x01\x00" + bytes([len(text), 0]) + text)
        assert "mine.npz: x.npy is no NumPy array" in refusal("npz", path)
        assert FORMATS["npz"].recognise(path) is None
    np.savez(path, x=letters(1), y=np.array([0x110000], np.uint32).view("U1"))
    assert "y: a label is no text" in refusal("npz", path)


def test_dark_ink_is_noticed(tmp_path: Path) -> None:
    """Pictures whose edges are light have dark ink."""
    np.savez(tmp_path / "mine.npz", x=255 - letters(2), y=np.array([0, 1]))
    assert FORMATS["npz"].read(tmp_path).ink == "dark"
