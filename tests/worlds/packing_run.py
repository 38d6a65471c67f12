"""Packing in this process, and the split that each picture got."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inkfold.archives.url import Place
from inkfold.commands.cli import Advance
from inkfold.crew import Crew
from inkfold.dataset.reader import Dataset
from inkfold.packing.pack import Report, pack
from inkfold.packing.plan import Packing
from inkfold.spec import SPLITS, ImageSpec
from inkfold.workers import InProcess

SMALL = Packing(spec=ImageSpec(size=12))


@contextmanager
def silent(_label: str, _total: int | None) -> Iterator[Advance]:
    """Progress that is not shown."""
    yield lambda _count: None


def packed(
    folder: Place,
    output: Path,
    packing: Packing = SMALL,
    crew: Crew | None = None,
    *,
    shards: int | None = None,
) -> Report:
    """Pack in this process, without a progress bar."""
    return pack(
        folder,
        output,
        packing,
        crew=crew or Crew(InProcess(), lambda: 1),
        overwrite=True,
        progress=silent,
        shards=shards,
    )


def homes(dataset: Dataset) -> dict[str, str]:
    """The split of every picture, by path."""
    return {path: name for name in SPLITS for path in dataset.split(name).source}
