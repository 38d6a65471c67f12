"""Files of public sets, byte by byte as their formats say; their pictures are upright letters F."""

from __future__ import annotations

import gzip
import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SIDE = 28
MAPPING = "1 65 97\n2 66 98\n"  # of EMNIST: label, capital, small letter


def letter_f(tone: int = 255) -> NDArray[np.uint8]:
    """A light F on a dark ground, upright: uint8 (28, 28)."""
    glyph = np.zeros((SIDE, SIDE), np.uint8)
    glyph[4:24, 8:11] = tone
    glyph[4:7, 8:20] = tone
    glyph[12:15, 8:17] = tone
    return glyph


def letters(count: int) -> NDArray[np.uint8]:
    """So many F, uint8 (N, 28, 28), all different: by tone, and from 150 on by a dot as well."""
    glyphs = np.stack([letter_f(255 - at % 150) for at in range(count)])
    for at in range(150, count):
        glyphs[at, 26, at // 150] = 255
    return glyphs


def idx_bytes(array: NDArray[np.uint8]) -> bytes:
    """An IDX file: two zeros, 08 for unsigned bytes, the dimensions in big-endian, the array."""
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.tobytes()


def write_idx(
    folder: Path,
    stem: str,
    labels: Sequence[int],
    *,
    packed: bool = False,
    transposed: bool = False,
) -> None:
    """Write a pair of IDX files, ``STEM-images-idx3-ubyte`` and its labels, gzip if `packed`."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = letters(len(labels))
    pictures = pictures.transpose(0, 2, 1) if transposed else pictures
    for kind, array in (("images-idx3", pictures), ("labels-idx1", np.array(labels, np.uint8))):
        data = idx_bytes(np.ascontiguousarray(array))
        path = folder / f"{stem}-{kind}-ubyte"
        if packed:
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(data, mtime=0))
        else:
            path.write_bytes(data)


def npy_bytes(array: NDArray[np.uint8]) -> bytes:
    """An array in NumPy's own format, version 1: magic, length of heading, heading, the array."""
    shape = ", ".join(map(str, array.shape)) + ("," if array.ndim == 1 else "")
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({shape}), }}"
    heading = text + " " * (-(len(text) + 11) % 64) + "\n"
    return (
        b"\x93NUMPY\x01\x00" + struct.pack("<H", len(heading)) + heading.encode() + array.tobytes()
    )


def write_npz(path: Path, array: NDArray[np.uint8], name: str = "arr_0.npy") -> Path:
    """Write a zip file with one array in it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, npy_bytes(array))
    return path


def write_k49(folder: Path) -> None:
    """Write Kuzushiji-49: two training pictures, one test picture, a map with byte order mark."""
    for side, labels in (("train", [1, 0]), ("test", [1])):
        write_npz(folder / f"k49-{side}-imgs.npz", letters(len(labels)))
        write_npz(folder / f"k49-{side}-labels.npz", np.array(labels, np.uint8))
    (folder / "k49_classmap.csv").write_text(
        "index,codepoint,char\r\n0,U+3042,あ\r\n1,U+309D,ゝ\r\n", encoding="utf-8-sig"
    )


def csv_lines(labels: Sequence[int], *, transposed: bool = False) -> str:
    """Lines of CSV: in each a label and 784 pixels."""
    pictures = letters(len(labels))
    pictures = pictures.transpose(0, 2, 1) if transposed else pictures
    rows = zip(labels, pictures.reshape(-1, SIDE**2).tolist(), strict=True)
    return "".join(f"{label},{','.join(map(str, pixels))}\n" for label, pixels in rows)


def write_mat(path: Path, sides: Mapping[str, tuple[Sequence[int], Sequence[int]]]) -> Path:
    """Write EMNIST's MATLAB file, whose pictures go column by column.

    `sides` holds the labels and the writers of each side.
    """
    from scipy.io import savemat

    dataset: dict[str, object] = {
        "mapping": np.array([[1, ord("A"), ord("a")], [2, ord("B"), ord("b")]], np.uint8)
    }
    for side, (labels, writers) in sides.items():
        columns = letters(len(labels)).transpose(0, 2, 1).reshape(-1, SIDE**2)
        dataset[side] = {
            "images": columns,
            "labels": np.array(labels, np.uint8)[:, None],
            "writers": np.array(writers, np.uint16)[:, None],
        }
    savemat(path, {"dataset": dataset}, do_compression=True)
    return path


def write_stack(path: Path) -> Path:
    """Write a MATLAB file of two pictures along the first axis and two labels."""
    from scipy.io import savemat

    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {"X": letters(2), "y": np.arange(2)}, do_compression=True)
    return path


def write_all(folder: Path) -> dict[str, Path]:
    """Write one set of each format that is a few files; returns the set's folder by format."""
    places = {name: folder / name for name in ("idx", "emnist", "emnist-mat", "npz", "csv")}
    for place in places.values():
        place.mkdir(parents=True)
    write_idx(places["idx"], "train", [1])
    write_idx(places["emnist"], "emnist-letters-train", [1], transposed=True)
    write_mat(places["emnist-mat"] / "emnist-letters.mat", {"train": ([1], [1])})
    write_k49(places["npz"])
    (places["csv"] / "any.csv").write_text(csv_lines([1, 0]))
    return places
