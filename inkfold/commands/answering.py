"""Predictions as a command prints them, made in this process or by the workers of a cluster."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from inkfold.ahead import Ahead
from inkfold.bundle.bundle import Bundle, load_bundle
from inkfold.commands.classify_lines import Format, line_maker
from inkfold.errors import InkfoldError

if TYPE_CHECKING:
    from inkfold.classifier import Classifier, Engine
    from inkfold.crew import Crew
    from inkfold.given import Deferred
    from inkfold.prediction import Prediction, Refusal

NO_CHARACTER = "pictures got no label, for they do not look like one character"
PHOTOGRAPHS = "pictures taken for photographs; what is written on the sheet was answered"
FURTHER = b": has several frames or pages; the first was answered"
MOST = 4096  # paths in a piece of work: a piece costs the scheduler of a cluster 3 ms
PATIENCE = 0.05  # seconds without a new path after which those at hand are given away


@dataclass
class Counts:
    """What the pictures of a run were like, for the notes at its end."""

    given: int = 0
    failed: int = 0
    photographs: int = 0
    withheld: Counter[str] = field(default_factory=Counter)  # labels withheld for a flag, by flag

    def add(self, prediction: Prediction, refusal: Refusal) -> None:
        """Count one more picture."""
        self.given += 1
        self.photographs += prediction.photograph
        if prediction.error is not None:
            self.failed += 1
        elif prediction.flag is not None and refusal.flagged:
            self.withheld[prediction.flag] += 1

    def include(self, other: Self) -> None:
        """Count the pictures of another part of the run."""
        self.given += other.given
        self.failed += other.failed
        self.photographs += other.photographs
        self.withheld += other.withheld

    def notes(self, *, strict: bool) -> Iterator[str]:
        """One sentence for each thing that a user should know of."""
        if self.photographs:
            yield f"{self.photographs:,} of {self.given:,} {PHOTOGRAPHS}"
        if self.withheld:
            kinds = ", ".join(f"{flag} {count:,}" for flag, count in self.withheld.most_common())
            way = "" if strict else "; --reject 0 gives every label"
            yield f"{self.withheld.total():,} of {self.given:,} {NO_CHARACTER} ({kinds}){way}"


class Answer(NamedTuple):
    """What is printed of one picture.

    Attributes
    ----------
    line : bytes
        For stdout; may be empty.
    error, note : bytes, optional
        Lines for stderr.
    """

    line: bytes
    error: bytes | None = None
    note: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Answering:
    """How pictures are answered, in whatever process.

    Attributes
    ----------
    bundle : Path
        Absolute.
    content : str
        A digest of the bundle's record, which holds the digests of its files.
    engine : {"onnx", "keras"}
    top : int
    only : tuple of str, optional
        As `Classifier` takes them.
    form : {"text", "csv", "jsonl"}
    refusal : Refusal
    """

    bundle: Path
    content: str
    engine: Engine
    top: int
    only: tuple[str, ...] | None
    form: Format
    refusal: Refusal

    def answers(
        self, predictions: Iterable[Prediction], counts: Counts, folder: str = ""
    ) -> Iterator[Answer]:
        """What is printed of each prediction, which is counted as well.

        Relative paths lead from `folder`, by default the working folder of this process.
        """
        make_line = line_maker(self.form, refusal=self.refusal, top=self.top)
        for prediction in predictions:
            counts.add(prediction, self.refusal)
            failed = prediction.error is not None
            path = os.fsencode(prediction.path)
            yield Answer(
                make_line(prediction),
                _error_line(path, prediction.error or "", folder) if failed else None,
                b"note: " + path + FURTHER if prediction.further else None,
            )


@dataclass(frozen=True)
class Piece:
    """Some pictures for a worker.

    Attributes
    ----------
    answering : Answering
    folder : str
        The working folder of the caller, from where relative paths lead.
    paths : tuple of str or Deferred
        As they were given; of an archive its pictures, which the worker reads itself.
    """

    answering: Answering
    folder: str
    paths: tuple[str | Deferred, ...]


def content_of(bundle: Bundle) -> str:
    """A digest of a bundle's record."""
    text = json.dumps(bundle.record, sort_keys=True)
    return blake2b(text.encode(), digest_size=16).hexdigest()


def shared_answers(
    crew: Crew, answering: Answering, paths: Iterator[str | Deferred], counts: Counts
) -> Iterator[Answer]:
    """The answers for paths, made by a crew, in the order of the paths.

    Pieces begin with one path and double, so that the first answer comes soon.
    """
    with Ahead(paths, limit=MOST) as ahead:
        for answers, counted in crew.in_order(answers_of, _pieces(ahead, answering)):
            counts.include(counted)
            yield from answers


def _pieces(ahead: Ahead[str | Deferred], answering: Answering) -> Iterator[Piece]:
    most, folder = 1, str(Path.cwd())
    while paths := ahead.take(most, patience=PATIENCE):
        yield Piece(answering, folder, tuple(paths))
        most = min(2 * most, MOST)


def answers_of(piece: Piece) -> tuple[list[Answer], Counts]:
    """Answer some pictures; runs in a worker."""
    counts, folder = Counts(), piece.folder
    predictions = _classifier(piece.answering).classify(_from(folder, piece.paths))
    named = (
        replace(prediction, path=path) if isinstance(path, str) else prediction
        for path, prediction in zip(piece.paths, predictions, strict=True)
    )
    return list(piece.answering.answers(named, counts, folder)), counts


def _from(folder: str, paths: Sequence[str | Deferred]) -> list[str | Deferred]:
    """The paths as they lead from a folder."""
    return [
        os.path.join(folder, path) if path and isinstance(path, str) else path  # noqa: PTH118, a Path would lose a last slash
        for path in paths
    ]


@lru_cache(1)
def _classifier(answering: Answering) -> Classifier:
    """The classifier that a worker keeps from piece to piece; it answers in one thread."""
    from inkfold.classifier import Classifier

    bundle = load_bundle(answering.bundle)
    if content_of(bundle) != answering.content:
        raise InkfoldError(
            f"{answering.bundle}: another bundle has taken its place meanwhile; run it again"
        )
    return Classifier(bundle, answering.engine, answering.top, answering.only, threads=1)


def _error_line(path: bytes, reason: str, folder: str) -> bytes:
    """``error: path: reason``, with the path in the bytes in which it was given."""
    whole = os.path.join(os.fsencode(folder), path)  # noqa: PTH118, bytes
    if path == b"-":
        reason = "no paths on stdin"
    elif os.path.isdir(whole) and os.access(whole, os.R_OK):  # noqa: PTH112, bytes
        reason = "no pictures in this folder"
    return b"error: " + path + f": {reason}".encode()
