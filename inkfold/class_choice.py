"""Which of a bundle's classes may be answered: a list of names and ranges, and what it makes."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inkfold.byte_marks import marked_encoding
from inkfold.class_names import code_points, look, normal
from inkfold.errors import InkfoldError

RANGE = re.compile(r"(.)-(.)", re.DOTALL)
CLOSEST = 3  # names that are proposed in place of an unknown one


def chosen_classes(text: str, classes: Sequence[str]) -> tuple[str, ...]:
    """The classes that a text names, in label order.

    Parameters
    ----------
    text : str
        Names and ranges with commas between: ``0-9,A,B``. A range stands for the classes of one
        character between its ends, in the order of code points. ``@FILE`` names a file with a class
        a line, which may hold commas.
    classes : sequence of str
        Those that the bundle knows.

    Raises
    ------
    InkfoldError
        If a name is unknown, a range holds no class, the file cannot be read, or nothing is named.
    """
    if text.startswith("@") and text not in classes:
        named = set(_known(_lines(Path(text[1:])), classes))
    else:
        named = {name for part in text.split(",") if part for name in _meant(part, classes)}
    if not named:
        raise InkfoldError(f"--only {text!r} names no class; expected some, as 0-9 or A,B,C")
    return tuple(name for name in classes if name in named)


def columns_of(names: Sequence[str], classes: Sequence[str]) -> NDArray[np.intp]:
    """The places of some classes among all.

    Raises
    ------
    ValueError
        If a name is no class.
    """
    return np.array([classes.index(name) for name in names], np.intp)


def restricted(
    probabilities: NDArray[np.float32], columns: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Probabilities (N, C) over some of the classes alone, (N, len(columns)): they add up to 1.

    Where all of them are too small for a float32, they are equal.
    """
    some = probabilities[:, columns]
    total = some.sum(axis=1, keepdims=True)
    return np.where(total > 0, some / np.where(total > 0, total, 1), 1 / len(columns)).astype(
        np.float32
    )


def _meant(part: str, classes: Sequence[str]) -> Iterator[str]:
    """The classes that a name or a range stands for."""
    match = RANGE.fullmatch(part)
    if match is None or normal(part) in classes:
        yield from _known([part], classes)
        return
    first, last = match.groups()
    inside = [name for name in classes if len(name) == 1 and first <= name <= last]
    if not inside:
        raise InkfoldError(
            f"--only: no class lies between {first!r} and {last!r}; {_shown(classes)}"
        )
    yield from inside


def _known(names: Iterable[str], classes: Sequence[str]) -> Iterator[str]:
    """The names, checked to be classes."""
    for name in names:
        if normal(name) not in classes:
            raise InkfoldError(
                f"--only: {name!r} is no class of the bundle; {_closest(name, classes)}"
            )
        yield normal(name)


def _closest(name: str, classes: Sequence[str]) -> str:
    """The classes that an unknown name may mean, or all of them if none is like it."""
    alike = [known for known in classes if look(known).casefold() == look(name).casefold()]
    near = alike or difflib.get_close_matches(name, classes, n=CLOSEST, cutoff=0.5)
    if not near:
        return _shown(classes)
    told = (
        f"{known!r} ({code_points(known)})" if alike else repr(known) for known in near[:CLOSEST]
    )
    return f"closest: {', '.join(told)}"


def _shown(classes: Sequence[str]) -> str:
    names = ", ".join(map(repr, classes[:10]))
    return f"it has {names}{' and more' if len(classes) > 10 else ''}"


def _lines(path: Path) -> list[str]:
    """The lines of a file of names, without empty ones."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InkfoldError(f"--only @{path}: {error.strerror}; expected a class a line") from None
    try:
        text = data.decode(marked_encoding(data))
    except UnicodeDecodeError:
        raise InkfoldError(f"--only @{path}: no text in UTF-8; save it as UTF-8") from None
    return [line.strip() for line in text.splitlines() if line.strip()]
