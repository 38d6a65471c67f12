"""A dataset written as class folders of PNG files, for other tools and for packing it again.

`folder_names` gives classes the names of their folders: names that every file system takes and that
can be read back.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.reader import CHUNK, Dataset, Split
from inkfold.errors import InkfoldError
from inkfold.folder_kinds import EXPORT
from inkfold.output import check_free, csv_row, new_folder
from inkfold.spec import SPLITS

LIST = "pictures.csv"  # lies beside the folders
COLUMNS = ("path", "class", "split", "source", "group")
LONGEST = 200  # bytes in a folder's name; file systems end at 255, and programs add endings
FORBIDDEN = re.compile(r'[<>:"/\\|?*%\x00-\x1f\x7f]|\A\.|[. ]\Z')
DEVICE = re.compile(  # names that Windows reserves, and the list's own
    rf"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|\Z)|{re.escape(LIST)}\Z", re.IGNORECASE
)


@dataclass(frozen=True)
class Exported:
    """What an export wrote, in pictures.

    Attributes
    ----------
    pictures : int
        Pictures written.
    copies : int
        Distorted copies left out.
    edge : int
        Pictures written that have ink along most of their edge: packing takes that ink for paper.
    """

    pictures: int
    copies: int
    edge: int


@dataclass(frozen=True, kw_only=True)
class _Originals:
    """The originals among 256 rows of a split, which are to be written.

    Attributes
    ----------
    images : uint8 array of shape (n, H, W)
    labels : list of int
    rows : list of int
        Rows in the split.
    source : list of str
    group : list of str
        Writers, pages or sheets; "" where unknown.
    """

    images: NDArray[np.uint8]
    labels: list[int]
    rows: list[int]
    source: list[str]
    group: list[str]


def export_dataset(
    dataset: Dataset,
    folder: Path,
    splits: Sequence[str] = SPLITS,
    *,
    overwrite: bool,
    advance: Callable[[int], None] = lambda _rows: None,
) -> Exported:
    """Write the pictures of a dataset as ``FOLDER/CLASS/SPLIT-ROW.png``, dark on white.

    Packing the folders again at the same size gives the same pictures bit for bit, except those
    that `Exported.edge` counts. Memory holds 256 rows at a time.

    Parameters
    ----------
    dataset : Dataset
        Of an augmented dataset only the originals are written.
    folder : Path
    splits : sequence of str
    overwrite : bool
    advance : callable
        Called with the number of rows done after every 256.

    Raises
    ------
    InkfoldError
        If `folder` exists and `overwrite` is false, if it exists and is no exported folder or
        holds anything else, or if the splits hold no picture.
    """
    check_free(folder, overwrite=overwrite, kind=EXPORT, inputs=[dataset.path])
    if not sum(len(dataset.split(name)) for name in splits):
        raise InkfoldError(
            f"{dataset.path}: no picture in {' and '.join(splits)}; export another split"
        )
    names = folder_names(dataset.classes)
    pictures = copies = edge = 0
    with (
        new_folder(folder, EXPORT, overwrite=overwrite) as part,
        (part / LIST).open("w", encoding="utf-8", newline="") as table,
    ):
        table.write(csv_row(COLUMNS))
        for split in splits:
            for originals, left_out in _chunks(dataset.split(split)):
                paths = [
                    f"{names[label]}/{split}-{row:07d}.png"
                    for label, row in zip(originals.labels, originals.rows, strict=True)
                ]
                for path, image in zip(paths, originals.images, strict=True):
                    _write(part / path, image)
                classes = [dataset.classes[label] for label in originals.labels]
                columns = (paths, classes, [split] * len(paths), originals.source, originals.group)
                table.writelines(map(csv_row, zip(*columns, strict=True)))
                pictures, copies = pictures + len(paths), copies + left_out
                edge += _inked_edges(originals.images)
                advance(len(paths) + left_out)
        dataset.check_unchanged()
    return Exported(pictures, copies, edge)


def _chunks(split: Split) -> Iterator[tuple[_Originals, int]]:
    """The originals of each 256 rows, and how many of these rows are copies."""
    originals, grouped = split.originals, "group" in split.images.parent
    for start in range(0, len(split), CHUNK):
        part = slice(start, start + CHUNK)
        labels = split.labels[part]
        kept = np.flatnonzero(originals[part])
        source = split.texts("source", part)
        group = split.texts("group", part) if grouped else [""] * len(labels)
        chunk = _Originals(
            images=split.checked_images(part.start, part.stop)[kept],
            labels=labels[kept].tolist(),
            rows=(start + kept).tolist(),
            source=[source[row] for row in kept],
            group=[group[row] for row in kept],
        )
        yield chunk, len(labels) - len(kept)


def _write(path: Path, image: NDArray[np.uint8]) -> None:
    encoded, data = cv2.imencode(".png", 255 - image)
    if not encoded:
        raise OSError(f"OpenCV could not encode a picture of {image.shape}")
    try:
        path.write_bytes(data.tobytes())
    except FileNotFoundError:  # the first picture of its class
        path.parent.mkdir()
        path.write_bytes(data.tobytes())


def _inked_edges(images: NDArray[np.uint8]) -> int:
    """How many images have an edge whose median pixel is not paper."""
    sides = images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]
    edges = np.concatenate(sides, axis=1)
    middle = edges.shape[1] // 2 - 1  # the lower of the two in the middle: the PNG is inverted
    return int(np.count_nonzero(np.partition(edges, middle, axis=1)[:, middle]))


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
