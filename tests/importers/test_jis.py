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
    """Codes give ASCII, except for yen and overline, and katakana at full width with lone marks."""
    assert jis_x_0201(code) == character


def test_every_katakana_code_is_one_letter_of_its_own() -> None:
    """The 63 katakana codes give 63 characters, and none of them joins the one before it."""
    characters = [jis_x_0201(code) or "" for code in range(0xA1, 0xE0)]

    assert len(set(characters)) == 63
    assert all(len(c) == 1 and not unicodedata.combining(c) for c in characters)


def test_jis_x_0208_agrees_with_the_other_encoding_of_the_same_set() -> None:
    """All 65,536 numbers give the character that EUC-JP, with the high bits set, has for them."""
    characters = {code: text for code in range(65_536) if (text := jis_x_0208(code)) is not None}

    assert len(characters) == 6_879
    for code, text in characters.items():
        assert text == (code | 0x8080).to_bytes(2, "big").decode("euc-jp"), hex(code)


def test_a_number_that_is_not_a_code_has_no_character() -> None:
    """Numbers outside the rows, an unassigned code and an escape sequence give no character."""
    assert [jis_x_0208(c) for c in (0, 0x2121, 0x3021, 0x2F21, 0x7F21, 0x1B28)] == [
        None,
        "\u3000",
        "亜",
        None,
        None,
        None,
    ]


def test_katakana_letters_become_hiragana_and_marks_stay() -> None:
    """Every katakana letter becomes its hiragana letter; marks and other characters stay."""
    assert hiragana("ァアヰヱヲンヶー゛゜A") == "ぁあゐゑをんゖー゛゜A"
