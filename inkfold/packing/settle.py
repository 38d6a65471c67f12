"""Fit and threshold by what a set holds: most of a sample are photographs, or they are not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from inkfold.crew import Crew
from inkfold.errors import PictureError
from inkfold.packing.scratch import Spool
from inkfold.packing.stage import Files, readers
from inkfold.photograph.capture import is_photograph
from inkfold.picture import as_grey, decode
from inkfold.spec import ImageSpec

if TYPE_CHECKING:
    from inkfold.packing.source import Source

SAMPLE = 32  # files that are looked at
TOGETHER = 4  # of them in one piece of work


def settled(
    source: Source,
    paths: Spool,
    spec: ImageSpec,
    fields: tuple[str, ...],
    crew: Crew,
) -> ImageSpec:
    """The spec with the `fields` that the pictures decide.

    Files at equal distances in the listing are looked at. Where more than half of those that can
    be read are photographs, `fit` becomes ``ink`` and `threshold` ``soft``. The answer is the
    same for any number of workers.

    Parameters
    ----------
    source : Folder or Archive
        What `paths` lie in.
    paths : Spool
    spec : ImageSpec
    fields : tuple of str
        "fit", "threshold", or both.
    crew : Crew
    """
    if not fields or spec.capture == "scan" or not len(paths):
        return spec
    photographs = spec.capture == "photo"
    if not photographs:
        places = sorted({place * len(paths) // SAMPLE for place in range(SAMPLE)})
        names = [paths[place] for place in places]
        pieces = (
            Files(source.file, piece, spec, source.members(piece))
            for piece in (
                tuple(names[start : start + TOGETHER]) for start in range(0, len(names), TOGETHER)
            )
        )
        looks = [look for piece in crew.in_order(look_at, pieces) for look in piece]
        photographs = 2 * sum(looks) > len(looks)
    if not photographs:
        return spec
    of_photographs = spec.for_photographs()
    return replace(
        spec,
        fit=of_photographs.fit if "fit" in fields else spec.fit,
        margin=of_photographs.margin if "fit" in fields else spec.margin,
        threshold=of_photographs.threshold if "threshold" in fields else spec.threshold,
    )


def look_at(files: Files) -> list[bool]:
    """Whether each file that can be read is a photograph."""
    looks = []
    for read in readers(files):
        try:
            looks.append(is_photograph(as_grey(decode(read()))))
        except PictureError:
            continue
    return looks
