"""A damaged dataset is refused in one line, when it is opened or at the latest when it is read."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkfold.dataset.export import export_dataset
from inkfold.dataset.originals import image_blocks
from inkfold.dataset.reader import open_dataset
from inkfold.dataset.writer import read_rows
from inkfold.errors import InkfoldError
from tests.worlds.packed_strokes import write_packed

Damage = Callable[[h5py.File], None]


def replace(name: str, values: Any) -> Damage:  # noqa: ANN401, whatever h5py stores
    """Put other values in place of an array."""

    def damage(file: h5py.File) -> None:
        del file[name]
        file[name] = values

    return damage


def attribute(name: str, value: object) -> Damage:
    """Put another value in place of an attribute of the file."""
    return lambda file: file.attrs.__setitem__(name, value)


def label_out_of_range(file: h5py.File) -> None:
    """Give row 7 of validation the label 4, where four classes end with label 3."""
    file["validation/labels"][7] = 4


def twice(file: h5py.File) -> None:
    """Give two classes one name."""
    file["classes"][1] = b"a"


def elsewhere(file: h5py.File) -> None:
    """Let the labels of test lie in another file."""
    del file["test/labels"]
    file["test"].create_dataset("labels", (64,), "int32", external=[("/etc/passwd", 0, 256)])


SPEC = (
    '{"size": %s, "fit": "pad", "ink": "%s", "threshold": "none", "interpolation": "area",'
    ' "margin": %s}'
)
CASES: dict[str, tuple[Damage, str]] = {
    "label": (label_out_of_range, "/validation/labels: row 7 has label 4, expected 0 to 3"),
    "negative": (replace("test/labels", np.full(64, -1, np.int32)), "row 0 has label -1"),
    "label type": (replace("test/labels", np.zeros(64)), "/test/labels: float64"),
    "pixel type": (replace("test/images", np.zeros((64, 16, 16), "f4")), "/test/images: float32"),
    "pixel shape": (replace("test/images", np.zeros((64, 256), "u1")), r"\(64, 256\), expected"),
    "size": (
        replace("test/images", np.zeros((64, 9, 16), "u1")),
        r"pictures of \(9, 16\), the spec",
    ),
    "digest": (replace("test/digest", np.zeros((64, 8), "u1")), "8 bytes a row, expected 16"),
    "source": (replace("test/source", np.zeros(64, "i4")), "/test/source: int32"),
    "folder": (
        lambda f: f["test"].move("labels", "x") or f.create_group("test/labels"),
        "a folder",
    ),
    "classes": (replace("classes", np.zeros(4)), "/classes: float64"),
    "one name": (twice, "/classes: holds 'a' twice, expected each name once"),
    "copy alone": (lambda f: f.__setitem__("train/copy", np.zeros(320, "i4")), "one of origin and"),
    "elsewhere": (elsewhere, "/test/labels: lies in another file"),
    "virtual size": (
        lambda f: f["test"].create_dataset("group", (10**12,), "S8", chunks=(256,)),
        "sh",
    ),
    "spec text": (attribute("spec", "{"), "its attribute spec: image spec is not JSON"),
    "spec type": (attribute("spec", 7), "its attribute spec: image spec is not JSON"),
    "spec word": (
        attribute("spec", SPEC % (16, "blue", 0)),
        "has ink 'blue', expected auto or dark",
    ),
    "spec size": (attribute("spec", SPEC % ("16.5", "dark", 0)), "has size 16.5, expected a whole"),
    "spec margin": (
        attribute("spec", SPEC % (16, "dark", "NaN")),
        "has margin nan, expected a share",
    ),
    "provenance": (attribute("provenance", "{]"), "its attribute provenance: not JSON"),
    "no print": (
        attribute("provenance", "{}"),
        "its attribute provenance: 'fingerprint' is missing",
    ),
    "list": (attribute("provenance", "[1]"), r"provenance: \[1\] found, expected an object"),
    "inner": (
        attribute("provenance", '{"fingerprint": "a", "dataset": {}}'),
        "'dataset.fingerprint' is missing",
    ),
    "version": (attribute("format_version", "one"), "dataset format one, this version reads"),
    "versions": (attribute("format_version", [1, 1]), r"dataset format \[1 1\], this version"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_differs_from_the_format_is_refused_when_it_is_opened(
    tmp_path: Path, case: str
) -> None:
    """One line names the file, the place in it, what was found and what to do."""
    path = write_packed(tmp_path / "d.h5")
    damage, message = CASES[case]
    with h5py.File(path, "r+") as file:
        damage(file)

    with pytest.raises(InkfoldError, match=message) as caught:
        open_dataset(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert len(str(caught.value).splitlines()) == 1
    assert "; " in str(caught.value)


def spoil_chunk(path: Path, name: str) -> None:
    """Overwrite the middle of an array's first stored chunk."""
    with h5py.File(path) as file:
        info = file[name].id.get_chunk_info(0)
    data = bytearray(path.read_bytes())
    data[info.byte_offset + info.size // 2 : info.byte_offset + info.size // 2 + 8] = b"\xff" * 8
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["images", "source", "digest"])
def test_a_chunk_that_cannot_be_inflated_is_told_when_it_is_read(tmp_path: Path, name: str) -> None:
    """HDF5 and igzip see the damage late; the error names file and array all the same."""
    path = write_packed(tmp_path / "d.h5")
    spoil_chunk(path, f"train/{name}")
    with open_dataset(path) as dataset:
        split = dataset.train
        reads: dict[str, list[Callable[[], object]]] = {
            "images": [
                lambda: split.images[:10],
                lambda: list(split.blocks()),
                lambda: split[3],
            ],
            "source": [lambda: split.source],
            "digest": [lambda: split.digest],
        }
        for read in [*reads[name], lambda: read_rows(split.arrays, 0, 256)]:
            with pytest.raises(InkfoldError, match=f"{path}: /train/{name}.* cannot be read"):
                read()  # type: ignore[no-untyped-call]  # of h5py, without types


