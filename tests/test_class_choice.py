"""Which classes may be answered: names, ranges and files of names, and their probabilities."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkfold.class_choice import chosen_classes, columns_of, restricted
from inkfold.errors import InkfoldError

CLASSES = ("0", "1", "9", "A", "B", "C", "a", "-", "0-9", "alef", "é", ",")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("A,0", ("0", "A")),
        ("0-1", ("0", "1")),
        ("A-C,alef", ("A", "B", "C", "alef")),
        ("0-9", ("0-9",)),
        ("-", ("-",)),
        ("e\u0301", ("é",)),
        ("A,A,A-B", ("A", "B")),
    ],
)
def test_names_and_ranges_are_classes_in_label_order(text: str, names: tuple[str, ...]) -> None:
    """A range takes single characters; a name that is a class itself is never read as a range."""
    assert chosen_classes(text, CLASSES) == names


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_has_a_name_a_line(tmp_path: Path, encoding: str) -> None:
    """Names in a file may hold commas; empty lines and line ends of Windows are passed over."""
    path = tmp_path / "names.txt"
    path.write_bytes(",\r\né\r\n\r\n0\r\n".encode(encoding))

    assert chosen_classes(f"@{path}", CLASSES) == ("0", "é", ",")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ales", "'ales' is no class of the bundle; closest: 'alef'"),
        ("A\u200b", r"closest: 'A' (U+0041)"),
        ("xyz", "it has '0', '1', '9'"),
        ("5-7", "no class lies between '5' and '7'"),
        ("", "names no class"),
        (",", "names no class"),
        ("@nowhere.txt", "No such file or directory; expected a class a line"),
    ],
)
def test_what_names_no_class_is_refused_with_the_closest(text: str, said: str) -> None:
    """The error says what was found, and what may have been meant."""
    with pytest.raises(InkfoldError) as caught:
        chosen_classes(text, CLASSES)

    assert said in str(caught.value)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are no names."""
    (tmp_path / "names").write_bytes(b"\xff\xff")

    with pytest.raises(InkfoldError, match="no text in UTF-8"):
        chosen_classes(f"@{tmp_path / 'names'}", CLASSES)


@given(
    st.lists(st.floats(0, 1, width=32), min_size=3, max_size=6),
    st.lists(st.integers(0, 2), min_size=1, max_size=3, unique=True),
)
def test_probabilities_over_some_classes_add_up_to_one(row: list[float], some: list[int]) -> None:
    """Their order and their ratios stay; where all of them are 0 they are equal."""
    columns = np.array(sorted(some), np.intp)
    whole = np.array([row], np.float32)

    part = restricted(whole, columns)

    assert part.dtype == np.float32
    assert part.sum() == pytest.approx(1, abs=1e-5)
    if whole[0, columns].sum() > 0:
        np.testing.assert_allclose(part[0] * whole[0, columns].sum(), whole[0, columns], rtol=1e-5)


def test_columns_are_places_among_all_classes() -> None:
    """The place of each chosen class, in the order in which they are given."""
    assert columns_of(("9", "A"), CLASSES).tolist() == [2, 3]
