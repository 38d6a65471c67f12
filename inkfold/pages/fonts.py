"""Class names of any script as a plot can draw them, and short enough for their place."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import accumulate

DEFAULT = "DejaVu Sans"  # matplotlib brings it: Latin, Greek, Cyrillic, Hebrew, Arabic, symbols
# Shipped with matplotlib too, but what they draw is not the character: TeX's own encodings, and
# boxes for everything.
NOT_TEXT = re.compile(r"cm[a-z]+10|STIX(NonUnicode|Size.*)|Last ?Resort.*")
CONTROL = ("Cc", "Cf", "Cs", "Zl", "Zp")


def drawable(names: Sequence[str]) -> list[str]:
    """Class names as matplotlib's text functions draw them, one line each.

    A character that no installed font has is written as its code point ("U+4E9C"), and so are
    control characters; a dollar sign is escaped, as it would begin a formula. Draw with
    ``fontfamily=font_family(names)``.
    """
    families = font_family(names)
    known = frozenset[int]().union(*(_characters(family) for family in families))
    return ["".join(_drawable(character, known) for character in name) for name in names]


def font_family(names: Sequence[str]) -> list[str]:
    """The installed fonts that together draw most of `names`, for ``fontfamily=``.

    The default font comes first; the others only where they have characters that it lacks.
    """
    families = [DEFAULT]
    missing = {ord(character) for name in names for character in name} - _characters(DEFAULT)
    while missing:
        best = max(_families(), key=lambda family: len(missing & _characters(family)))
        if not missing & _characters(best):
            break
        families.append(best)
        missing -= _characters(best)
    return families


def shortened(name: Sequence[str], width: int, *, mark: int = 1) -> str:
    """A name, cut to `width` letters where it is longer; "…" stands for the rest.

    Parameters
    ----------
    name : sequence of str
        The name, or its characters as `drawable` writes them: none of them is cut in two.
    width : int
        Letters that there is room for.
    mark : int
        How many letters of `width` the "…" takes; 0 where there is room for it besides.

    Examples
    --------
    >>> from inkfold.pages.fonts import shortened
    >>> shortened("seventeen letters", 10)
    'seventeen…'
    >>> shortened(["x", "U+E000", "U+E000"], 8, mark=0)
    'xU+E000…'
    """
    if sum(map(len, name)) <= width:
        return "".join(name)
    ends = accumulate(map(len, name))
    fitting = [part for part, end in zip(name, ends, strict=True) if end <= width - mark]
    return "".join(fitting) + "…"


def _drawable(character: str, known: frozenset[int]) -> str:
    if character == "$":
        return r"\$"
    if ord(character) not in known or unicodedata.category(character) in CONTROL:
        return f"U+{ord(character):04X}"
    return character


@cache
def _families() -> dict[str, str]:
    """Every installed family of text, in alphabetical order, and the file of its regular font."""
    from matplotlib import font_manager

    regular = {
        font.name: font.fname
        for font in font_manager.fontManager.ttflist
        if font.style == "normal" and font.weight in (400, "normal", "regular", "book")
    }
    return {name: regular[name] for name in sorted(regular) if not NOT_TEXT.fullmatch(name)}


@cache
def _characters(family: str) -> frozenset[int]:
    """The code points for which the family has a glyph."""
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(_families()[family]).get_charmap())
