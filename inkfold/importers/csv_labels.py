"""CSV pairs: a file of pictures without labels, and a file with as many lines of labels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inkfold.errors import InkfoldError
from inkfold.importers.collection import Official
from inkfold.importers.csv_layout import (
    INDEX,
    SEPARATORS,
    Layout,
    fields_of,
    lines_of,
    look_at,
    unlabelled,
)
from inkfold.importers.files import SIDE_ORDER, SIDE_WORDS, side_of, words_of
from inkfold.importers.labels import NAMES, Labels

IMAGES = frozenset({"image", "images", "img", "imgs", "picture", "pictures", "pixel", "pixels"})
IMAGES |= {"data", "features", "x"}
LABELS = frozenset({"label", "labels", "lbls", "class", "classes", "target", "targets", "y"})
SHAPE = re.compile(r"\d+x\d+")  # of the table, in the names of some files


@dataclass(frozen=True, kw_only=True)
class LabelFile:
    """A CSV file of labels, one a line.

    Attributes
    ----------
    path : Path
    name : str
        What is left of the file's name without its side and kind.
    split : {"train", "validation", "test"}, optional
    """

    path: Path
    name: str
    split: Official | None

    def read(self) -> Labels:
        """The labels, without a heading.

        Raises
        ------
        InkfoldError
            If a line is not a label, or a number and a label.
        """
        beginning = next(lines_of(self.path, heading=False), b"")
        separator = max(SEPARATORS, key=beginning.count)
        first = fields_of(beginning, separator)
        names = [field.decode("utf-8", "backslashreplace").lower() for field in first]
        heading = any(name in NAMES for name in names) or (
            len(names) > 1 and any(name and INDEX.fullmatch(name) for name in names)
        )
        column = self._column(names, heading=heading)
        texts = []
        for number, line in enumerate(lines_of(self.path, heading=heading), 1 + heading):
            fields = fields_of(line, separator)
            if len(fields) != len(names) or not fields[column]:
                raise InkfoldError(
                    f"{self.path}: line {number} is {line[:40]!r}, expected {len(names)} field"
                    f"{'s' if len(names) > 1 else ''} with the label of a picture"
                )
            texts.append(fields[column].decode("utf-8", "backslashreplace"))
        return Labels.of(texts)

    def _column(self, names: Sequence[str], *, heading: bool) -> int:
        """Which column is the label; raises InkfoldError if more than one may be."""
        if len(names) == 1:
            return 0
        named = [at for at, name in enumerate(names) if name in NAMES]
        if not named and heading:
            named = [at for at, name in enumerate(names) if not INDEX.fullmatch(name)]
        if len(named) == 1:
            return named[0]
        raise InkfoldError(
            f"{self.path}: {len(names)} columns ({', '.join(names[:5])}), expected labels alone, "
            "or a heading that names one column label"
        )


def label_pairs(source: Path) -> list[tuple[Layout, LabelFile]]:
    """The files of pictures at `source`, each with its file of labels, train before test.

    The files of a pair have the same name but for a word such as images or labels. A file of
    pictures without such a partner (the test of a competition) is not taken.

    Raises
    ------
    InkfoldError
        If the pairs in a folder belong to several sets, or a side has two files of a kind.
    """
    folder = source if source.is_dir() else source.parent
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".csv")
    except OSError:
        return []
    kinds: dict[tuple[str, Official | None, str], list[Path]] = {}
    for path in paths:
        words = [word for word in words_of(path.stem) if not SHAPE.fullmatch(word)]
        kind = _kind(words)
        if kind:
            rest = [word for word in words if word not in IMAGES | LABELS | SIDE_WORDS.keys()]
            kinds.setdefault((" ".join(rest), side_of(words), kind), []).append(path)
    pairs = []
    for (name, split, kind), found in kinds.items():
        partners = kinds.get((name, split, "labels"), [])
        meant = source.is_dir() or source in (*found, *partners)
        if kind == "images" and partners and meant:
            pairs.append(_pair(found, partners, name, split))
    whole = [pair for pair in pairs if pair is not None]
    names = sorted({labels.name for _, labels in whole})
    if len(names) > 1:
        raise InkfoldError(
            f"{source} holds {len(names)} sets: {', '.join(map(repr, names))}; name one of the "
            "files"
        )
    return sorted(whole, key=lambda pair: SIDE_ORDER[pair[1].split])


def _kind(words: Sequence[str]) -> str | None:
    """What a file's words say that it holds; None if they say neither or both."""
    images, labels = bool(IMAGES & set(words)), bool(LABELS & set(words))
    return None if images == labels else ("images" if images else "labels")


def _pair(
    images: Sequence[Path], labels: Sequence[Path], name: str, split: Official | None
) -> tuple[Layout, LabelFile] | None:
    """A pair of files; None if the first holds no pictures, or their labels too."""
    looks = [look for path in images if (look := look_at(path))]
    layouts = [layout for look in looks if (layout := unlabelled(look))]
    if not layouts:
        return None
    if len(layouts) > 1 or len(labels) > 1:
        several = layouts[1].look.path if len(layouts) > 1 else labels[1]
        raise InkfoldError(
            f"{several}: a second file of its kind beside {images[0].name} and {labels[0].name}; "
            "keep the pair that belongs together in a folder of its own"
        )
    return layouts[0], LabelFile(path=labels[0], name=name, split=split)
