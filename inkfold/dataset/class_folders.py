"""Exporting: a dataset becomes class folders of PNG files, for any other tool and for packing."""

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
from inkfold.output import csv_row, new_folder
from inkfold.spec import SPLITS

LONGEST = 200  # bytes; file systems end at 255, and some programs add an ending
LIST = "pictures.csv"  # lies beside the folders
NEVER = re.compile(r'[<>:"/\\|?*%\x00-\x1f\x7f]|\A\.|[. ]\Z')
DEVICE = re.compile(
    rf"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|\Z)|{re.escape(LIST)}\Z", re.IGNORECASE
)
COLUMNS = ("path", "class", "split", "source", "group")


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


@dataclass(frozen=True)
class Exported:
    """How many `pictures` were written, how many distorted `copies` were left out, and how many of
    the pictures have ink on most of their `edge`, so that packing will take it for paper.
    """

    pictures: int
    copies: int
    edge: int


@dataclass(frozen=True)
class _Some:
    """Some rows of a split that are to be written: uint8 (n, H, W), and lists of n."""

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

    Packed again at the same size, the pictures are the same bit for bit, but for those that
    `Exported.edge` counts. Memory holds one block of rows.

    Parameters
    ----------
    dataset : Dataset
        Of an augmented one the originals are written.
    folder : Path
    splits : sequence of str
    overwrite : bool
    advance : callable
        Told the number of rows after each block.

    Raises
    ------
    InkfoldError
        If `folder` exists and `overwrite` is false or it is no export, or the splits hold no
        picture.
    """
    _check_replaced(folder, overwrite=overwrite)
    if not sum(len(dataset.split(name)) for name in splits):
        raise InkfoldError(
            f"{dataset.path}: no picture in {' and '.join(splits)}; export another split"
        )
    names = folder_names(dataset.classes)
    pictures = copies = edge = 0
    with (
        new_folder(folder, overwrite=overwrite) as part,
        (part / LIST).open("w", encoding="utf-8", newline="") as table,
    ):
        table.write(csv_row(COLUMNS))
        for split in splits:
            for some, left in _blocks(dataset.split(split)):
                paths = [
                    f"{names[label]}/{split}-{row:07d}.png"
                    for label, row in zip(some.labels, some.rows, strict=True)
                ]
                for path, image in zip(paths, some.images, strict=True):
                    _write(part / path, image)
                classes = [dataset.classes[label] for label in some.labels]
                same = [split] * len(paths)
                cells = zip(paths, classes, same, some.source, some.group, strict=True)
                table.writelines(map(csv_row, cells))
                pictures, copies = pictures + len(paths), copies + left
                edge += _inked_edges(some.images)
                advance(len(paths) + left)
    return Exported(pictures, copies, edge)


def _check_replaced(folder: Path, *, overwrite: bool) -> None:
    """Somebody's own pictures are not replaced by an export of them."""
    if overwrite and folder.is_dir() and any(folder.iterdir()) and not (folder / LIST).is_file():
        raise InkfoldError(
            f"{folder} is not an exported folder (it has no {LIST}), so it is not replaced; remove "
            "it yourself or choose another"
        )


def _blocks(split: Split) -> Iterator[tuple[_Some, int]]:
    """The originals of each block of rows, and how many copies there were among them."""
    file, originals = split.images.parent, split.originals
    for start in range(0, len(split), CHUNK):
        part = slice(start, start + CHUNK)
        labels = split.labels[part]
        kept = np.flatnonzero(originals[part])
        source = file["source"].asstr()[part][kept].tolist()
        group = file["group"].asstr()[part][kept].tolist() if "group" in file else [""] * len(kept)
        images = split.images[part][kept]
        rows = (start + kept).tolist()
        yield _Some(images, labels[kept].tolist(), rows, source, group), len(labels) - len(kept)


def _write(path: Path, image: NDArray[np.uint8]) -> None:
    done, data = cv2.imencode(".png", 255 - image)
    if not done:
        raise OSError(f"OpenCV could not encode a picture of {image.shape}")
    try:
        path.write_bytes(data.tobytes())
    except FileNotFoundError:  # the first of its class
        path.parent.mkdir()
        path.write_bytes(data.tobytes())


def _inked_edges(images: NDArray[np.uint8]) -> int:
    """How many pictures have an edge whose median is not paper."""
    sides = images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]
    edges = np.concatenate(sides, axis=1)
    middle = edges.shape[1] // 2 - 1  # the lower of the two in the middle: the file is inverted
    return int(np.count_nonzero(np.partition(edges, middle, axis=1)[:, middle]))
