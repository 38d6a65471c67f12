"""Class names as the names of folders that every system takes, and that can be read back."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence

LONGEST = 200  # bytes; file systems end at 255, and some programs add an ending
LIST = "pictures.csv"  # lies beside the folders
NEVER = re.compile(r'[<>:"/\\|?*%\x00-\x1f\x7f]|\A\.|[. ]\Z')
DEVICE = re.compile(
    rf"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|\Z)|{re.escape(LIST)}\Z", re.IGNORECASE
)


def folder_names(classes: Sequence[str]) -> list[str]:
    """A folder's name for each class, no two of which any system takes for one.

    What a system somewhere does not take is written as URLs write it: ``urllib.parse.unquote``
    gives the class's name back, but for names that are too long, which end in ``%~`` and a hash.

    Parameters
    ----------
    classes : sequence of str
        Each another.
    """
    keepers: dict[str, str] = {}  # of names that a system may take for one, the one that stays
    for name in classes:
        key = _key(name)
        if key == name or key not in keepers:
            keepers[key] = name
    return [_short(_safe(name, clash=keepers[_key(name)] != name)) for name in classes]


def _key(name: str) -> str:
    """What names have in common that some file systems do not tell apart."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _safe(name: str, *, clash: bool) -> str:
    if clash:
        return _escaped(name)
    if not name:
        return "%"
    if DEVICE.match(name):
        return _escaped(name[0]) + _safe(name[1:], clash=False)
    return NEVER.sub(lambda found: _escaped(found[0]), name)


def _escaped(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def _short(name: str) -> str:
    """Cut where no character is cut in two."""
    if len(name.encode()) <= LONGEST:
        return name
    digest = hashlib.blake2b(name.encode(), digest_size=8).hexdigest()
    return name.encode()[: LONGEST - 18].decode(errors="ignore") + "%~" + digest
