"""The Japanese character codes of older data sets as text."""

from __future__ import annotations

import unicodedata

HALF_WIDTH = 0xFF61 - 0xA1  # from the katakana half of JIS X 0201 to Unicode's half-width forms
LONE_MARKS = {"\u3099": "゛", "\u309a": "゜"}  # NFKC makes them marks that join what is before
TO_HIRAGANA = ord("ァ") - ord("ぁ")


def jis_x_0201(code: int) -> str | None:
    """The character of an 8-bit code, katakana at full width; None for a code without one."""
    if code == 0x5C:
        return "¥"
    if code == 0x7E:
        return "\u203e"  # an overline, where ASCII has the tilde
    if 0x20 <= code < 0x7F:
        return chr(code)
    if 0xA1 <= code <= 0xDF:
        text = unicodedata.normalize("NFKC", chr(code + HALF_WIDTH))
        return LONE_MARKS.get(text, text)
    return None


def jis_x_0208(code: int) -> str | None:
    """The character of a 16-bit code, 2121 to 7E7E; None for a code without one."""
    if not (0x21 <= code >> 8 <= 0x7E and 0x21 <= code & 0xFF <= 0x7E):
        return None
    try:
        return (b"\x1b$B" + code.to_bytes(2, "big") + b"\x1b(B").decode("iso-2022-jp")
    except UnicodeDecodeError:
        return None


def hiragana(text: str) -> str:
    """Katakana letters as hiragana; everything else as it is."""
    return "".join(chr(ord(c) - TO_HIRAGANA) if "ァ" <= c <= "ヶ" else c for c in text)
