"""Class folders on the disk: which pictures they hold, in constant memory and a fixed order."""

from __future__ import annotations

import os
import re
import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from inkfold.archives.url import Place
from inkfold.class_names import normal
from inkfold.errors import InkfoldError
from inkfold.packing.layout import Arrangement, Layout, Seen, arrangement, split_of
from inkfold.packing.listing import NO_SIDE, Gathering, Listing
from inkfold.packing.names import ClassNames
from inkfold.packing.scratch import Spool
from inkfold.packing.source import Folder, Source
from inkfold.picture_files import readable
from inkfold.program import typed
from inkfold.spec import SPLITS
from inkfold.tally import Tally

SHOWN = 3  # names in a message


@dataclass
class _Walked:
    """What a walk through the root found, beside the pictures.

    Attributes
    ----------
    counts : dict of bytes to int
        Pictures in each folder directly under the root, in the order of names.
    first : dict of bytes to bytes
        The path of a picture in each of them.
    beside : list of bytes
        Files beside these folders.
    inner : Counter of bytes
        The names of the folders directly inside of them, and how often each occurs.
    direct : int
        Pictures that lie directly in them.
    ignored : Tally
    """

    counts: dict[bytes, int] = field(default_factory=dict)
    first: dict[bytes, bytes] = field(default_factory=dict)
    beside: list[bytes] = field(default_factory=list)
    inner: Counter[bytes] = field(default_factory=Counter)
    direct: int = 0
    ignored: Tally = field(default_factory=Tally)


def scan(source: Source, scratch: Path, layout: Layout = "auto") -> Listing:
    """List the pictures of every class.

    A class is a folder directly under the source, or under a split folder there; folders inside it
    belong to it, and may be split folders. Names are taken in the order of their bytes, files
    before folders. Links are followed, except to a folder that they lie in. Files count as pictures
    by their suffix or, failing that, by their first bytes.

    Parameters
    ----------
    source : Folder or Archive
    scratch : Path
        Existing folder for the files that hold paths.
    layout : {"auto", "classes", "splits"}
        Whether folders with the names of splits are splits; "auto" finds out.

    Raises
    ------
    InkfoldError
        If the source holds no class folder, or no class folder holds a picture; or if its folders
        can be read in two ways.
    """
    paths = Spool(scratch / "paths")
    try:
        found = _walked(source, paths)
        shape = _arranged(source, paths, found, layout)
        if shape != "classes":
            return _by_split(source, paths, found, shape, scratch)
        listing = _by_folder(source, paths, found, scratch)
        if len(listing.classes) == 1 and layout == "auto":
            _check_depth(source, listing.paths)
    except BaseException:
        paths.close()
        raise
    return listing


def _walked(source: Source, paths: Spool) -> _Walked:
    """Put the path of every picture in a folder of the source into `paths`."""
    found = _Walked()
    for entry in source.entries():
        folder, _, inside = entry.path.partition(b"/")
        if entry.kind in ("folder", "circle") and folder:
            if not inside:
                found.counts[folder] = 0
            elif b"/" not in inside:
                found.inner[inside] += 1
        if entry.reason:
            found.ignored.add(readable(entry.path), entry.reason)
        elif entry.kind == "file" and not inside:
            found.beside.append(folder)
            found.ignored.add(readable(folder), "lies beside the class folders")
        elif entry.kind == "file" and source.is_picture(entry.path):
            paths.append(entry.path)
            if not found.counts[folder]:
                found.first[folder] = entry.path
            found.counts[folder] += 1
            found.direct += b"/" not in inside
        elif entry.kind == "file":
            found.ignored.add(readable(entry.path), "not a picture")
    return found


def _arranged(source: Source, paths: Spool, found: _Walked, layout: Layout) -> Arrangement:
    """How the folders are arranged; the paths are looked at only where a split's name occurs."""
    if not any(found.counts.values()):
        raise InkfoldError(_no_classes(source, found))
    if layout == "auto" and all(
        split_of(name) == NO_SIDE for name in (*found.counts, *found.inner)
    ):
        return "classes"
    return arrangement(source.path, Seen.of(paths), layout)


def _by_folder(source: Source, paths: Spool, found: _Walked, scratch: Path) -> Listing:
    """The listing where each folder under the root is a class."""
    root, names = source.path, ClassNames(source)
    full = [folder for folder, count in found.counts.items() if count]
    classes = [names.of(folder, found.first[folder]) for folder in full]
    if len(set(map(readable, full))) < len(full):
        raise InkfoldError(f"{root}: two class folders have the same name once it is text; rename")
    empty = tuple(normal(readable(folder)) for folder, count in found.counts.items() if not count)
    remarks = (*_remarks(classes, names), *_swapped(root, found))
    if classes == [readable(folder) for folder in full]:  # the paths came class by class
        return Listing(
            classes=tuple(classes),
            paths=paths,
            ends=np.cumsum([found.counts[folder] for folder in full], dtype=np.int64),
            empty=empty,
            ignored=found.ignored,
            remarks=remarks,
        )
    by_folder = dict(zip(full, classes, strict=True))
    with Gathering(scratch) as gathering:
        for path in paths:
            gathering.add(path, by_folder[path.partition(b"/")[0]])
        paths.close()
        return gathering.listing(empty=empty, ignored=found.ignored, remarks=remarks)


def _swapped(root: Place, found: _Walked) -> Iterator[str]:
    """A warning if the classes seem to lie one level deeper, as in WRITER/CLASS/1.png."""
    shared = [name for name, count in found.inner.items() if count > 1]
    if not found.direct and len(shared) > 1 and 2 * len(shared) > len(found.inner):
        names = ", ".join(repr(readable(name)) for name in sorted(shared)[:SHOWN])
        yield (
            f"warning: the class folders hold only folders, which have the same names ({names}, "
            f"...); if those are the classes: {typed('create_dataset')} {shlex.quote(str(root))} "
            "--label-by '^[^/]+/([^/]+)/' --group-by '^([^/]+)/'; if both names together are a "
            "class: --label-by '^[^/]+/[^/]+'"
        )


