"""Japanese character codes."""

from __future__ import annotations

import unicodedata

import pytest

from inkfold.importers.etl_records import hiragana, jis_x_0201, jis_x_0208


@pytest.mark.parametrize(
    ("code", "character"),
    [
        (0x30, "0"),
        (0x41, "A"),
        (0x5C, "¥"),
        (0x7E, "\u203e"),
        (0xB1, "ア"),
        (0xA6, "ヲ"),
        (0xB0, "ー"),
        (0xDD, "ン"),
        (0xDE, "゛"),
        (0xDF, "゜"),
        (0x00, None),
        (0x7F, None),
        (0xA0, None),
        (0xE0, None),
    ],
)
def test_jis_x_0201_is_ascii_but_for_two_codes_and_katakana(
    code: int, character: str | None
) -> None:
    """The yen sign and the overline; katakana at full width, its marks standing alone."""
    assert jis_x_0201(code) == character


def test_every_katakana_code_is_one_letter_of_its_own() -> None:
    """63 codes, 63 characters, none of which joins the one before it."""
    characters = [jis_x_0201(code) or "" for code in range(0xA1, 0xE0)]

    assert len(set(characters)) == 63
    assert all(len(c) == 1 and not unicodedata.combining(c) for c in characters)


def test_jis_x_0208_agrees_with_the_other_encoding_of_the_same_set() -> None:
    """EUC-JP holds the same codes with the high bits set; all 65,536 numbers are asked."""
    found = {code: text for code in range(65_536) if (text := jis_x_0208(code)) is not None}

    assert len(found) == 6_879
    for code, text in found.items():
        assert text == (code | 0x8080).to_bytes(2, "big").decode("euc-jp"), hex(code)


def test_what_is_no_code_has_no_character() -> None:
    """Below and above the rows, an unassigned code, an escape."""
    assert [jis_x_0208(c) for c in (0, 0x2121, 0x3021, 0x2F21, 0x7F21, 0x1B28)] == [
        None,
        "\u3000",
        "亜",
        None,
        None,
        None,
    ]


def test_katakana_letters_become_hiragana_and_marks_stay() -> None:
    """First and last letter of the block, the rare ones of ETL1, and what is no letter."""
    assert hiragana("ァアヰヱヲンヶー゛゜A") == "ぁあゐゑをんゖー゛゜A"
