"""Split folders: how they are recognised above class folders, or inside of them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from inkfold.archives.url import Place
from inkfold.errors import InkfoldError
from inkfold.packing.listing import NO_SIDE
from inkfold.picture_files import readable
from inkfold.program import typed
from inkfold.spec import TEST, TRAIN, VALIDATION

Layout = Literal["auto", "classes", "splits"]
Arrangement = Literal["classes", "above", "inside"]  # where split folders lie, if there are any
SPLIT_NAMES = {
    **dict.fromkeys((b"train", b"training", b"trn"), TRAIN),
    **dict.fromkeys((b"val", b"valid", b"validation", b"dev"), VALIDATION),
    **dict.fromkeys((b"test", b"testing", b"tst", b"eval"), TEST),
}


def split_of(folder: bytes) -> int:
    """The split that a folder's name says, in any case; `NO_SIDE` for any other name."""
    return SPLIT_NAMES.get(folder.lower(), NO_SIDE)


@dataclass
class Seen:
    """What the pictures' paths say about split folders.

    Attributes
    ----------
    direct, nested : set of bytes
        The split-named folders directly under the root that hold pictures, and those that hold
        folders with pictures.
    others : set of bytes
        The other folders directly under the root that hold pictures, at any depth.
    sides : set of int
        The splits of folders directly inside of `others`.
    inside, outside : int
        Pictures of `others` that lie in such split folders, and those that do not.
    """

    direct: set[bytes] = field(default_factory=set)
    nested: set[bytes] = field(default_factory=set)
    others: set[bytes] = field(default_factory=set)
    sides: set[int] = field(default_factory=set)
    inside: int = 0
    outside: int = 0

    @classmethod
    def of(cls, paths: Iterable[bytes]) -> Seen:
        """Look at the path of every picture."""
        seen = cls()
        for path in paths:
            top, second, *deeper = path.split(b"/", 2)
            if split_of(top) != NO_SIDE:
                (seen.nested if deeper else seen.direct).add(top)
                continue
            seen.others.add(top)
            side = split_of(second) if deeper else NO_SIDE
            if side == NO_SIDE:
                seen.outside += 1
            else:
                seen.inside += 1
                seen.sides.add(side)
        return seen


def arrangement(root: Place, seen: Seen, layout: Layout) -> Arrangement:
    """Whether the folders under `root` are classes or splits, or the folders inside them splits.

    Raises
    ------
    InkfoldError
        If the folders can be read as both and `layout` does not say which they are; or if they
        shall be splits and are not.
    """
    if layout == "classes":
        return "classes"
    if layout == "splits":
        if seen.nested:
            return "above"
        if seen.inside:
            return "inside"
        raise InkfoldError(
            f"{root}: no split folders; expected {root}/train/CLASS, {root}/test/CLASS, or "
            f"{root}/CLASS/train, {root}/CLASS/test; leave --layout out"
        )
    if seen.nested and not seen.direct and not seen.others:
        return "above"
    if seen.nested and (seen.direct or len({split_of(name) for name in seen.nested}) > 1):
        odd = sorted(seen.direct or seen.others)[0]
        holds = "pictures as well as folders" if odd in seen.direct else "no split's name"
        names = " and ".join(repr(readable(name)) for name in sorted(seen.nested)[:3])
        raise _both(root, f"{names} look like splits, but {readable(odd)!r} has {holds}")
    if len(seen.sides) > 1:
        if not seen.outside:
            return "inside"
        part = f"{seen.inside:,} pictures lie in CLASS/train, CLASS/test and the like"
        raise _both(root, f"{part}, {seen.outside:,} do not")
    return "classes"


def _both(root: Place, found: str) -> InkfoldError:
    """The error that folders can be read in two ways, with the command of each."""
    command = f"{typed('create_dataset')} {shlex.quote(str(root))} --layout"
    return InkfoldError(
        f"{root}: {found}; if they are splits: {command} splits (leaves the rest out); "
        f"if they are classes: {command} classes"
    )
