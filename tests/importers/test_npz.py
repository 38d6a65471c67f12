"""Sets in npz files, as Kuzushiji-49 is published."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from inkfold.importers.formats import FORMATS
from tests.worlds.foreign_files import SIDE, letters, write_k49, write_npz
from tests.worlds.reading import described, refusal


def test_npz_is_read_as_kuzushiji_49_is_published(tmp_path: Path) -> None:
    """An npz set has its train and test, and the characters of its class map as classes."""
    write_k49(tmp_path)

    collection = FORMATS["npz"].read(tmp_path)

    assert (collection.name, collection.classes) == ("k49", ("あ", "ゝ"))
    assert described(collection) == [
        ("ゝ", "train", "k49-train-imgs.npz:0", None),
        ("あ", "train", "k49-train-imgs.npz:1", None),
        ("ゝ", "test", "k49-test-imgs.npz:0", None),
    ]


def test_a_torn_npz_is_reported(tmp_path: Path) -> None:
    """A torn zip, a changed byte, a wrong array, type or shape and a bad class map are refused."""
    write_k49(tmp_path)
    path = tmp_path / "k49-train-imgs.npz"
    data = path.read_bytes()

    path.write_bytes(data[:-30])
    assert "a damaged zip, or none" in refusal("npz", tmp_path)
    path.write_bytes(data[:100] + bytes([data[100] ^ 255]) + data[101:])
    assert "k49-train-imgs.npz: " in refusal("npz", tmp_path)
    write_npz(path, letters(2), "x.npy")
    assert "holds ['x.npy'], expected arr_0.npy" in refusal("npz", tmp_path)
    np.savez(path, np.zeros((2, SIDE, SIDE)))
    assert "arr_0.npy is float64 of shape (2, 28, 28), expected uint8" in refusal("npz", tmp_path)
    np.savez(path, np.asfortranarray(letters(2)))
    assert "of shape (2, 28, 28), stored column by column, expected row by row" in refusal(
        "npz", tmp_path
    )
    write_npz(path, letters(2)[0])
    assert "of shape (28, 28), expected uint8 of 3 dimensions" in refusal("npz", tmp_path)
    write_npz(path, letters(3))
    assert "holds 3 pictures" in refusal("npz", tmp_path)
    path.write_bytes(data)
    (tmp_path / "k49_classmap.csv").write_text("index,codepoint,char\n0,U+3042\n")
    assert "line 2 is '0,U+3042', expected index, code point and character" in refusal(
        "npz", tmp_path
    )
