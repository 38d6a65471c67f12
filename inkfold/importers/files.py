"""The files of a set: in a folder, beside a file, or by the beginning of their names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from inkfold.errors import InkfoldError
from inkfold.importers.collection import Official

SIDES: dict[str, Official] = {"train": "train", "test": "test", "t10k": "test"}


@dataclass(frozen=True)
class Found:
    """The files of one side of a set.

    `name` is the set's, as far as the files' names tell; `split` its side, None where no name
    tells; `files` by what they hold ("images", "labels"), as the pattern calls it.
    """

    name: str
    split: Official | None
    files: Mapping[str, Path]


def find(source: Path, pattern: re.Pattern[str]) -> list[Found]:
    """The sides of all sets at `source` whose file names match; none where nothing can be read.

    Parameters
    ----------
    source : Path
        A folder; a file, which stands for itself and what belongs to it in its folder; or the
        beginning of names ("gzip/emnist-balanced").
    pattern : re.Pattern
        With the groups "name", "split" (a key of `SIDES`) and, where a side is several files,
        "kind". A file that is compressed gives way to the same one that is not.
    """
    folder = source if source.is_dir() else source.parent
    try:
        names = sorted(path.name for path in folder.iterdir() if path.is_file())
    except OSError:
        return []
    sides: dict[tuple[str, Official | None], dict[str, Path]] = {}
    for name in names:
        match = pattern.fullmatch(name)
        if match is None or not (source.is_dir() or name.startswith(_beginning(source, pattern))):
            continue
        side = match["name"], SIDES.get((match["split"] or "").lower())
        kind = match.groupdict().get("kind", "pictures").lower()
        sides.setdefault(side, {}).setdefault(kind, folder / name)
    return [Found(*side, files) for side, files in sorted(sides.items(), key=_order)]


def _beginning(source: Path, pattern: re.Pattern[str]) -> str:
    """What the names of the files that are meant begin with."""
    match = pattern.fullmatch(source.name) if source.is_file() else None
    if match is None:
        return source.name
    return source.name[: match.start("kind")] if "kind" in match.groupdict() else source.name


def _order(item: tuple[tuple[str, Official | None], dict[str, Path]]) -> tuple[str, str]:
    """By name, train before test."""
    (name, split), _ = item
    return name, {"train": "0", "test": "1"}.get(split or "", "2")


def one_set(source: Path, found: list[Found], kinds: tuple[str, ...], expected: str) -> str:
    """The name of the only set in `found`, each side of it whole.

    Raises
    ------
    InkfoldError
        If there is none, there are several, or a side lacks one of `kinds`.
    """
    if not found:
        what = "no such file or folder" if not source.exists() else "no such files here"
        raise InkfoldError(f"{source}: {what}; expected {expected}")
    names = sorted({side.name for side in found})
    if len(names) > 1:
        folder = source if source.is_dir() else source.parent
        raise InkfoldError(
            f"{source} holds {len(names)} sets: {', '.join(map(repr, names))}; name one by the "
            f"beginning of its files, as {str(folder / names[0])!r}"
        )
    for side in found:
        for kind in kinds:
            if kind not in side.files:
                there = next(iter(side.files.values()))
                raise InkfoldError(
                    f"{there}: its {kind} file is not beside it; expected {expected}"
                )
    return names[0] or (source if source.is_dir() else source.parent).absolute().name.lower()
