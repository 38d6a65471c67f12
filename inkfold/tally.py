"""Counting what went wrong, and remembering the first of it by name."""

from __future__ import annotations

from dataclasses import dataclass, field

NAMED = 2000  # how many are remembered by name; all are counted


@dataclass
class Tally:
    """Things counted, the first of them by name: ``(what, why)``."""

    count: int = 0
    first: list[tuple[str, str]] = field(default_factory=list)

    def add(self, what: str, why: str) -> None:
        """Count one more."""
        self.count += 1
        if len(self.first) < NAMED:
            self.first.append((what, why))
