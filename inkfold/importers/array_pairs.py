"""Which of the arrays in a file are pictures, which are labels, and on which side they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inkfold.errors import InkfoldError
from inkfold.importers.collection import Official
from inkfold.importers.files import SIDE_ORDER, side_of, words_of
from inkfold.importers.labels import NAMES

IMAGES = frozenset({"image", "images", "img", "imgs", "picture", "pictures", "data", "x"})


@dataclass(frozen=True, kw_only=True)
class Member:
    """An array in a file.

    Attributes
    ----------
    name : str
    shape : tuple of int
    dtype : str
        As a message says it.
    pictures, labels : int or None
        How many pictures or labels it holds, if it can hold any.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    pictures: int | None
    labels: int | None

    def __str__(self) -> str:
        return f"{self.name} {self.dtype} {self.shape}"


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Pictures and their labels.

    Attributes
    ----------
    split : {"train", "validation", "test"}, optional
        By the words of the arrays' names.
    pictures, labels : Member
    """

    split: Official | None
    pictures: Member
    labels: Member


def pairs_of(
    path: Path, members: Sequence[Member], label_column: str | None
) -> tuple[list[Pair], list[str]]:
    """The pairs in a file, train before test, and notes on what was left out.

    Parameters
    ----------
    path : Path
    members : sequence of Member
    label_column : str, optional
        The array of the labels, where a user names it.

    Raises
    ------
    InkfoldError
        If there is no pair, or arrays may be paired in more than one way.
    """
    sides: dict[Official | None, list[Member]] = {}
    for member in members:
        sides.setdefault(side_of(words_of(member.name)), []).append(member)
    pairs, notes = [], []
    order = sorted(sides, key=SIDE_ORDER.__getitem__)
    for split in order:
        found = sides[split]
        pictures = [member for member in found if member.pictures is not None]
        labels = _labels(found, pictures, label_column)
        if pictures and not labels and len(order) > 1:
            notes.append(f"{path.name}: {pictures[0].name} has no labels and is left out")
        elif pictures:
            images, chosen = _pair(path, found, pictures, labels)
            pairs.append(Pair(split=split, pictures=images, labels=chosen))
    if not pairs:
        raise _refused(path, members, "no array of pictures with an array of as many labels")
    return pairs, notes


def _labels(
    found: Sequence[Member], pictures: Sequence[Member], label_column: str | None
) -> list[Member]:
    """The arrays that may be labels of one of the arrays of pictures."""
    counts = {member.pictures for member in pictures}
    fit = [member for member in found if member.labels is not None and member.labels in counts]
    return [member for member in fit if label_column in (None, member.name)]


def _pair(
    path: Path, found: Sequence[Member], pictures: Sequence[Member], labels: Sequence[Member]
) -> tuple[Member, Member]:
    """The only pair of a side: pictures and labels."""
    if not labels:
        raise _refused(path, found, "no array of as many labels as there are pictures")
    chosen = _only(pictures, IMAGES), _only(labels, NAMES)
    if chosen[0] is None or chosen[1] is None or chosen[0].pictures != chosen[1].labels:
        readings = [
            f"{image.name} with {label.name}"
            for image in pictures
            for label in labels
            if image.pictures == label.labels
        ]
        raise InkfoldError(
            f"{path}: more than one reading: {', or '.join(readings[:6])}; name the labels with "
            "--label-column NAME, or save two arrays alone"
        )
    return chosen[0], chosen[1]


def _only(members: Sequence[Member], names: frozenset[str]) -> Member | None:
    """The only member, or the only one with such a name; None if there is no such one."""
    if len(members) == 1:
        return members[0]
    named = [member for member in members if names & set(words_of(member.name))]
    return named[0] if len(named) == 1 else None


def _refused(path: Path, members: Sequence[Member], lack: str) -> InkfoldError:
    shown = ", ".join(map(str, members[:8])) or "nothing"
    return InkfoldError(
        f"{path}: {lack}; it holds {shown}; expected pictures (N, H, W), (N, H, W, 1 or 3) or "
        "(N, H * W) of squares, and labels (N,)"
    )
