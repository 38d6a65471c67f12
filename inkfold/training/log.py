"""What a training run writes to ``logs/NAME/``: a text log, its history, TensorBoard's events."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from inkfold.bundle.history import HISTORY, Row, validation_share, write_history
from inkfold.output import make_folder, new_file, write_text
from inkfold.training.events import EventFile

SCALARS = ("loss", "accuracy", "learning_rate", "validation_loss", "validation_accuracy")


class TrainingLog:
    """Writes the log of a run; a context manager.

    The text log and ``history.csv`` are written whole after each epoch, so that a run that was
    stopped and resumed leaves the same files as an uninterrupted one.
    """

    def __init__(self, folder: Path, header: Sequence[str]) -> None:
        self._folder = folder
        self._header = list(header)

    def __enter__(self) -> Self:
        make_folder(self._folder)
        self._events = EventFile(self._folder / "tensorboard").__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._events.__exit__(kind, error, traceback)

    def planned(self, line: str) -> None:
        """Write the text log with the line that says how long the run will take."""
        self._header.append(line)
        self._write([], ())

    def epoch_done(self, history: list[Row]) -> None:
        """Write text log and history anew, and an event of the last row, which is new."""
        self._write(history, ())
        with new_file(self._folder / HISTORY, overwrite=True) as part:
            write_history(part, history)
        self._add_event(history[-1])

    def finish(self, history: list[Row], closing: Sequence[str]) -> None:
        """Write the text log a last time, with the lines `closing` at its end."""
        self._write(history, closing)

    def write_summary(self, text: str) -> None:
        """Write the network's Keras summary to a file of its own."""
        _replace(self._folder / "summary.txt", text + "\n")

    def _write(self, history: list[Row], closing: Sequence[str]) -> None:
        lines = [*self._header, *map(log_line, history), *closing]
        _replace(self._folder / "training.log", "\n".join(lines) + "\n")

    def _add_event(self, row: Row) -> None:
        scalars = row | {"validation_accuracy": validation_share(row)}
        named = {name: scalars.get(name) for name in SCALARS}
        self._events.add(
            row["epoch"], {name: value for name, value in named.items() if value is not None}
        )


def log_line(row: Row) -> str:
    """One epoch in one line of text; a refit's line has no validation."""
    text = (
        f"epoch {row['epoch']:3d}  {row['phase']} stage {row['stage']}  "
        f"rate {row['learning_rate']:<8.3g} loss {row['loss']:.4f}  "
        f"accuracy {row['accuracy']:.4f}  "
    )
    if "validation_loss" in row:
        correct, total = row["validation_correct"], row["validation_total"]
        text += (
            f"validation loss {row['validation_loss']:.4f}  "
            f"right {correct}/{total} ({100 * correct / total:.2f} %)  "
        )
    return text + f"{row['seconds']:.1f} s"


def _replace(path: Path, text: str) -> None:
    with new_file(path, overwrite=True) as part:
        write_text(part, text)
