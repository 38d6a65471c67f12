"""The labels of a set as its files write them, numbers or texts, become classes and places."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkfold.errors import InkfoldError

# columns and arrays that hold labels, in small letters
NAMES = frozenset({"label", "labels", "class", "classes", "target", "targets"})
NAMES |= {"character", "char", "symbol", "letter", "digit", "y"}
MOST = 1 << 16  # classes; a larger number is no label
WHOLE = re.compile(r"(\d{1,9})(?:\.0*)?")  # 5.0 is how tables write 5 where a label is missing
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)


@dataclass(frozen=True)
class Labels:
    """The labels of the pictures of a file.

    Attributes
    ----------
    texts : tuple of str
        Each label once, in the order in which they come.
    places : int64 array of shape (N,)
        Which of the texts is the label of each picture.
    """

    texts: tuple[str, ...]
    places: NDArray[np.int64]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Labels:
        """The labels of pictures, one by one."""
        known: dict[str, int] = {}
        places = [known.setdefault(text, len(known)) for text in texts]
        return cls(tuple(known), np.array(places, np.int64))

    @classmethod
    def of_array(cls, array: NDArray[Any], place: str) -> Labels:
        """The labels in an array: (N,) or (N, 1) numbers or texts, or (N, C) with a 1 in each row.

        Raises
        ------
        InkfoldError
            If its numbers are not whole, or its texts no characters.
        """
        if array.ndim == 2:
            array = array[:, 0] if array.shape[1] == 1 else array.argmax(axis=1)
        values, places = np.unique(array, return_inverse=True)
        if values.dtype.kind == "f":
            broken = values[~np.isfinite(values) | (np.rint(values) != values)]
            if len(broken):
                raise InkfoldError(
                    f"{place}: a label is {broken[0]}, expected whole numbers or texts"
                )
        if values.dtype.kind == "U":
            codes = values.astype(values.dtype.newbyteorder("=")).view(np.uint32)
            if codes.max(initial=0) > sys.maxunicode:
                raise InkfoldError(f"{place}: a label is no text; save it again")
        texts = tuple(map(_text, values.tolist()))
        return cls(texts, np.asarray(places, np.int64).reshape(-1))

    def __len__(self) -> int:
        return len(self.places)

    def first(self, text: str) -> int:
        """The first picture with the label `text`."""
        return int(np.flatnonzero(self.places == self.texts.index(text))[0])


def is_one_hot(block: NDArray[Any]) -> bool:
    """Whether each row of a block, (n, C), is 0 but for a single 1."""
    return bool(((block == 0) | (block == 1)).all() and (block.sum(axis=1) == 1).all())


def _text(value: object) -> str:
    """A label of an array as text: the whole number that a bool or float is."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace").strip()
    return spelt(value.strip()) if isinstance(value, str) else str(int(value))  # type: ignore[call-overload]  # a number else


def spelt(text: str) -> str:
    r"""A text with what no program can print, half a character of UTF-16, as ``\ud800``."""
    return text.encode("utf-8", "backslashreplace").decode()


def number_of(text: str) -> int | None:
    """The number that a label is; None if it is a text."""
    match = WHOLE.fullmatch(text)
    return int(match[1]) if match else None


def classes_of(files: Sequence[Labels], place: str) -> tuple[str, ...]:
    """The classes of all files of a set, in label order.

    Numbers stand for the classes from 0 to the largest; other labels are sorted.

    Parameters
    ----------
    files : sequence of Labels
    place : str
        What an error is about.

    Raises
    ------
    InkfoldError
        If there are fewer than two different labels: the labels are then something else.
    """
    texts = {text for labels in files for text in labels.texts}
    if len(texts) < 2:
        count = sum(map(len, files))
        found = f"all {count:,} pictures have the label {min(texts)!r}" if texts else "no label"
        raise InkfoldError(
            f"{place}: {found}, expected two classes at least; are the labels elsewhere in the set?"
        )
    numbers = [number_of(text) for text in texts]
    whole = [number for number in numbers if number is not None]
    if len(whole) == len(numbers):
        return tuple(str(number) for number in range(min(max(whole) + 1, MOST)))
    return tuple(sorted(texts))


def places_in(classes: Sequence[str], labels: Labels) -> NDArray[np.int64]:
    """The place in `classes` of each of the labels' texts; -1 where it has none."""
    known = {name: place for place, name in enumerate(classes)}
    places = [known.get(text, known.get(str(number_of(text)), -1)) for text in labels.texts]
    return np.array(places, np.int64)


def sides_of(
    files: Sequence[Labels], places: Sequence[str]
) -> tuple[tuple[str, ...], list[NDArray[np.int64]]]:
    """The classes of a set, and the number of each picture's class, file by file.

    Parameters
    ----------
    files : sequence of Labels
    places : sequence of str
        What an error about each of the files names.

    Raises
    ------
    InkfoldError
        If a label cannot be one, or all pictures have the same one.
    """
    if odd := odd_one(files):
        at = files[odd[0]].first(odd[1])
        raise InkfoldError(
            f"{places[odd[0]]}: label {odd[1]!r} of picture {at:,}, expected whole numbers from 0, "
            "or texts; look for a damaged or missing label"
        )
    classes = classes_of(files, places[0])
    numbers = [places_in(classes, labels)[labels.places] for labels in files]
    for labels, known, place in zip(files, numbers, places, strict=True):
        if len(known) and known.min() < 0:
            at = int(np.flatnonzero(known < 0)[0])
            raise InkfoldError(
                f"{place}: label {labels.texts[labels.places[at]]} of picture {at:,}, expected at "
                f"most {MOST - 1}; are these labels?"
            )
    return classes, numbers


def odd_one(files: Sequence[Labels]) -> tuple[int, str] | None:
    """The file and text of a label that cannot be one beside the others; None if all can.

    That is a number which is not whole or below 0, and a text of one picture alone among numbers: a
    damaged number looks so.
    """
    numbers = any(number_of(text) is not None for labels in files for text in labels.texts)
    for place, labels in enumerate(files):
        counts = np.bincount(labels.places, minlength=len(labels.texts))
        for text, count in zip(labels.texts, counts.tolist(), strict=True):
            if number_of(text) is not None:
                continue
            if NUMBER.fullmatch(text) or not text or (numbers and count == 1):
                return place, text
    return None
