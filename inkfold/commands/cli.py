"""Running a command: its exit code, errors in one line, a progress bar, and the time it took.

What a command prints goes through `echo` or `echo_above`, which never fail at a character.
"""

from __future__ import annotations

import errno
import io
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TextIO

import click

from inkfold.commands.interrupts import ending_on_signals, pass_on
from inkfold.errors import DISK, InkfoldError
from inkfold.program import as_typed

Advance = Callable[[int], None]  # adds a count to what a progress bar shows as done
SOME_FAILED = 1
MISTAKE = 2
FILES = {errno.EMFILE, errno.ENFILE}
# said by libraries that cannot be loaded, and by Python where a thread cannot be started
NO_MEMORY = ("failed to map segment", os.strerror(errno.ENOMEM), "can't start new thread")
# in place of the names of unfinished outputs, as inkfold.output makes them, stand those of outputs;
# control characters are those but tab and newline, and bytes of a path that are not UTF-8
PART = re.compile(r"\.([^/]+)\.[^/.]+\.\d+\.(?:part|scratch)(?:/.*)?$")  # beside its output
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\udc80-\udcff]")
STRAY = re.compile(r"[\udc80-\udcff]")


def visible(text: str) -> str:
    r"""The text with ``\x1b`` and its like spelt out, which would command a terminal."""
    return UNSEEN.sub(_byte, text)


def _byte(found: re.Match[str]) -> str:
    return f"\\x{ord(found[0]) & 0xFF:02x}"


def encodable(text: str, encoding: str) -> str:
    r"""The text with ``\u6f22`` for what the encoding lacks, and ``\xff`` for stray bytes."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return STRAY.sub(_byte, text).encode(encoding, "backslashreplace").decode(encoding)
    return text


def echo(text: str | bytes = "", *, err: bool = False, nl: bool = True) -> None:
    """Print `text`: characters that stdout or stderr cannot encode are spelt out.

    On a terminal names cannot command it; to a pipe or a file bytes are exact.
    """
    stream = sys.stderr if err else sys.stdout
    if isinstance(text, bytes) and stream.isatty():
        text = text.decode("utf-8", "surrogateescape")
    if isinstance(text, str):
        text = _shown(text, stream)
    click.echo(text, err=err, nl=nl, color=True)  # else click drops what it takes for colours


def _shown(text: str, stream: TextIO) -> str:
    """The text as a stream can have it."""
    return encodable(visible(text) if stream.isatty() else text, stream.encoding or "utf-8")


@contextmanager
def _spelling_out() -> Iterator[None]:
    """Within the block stdout and stderr spell out what they cannot encode, whoever writes.

    `echo` does so by itself; this is for the texts that click and rich print.
    """
    streams = [each for each in (sys.stdout, sys.stderr) if isinstance(each, io.TextIOWrapper)]
    before = [stream.errors for stream in streams]
    for stream in streams:
        stream.reconfigure(errors="backslashreplace")
    try:
        yield
    finally:
        for stream, errors in zip(streams, before, strict=True):
            with suppress(OSError, ValueError):  # whoever read it has gone, or it is closed
                stream.reconfigure(errors=errors)


def run(command: click.Command, argv: Sequence[str] | None = None) -> int:
    """Run `command` and return its exit code.

    0 is success; 1 is success except for some inputs; 2 is a user's mistake, a disk that cannot be
    written, or memory or open files that ran out, with one line on stderr. A signal that ends the
    run gives 128 + its number, after half-written outputs are removed. Any other exception is a bug
    and keeps its traceback. (Click handles a closed stdout, as of ``| head``.)
    """
    received: list[int] = []
    try:
        with ending_on_signals(received), _spelling_out():
            return _run(command, argv)
    except (Exception, SystemExit):
        # the signal may have come in C code or in an import, which put an error of their own in
        # place of its SystemExit
        if not received:
            raise
        if received[0] == signal.SIGINT:
            click.echo("interrupted", err=True)
    pass_on(received[0])
    return 128 + received[0]


def _run(command: click.Command, argv: Sequence[str] | None) -> int:
    """Run `command` and return its exit code, where no signal ends it."""
    if command.help is not None:
        command.help = as_typed(command.help)
    try:
        code = command.main(args=argv, standalone_mode=False)
    except InkfoldError as error:
        echo(f"error: {error}", err=True)
        return MISTAKE
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        echo(shown.getvalue(), err=True, nl=False)
        return MISTAKE
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return 128 + signal.SIGINT
    except Exception as error:
        if (line := _out_of_reach(error)) is None:
            raise
        echo(f"error: {line}", err=True)
        return MISTAKE
    return int(code or 0)


def _out_of_reach(error: Exception) -> str | None:
    """What the system did not give, in one line; None if the error is a bug."""
    number = error.errno if isinstance(error, OSError) else None
    if isinstance(error, OSError) and number in DISK:
        # of two files the second is the one that is written
        path = os.fsdecode(error.filename2 or error.filename or "the output")
        path, reason = PART.sub(r"\1", path), os.strerror(number)
        return f"{path}: {reason}; mend that or choose another place"
    text = str(error)
    if number in FILES or os.strerror(errno.EMFILE) in text:
        return f"{os.strerror(number or errno.EMFILE)}; allow more with ulimit -n, or end a program"
    if (
        number == errno.ENOMEM
        or isinstance(error, MemoryError)
        or any(sign in text for sign in NO_MEMORY)
    ):
        return (
            "memory ran out; end other programs, allow more with ulimit -v, or use fewer --workers"
        )
    return None


@contextmanager
def progress(label: str, total: int | None, *, quiet: bool) -> Iterator[Advance]:
    """A progress bar on stderr, if that is a terminal; gives the function that advances it.

    Where the total is unknown, a clock that runs shows that the work goes on.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda _count: None
        return
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        *Progress.get_default_columns()[:-1],
        TextColumn("" if total is None else "{task.completed}"),
        TimeElapsedColumn() if total is None else TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda count: bar.advance(task, count)


def echo_above(line: str) -> None:
    """Print a result while a progress bar is shown; on a terminal the bar's line is wiped first.

    Both are one write, for a thread draws the bar and could draw it between two writes.
    """
    wipe = "\r\x1b[2K" if sys.stdout.isatty() and sys.stderr.isatty() else ""
    click.echo(wipe + _shown(line, sys.stdout), color=True)


class Clock:
    """Measures the time since it was made, and a rate over that time."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds since the clock was made."""
        return time.perf_counter() - self._start

    def rate(self, count: int) -> str:
        """The time, and `count` divided by it, as in ``3.2 s, 6,280 a second``."""
        return f"{self.seconds:.1f} s, {count / max(self.seconds, 1e-9):,.0f} a second"
