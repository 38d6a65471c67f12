"""EMNIST in IDX and in MATLAB files: pictures upright, with their characters and writers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inkfold.importers.class_maps import EMNIST, emnist_map
from inkfold.importers.formats import FORMATS
from tests.worlds.foreign_files import MAPPING, SIDE, csv_lines, write_idx, write_mat
from tests.worlds.reading import described, real, refusal


def test_emnist_is_read_upright_with_the_characters_of_its_mapping(tmp_path: Path) -> None:
    """EMNIST's pictures are turned upright, and the first code of a label names its class.

    A set with one side alone is read, and a byte order mark before the mapping is no part of it.
    """
    write_idx(tmp_path, "emnist-letters-train", [2, 1], transposed=True)
    (tmp_path / "emnist-letters-mapping.txt").write_text(MAPPING, encoding="utf-8-sig")

    alone = FORMATS["emnist"].read(tmp_path)
    assert (alone.name, alone.classes) == ("emnist-letters", ("A", "B"))
    assert [(name, split) for name, split, *_ in described(alone)] == [
        ("B", "train"),
        ("A", "train"),
    ]

    write_idx(tmp_path, "emnist-letters-test", [1], transposed=True, packed=True)
    assert [split for _, split, *_ in described(FORMATS["emnist"].read(tmp_path))][-1] == "test"


def test_one_of_emnist_s_variants_is_named_by_its_beginning(tmp_path: Path) -> None:
    """Of several variants in one folder, the beginning of their names chooses one."""
    for name in ("emnist-letters", "emnist-mnist"):
        write_idx(tmp_path, f"{name}-test", [1], transposed=True)

    message = refusal("emnist", tmp_path)
    chosen = FORMATS["emnist"].read(tmp_path / "emnist-mnist")

    assert "holds 2 sets: 'emnist-letters', 'emnist-mnist'; name one by the beginning" in message
    assert str(tmp_path / "emnist-letters") in message
    assert chosen.name == "emnist-mnist"
    assert FORMATS["emnist"].recognise(tmp_path / "emnist-mnist")


@pytest.mark.parametrize(
    ("variant", "labels", "characters"),
    [
        ("byclass", [0, 10, 35, 36, 61], "0AZaz"),
        ("bymerge", [9, 35, 36, 38, 46], "9Zadt"),
        ("balanced", [9, 35, 36, 43, 44], "9Zanq"),
        ("letters", [1, 26], "AZ"),
        ("digits", [0, 9], "09"),
        ("mnist", [0, 9], "09"),
    ],
)
def test_emnist_needs_no_mapping_file(
    tmp_path: Path, variant: str, labels: list[int], characters: str
) -> None:
    """Without its file each of the six variants has the characters of its official map."""
    write_idx(tmp_path, f"emnist-{variant}-test", labels, transposed=True)
    (tmp_path / f"emnist-{variant}-train.csv").write_text(csv_lines(labels, transposed=True))

    for how in ("emnist", "csv"):
        named = [name for name, *_ in described(FORMATS[how].read(tmp_path))]
        assert "".join(named) == characters


def test_a_mapping_file_is_taken_unless_it_contradicts(tmp_path: Path) -> None:
    """A file beside the set names its classes; another character than EMNIST's own is refused."""
    write_idx(tmp_path, "emnist-letters-test", [2, 1], transposed=True)
    mapping = tmp_path / "emnist-letters-mapping.txt"

    mapping.write_text("1 97\n2 98\n")
    assert [name for name, *_ in described(FORMATS["emnist"].read(tmp_path))] == ["b", "a"]
    for text, found in (
        ("1 65\n2 67\n", "label 2 is 'C', in EMNIST's own map of letters it is 'B'"),
        ("0 65\n1 66\n", "label 0 is 'A', in EMNIST's own map of letters it is 'no"),
    ):
        mapping.write_text(text)
        assert found in refusal("emnist", tmp_path)


def test_the_real_mappings_are_those_that_are_known() -> None:
    """The files that come with ByMerge and ByClass give each label the known character."""
    for variant in ("bymerge", "byclass"):
        path = real(f"emnist-{variant}-test") / f"emnist-{variant}-mapping.txt"
        assert emnist_map(path) == EMNIST[variant]


def test_what_emnist_lacks_is_reported(tmp_path: Path) -> None:
    """A missing or bad mapping and missing labels are refused, and EMNIST as idx as well."""
    write_idx(tmp_path / "other", "emnist-other-test", [1], transposed=True)
    write_idx(tmp_path, "emnist-letters-test", [1], transposed=True)
    mapping = tmp_path / "emnist-letters-mapping.txt"

    assert "emnist-other-mapping.txt: no such file; put the mapping there" in refusal(
        "emnist", tmp_path / "other"
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


def test_emnist_s_matlab_file_names_the_writers(tmp_path: Path) -> None:
    """Pictures that are stored by columns are upright, and their groups are the writers.

    The labels of Letters begin at 1.
    """
    write_mat(tmp_path / "emnist-letters.mat", {"train": ([2, 1], [7, 300]), "test": ([1], [7])})

    collection = FORMATS["emnist-mat"].read(tmp_path)

    assert collection.classes == ("A", "B")
    assert described(collection) == [
        ("B", "train", "emnist-letters.mat:train:0", "7"),
        ("A", "train", "emnist-letters.mat:train:1", "300"),
        ("A", "test", "emnist-letters.mat:test:0", "7"),
    ]


def test_a_matlab_file_that_is_not_emnist_s_is_reported(tmp_path: Path) -> None:
    """A file that is torn anywhere, another struct and an unknown label are refused."""
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


def test_real_emnist_is_upright() -> None:
    """On average F has its bars above and its stem at the left, and 7 has its bar above."""
    collection = FORMATS["emnist"].read(real("emnist-bymerge-test"))
    sums = np.zeros((len(collection.classes), SIDE, SIDE))
    for glyph in collection.glyphs():
        sums[glyph.label] += glyph.pixels
    mean = {name: sums[at] / sums[at].sum() for at, name in enumerate(collection.classes)}

    f, seven = mean["F"], mean["7"]
    assert f[:14].sum() > 1.2 * f[14:].sum(), "the bars of F are above"
    assert f[14:, :14].sum() > 2 * f[14:, 14:].sum(), "below F has its stem only"
    assert seven[:14].sum() > seven[14:].sum()
    assert seven[:10].sum() > 1.3 * seven[:, :10].sum(), "the bar of 7 is above, not at the left"


def test_a_label_outside_the_class_map_is_reported_with_its_byte(tmp_path: Path) -> None:
    """A label that the mapping lacks is refused, and the message names its byte and picture."""
    write_idx(tmp_path, "emnist-letters-test", [1, 2, 0], transposed=True)
    (tmp_path / "emnist-letters-mapping.txt").write_text(MAPPING)

    message = refusal("emnist", tmp_path)

    assert (
        "labels-idx1-ubyte: label 0 at byte 10 of its content (picture 2), expected one" in message
    )
    assert "of the 2 from 1 to 2 of the class map" in message