def test_a_selection_that_is_no_selection_stays_the_callers_mistake(tmp_path: Path) -> None:
    """An index out of range of a whole file is an IndexError, not damage."""
    with (
        open_dataset(write_packed(tmp_path / "d.h5")) as dataset,
        pytest.raises(IndexError),
    ):
        dataset.test.images[64]


def test_a_heap_without_an_end_is_refused_before_hdf5_reads_it(tmp_path: Path) -> None:
    """A block of zeros among the texts of the attributes, at which HDF5 never ends, is named."""
    path = write_packed(tmp_path / "d.h5")
    data = bytearray(path.read_bytes())
    at = data.index(b"GCOL")
    data[at + 300 : at + 900] = bytes(600)
    path.write_bytes(data)

    with pytest.raises(InkfoldError, match=f"d.h5: byte {at:,}: a heap of texts without an end"):
        open_dataset(path)


@given(length=st.integers(1, 2000), share=st.floats(0, 1))
@settings(max_examples=40, deadline=None)
def test_zeros_anywhere_at_the_beginning_are_told_or_harmless(length: int, share: float) -> None:
    """Whatever block of the first 8 kB is zero, reading ends: with an error or with all rows."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_packed(Path(folder) / "d.h5", (8, 8, 8))
        data = bytearray(path.read_bytes())
        start = int(share * 8192)
        data[start : start + length] = bytes(length)
        path.write_bytes(data)
        rows = None
        with contextlib.suppress(InkfoldError), open_dataset(path) as dataset:
            rows = sum(len(block.labels) for block in dataset.train.blocks())

    assert rows in {8, None}


@pytest.mark.parametrize("read", ["blocks", "originals", "slice", "row", "rows", "export"])
def test_pixels_that_differ_from_their_digest_are_never_handed_out(
    tmp_path: Path, read: str
) -> None:
    """A chunk that decodes to other pixels is refused by training's, augment's and export's way."""
    path = write_packed(tmp_path / "d.h5")
    with h5py.File(path, "r+") as file:
        file["train/images"][5] = 255 - file["train/images"][5]
    with open_dataset(path) as dataset:
        ways: dict[str, Callable[[], object]] = {
            "blocks": lambda: list(dataset.train.blocks()),
            "originals": lambda: list(image_blocks(dataset)),
            "slice": lambda: dataset.train[:8],
            "row": lambda: dataset.train[5],
            "rows": lambda: read_rows(dataset.train.arrays, 0, 256),
            "export": lambda: export_dataset(dataset, tmp_path / "o", ["train"], overwrite=False),
        }
        with pytest.raises(InkfoldError, match="/train/images: the pixels of row 5 differ from"):
            ways[read]()

    assert not (tmp_path / "o").exists()
