"""What a user should know after packing, in lines for stderr."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from inkfold.spec import UNEQUAL

if TYPE_CHECKING:
    from inkfold.commands.cli import Clock
    from inkfold.packing.pack import Report
    from inkfold.packing.plan import Plan

SHOWN = 5  # how many of a kind are listed before the rest is only counted


def made(report: Report, output: str, source: str, clock: Clock) -> str:
    """What was made, of what, and how fast, in a line for stdout."""
    counts = [len(order) for order in report.plan.orders]
    return (
        f"{output}: {sum(counts):,} pictures of {len(report.plan.classes):,} classes "
        f"({' / '.join(f'{count:,}' for count in counts)}) "
        f"from {source} in {clock.rate(sum(counts))}"
    )


def notes(report: Report) -> Iterator[str]:
    """Lines about what was left out and what looks wrong; every unreadable file has its own."""
    for path, reason in report.unreadable.first:
        yield f"unreadable: {path!r}: {reason}"
    more = report.unreadable.count - len(report.unreadable.first)
    if more:
        yield f"unreadable: {more:,} more"
    ignored, plan = report.ignored, report.plan
    named = [f"{path!r} ({why})" for path, why in ignored.first]
    yield from _some("ignored", ignored.count, named)
    yield from _some("classes without pictures", len(plan.empty), list(map(repr, plan.empty)))
    named = [f"{name!r} ({count})" for name, count in plan.dropped]
    yield from _some("classes with too few pictures", len(named), named)
    named = [f"{name!r} (no {', no '.join(splits)})" for name, splits in plan.missing]
    yield from _some("classes that miss a split", len(named), named)
    yield from _unequal(plan)
    named = [repr(path) for path, _ in report.blank.first]
    yield from _some("blank", report.blank.count, named)
    yield from _some("of no known group, each a group of its own", plan.ungrouped, [])
    where = ", in the same split" if not plan.leaked else ""
    yield from _some(f"with the pixels of another{where}", plan.duplicates, [])
    what = "warning: of the set's own test, with the pixels of a picture that is not in it"
    yield from _some(what, plan.leaked, [])
    what = "warning: groups with pictures on both sides of the set's own split"
    yield from _some(what, plan.torn, [])
    named = [f"{one!r} and {other!r}" for one, other in plan.conflicts.first]
    yield from _some("the same pixels under two labels", plan.conflicts.count, named)


def _unequal(plan: Plan) -> Iterator[str]:
    """One line where the largest class has ten times the pictures of the smallest."""
    large, small = int(plan.sizes.argmax()), int(plan.sizes.argmin())
    most, least = (int(plan.sizes[label]) for label in (large, small))
    if most >= UNEQUAL * least:
        ends = f"{plan.classes[large]!r} has {most:,} pictures, {plan.classes[small]!r} {least:,}"
        yield f"unequal classes: {ends}"


def _some(what: str, count: int, named: Sequence[str]) -> Iterator[str]:
    """One line: how many, and the first of them; none when there are none."""
    if count:
        more = f" and {count - SHOWN:,} more" if count > SHOWN and named else ""
        yield f"{what}: {count:,}{': ' if named else ''}{', '.join(named[:SHOWN])}{more}"
