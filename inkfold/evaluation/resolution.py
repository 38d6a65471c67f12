"""Which rows of the table for ``--reject`` the validation pictures can tell apart.

A row is chosen because at most its share of the validation answers that it keeps are wrong. With
few such answers the share could be larger in truth. The row is told from a row with a larger share
if the 95 % Wilson interval of its own wrong answers ends below that larger share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from inkfold.calibration import RejectThreshold
from inkfold.metrics import Z95


@dataclass(frozen=True, kw_only=True)
class Blurred:
    """A row that validation cannot tell from rows with a larger share.

    Attributes
    ----------
    row : RejectThreshold
    at_most : float
        The end of the 95 % interval of its wrong answers on validation, from 0 to 1.
    others : tuple of float
        The larger shares that it cannot be told from, from 0 to 1, the largest first.
    needed : int
        Validation pictures with which it could be told from the next larger share, if it keeps as
        large a part of them as it does of those here.
    """

    row: RejectThreshold
    at_most: float
    others: tuple[float, ...]
    needed: int


def blurred(thresholds: Sequence[RejectThreshold]) -> tuple[Blurred, ...]:
    """The rows that cannot be told from a row with a larger share, in the order of `thresholds`.

    Rows without a threshold are left out.
    """
    rows = [row for row in thresholds if row.reject is not None]
    found = []
    for row in rows:
        larger = sorted((other.wanted for other in rows if other.wanted > row.wanted), reverse=True)
        interval = row.chosen.error.interval
        if interval is None:  # it keeps nothing
            continue
        others = tuple(share for share in larger if share <= interval[1])
        if others:
            answers = answers_needed(row.wanted, larger[-1])
            pictures = ceil(answers * row.chosen.total / row.chosen.answered)
            found.append(Blurred(row=row, at_most=interval[1], others=others, needed=pictures))
    return tuple(found)


def answers_needed(share: float, larger: float) -> int:
    """How many answers tell a share of wrong ones from a larger share.

    Parameters
    ----------
    share, larger : float
        From 0 to 1, ``share < larger``.

    Returns
    -------
    answers : int
        The fewest of which `share` may be wrong, so that the 95 % Wilson interval ends at `larger`
        or below. The interval ends where ``abs(share - end)`` is ``z * sqrt(end * (1 - end) / n)``.

    Examples
    --------
    >>> answers_needed(0.01, 0.02)
    753
    """
    return ceil(Z95**2 * larger * (1 - larger) / (larger - share) ** 2)


def pictures_needed(rows: Sequence[Blurred]) -> int | None:
    """Validation pictures that would tell every row from the next; None where all are told."""
    return max((row.needed for row in rows), default=None)


def sentences(thresholds: Sequence[RejectThreshold]) -> list[str]:
    """For people: which rows cannot be told apart and why, and how many pictures are needed.

    Empty where all rows can be told apart.
    """
    rows = blurred(thresholds)
    if not rows:
        return []
    lines = [_sentence(row) for row in rows]
    needed, have = max(row.needed for row in rows), rows[0].row.chosen.total
    lines.append(
        f"About {rounded(needed):,} validation pictures would tell all rows apart; "
        f"there are {have:,}."
    )
    return lines


def _sentence(row: Blurred) -> str:
    chosen = row.row.chosen
    shares = " and ".join(f"{100 * share:g} %" for share in row.others)
    return (
        f"{100 * row.row.wanted:g} % cannot be told from {shares}: validation has {chosen.wrong:,} "
        f"wrong of {chosen.answered:,} answers, so it may be up to {100 * row.at_most:.1f} %."
    )


def rounded(count: int) -> int:
    """A number of pictures in two digits, rounded up: more would be a pretence.

    >>> rounded(1521)
    1600
    """
    unit = int(10 ** max(0, len(str(count)) - 2))
    return -(-count // unit) * unit
