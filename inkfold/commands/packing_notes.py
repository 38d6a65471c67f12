"""What a user should know after packing, in lines for stderr."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inkfold.packing import Report

SHOWN = 5  # how many of a kind are listed before the rest is only counted


def notes(report: Report) -> Iterator[str]:
    """Lines about what was left out and what looks wrong; every unreadable file has its own."""
    for path, reason in report.unreadable.first:
        yield f"unreadable: {path!r}: {reason}"
    more = report.unreadable.count - len(report.unreadable.first)
    if more:
        yield f"unreadable: {more:,} more"
    ignored, plan = report.ignored, report.plan
    yield from _some(
        ignored.count, "ignored", "", [f"{path!r} ({why})" for path, why in ignored.first]
    )
    yield from _some(
        len(plan.empty), "empty classes", " left out", [repr(name) for name in plan.empty]
    )
    dropped = [f"{name!r} ({count})" for name, count in plan.dropped]
    yield from _some(len(dropped), "classes with too few pictures", " left out", dropped)
    missing = [f"{name!r} (no {', no '.join(splits)})" for name, splits in plan.missing]
    yield from _some(len(missing), "classes that miss a split", "", missing)
    if plan.ungrouped:
        yield f"{plan.ungrouped:,} pictures do not match --group-by; each is its own group"
    if plan.duplicates:
        yield f"{plan.duplicates:,} pictures have the pixels of another; they share its split"
    yield from _some(
        plan.conflicts.count,
        "conflicts",
        ": the same pixels under two labels",
        [f"{one!r} and {other!r}" for one, other in plan.conflicts.first],
    )


def _some(count: int, what: str, said: str, named: Sequence[str]) -> Iterator[str]:
    """One line: how many, and the first of them."""
    if count:
        more = f" and {count - SHOWN:,} more" if count > SHOWN else ""
        yield f"{count:,} {what}{said}: {', '.join(named[:SHOWN])}{more}"
