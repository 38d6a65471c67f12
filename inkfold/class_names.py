"""Class names as text: one form for equal names, and what the eye cannot tell apart."""

from __future__ import annotations

import unicodedata


def normal(name: str) -> str:
    """The name in Unicode's form NFC, in which equal names have equal code points."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def look(name: str) -> str:
    """A key that is equal for names that look the same.

    Compatible forms are one (NFKC, as of a full-width letter), what takes no room (format
    characters, variation selectors) is left out, and any space is a plain one.
    """
    if name.isascii() and name.strip() == name:
        return name
    shown = unicodedata.normalize("NFKC", name)
    kept = (c for c in shown if unicodedata.category(c) != "Cf" and not "\ufe00" <= c <= "\ufe0f")
    return " ".join("".join(kept).split())


def code_points(name: str) -> str:
    """The name as code points: ``U+0041 U+0301``."""
    return " ".join(f"U+{ord(character):04X}" for character in name)
