"""What packing reports to the user, as lines of text: what was made, and what to look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inkfold.archives.url import Place
from inkfold.class_names import code_points, look
from inkfold.spec import UNEQUAL

if TYPE_CHECKING:
    from inkfold.commands.cli import Clock
    from inkfold.packing.pack import Report
    from inkfold.packing.plan import Plan

SHOWN = 5  # examples in a line; further ones are only counted


def made(report: Report, output: Path, source: Place, what: str, clock: Clock) -> str:
    """The line for stdout: what was made, of what, and how fast.

    The rate is that of all pictures that were read, kept or not; `what` says what held them.
    """
    counts = [len(order) for order in report.plan.orders]
    target = click.format_filename(output)
    origin = click.format_filename(source) if isinstance(source, Path) else source
    return (
        f"{target}: {sum(counts):,} pictures of {len(report.plan.classes):,} classes "
        f"({' / '.join(f'{count:,}' for count in counts)}) from {origin}; "
        f"{report.read:,} {what} read in {clock.rate(report.read)}"
    )


def notes(report: Report) -> Iterator[str]:
    """The lines for stderr: what was left out, and what looks wrong.

    An unreadable file has a line of its own; anything else has one line a kind, with a count.
    """
    unreadable, ignored, plan = report.unreadable, report.ignored, report.plan
    yield from report.remarks
    yield from _captured(report)
    for path, reason in unreadable.first:
        yield f"unreadable: {path!r}: {reason}"
    more = unreadable.count - len(unreadable.first)
    if more:
        yield f"unreadable: {more:,} more"
    examples = [f"{path!r} ({reason})" for path, reason in ignored.first]
    yield from _counted("ignored", ignored.count, examples)
    yield from _counted("classes without pictures", len(plan.empty), list(map(repr, plan.empty)))
    examples = [f"{name!r} ({count})" for name, count in plan.dropped]
    yield from _counted("classes with too few pictures", len(plan.dropped), examples)
    examples = [f"{name!r} (no {', no '.join(splits)})" for name, splits in plan.missing]
    yield from _counted("classes that miss a split", len(plan.missing), examples)
    yield from _unequal(plan)
    yield from _alike(plan.classes)
    if len(plan.classes) == 1:
        yield f"one class alone, {plan.classes[0]!r}: a classifier needs at least 2"
    examples = [repr(path) for path, _ in report.blank.first]
    yield from _counted("blank", report.blank.count, examples)
    examples = [repr(path) for path, _ in report.further.first]
    kind = "files of several frames or pages, of which the first was read"
    yield from _counted(kind, report.further.count, examples)
    yield from _counted("pictures of unknown group, each a group of its own", plan.ungrouped)
    place = ", in the same split" if not plan.leaked else ""
    yield from _counted(f"pictures with the pixels of another picture{place}", plan.duplicates)
    kind = "warning: pictures of the given validation or test with the pixels of another split"
    yield from _counted(kind, plan.leaked)
    kind = "warning: groups with pictures in several of the given splits"
    yield from _counted(kind, plan.torn)
    examples = [f"{first!r} and {second!r}" for first, second in plan.conflicts.first]
    yield from _counted("the same pixels under two labels", plan.conflicts.count, examples)


def _captured(report: Report) -> Iterator[str]:
    """What the pictures were taken for and how they were fitted, if some were photographs."""
    packed = sum(map(len, report.plan.orders))
    if report.photographs:
        scans = packed - report.photographs
        yield (
            f"photographs: {report.photographs:,}, of which the writing was found, fit ink, "
            f"threshold soft; scans: {scans:,}, fit {report.spec.fit}, "
            f"threshold {report.spec.threshold} (--capture, --fit and --threshold say otherwise)"
        )


def _unequal(plan: Plan) -> Iterator[str]:
    """One line if the largest class is at least `UNEQUAL` times as large as the smallest."""
    large, small = int(plan.sizes.argmax()), int(plan.sizes.argmin())
    most, least = (int(plan.sizes[label]) for label in (large, small))
    if most >= UNEQUAL * least:
        ends = f"{plan.classes[large]!r} has {most:,} pictures, {plan.classes[small]!r} {least:,}"
        yield f"unequal classes: {ends}"


def _alike(classes: Sequence[str]) -> Iterator[str]:
    """A line for classes that look the same, and one for those that differ by case alone."""
    shown: dict[str, str] = {}
    folded: dict[str, str] = {}
    looks, cases = [], []
    for name in classes:
        key = look(name)
        same, other = shown.setdefault(key, name), folded.setdefault(key.casefold(), name)
        if same != name:
            looks.append(_pair(same, name))
        elif other != name:
            cases.append(_pair(other, name))
    yield from _counted("warning: classes that look the same", len(looks), looks)
    yield from _counted("classes that differ by case alone", len(cases), cases)


def _pair(one: str, other: str) -> str:
    return f"{one!r} ({code_points(one)}) and {other!r} ({code_points(other)})"


def _counted(kind: str, count: int, examples: Sequence[str] = ()) -> Iterator[str]:
    """One line with the count and the first examples of a kind; no line for a count of 0."""
    if count:
        more = f" and {count - SHOWN:,} more" if count > SHOWN and examples else ""
        yield f"{kind}: {count:,}{': ' if examples else ''}{', '.join(examples[:SHOWN])}{more}"
