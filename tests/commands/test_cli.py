"""What every command line does alike: exit codes, one-line errors, progress, signals."""

from __future__ import annotations

import contextlib
import errno
import os
import pty
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import click
import pytest

from inkfold.commands.cli import MISTAKE, Clock, run
from inkfold.errors import InkfoldError

PROGRAM = textwrap.dedent(
    """
    import sys, time
    import click
    from inkfold.commands.cli import echo_above, progress, run

    @click.command()
    @click.option("-q", "--quiet", is_flag=True)
    def command(quiet):
        with progress("counting", 3, quiet=quiet) as advance:
            for number in range(3):
                echo_above(f"result {number}")
                advance(1)
                time.sleep(0.15)
        if len(sys.argv) > 2:
            click.echo("ready")
            time.sleep(60)

    sys.exit(run(command, sys.argv[1:2]))
    """
)
RESULTS = b"result 0\nresult 1\nresult 2\n"


@click.command("sample")
@click.option("--fail", type=click.Choice(["user", "bug", "break", "some", "disk", "other"]))
def sample(fail: str | None) -> int:
    """A command that ends in every way."""
    if fail == "user":
        raise InkfoldError("a.h5: no such dataset; pack one")
    if fail == "bug":
        raise ZeroDivisionError
    if fail == "break":
        raise KeyboardInterrupt
    if fail in {"disk", "other"}:
        number = errno.ENOSPC if fail == "disk" else errno.EBADF
        raise OSError(number, os.strerror(number), "out.h5")
    return 1 if fail == "some" else 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], 0),
        (["--fail", "some"], 1),
        (["--fail", "user"], 2),
        (["--fail", "no such choice"], 2),
        (["--no-such-option"], 2),
        (["--fail", "break"], 128 + signal.SIGINT),
    ],
)
def test_the_exit_code_says_how_it_ended(arguments: list[str], code: int) -> None:
    """0 done, 1 some inputs failed, 2 a user's mistake, 130 interrupted."""
    assert run(sample, arguments) == code


def test_a_mistake_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, without a traceback."""
    assert run(sample, ["--fail", "user"]) == MISTAKE
    captured = capsys.readouterr()

    assert captured.err == "error: a.h5: no such dataset; pack one\n"
    assert captured.out == ""


def test_a_full_disk_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """With the file; other failures of the system are bugs and keep their traceback."""
    assert run(sample, ["--fail", "disk"]) == MISTAKE
    told = capsys.readouterr().err

    assert told.startswith("error: out.h5: No space left on device; ")
    assert told.count("\n") == 1
    with pytest.raises(OSError, match="Bad file descriptor"):
        run(sample, ["--fail", "other"])


def test_a_bug_keeps_its_traceback() -> None:
    """It is ours, not the user's."""
    with pytest.raises(ZeroDivisionError):
        run(sample, ["--fail", "bug"])


def start(
    folder: Path, arguments: list[str], stderr: int, stdout: int = subprocess.PIPE
) -> subprocess.Popen[bytes]:
    """Run the program above on file descriptors of our own."""
    (folder / "program.py").write_text(PROGRAM)
    return subprocess.Popen(
        [sys.executable, str(folder / "program.py"), *arguments],
        stdout=stdout,
        stderr=stderr,
        env=os.environ | {"TERM": "xterm"},
    )


def seen(reader: int) -> bytes:
    """Everything that was written to a terminal which nobody writes to any more."""
    parts = []
    with os.fdopen(reader, "rb", buffering=0) as terminal:
        while True:
            try:
                part = terminal.read(65536)
            except OSError:  # how Linux tells the end of a terminal
                break
            if not part:
                break
            parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize(("arguments", "shown"), [([], True), (["-q"], False)])
def test_progress_is_shown_on_a_terminal_unless_quiet(
    tmp_path: Path, arguments: list[str], shown: bool
) -> None:
    """The bar goes to the terminal on stderr; results go to stdout, whatever that is."""
    reader, writer = pty.openpty()
    with start(tmp_path, arguments, writer) as process:
        os.close(writer)
        assert process.stdout is not None
        results = process.stdout.read()
    terminal = seen(reader)

    assert results == RESULTS
    assert (b"counting" in terminal) == shown
    assert b"result" not in terminal


def test_a_result_on_the_bars_own_terminal_stands_on_a_line_of_its_own(tmp_path: Path) -> None:
    """The bar's line is wiped before the result is written."""
    reader, writer = pty.openpty()
    with start(tmp_path, [], writer, writer):
        os.close(writer)
        terminal = seen(reader)

    for number in range(3):
        assert f"\r\x1b[2Kresult {number}\r\n".encode() in terminal


def test_without_a_terminal_there_is_no_progress(tmp_path: Path) -> None:
    """A log file gets results and errors alone."""
    with start(tmp_path, [], subprocess.PIPE) as process:
        results, errors = process.communicate()

    assert (results, errors) == (RESULTS, b"")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_run_with_its_number(tmp_path: Path, number: signal.Signals) -> None:
    """128 and the signal's number, as shells have it, after a clean unwinding."""
    with start(tmp_path, ["-q", "wait"], subprocess.PIPE) as process:
        assert process.stdout is not None
        while process.stdout.readline() != b"ready\n":
            pass
        process.send_signal(number)
        _, errors = process.communicate()

    assert process.returncode == 128 + number
    assert b"Traceback" not in errors


@pytest.mark.parametrize("signalled", [True, False])
def test_a_signal_inside_c_code_ends_a_run_all_the_same(signalled: bool) -> None:
    """C code that an exception comes into raises SystemError in its place; else that is a bug."""

    @click.command()
    def command() -> None:
        with contextlib.suppress(SystemExit):
            if signalled:
                os.kill(os.getpid(), signal.SIGTERM)
        raise SystemError("<method '__array__'> returned a result with an exception set")

    if signalled:
        assert run(command, []) == 128 + signal.SIGTERM
    else:
        with pytest.raises(SystemError):
            run(command, [])


def test_a_clock_tells_time_and_rate() -> None:
    """The closing line of a long stage."""
    assert Clock().rate(0).endswith(" s, 0 a second")
