"""TensorBoard's events: the figures of each epoch, which its page draws as curves."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from inkfold.output import make_folder, naming


class EventFile:
    """A new file of events in `folder`; a context manager.

    TensorBoard's own ``EventFileWriter`` opens files through TensorFlow and writes in a thread,
    where an error of the disk has another type or is lost. This one writes the same records and
    raises every error, as an ``OSError`` that names the file.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> Self:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter

        make_folder(self._folder)
        now = time.time_ns()
        # TensorBoard reads the files of a folder in the order of their names
        run = f"{now // 10**9}.{socket.gethostname()}.{os.getpid()}.{now}"
        self._path = self._folder / f"events.out.tfevents.{run}"
        self._file = self._path.open("xb")
        self._records = RecordWriter(self._file)
        self._write(Event(wall_time=now / 1e9, file_version="brain.Event:2").SerializeToString())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with naming(self._path):
            self._file.close()

    def add(self, step: int, scalars: Mapping[str, float]) -> None:
        """Write one event with the values `scalars`, by their names, at `step`."""
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        values = [Summary.Value(tag=tag, simple_value=value) for tag, value in scalars.items()]
        event = Event(wall_time=time.time(), step=step, summary=Summary(value=values))
        self._write(event.SerializeToString())

    def _write(self, record: bytes) -> None:
        """Hand a record to the system at once, for a page that is open while the run goes on."""
        with naming(self._path):
            self._records.write(record)
            self._file.flush()
