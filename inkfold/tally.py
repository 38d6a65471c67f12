"""What was left out, counted: all of it by number, the first of it by name."""

from __future__ import annotations

from dataclasses import dataclass, field

NAMED = 2000  # how many things a tally remembers by name; it counts all


@dataclass
class Tally:
    """Things counted, the first of them by name.

    Attributes
    ----------
    count : int
        How many there are.
    first : list of (str, str)
        The first 2,000 of them: name and reason.
    """

    count: int = 0
    first: list[tuple[str, str]] = field(default_factory=list)

    def add(self, name: str, reason: str) -> None:
        """Count one more."""
        self.count += 1
        if len(self.first) < NAMED:
            self.first.append((name, reason))

    def include(self, other: Tally) -> None:
        """Count what another tally counts as well."""
        self.count += other.count
        self.first += other.first[: NAMED - len(self.first)]

    def clear(self) -> None:
        """Count anew."""
        self.count = 0
        self.first.clear()
