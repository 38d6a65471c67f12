"""The byte order mark at the beginning of a text says in which encoding the text is."""

from __future__ import annotations

import codecs

UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
LONGEST = 3  # bytes of a mark


def marked_encoding(beginning: bytes) -> str:
    """The encoding that a text's first bytes say, for a decoder that passes over the mark.

    Parameters
    ----------
    beginning : bytes
        The first `LONGEST` bytes of the text, or more.

    Returns
    -------
    encoding : {"utf-16", "utf-8-sig"}
        UTF-8 where there is no mark.
    """
    return "utf-16" if beginning[:2] in UTF16 else "utf-8-sig"
