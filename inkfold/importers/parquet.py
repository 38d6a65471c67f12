"""Parquet: a picture's bytes and its label in each row, as data sets of Hugging Face lie."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkfold.errors import InkfoldError, PictureError
from inkfold.extras import need
from inkfold.identity import Identity
from inkfold.importers.array_pairs import IMAGES
from inkfold.importers.arrays import AGAIN, BLOCK
from inkfold.importers.collection import Collection, Glyph, Official
from inkfold.importers.files import (
    SIDE_ORDER,
    SIDE_WORDS,
    nothing_at,
    side_of,
    words_but_sides,
    words_of,
)
from inkfold.importers.labels import NAMES, Labels, sides_of, spelt
from inkfold.picture import as_grey, decode
from inkfold.tally import Tally

MAGIC = b"PAR1"
EXPECTED = "Parquet files with a column of pictures as bytes and a column of labels"


@dataclass(frozen=True, kw_only=True)
class Part:
    """A Parquet file.

    Attributes
    ----------
    path : Path
    split : {"train", "validation", "test"}, optional
        By the words of the file's and its folder's names.
    image : str
        The column of the pictures.
    inside : bool
        Whether the bytes are a field of that column, beside the file's name.
    label : str
        The column of the labels.
    names : tuple of str, optional
        The classes, where the labels are their numbers.
    """

    path: Path
    split: Official | None
    image: str
    inside: bool
    label: str
    names: tuple[str, ...] | None


def recognise(source: Path) -> str | None:
    """Why `source` seems to be Parquet; None if it does not."""
    for path in _files(source):
        return f"{path.name} begins as Parquet does"
    return None


def read(source: Path, label_column: str | None = None) -> Collection:
    """Make a set of the Parquet files at `source`, which are read row group by row group.

    Parameters
    ----------
    source : Path
    label_column : str, optional
        The column of the labels, where its name does not say so.

    Raises
    ------
    InkfoldError
        If pyarrow is not installed, there is no such file or those of several sets, no column or
        more than one can be the pictures or the labels, or a file is torn.
    """
    paths = _files(source)
    if not paths:
        raise nothing_at(source, "no Parquet file here", EXPECTED)
    need(f"{source}: Parquet", "pyarrow")
    folder = source if source.is_dir() else source.parent
    _check_one_set(folder, paths)
    files = tuple(map(Identity.of, paths))
    parts = [_part(folder, path, label_column) for path in paths]
    unreadable, ignored = Tally(), Tally()
    classes, numbers = _classes(parts)
    return Collection(
        name="-".join(words_but_sides(source.stem)) or "parquet",
        classes=classes,
        ink="auto",
        count=sum(map(len, numbers)),
        glyphs=partial(_glyphs, parts, numbers, unreadable, ignored),
        files=files,
        notes=tuple(_notes(parts)),
        unreadable=unreadable,
        ignored=ignored,
    )


def _files(source: Path) -> list[Path]:
    """The Parquet files at a source, or in the folders in it; train before test."""
    try:
        if source.is_file():
            paths = [source]
        else:
            paths = sorted(source.glob("*.parquet")) or sorted(source.glob("*/*.parquet"))
        found = [path for path in paths if path.suffix.lower() == ".parquet" and _begins(path)]
    except OSError:
        return []
    return sorted(found, key=lambda path: SIDE_ORDER[_side(source, path)])


def _begins(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def _words(folder: Path, path: Path) -> list[str]:
    """The words of a file's path under the set's folder."""
    return words_of(path.relative_to(folder).with_suffix("").as_posix())


def _side(folder: Path, path: Path) -> Official | None:
    return side_of(_words(folder if folder.is_dir() else folder.parent, path))


def _check_one_set(folder: Path, paths: Sequence[Path]) -> None:
    """Refuse files that differ in more than side and number."""
    names = {
        " ".join(w for w in _words(folder, path) if w not in SIDE_WORDS and not w.isdigit())
        for path in paths
    }
    if len(names) > 1:
        shown = ", ".join(sorted(path.relative_to(folder).as_posix() for path in paths)[:5])
        raise InkfoldError(
            f"{folder} holds {len(names)} sets: {shown}; name one of the folders or files"
        )


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a file, and say which file is torn, since pyarrow's errors do not."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            yield file
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())[:100]
        raise InkfoldError(f"{path}: cannot be read as Parquet ({reason}); {AGAIN}") from None


def _part(folder: Path, path: Path, label_column: str | None) -> Part:
    """What the columns of a file are; raises InkfoldError if more than one may be the label."""
    with _opened(path) as file:
        schema = file.schema_arrow
    features = _features(schema.metadata or {})
    kinds = {name: schema.field(name).type for name in schema.names}
    images = [name for name, kind in kinds.items() if _holds_bytes(kind)]
    image = _only(path, images, IMAGES, "pictures as bytes", kinds)
    labels = [name for name, feature in features.items() if _is_class(feature) and name in kinds]
    labels = labels or [name for name in kinds if name.lower() in NAMES]
    if label_column is not None:
        labels = [name for name in kinds if name == label_column]
    label = _only(path, labels, NAMES, "labels", kinds)
    names = features[label].get("names") if _is_class(features.get(label)) else None
    if names is not None and len(set(map(str, names))) < len(names):
        raise InkfoldError(
            f"{path}: two of the classes of {label} have one name; expected each once"
        )
    return Part(
        path=path,
        split=_side(folder, path),
        image=image,
        inside=not _is_binary(kinds[image]),
        label=label,
        names=None if names is None else tuple(spelt(str(name)) for name in names),
    )


def _features(metadata: Mapping[bytes, bytes]) -> dict[str, Any]:
    """What Hugging Face's library says of the columns; empty where it did not write the file."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
    except (KeyError, ValueError, TypeError):
        return {}
    return features if isinstance(features, dict) else {}


