"""Public sets in their own files: upright, with their classes and sides; torn ones are told."""

from __future__ import annotations

import gzip
import os
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from inkfold.errors import InkfoldError
from inkfold.importers.collection import Collection
from inkfold.importers.formats import FORMATS
from tests.drawing import write_classes
from tests.foreign import (
    SIDE,
    csv_lines,
    idx_bytes,
    letter_f,
    letters,
    write_idx,
    write_mat,
    write_npz,
)

MAPPING = "1 65 97\n2 66 98\n"


def refusal(how: str, source: Path) -> str:
    """What is said of a set that cannot be read, be it at the beginning or on the way."""
    with pytest.raises(InkfoldError) as caught:
        list(FORMATS[how].read(source).glyphs())
    assert "\n" not in str(caught.value)
    return str(caught.value)


def told(collection: Collection) -> list[tuple[str, str | None, str, str | None]]:
    """Class, side, source and group of each picture, once all of them are seen to be upright."""
    glyphs = list(collection.glyphs())
    assert len(glyphs) == collection.count
    assert collection.ink == "light"
    for glyph in glyphs:
        tone = int(glyph.pixels.max())
        assert tone > 100
        assert np.array_equal(glyph.pixels, letter_f(tone)), "not upright, or not light on dark"
    return [(collection.classes[g.label], g.split, g.source, g.group) for g in glyphs]


@pytest.mark.parametrize("packed", [False, True])
def test_idx_is_read_as_mnist_is_published(tmp_path: Path, packed: bool) -> None:
    """Train before test, in the order of the files; again when asked again."""
    write_idx(tmp_path / "Digits", "train", [3, 0, 3], packed=packed)
    write_idx(tmp_path / "Digits", "t10k", [1], packed=packed)

    collection = FORMATS["idx"].read(tmp_path / "Digits")

    end = ".gz" if packed else ""
    assert (collection.name, collection.classes) == ("digits", ("0", "1", "2", "3"))
    assert told(collection) == told(collection)
    assert told(collection) == [
        ("3", "train", f"train-images-idx3-ubyte{end}:0", None),
        ("0", "train", f"train-images-idx3-ubyte{end}:1", None),
        ("3", "train", f"train-images-idx3-ubyte{end}:2", None),
        ("1", "test", f"t10k-images-idx3-ubyte{end}:0", None),
    ]


def test_a_pair_without_a_side_and_one_file_of_a_pair(tmp_path: Path) -> None:
    """Names that tell no side give pictures of none; a file stands for itself and its labels."""
    write_idx(tmp_path, "train", [1])
    write_idx(tmp_path, "mine", [2])

    mine = FORMATS["idx"].read(tmp_path / "mine-images-idx3-ubyte")
    train = FORMATS["idx"].read(tmp_path / "train-labels-idx1-ubyte")

    assert [(split, source) for _, split, source, _ in told(mine)] == [
        (None, "mine-images-idx3-ubyte:0")
    ]
    assert [split for _, split, _, _ in told(train)] == ["train"]
    assert "holds 2 sets: '', 'mine'; name one by the beginning" in refusal("idx", tmp_path)


def test_a_class_map_beside_kmnist_names_the_classes(tmp_path: Path) -> None:
    """Index, code point, character; without it the numbers are the names."""
    write_idx(tmp_path, "train", [1, 0])
    (tmp_path / "kmnist_classmap.csv").write_text(
        "index,codepoint,char\n0,U+304A,お\n1,U+304D,き\n", encoding="utf-8"
    )

    assert [name for name, *_ in told(FORMATS["idx"].read(tmp_path))] == ["き", "お"]


def test_a_file_that_is_not_compressed_comes_before_the_same_one_that_is(tmp_path: Path) -> None:
    """Who unpacked them may have kept both."""
    write_idx(tmp_path, "train", [1, 0])
    write_idx(tmp_path, "train", [1, 0, 2], packed=True)

    assert [source for *_, source, _ in told(FORMATS["idx"].read(tmp_path))] == [
        "train-images-idx3-ubyte:0",
        "train-images-idx3-ubyte:1",
    ]


