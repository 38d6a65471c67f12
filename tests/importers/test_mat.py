"""MATLAB files of pictures and labels, of versions 5 and 7.3."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.io import savemat

from inkfold.importers import formats
from inkfold.importers.formats import FORMATS
from tests.worlds.foreign_files import letters
from tests.worlds.reading import described, refusal

COLOURS = np.repeat(letters(3)[..., None], 3, axis=3)
ARRANGED: dict[str, NDArray[Any]] = {
    "H, W, N": letters(3).transpose(1, 2, 0),
    "N, H, W": letters(3),
    "H, W, 3, N": COLOURS.transpose(1, 2, 3, 0),
    "N, H, W, 3": COLOURS,
    "H, W, 1, N": letters(3).transpose(1, 2, 0)[:, :, None],
    "doubles": letters(3).transpose(1, 2, 0) / 255,
}


def save_seven(path: Path, **arrays: NDArray[Any]) -> None:
    """Write MATLAB's version 7.3: HDF5 after 512 bytes, with all axes in the opposite order."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, array in arrays.items():
            text = array.dtype.kind == "U"
            codes = np.array([list(map(ord, word)) for word in array], np.uint16) if text else array
            file[name] = codes.T
            kind = "char" if text else {"float64": "double"}.get(str(array.dtype), str(array.dtype))
            file[name].attrs["MATLAB_class"] = np.bytes_(kind)
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64")


def save(path: Path, version: int, **arrays: NDArray[Any]) -> None:
    """Write a MATLAB file of version 5 or 7.3."""
    if version == 7:
        save_seven(path, **arrays)
    else:
        savemat(path, arrays, do_compression=True)


@pytest.mark.parametrize("version", [5, 7])
@pytest.mark.parametrize("how", ARRANGED)
def test_pictures_along_the_first_or_the_last_axis_are_upright(
    tmp_path: Path, how: str, version: int
) -> None:
    """The axis that is as long as the labels holds the pictures; a note says which it is."""
    save(tmp_path / "mine.mat", version, X=ARRANGED[how], y=np.array([[2], [0], [1]]))

    collection = FORMATS["mat"].read(tmp_path)

    assert FORMATS["mat"].recognise(tmp_path)
    assert FORMATS["emnist-mat"].recognise(tmp_path) is None
    assert [name for name, *_ in described(collection)] == ["2", "0", "1"]
    assert f"along its {'first' if how[0] == 'N' else 'last'} axis" in collection.notes[0]


@pytest.mark.parametrize("version", [5, 7])
def test_labels_may_be_letters(tmp_path: Path, version: int) -> None:
    """A matrix of characters is a label a row."""
    save(tmp_path / "mine.mat", version, X=letters(3), y=np.array(["b", "a", "b"]))
    assert [name for name, *_ in described(FORMATS["mat"].read(tmp_path))] == ["b", "a", "b"]


def test_labels_may_be_a_cell_array_of_texts(tmp_path: Path) -> None:
    """A cell array of texts holds a label a cell."""
    cells = np.array(["ka", "ki", "ka"], object)[:, None]
    save(tmp_path / "mine.mat", 5, X=letters(3), names=cells)
    assert [name for name, *_ in described(FORMATS["mat"].read(tmp_path))] == ["ka", "ki", "ka"]


@pytest.mark.parametrize("version", [5, 7])
@pytest.mark.parametrize("axis", [0, 2])
def test_pictures_come_in_blocks_without_a_gap(tmp_path: Path, axis: int, version: int) -> None:
    """More pictures than a block holds stay in order, along either axis."""
    pictures = np.random.default_rng(0).integers(0, 256, (600, 4, 5), dtype=np.uint8)
    stack = pictures if axis == 0 else pictures.transpose(1, 2, 0)
    save(tmp_path / "mine.mat", version, X=stack, y=np.arange(600)[:, None] % 7)

    glyphs = list(FORMATS["mat"].read(tmp_path).glyphs())

    assert np.array_equal(np.stack([glyph.pixels for glyph in glyphs]), pictures)
    assert [glyph.label for glyph in glyphs] == [at % 7 for at in range(600)]


def test_svhn_is_read_with_its_split_and_its_zero(tmp_path: Path) -> None:
    """In SVHN's files the label 10 is the digit 0; extra pictures are for training."""
    for side, labels in (("train", [[10], [1]]), ("test", [[10]]), ("extra", [[2]])):
        pictures = COLOURS[: len(labels)].transpose(1, 2, 3, 0)
        save(tmp_path / f"{side}_32x32.mat", 5, X=pictures, y=np.array(labels, np.uint8))

    collection = FORMATS["mat"].read(tmp_path)

    assert collection.name == "svhn"
    assert sorted((name, split) for name, split, *_ in described(collection)) == [
        *(("0", "test"), ("0", "train")),
        *(("1", "train"), ("2", "train")),
    ]


@pytest.mark.parametrize("version", [5, 7])
@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"X": np.zeros((9, 9, 9)), "y": np.arange(9)},
            "X double (9, 9, 9) may hold its pictures along the first axis or along the last",
        ),
        (
            {"X": letters(3).reshape(3, -1), "y": np.arange(3)},
            "X uint8 (3, 784) holds each picture as a line of pixels, row by row or column by",
        ),
        ({"X": letters(3), "y": np.arange(4)}, "no array of pictures with an array of as many"),
        (
            {"X": letters(3), "one": np.arange(3), "two": np.arange(3)},
            "more than one reading: X with one, or X with two",
        ),
        ({"X": letters(3), "y": np.zeros(3)}, "all 3 pictures have the label '0'"),
    ],
)
def test_what_has_two_readings_or_none_is_refused(
    tmp_path: Path, arrays: dict[str, NDArray[Any]], message: str, version: int
) -> None:
    """Axes of one length, flat pictures, other counts and two vectors of labels are refused."""
    wide = {name: array[:, None] if array.ndim == 1 else array for name, array in arrays.items()}
    save(tmp_path / "mine.mat", version, **wide)
    assert message in refusal("mat", tmp_path)


def test_the_user_chooses_between_two_variables(tmp_path: Path) -> None:
    """The option names the variable of the labels."""
    save(tmp_path / "mine.mat", 5, X=letters(3), one=np.arange(3), two=np.array([5, 6, 5]))
    chosen = formats.read("mat", tmp_path, label_column="two")
    assert [name for name, *_ in described(chosen)] == ["5", "6", "5"]


@pytest.mark.parametrize("version", [5, 7])
def test_a_torn_file_is_refused(tmp_path: Path, version: int) -> None:
    """A file that ends too early is refused by name, wherever it ends."""
    path = tmp_path / "mine.mat"
    save(path, version, X=letters(3), y=np.array([[2], [0], [1]]))
    data = path.read_bytes()
    for cut in (0, 60, 130, len(data) // 2, len(data) - 3):
        path.write_bytes(data[:cut])
        assert "mine.mat: " in refusal("mat", path)


def test_a_file_of_version_5_without_scipy_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A light installation lacks SciPy: the line names the file, and what to install."""
    savemat(tmp_path / "a.mat", {"x": letters(3).transpose(1, 2, 0), "y": np.arange(3)})
    monkeypatch.setattr("inkfold.extras.find_spec", lambda _name: None)

    assert "a.mat: a MATLAB 5 file needs scipy, which is not installed: " in refusal(
        "mat", tmp_path / "a.mat"
    )
