"""A dataset written as folders of PNG files, split and class, for packing it again.

`folder_names` gives classes the names of their folders: names that every file system takes and that
can be read back.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from inkfold.dataset.export_rows import Rows, png
from inkfold.dataset.reader import Dataset
from inkfold.dataset.split import Split
from inkfold.output import csv_row

LIST = "pictures.csv"  # lies beside the folders
COLUMNS = ("path", "class", "split", "source", "group")
LONGEST = 200  # bytes in a folder's name; file systems end at 255, and programs add endings
FORBIDDEN = re.compile(r'[<>:"/\\|?*%\x00-\x1f\x7f]|\A\.|[. ]\Z')
DEVICE = re.compile(  # names that Windows reserves, and the list's own
    rf"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|\Z)|{re.escape(LIST)}\Z", re.IGNORECASE
)


def write_class_folders(
    folder: Path, dataset: Dataset, splits: Sequence[Split], rows: Rows
) -> None:
    """Write pictures as ``SPLIT/CLASS/ROW.png``, dark on white, and ``pictures.csv``.

    A split alone needs no folder: its pictures are ``CLASS/SPLIT-ROW.png``. A split without
    pictures has no folder either.
    """
    names = folder_names(dataset.classes)
    pattern = "{name}/{split}-{row:07d}.png" if len(splits) == 1 else "{split}/{name}/{row:07d}.png"
    with (folder / LIST).open("w", encoding="utf-8", newline="") as table:
        table.write(csv_row(COLUMNS))
        for split in splits:
            for chunk in rows(split):
                paths = [
                    pattern.format(split=split.name, name=names[label], row=row)
                    for label, row in zip(chunk.labels, chunk.rows, strict=True)
                ]
                for path, image in zip(paths, chunk.images, strict=True):
                    _write(folder / path, png(image))
                classes = [dataset.classes[label] for label in chunk.labels]
                columns = (paths, classes, [split.name] * len(paths), chunk.source, chunk.group)
                table.writelines(map(csv_row, zip(*columns, strict=True)))


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except FileNotFoundError:  # the first picture of its class in its split
        path.parent.mkdir(parents=True)
        path.write_bytes(data)


def folder_names(classes: Sequence[str]) -> list[str]:
    """A folder's name for each class; the names differ on every file system.

    Characters that some file system refuses are written as in URLs: ``urllib.parse.unquote`` gives
    the class's name back. Only a name that is too long is cut, and ends in ``%~`` and a hash.

    Parameters
    ----------
    classes : sequence of str
        Unique names.
    """
    unchanged: dict[str, str] = {}  # of the names with one key, the name that is not escaped
    for name in classes:
        key = _key(name)
        if key == name or key not in unchanged:
            unchanged[key] = name
    return [_short(_safe(name, clash=unchanged[_key(name)] != name)) for name in classes]


def _key(name: str) -> str:
    """A key that is equal for names which some file systems take for the same name."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _safe(name: str, *, clash: bool) -> str:
    """The name with all that a file system may refuse escaped, or all of it after a clash."""
    if clash:
        return _escaped(name)
    if not name:
        return "%"
    if DEVICE.match(name):
        return _escaped(name[0]) + _safe(name[1:], clash=False)
    return FORBIDDEN.sub(lambda match: _escaped(match[0]), name)


def _escaped(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def _short(name: str) -> str:
    """The name, cut between two characters where it is too long, with a hash at its end."""
    if len(name.encode()) <= LONGEST:
        return name
    digest = hashlib.blake2b(name.encode(), digest_size=8).hexdigest()
    return name.encode()[: LONGEST - 18].decode(errors="ignore") + "%~" + digest