def _is_class(feature: object) -> bool:
    """Whether a column is the number of a class, whose name is known."""
    if not isinstance(feature, dict) or feature.get("_type") != "ClassLabel":
        return False
    names = feature.get("names")
    return isinstance(names, list) and len(names) > 0


def _is_binary(kind: Any) -> bool:  # noqa: ANN401, pyarrow has no types for mypy
    import pyarrow as pa

    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _holds_bytes(kind: Any) -> bool:  # noqa: ANN401, pyarrow has no types for mypy
    """Whether a column holds bytes, by themselves or beside a file's name."""
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return any(f.name == "bytes" and _is_binary(f.type) for f in kind)
    return _is_binary(kind)


def _only(
    path: Path, columns: Sequence[str], names: frozenset[str], what: str, kinds: Mapping[str, Any]
) -> str:
    """The only one of the columns, or the only one with such a name."""
    named = [name for name in columns if name.lower() in names]
    if len(columns) == 1 or len(named) == 1:
        return (columns if len(columns) == 1 else named)[0]
    found = f"{' and '.join(columns)} may each be the {what}" if columns else f"no column of {what}"
    shown = ", ".join(f"{name} {kind}"[:60] for name, kind in list(kinds.items())[:8])
    raise InkfoldError(
        f"{path}: {found}; its columns are {shown}; name the labels with --label-column NAME"
    )


def _classes(parts: Sequence[Part]) -> tuple[tuple[str, ...], list[NDArray[np.int64]]]:
    """The classes, and the number of each row's class, -1 where it has none, file by file."""
    first = parts[0]
    if any(part.names != first.names for part in parts):
        other = next(part for part in parts if part.names != first.names)
        raise InkfoldError(
            f"{other.path}: the classes of {other.label} differ from those in {first.path.name}; "
            "are these files of one set?"
        )
    columns = [list(_labels(part)) for part in parts]
    if first.names is not None:
        numbers = [
            _numbered(part, column, len(first.names))
            for part, column in zip(parts, columns, strict=True)
        ]
        if len({number for some in numbers for number in np.unique(some) if number >= 0}) < 2:
            raise InkfoldError(
                f"{first.path}: fewer than two classes have pictures; is {first.label} the label?"
            )
        return first.names, numbers
    known = [np.array([text is not None for text in column], bool) for column in columns]
    labels = [Labels.of(text for text in column if text is not None) for column in columns]
    classes, found = sides_of(labels, [f"{part.path}: {part.label}" for part in parts])
    numbers = [np.full(len(mask), -1, np.int64) for mask in known]
    for whole, mask, some in zip(numbers, known, found, strict=True):
        whole[mask] = some
    return classes, numbers


def _numbered(part: Part, column: Sequence[str | None], count: int) -> NDArray[np.int64]:
    """Labels that are numbers of classes; raises InkfoldError for a number that is none."""
    numbers = np.array([-1 if text is None else int(text) for text in column], np.int64)
    outside = np.flatnonzero((numbers < -1) | (numbers >= count))
    if len(outside):
        at = int(outside[0])
        raise InkfoldError(
            f"{part.path}: label {numbers[at]} in row {at:,}, expected one of the {count} classes "
            f"that the file names; {AGAIN}"
        )
    return numbers


def _labels(part: Part) -> Iterator[str | None]:
    """The label of each row as text; None where there is none."""
    with _opened(part.path) as file:
        for batch in file.iter_batches(columns=[part.label]):
            yield from (_text(part, value) for value in batch.column(0).to_pylist())


def _text(part: Part, value: object) -> str | None:
    """A label as text; None where there is none."""
    numeric = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if value is None or (isinstance(value, str) and part.names is None):
        return value
    if not numeric:
        raise InkfoldError(
            f"{part.path}: a label is {value!r:.40}, expected whole numbers"
            f"{'' if part.names else ' or texts'}"
        )
    return str(int(value))  # type: ignore[call-overload]  # a number, as tested above


def _notes(parts: Sequence[Part]) -> Iterator[str]:
    """What was taken for pictures and labels."""
    first = parts[0]
    named = "" if first.names is None else ", with the names that the file brings"
    yield f"{first.path.name}: pictures in column {first.image}, labels in {first.label}{named}"


def _glyphs(
    parts: Sequence[Part],
    numbers: Sequence[NDArray[np.int64]],
    unreadable: Tally,
    ignored: Tally,
) -> Iterator[Glyph]:
    unreadable.clear()
    ignored.clear()
    for part, labels in zip(parts, numbers, strict=True):
        for at, data in enumerate(_pictures(part)):
            source, label = f"{part.path.name}:{at}", int(labels[at])
            if label < 0:
                ignored.add(source, "no label")
                continue
            try:
                pixels = as_grey(decode(data or b""))
            except PictureError as error:
                unreadable.add(source, str(error) if data else "no bytes in the file")
                continue
            yield Glyph(pixels=pixels, label=label, source=source, split=part.split)


def _pictures(part: Part) -> Iterator[bytes | None]:
    """The bytes of each row's picture; None where there are none."""
    with _opened(part.path) as file:
        column = f"{part.image}.bytes" if part.inside else part.image
        for batch in file.iter_batches(batch_size=BLOCK, columns=[column]):
            values = batch.column(0)
            yield from (values.field("bytes") if part.inside else values).to_pylist()
