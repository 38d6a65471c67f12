"""Class names in plots: no boxes, no warnings, whatever the script, and cut to what fits."""

from __future__ import annotations

from io import BytesIO

import pytest
from matplotlib.figure import Figure

from inkfold.pages import fonts
from inkfold.pages.fonts import drawable, font_family, shortened


def drawn(name: str, family: list[str]) -> bytes:
    """The pixels of a name; warnings (a missing glyph gives one) are errors."""
    figure = Figure(figsize=(2, 1))
    figure.text(0.1, 0.5, name, fontfamily=family)
    pixels = BytesIO()
    figure.savefig(pixels, format="rgba")
    return pixels.getvalue()


def test_names_that_the_default_font_has_stay_as_they_are() -> None:
    """Latin, Cyrillic and Hebrew letters are drawn by the font that matplotlib brings."""
    names = ["a", "Ж", "ש", "é", "two words"]
    assert drawable(names) == names
    assert font_family(names) == ["DejaVu Sans"]


def test_a_character_that_no_font_has_is_written_as_its_code_point() -> None:
    """An unassigned code point has no glyph in any font; the letters around it stay."""
    assert drawable(["x\U000e0fffy"]) == ["xU+E0FFFy"]


def test_without_a_font_for_kanji_their_code_points_are_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """U+4E9C is what a bare server shows for that kanji."""
    installed = fonts._families()
    latin = {name: installed[name] for name in ("DejaVu Sans", "STIXGeneral")}
    monkeypatch.setattr(fonts, "_families", lambda: latin)
    assert drawable(["亜", "1"]) == ["U+4E9C", "1"]


def test_a_font_is_added_where_it_has_what_the_default_lacks() -> None:
    """U+1D81 is in STIX, which matplotlib brings, and not in its default font."""
    name = "a\u1d81"
    family = font_family([name])
    assert drawable([name]) == [name]
    assert family[0] == "DejaVu Sans"
    assert len(family) == 2
    drawn(name, family)


def test_control_characters_and_line_ends_are_written_as_code_points() -> None:
    """A class name from a folder may hold a line end; a label is one line."""
    assert drawable(["a\nb", "\u202e"]) == ["aU+000Ab", "U+202E"]


def test_a_dollar_sign_is_not_the_beginning_of_a_formula() -> None:
    """``$x^2$`` is drawn as five characters, not as x squared."""
    as_formula = drawn("$x^2$", ["DejaVu Sans"])
    as_text = drawn(drawable(["$x^2$"])[0], ["DejaVu Sans"])
    assert as_formula != as_text
    assert drawable(["$"]) == [r"\$"]


def test_every_escaped_name_is_drawn_without_a_warning() -> None:
    """Whatever fonts this machine has, nothing is left that matplotlib would warn about."""
    names = ["亜", "あ", "𠮷", "한", "ا", "ก", "अ", "😀", "$", "\t", "_"]
    for name in drawable(names):
        assert drawn(name, font_family(names))


def test_a_name_is_cut_only_where_it_is_longer_than_its_place() -> None:
    """The "…" is one of the letters, so that the place is never exceeded."""
    assert shortened("eight in", 8) == "eight in"
    assert shortened("nine in it", 8) == "nine in…"
    assert shortened("", 8) == ""


def test_a_character_that_is_drawn_as_several_letters_is_not_cut_in_two() -> None:
    """With room for the "…" besides, all of the width goes to whole characters."""
    assert shortened(["x", "U+E000", "U+E000"], 8, mark=0) == "xU+E000…"
    assert shortened(["x", "U+E000", "U+E000"], 8) == "xU+E000…"
    assert shortened(["x", "U+E000", "U+E000"], 7) == "x…"
    assert shortened(["U+E000", "U+E000"], 12) == "U+E000U+E000"
