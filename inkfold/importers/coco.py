"""COCO: JSON files that list pictures, categories, and the boxes of both."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from inkfold.errors import InkfoldError, PictureError
from inkfold.identity import Identity
from inkfold.importers.collection import Collection, Official
from inkfold.importers.files import GLANCE, files_below, nothing_at, side_of, words_of
from inkfold.importers.labels import spelt
from inkfold.importers.page_crops import (
    MARGIN,
    Box,
    Page,
    Unread,
    crops,
    name_under,
    picture_at,
    side_under,
)

KEYS = "images", "annotations", "categories"
LOOK = 1 << 16  # bytes at both ends of a file in which its keys are looked for


def recognise(source: Path) -> str | None:
    """Why `source` seems to be COCO; None if it does not."""
    for path in _files(source, GLANCE):
        return f"{path.name} is JSON with {', '.join(KEYS)}"
    return None


def read(source: Path, margin: float = MARGIN) -> Collection:
    """Make a set of the boxes that the JSON files at `source` list; one at a time is in memory.

    Parameters
    ----------
    source : Path
        A JSON file, or a folder with JSON files in it or in folders in it.
    margin : float
        Around each box, as a share of its longer side.

    Raises
    ------
    InkfoldError
        If there is no such file, it is not built as COCO's are, or there is no box.
    """
    paths = list(_files(source))
    if not paths:
        raise nothing_at(source, "no JSON of COCO here", f"JSON files with {', '.join(KEYS)}")
    files = tuple(map(Identity.of, paths))
    return crops(partial(_pages, source, paths), margin, source=source, files=files)


def _files(source: Path, most: int | None = None) -> Iterator[Path]:
    """The JSON files at a source, and in the folders in it, that have COCO's keys."""
    return (path for path in files_below(source, ".json", most) if _has_keys(path))


def _has_keys(path: Path) -> bool:
    """Whether two of COCO's keys stand at the beginning or the end of a file."""
    try:
        with path.open("rb") as file:
            text = file.read(LOOK)
            file.seek(max(0, path.stat().st_size - LOOK))
            text += file.read(LOOK)
    except OSError:
        return False
    return text.lstrip()[:1] == b"{" and sum(f'"{key}"'.encode() in text for key in KEYS) > 1


def _pages(source: Path, paths: list[Path]) -> Iterator[Page | Unread]:
    for path in paths:
        lists = _lists(path)
        names = {each["id"]: spelt(str(each["name"])) for each in lists["categories"]}
        if len(set(names.values())) < len(names):
            raise InkfoldError(f"{path}: two categories have one name; expected each once")
        boxes: dict[Any, list[Box | str]] = {}
        for each in lists["annotations"]:
            boxes.setdefault(each["image_id"], []).append(_box(each, names))
        split = side_under(source, path) or _side(path)
        for image in lists["images"]:
            found = boxes.pop(image["id"], [])
            try:
                yield _page(source, path, image, found, split)
            except PictureError as error:
                yield Unread(spelt(str(image["file_name"])), str(error))
        for number, found in boxes.items():
            yield Unread(f"image {number}", f"{len(found)} boxes of a picture that is not listed")


def _lists(path: Path) -> dict[str, list[dict[str, Any]]]:
    """The three lists of a file, whose entries have the fields that are used."""
    try:
        whole = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InkfoldError(f"{path}: no JSON, or torn ({error}); write it again") from None
    fields = (("id", "file_name"), ("image_id", "category_id"), ("id", "name"))
    for key, needed in zip(KEYS, fields, strict=True):
        entries = whole.get(key) if isinstance(whole, dict) else None
        if not isinstance(entries, list):
            raise InkfoldError(f"{path}: no list {key!r}; expected {', '.join(KEYS)}")
        for place, entry in enumerate(entries):
            values = [entry.get(name) for name in needed] if isinstance(entry, dict) else [None]
            if not all(isinstance(value, str | int) for value in values):
                raise InkfoldError(
                    f"{path}: {key}[{place}] lacks one of {', '.join(needed)}, or it is no number "
                    "or text"
                )
    return {key: whole[key] for key in KEYS}


def _side(path: Path) -> Official | None:
    """The side that a file's name says: instances_train2017.json."""
    return side_of(word.rstrip("0123456789") for word in words_of(path.stem))


def _page(
    source: Path,
    path: Path,
    image: Mapping[str, Any],
    found: list[Box | str],
    split: Official | None,
) -> Page:
    """One picture with its boxes; raises PictureError if it is not there."""
    above, parts = path.parent.parent, path.stem.split("_")
    folders = [path.parent, path.parent / "images", above / "images", above]
    folders += [place / part for part in parts for place in (above, above / "images", path.parent)]
    picture = picture_at(folders, spelt(str(image["file_name"])))
    height, width = image.get("height"), image.get("width")
    return Page(
        name=name_under(source, picture),
        picture=picture,
        boxes=tuple(box for box in found if isinstance(box, Box)),
        left_out=tuple(box for box in found if isinstance(box, str)),
        size=(height, width) if isinstance(height, int) and isinstance(width, int) else None,
        split=split,
    )


def _box(annotation: Mapping[str, Any], names: Mapping[Any, str]) -> Box | str:
    """The box of an annotation; the reason if it has none."""
    name, bbox = names.get(annotation["category_id"]), annotation.get("bbox")
    if name is None:
        return f"category {annotation['category_id']!r} is not listed"
    if annotation.get("iscrowd") == 1:
        return f"{name!r}: a crowd, not a single character"
    if not isinstance(bbox, list) or len(bbox) != 4:
        return f"{name!r}: no box"
    if not all(isinstance(side, int | float) and abs(side) < 1e9 for side in bbox):
        return f"{name!r}: no box"
    left, top, width, height = map(float, bbox)
    return Box(top=top, left=left, bottom=top + height, right=left + width, name=name)