def test_records_come_in_blocks_without_a_gap(tmp_path: Path) -> None:
    """More pictures than are read at a time."""
    pictures = np.zeros((600, 2, 3), np.uint8)
    pictures[:, 1, 2], pictures[:, 0, 0] = np.arange(600) % 256, np.arange(600) // 256
    (tmp_path / "x-images-idx3-ubyte").write_bytes(idx_bytes(pictures))
    labels = (np.arange(600) % 7).astype(np.uint8)
    (tmp_path / "x-labels-idx1-ubyte").write_bytes(idx_bytes(labels))

    glyphs = list(FORMATS["idx"].read(tmp_path).glyphs())

    assert np.array_equal(np.stack([glyph.pixels for glyph in glyphs]), pictures)
    assert [glyph.label for glyph in glyphs] == labels.tolist()


@pytest.mark.parametrize("packed", [False, True])
def test_a_torn_idx_file_is_told_with_the_byte(tmp_path: Path, packed: bool) -> None:
    """Cut in its head or its body, longer than it says, of another type, of other counts."""

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


def test_a_damaged_gzip_file_is_told(tmp_path: Path) -> None:
    """Cut at its end, or a byte turned over."""
    write_idx(tmp_path, "train", list(range(100)), packed=True)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    data = path.read_bytes()

    path.write_bytes(data[: len(data) // 2])
    assert "of its content, expected 78,400 bytes from byte 16 on" in refusal("idx", tmp_path)
    path.write_bytes(data[:100] + bytes([data[100] ^ 255]) + data[101:])
    assert "images-idx3-ubyte.gz: " in refusal("idx", tmp_path)
    path.write_bytes(data[:-6] + b"\0\0" + data[-4:])  # the checksum
    assert "damaged somewhere after byte" in refusal("idx", tmp_path)


def test_a_label_outside_the_class_map_is_told_with_its_byte(tmp_path: Path) -> None:
    """Of EMNIST, whose labels of Letters begin at 1."""
    write_idx(tmp_path, "emnist-letters-test", [1, 2, 0], transposed=True)
    (tmp_path / "emnist-letters-mapping.txt").write_text(MAPPING)

    said = refusal("emnist", tmp_path)

    assert "labels-idx1-ubyte: label 0 at byte 10 of its content (picture 2), expected one" in said
    assert "of the 2 from 1 to 2 of the class map" in said


def test_emnist_is_read_upright_with_the_characters_of_its_mapping(tmp_path: Path) -> None:
    """Transposed in the file; the first code names the class; one side alone will do."""
    write_idx(tmp_path, "emnist-letters-train", [2, 1], transposed=True)
    (tmp_path / "emnist-letters-mapping.txt").write_text(MAPPING)

    alone = FORMATS["emnist"].read(tmp_path)
    assert (alone.name, alone.classes) == ("emnist-letters", ("A", "B"))
    assert [(name, split) for name, split, *_ in told(alone)] == [("B", "train"), ("A", "train")]

    write_idx(tmp_path, "emnist-letters-test", [1], transposed=True, packed=True)
    assert [split for _, split, *_ in told(FORMATS["emnist"].read(tmp_path))][-1] == "test"


def test_one_of_emnist_s_variants_is_named_by_its_beginning(tmp_path: Path) -> None:
    """The archive holds all six."""
    for name in ("emnist-letters", "emnist-mnist"):
        write_idx(tmp_path, f"{name}-test", [1], transposed=True)
        (tmp_path / f"{name}-mapping.txt").write_text(MAPPING)

    said = refusal("emnist", tmp_path)
    chosen = FORMATS["emnist"].read(tmp_path / "emnist-mnist")

    assert "holds 2 sets: 'emnist-letters', 'emnist-mnist'; name one by the beginning" in said
    assert str(tmp_path / "emnist-letters") in said
    assert chosen.name == "emnist-mnist"
    assert FORMATS["emnist"].recognise(tmp_path / "emnist-mnist")


def test_what_emnist_lacks_is_told(tmp_path: Path) -> None:
    """The mapping, the labels, a sensible line; and idx refuses what it would lay on its side."""
    write_idx(tmp_path, "emnist-letters-test", [1], transposed=True)
    mapping = tmp_path / "emnist-letters-mapping.txt"

    assert "emnist-letters-mapping.txt: no such file; put the mapping there" in refusal(
        "emnist", tmp_path
    )
    for text, complaint in (
        ("1 65\nx 66\n", "line 2 is b'x 66', expected a new label"),
        ("1 65\n1 66\n", "line 2 is b'1 66', expected a new label"),
        ("1 65\n2 65\n", "one character for two labels"),
        ("\n", "no class in it"),
    ):
        mapping.write_text(text)
        assert complaint in refusal("emnist", tmp_path)
    assert "import them as emnist" in refusal("idx", tmp_path)
    (tmp_path / "emnist-letters-test-labels-idx1-ubyte").unlink()
    assert "its labels file is not beside it" in refusal("emnist", tmp_path)


def test_emnist_s_matlab_file_tells_the_writers(tmp_path: Path) -> None:
    """Upright though MATLAB goes by columns; labels of Letters from 1."""
    write_mat(tmp_path / "emnist-letters.mat", {"train": ([2, 1], [7, 300]), "test": ([1], [7])})

    collection = FORMATS["emnist-mat"].read(tmp_path)

    assert collection.classes == ("A", "B")
    assert told(collection) == [
        ("B", "train", "emnist-letters.mat:train:0", "7"),
        ("A", "train", "emnist-letters.mat:train:1", "300"),
        ("A", "test", "emnist-letters.mat:test:0", "7"),
    ]


def test_a_matlab_file_that_is_none_of_emnist_s_is_told(tmp_path: Path) -> None:
    """Torn anywhere, another struct, a label outside the mapping."""
    path = write_mat(tmp_path / "emnist-letters.mat", {"train": ([1, 2], [1, 1])})
    data = path.read_bytes()
    for cut in (0, 60, 130, len(data) // 2, len(data) - 5):
        path.write_bytes(data[:cut])
        assert "emnist-letters.mat: " in refusal("emnist-mat", tmp_path)
    write_mat(path, {"other": ([1], [1])})
    assert "not built as EMNIST's files are" in refusal("emnist-mat", tmp_path)
    write_mat(path, {"test": ([1, 3], [1, 1])})
    assert "label 3 of picture 1 in dataset.test, expected one of the 2 from 1 to 2" in refusal(
        "emnist-mat", tmp_path
    )


def write_k49(folder: Path) -> None:
    """Two training pictures, one to test with, and a class map with a byte order mark."""
    for side, labels in (("train", [1, 0]), ("test", [1])):
        write_npz(folder / f"k49-{side}-imgs.npz", letters(len(labels)))
        write_npz(folder / f"k49-{side}-labels.npz", np.array(labels, np.uint8))
    (folder / "k49_classmap.csv").write_text(
        "index,codepoint,char\r\n0,U+3042,あ\r\n1,U+309D,ゝ\r\n", encoding="utf-8-sig"
    )


def test_npz_is_read_as_kuzushiji_49_is_published(tmp_path: Path) -> None:
    """Both sides, and the characters of the class map."""
    write_k49(tmp_path)

    collection = FORMATS["npz"].read(tmp_path)

    assert (collection.name, collection.classes) == ("k49", ("あ", "ゝ"))
    assert told(collection) == [
        ("ゝ", "train", "k49-train-imgs.npz:0", None),
        ("あ", "train", "k49-train-imgs.npz:1", None),
        ("ゝ", "test", "k49-test-imgs.npz:0", None),
    ]


def test_a_torn_npz_is_told(tmp_path: Path) -> None:
    """No zip, its end missing, another array, another type, a turned byte, a bad class map."""
    write_k49(tmp_path)
    path = tmp_path / "k49-train-imgs.npz"
    data = path.read_bytes()

    path.write_bytes(data[:-30])
    assert "no zip, or its end is missing" in refusal("npz", tmp_path)
    path.write_bytes(data[:100] + bytes([data[100] ^ 255]) + data[101:])
    assert "k49-train-imgs.npz: " in refusal("npz", tmp_path)
    write_npz(path, letters(2), "x.npy")
    assert "holds ['x.npy'], expected arr_0.npy" in refusal("npz", tmp_path)
    np.savez(path, np.zeros((2, SIDE, SIDE)))
    assert "arr_0.npy is float64 of shape (2, 28, 28), expected uint8" in refusal("npz", tmp_path)
    np.savez(path, np.asfortranarray(letters(2)))
    assert "of shape (2, 28, 28), expected uint8 of 3 dimensions, row by row" in refusal(
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


def test_csv_with_and_without_a_heading(tmp_path: Path) -> None:
    """A_Z has none and keeps its first line; MNIST as Kaggle has it has one, and two sides."""
    (tmp_path / "az").mkdir()
    (tmp_path / "az/A_Z Handwritten Data.csv").write_text(csv_lines([25, 0, 4]))
    heading = ",".join(["label", *(f"pixel{at}" for at in range(784))]) + "\n"
    (tmp_path / "mnist_train.csv").write_text(heading + csv_lines([3]))
    (tmp_path / "mnist_test.csv").write_text(heading + csv_lines([1, 2]))

    capitals = FORMATS["csv"].read(tmp_path / "az")
    assert (capitals.name, len(capitals.classes)) == ("a_z-handwritten-data", 26)
    assert [(name, split, source[-2:]) for name, split, source, _ in told(capitals)] == [
        ("Z", None, ":0"),
        ("A", None, ":1"),
        ("E", None, ":2"),
    ]
    digits = told(FORMATS["csv"].read(tmp_path))
    assert [(name, split) for name, split, *_ in digits] == [
        ("3", "train"),
        ("1", "test"),
        ("2", "test"),
    ]
    assert digits[1][2] == "mnist_test.csv:0"
    alone = FORMATS["csv"].read(tmp_path / "mnist_test.csv")
    assert [split for _, split, *_ in told(alone)] == ["test", "test"]


def test_csv_of_emnist_is_read_upright(tmp_path: Path) -> None:
    """Its name tells that it is transposed, and its mapping lies beside it."""
    (tmp_path / "emnist-letters-test.csv").write_text(csv_lines([2, 1], transposed=True))
    (tmp_path / "emnist-letters-mapping.txt").write_text(MAPPING)

    assert [name for name, *_ in told(FORMATS["csv"].read(tmp_path))] == ["B", "A"]


def test_a_bad_line_of_csv_is_told_with_its_number(tmp_path: Path) -> None:
    """Too short, no number, a number that no byte holds, a label that is none."""
    path, good = tmp_path / "mine.csv", csv_lines([1, 2, 3])
    for bad, complaint in (
        (good[:-30], r"line 3 has 77\d fields, expected a label and 784 numbers"),
        (good[:-2] + "x\n", "line 3 has b'x', expected a label and 784 numbers"),
        (good[:-2] + "256\n", "line 3 has b'256', expected a label and 784 numbers"),
        (good + "-1,3\n", "line 4 begins with b'-1,3"),
        ("1,2,3\n" * 3, "3 fields in its first lines, the first is b'1'; expected a label"),
    ):
        path.write_text(bad)
        assert re.search(complaint, refusal("csv", path)), refusal("csv", path)
    (tmp_path / "A_Z.csv").write_text(csv_lines([1, 26]))
    assert "label 26 in line 2, expected one of the 26 from 0 to 25" in refusal(
        "csv", tmp_path / "A_Z.csv"
    )


@pytest.mark.parametrize("heading", ["", "label,pixels\n"])
def test_a_byte_order_mark_before_csv_costs_no_picture(tmp_path: Path, heading: str) -> None:
    """Some programs write one: it is neither a heading nor a part of the first label."""
    path = tmp_path / "mine.csv"
    path.write_text("\ufeff" + heading + csv_lines([2, 1, 0]), encoding="utf-8")
    assert [name for name, *_ in told(FORMATS["csv"].read(path))] == ["2", "1", "0"]


def test_the_end_of_a_word_is_no_side(tmp_path: Path) -> None:
    """latest.csv is no set's test, and mnist_test.csv is."""
    for name, side in (("latest.csv", None), ("mnist_test.csv", "test"), ("train.csv", "train")):
        (tmp_path / name).write_text(csv_lines([1]))
        assert [official for _, official, *_ in told(FORMATS["csv"].read(tmp_path / name))] == [
            side
        ]
    write_idx(tmp_path / "idx", "contest", [1])
    assert [official for _, official, *_ in told(FORMATS["idx"].read(tmp_path / "idx"))] == [None]


def test_a_number_that_is_no_label_does_not_make_a_million_classes(tmp_path: Path) -> None:
    """The first column of the file is something else, an index perhaps."""
    path = tmp_path / "mine.csv"
    path.write_text(csv_lines([1, 3_000_000]))
    assert "label 3000000 in line 2, expected one of the 65536" in refusal("csv", path)


def write_all(folder: Path) -> dict[str, Path]:
    """One source of each format."""
    places = {name: folder / name for name in ("idx", "emnist", "emnist-mat", "npz", "csv")}
    for place in places.values():
        place.mkdir(parents=True)
    write_idx(places["idx"], "train", [1])
    write_idx(places["emnist"], "emnist-mnist-train", [1], transposed=True)
    write_mat(places["emnist-mat"] / "emnist-letters.mat", {"train": ([1], [1])})
    write_k49(places["npz"])
    (places["csv"] / "any.csv").write_text(csv_lines([1]))
    return places


def test_each_format_recognises_its_own_and_no_other(tmp_path: Path) -> None:
    """And a reason is given."""
    for name, place in write_all(tmp_path).items():
        reasons = {how: FORMATS[how].recognise(place) for how in FORMATS}
        assert [how for how, reason in reasons.items() if reason] == [name]


def test_foreign_input_is_recognised_by_none_and_stops_nothing(tmp_path: Path) -> None:
    """Nothing there, an empty folder, class folders, files with the right name and no content."""
    write_classes(tmp_path / "classes", {"a": 2})
    names = (
        "train-images-idx3-ubyte.gz",
        "emnist-x-test-images-idx3-ubyte",
        "emnist-x.mat",
        "k49-train-imgs.npz",
        "some.csv",
    )
    for content in (b"", b"\x1f\x8b", os.urandom(40)[:0] + b"\xff" * 40):
        folder = tmp_path / f"f{len(content)}"
        folder.mkdir()
        for name in names:
            (folder / name).write_bytes(content)
    (tmp_path / "dangling.csv").symlink_to("nowhere")
    for source in (tmp_path, tmp_path / "classes", *tmp_path.glob("f*"), tmp_path / "nowhere/x"):
        assert [how for how in FORMATS if FORMATS[how].recognise(source)] == []
        for how in ("idx", "emnist", "emnist-mat", "npz", "csv"):
            refusal(how, source)


def real(name: str) -> Path:
    """A folder of the real sets, or the test is skipped."""
    if "INKFOLD_DATA" not in os.environ:
        pytest.skip("INKFOLD_DATA names no folder with the real sets (mnist, kmnist, ...)")
    return Path(os.environ["INKFOLD_DATA"]) / name


@pytest.mark.parametrize(
    ("how", "name", "sides", "counts"),
    [
        ("idx", "mnist", {"train": 60_000, "test": 10_000}, (10, 6313, 7877)),
        ("idx", "kmnist", {"train": 60_000, "test": 10_000}, (10, 7000, 7000)),
        ("emnist", "emnist-bymerge-test", {"test": 116_323}, (47, 415, 6400)),
        ("emnist", "emnist-byclass-test", {"test": 116_323}, (62, 317, 6330)),
    ],
)
def test_the_real_sets_have_their_published_counts(
    how: str, name: str, sides: dict[str, int], counts: tuple[int, int, int]
) -> None:
    """In all, by side, of classes, of the smallest and the largest; and only one format fits."""
    source = real(name)
    collection = FORMATS[how].read(source)
    glyphs = list(collection.glyphs())
    found = Counter(glyph.label for glyph in glyphs)

    assert [format_ for format_ in FORMATS if FORMATS[format_].recognise(source)] == [how]
    assert Counter(glyph.split for glyph in glyphs) == sides
    assert collection.count == len(glyphs)
    assert len(collection.classes) == len(found)
    assert (len(found), min(found.values()), max(found.values())) == counts


def test_real_emnist_is_upright() -> None:
    """L has its bar on the left and its foot below, 7 its bar above and nothing at the left."""
    collection = FORMATS["emnist"].read(real("emnist-bymerge-test"))
    sums = np.zeros((len(collection.classes), SIDE, SIDE))
    for glyph in collection.glyphs():
        sums[glyph.label] += glyph.pixels
    mean = {name: sums[at] / sums[at].sum() for at, name in enumerate(collection.classes)}

    letter, seven = mean["F"], mean["7"]
    assert letter[:14].sum() > 1.2 * letter[14:].sum(), "the bars of F are above"
    assert letter[14:, :14].sum() > 2 * letter[14:, 14:].sum(), "below F has its stem only"
    assert seven[:14].sum() > seven[14:].sum()
    assert seven[:10].sum() > 1.3 * seven[:, :10].sum(), "the bar of 7 is above, not at the left"
