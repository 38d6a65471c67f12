"""What a training run leaves under ``logs/NAME/``: a text log, history, events for TensorBoard."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from inkfold.bundle.history import Row, write_history
from inkfold.output import new_file

SCALARS = ("loss", "accuracy", "learning_rate", "validation_loss", "validation_accuracy")


def log_line(row: Row) -> str:
    """One epoch in one line."""
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


class TrainingLog:
    """Writes the log of a run; a context manager.

    The text log and ``history.csv`` are written whole after each epoch, so that a run that was
    stopped and gone on with leaves the same files as an unbroken one.
    """

    def __init__(self, folder: Path, header: Sequence[str]) -> None:
        self._folder = folder
        self._header = list(header)

    def __enter__(self) -> Self:
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self._folder.mkdir(parents=True, exist_ok=True)
        self._events = EventFileWriter(str(self._folder / "tensorboard"))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._events.close()

    def epoch_done(self, history: list[Row]) -> None:
        """Bring the files up to `history`, whose last row is new."""
        self._write(history, ())
        with new_file(self._folder / "history.csv", overwrite=True) as part:
            write_history(part, history)
        self._add_event(history[-1])

    def finish(self, history: list[Row], closing: Sequence[str]) -> None:
        """End the text log with `closing`."""
        self._write(history, closing)

    def _write(self, history: list[Row], closing: Sequence[str]) -> None:
        lines = [*self._header, *map(log_line, history), *closing]
        _replace(self._folder / "training.log", "\n".join(lines) + "\n")

    def write_summary(self, text: str) -> None:
        """Keep the network's Keras summary."""
        _replace(self._folder / "summary.txt", text + "\n")

    def _add_event(self, row: Row) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        scalars = dict(row)
        if "validation_total" in row:
            scalars["validation_accuracy"] = row["validation_correct"] / row["validation_total"]
        values = [
            Summary.Value(tag=name, simple_value=scalars[name])
            for name in SCALARS
            if name in scalars
        ]
        self._events.add_event(
            Event(wall_time=time.time(), step=row["epoch"], summary=Summary(value=values))
        )


def _replace(path: Path, text: str) -> None:
    with new_file(path, overwrite=True) as part:
        part.write_text(text, encoding="utf-8")