def _remarks(classes: list[str], names: ClassNames) -> Iterator[str]:
    """What was made of the folders' names."""
    merged = len(classes) - len(set(classes))
    if merged:
        yield f"folders whose names are the same text in another Unicode form, merged: {merged:,}"
    if names.unescaped:
        yield f"class names that an export or a canvas had escaped, restored: {names.unescaped:,}"


def _check_depth(source: Source, paths: Spool) -> None:
    """Refuse a root one level too high: its only folder holds folders of pictures and no picture.

    Raises
    ------
    InkfoldError
        With the command for the folder inside.
    """
    inner: dict[bytes, None] = {}
    for path in paths:
        only, second, *deeper = path.split(b"/", 2)
        if not deeper:
            return
        inner[second] = None
    if len(inner) < 2:
        return
    names = ", ".join(repr(readable(name)) for name in sorted(inner)[:SHOWN])
    command = f"{typed('create_dataset')} {shlex.quote(str(source.path))}"
    inside = f"{command} --label-by '^[^/]+/([^/]+)/'"  # an archive has no path for its folders
    if isinstance(source, Folder):
        inside = f"{typed('create_dataset')} {shlex.quote(str(source.path / os.fsdecode(only)))}"
    raise InkfoldError(
        f"{source.path} holds one folder, {readable(only)!r}, with {len(inner):,} folders of "
        f"pictures in it ({names}, ...); if these are the classes: {inside}; "
        f"to pack one class: {command} --layout classes"
    )


def _by_split(
    source: Source, paths: Spool, found: _Walked, shape: Arrangement, scratch: Path
) -> Listing:
    """The listing of split folders above class folders, or inside of them."""
    names, of_folder, counts = ClassNames(source), dict[bytes, str](), [0] * len(SPLITS)
    with Gathering(scratch) as gathering:
        for path in paths:
            top, second, *deeper = path.split(b"/", 2)
            split, folder = (top, second) if shape == "above" else (second, top)
            side = split_of(split)
            if side == NO_SIDE or not deeper:
                found.ignored.add(readable(path), "lies in no class folder of a split folder")
                continue
            if folder not in of_folder:
                of_folder[folder] = names.of(folder, path)
            gathering.add(path, of_folder[folder], side=side)
            counts[side] += 1
        paths.close()
        given = " / ".join(f"{count:,}" for count in counts)
        where = "above the class folders" if shape == "above" else "inside of the class folders"
        said = f"split folders {where}: {given} pictures of train / validation / test"
        remarks = _remarks(list(of_folder.values()), names)
        return gathering.listing(ignored=found.ignored, remarks=(said, *remarks))


def label_by(source: Source, pattern: str, scratch: Path) -> Listing:
    """List the pictures of a source, each with the class that a pattern finds in its path.

    Parameters
    ----------
    source : Folder or Archive
    pattern : str
        Regular expression, searched in the path in the source. The class is the first parenthesis
        that matched something, or the whole match if there is no parenthesis.
    scratch : Path
        Existing folder for the files that hold paths.

    Raises
    ------
    InkfoldError
        If the source holds no picture, or no path matches.
    """
    search, ignored, refused = re.compile(pattern), Tally(), Tally()
    with Gathering(scratch) as gathering:
        for entry in source.entries():
            if entry.reason:
                ignored.add(readable(entry.path), entry.reason)
            elif entry.kind == "file" and source.is_picture(entry.path):
                path = readable(entry.path)
                if name := _matched(search, path):
                    gathering.add(entry.path, normal(name))
                else:
                    refused.add(path, "no class in its path: --label-by does not match")
            elif entry.kind == "file":
                ignored.add(readable(entry.path), "not a picture")
        if not len(gathering):
            raise InkfoldError(f"{source.path}: {_no_match(pattern, refused)}")
        said = f"classes by --label-by: {len(gathering.classes):,}"
        return gathering.listing(ignored=ignored, refused=refused, remarks=(said,))


def _matched(search: re.Pattern[str], path: str) -> str:
    """The class in a path: the first parenthesis that matched something, or the whole match."""
    match = search.search(path)
    if match is None:
        return ""
    return next(filter(None, match.groups()), "") if search.groups else match[0]


def _no_match(pattern: str, refused: Tally) -> str:
    """Why ``--label-by`` gave no class, and what to do."""
    if not refused.count:
        return "no pictures in it; expected picture files at any depth"
    return (
        f"--label-by {pattern!r} matches none of {refused.count:,} pictures, the first is "
        f"{refused.first[0][0]!r}; mend the expression"
    )


def _no_classes(source: Source, found: _Walked) -> str:
    """Why no class was found: by the number of folders, and the files beside them."""
    root = source.path
    pictures = [name for name in found.beside if source.is_picture(name)]
    if pictures:
        command = f"{typed('create_dataset')} {shlex.quote(str(root))}"
        return (
            f"{root}: pictures lie directly in it ({len(pictures):,}, the first is "
            f"{readable(pictures[0])!r}); expected one folder per class: {root}/CLASS; if their "
            f"names say the class: {command} --label-by REGEX; if a table does: {command} "
            "--labels TABLE"
        )
    if not found.counts:
        return f"{root} holds no folders; expected one folder of pictures per class"
    empty = f"{root}: no pictures in its {len(found.counts)} folders"
    return f"{empty}; expected pictures, such as PNG, JPEG, TIFF or GIF files"
