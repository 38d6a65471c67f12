"""What every command line shares: exit codes, the one-line error, options, progress."""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import click

from inkfold.errors import InkfoldError

Advance = Callable[[int], None]
SOME_FAILED = 1
MISTAKE = 2
# what a disk or its owner refuses: nothing that the code could have avoided
DISK = {errno.EACCES, errno.ENOTDIR, errno.EPERM, errno.EROFS}


DISK |= {errno.EDQUOT, errno.EFBIG, errno.ENAMETOOLONG, errno.ENOSPC}


def run(command: click.Command, argv: Sequence[str] | None = None) -> int:
    """Run `command` and return its exit code.

    0 done; 1 done, but some inputs failed; 2 a user's mistake, told in one line on stderr. A
    signal that ends the run gives 128 + its number, after what was half written is gone. A disk
    that is full or not ours to write is told in one line too. Any other exception is a bug and
    keeps its traceback. (Of a reader that has gone away, ``| head``, click takes care.)
    """
    ended: list[int] = []

    def terminated(number: int, _frame: object) -> None:
        ended.append(number)
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, terminated)
    try:
        code = command.main(args=argv, standalone_mode=False)
    except InkfoldError as error:
        click.echo(f"error: {error}", err=True)
        return MISTAKE
    except click.ClickException as error:
        error.show()
        return MISTAKE
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return 128 + signal.SIGINT
    except SystemError:
        if not ended:
            raise
        return 128 + ended[0]  # the signal came inside C code, which made this of its exception
    except OSError as error:
        if error.errno not in DISK:
            raise
        where, why = error.filename or "the output", os.strerror(error.errno)
        click.echo(f"error: {where}: {why}; mend that or choose another place", err=True)
        return MISTAKE
    return int(code or 0)


@contextmanager
def progress(label: str, total: int | None, *, quiet: bool) -> Iterator[Advance]:
    """A bar on stderr, only when it is a terminal; yields the function that moves it on."""
    if quiet or not sys.stderr.isatty():
        yield lambda _count: None
        return
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeRemainingColumn

    columns = (
        *Progress.get_default_columns()[:-1],
        TextColumn("{task.completed}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda count: bar.advance(task, count)


def echo_above(line: str) -> None:
    """Print a result while a bar is shown: on a terminal the bar's line is wiped first.

    In one write: the bar is drawn by a thread, and would come between two.
    """
    wiped = "\r\x1b[2K" if sys.stdout.isatty() and sys.stderr.isatty() else ""
    click.echo(wiped + line)


class Clock:
    """Says how long something took and at what rate: ``3.2 s, 6,280 a second``."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Since the clock was made."""
        return time.perf_counter() - self._start

    def rate(self, count: int) -> str:
        """Time since the clock was made, and `count` things over it."""
        return f"{self.seconds:.1f} s, {count / max(self.seconds, 1e-9):,.0f} a second"
