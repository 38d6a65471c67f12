"""Undo and redo: what was drawn and what was taken back, as the page's history.js has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from inkfold.canvas.drawing import Stroke


@dataclass(frozen=True)
class History:
    """What happened on a sheet; a cleared sheet can be taken back like a stroke.

    Parameters
    ----------
    done : tuple of Stroke or None
        None stands for a clearing.
    undone : tuple of Stroke or None
        The last one taken back stands last.
    """

    done: tuple[Stroke | None, ...] = ()
    undone: tuple[Stroke | None, ...] = ()

    def drawn(self, stroke: Stroke) -> Self:
        """With one more stroke; what had been taken back is gone."""
        return type(self)((*self.done, stroke))

    def undo(self) -> Self:
        """Without the last change."""
        return type(self)(self.done[:-1], (*self.undone, *self.done[-1:]))

    def redo(self) -> Self:
        """With the change that was taken back last."""
        return type(self)((*self.done, *self.undone[-1:]), self.undone[:-1])

    def clear(self) -> Self:
        """With an empty sheet; the same where it is empty already."""
        return type(self)((*self.done, None)) if self.strokes else self

    @property
    def strokes(self) -> tuple[Stroke, ...]:
        """What lies on the sheet."""
        lying: list[Stroke] = []
        for one in self.done:
            if one is None:
                lying = []
            else:
                lying.append(one)
        return tuple(lying)
