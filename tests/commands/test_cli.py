"""What all command lines share: exit codes, one-line errors, progress, and how signals end them."""

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
    """A command that ends in the way that `fail` names, or in success."""
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
    """Success gives 0, failed inputs 1, a user's mistake 2, and an interrupt 130."""
    assert run(sample, arguments) == code


def test_a_mistake_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """A user's mistake prints its message on stderr, without a traceback."""
    assert run(sample, ["--fail", "user"]) == MISTAKE
    captured = capsys.readouterr()

    assert captured.err == "error: a.h5: no such dataset; pack one\n"
    assert captured.out == ""


def test_a_full_disk_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """A full disk prints the file and the reason; other OSErrors are bugs and keep a traceback."""
    assert run(sample, ["--fail", "disk"]) == MISTAKE
    error = capsys.readouterr().err

    assert error.startswith("error: out.h5: No space left on device; ")
    assert error.count("\n") == 1
    with pytest.raises(OSError, match="Bad file descriptor"):
        run(sample, ["--fail", "other"])


def test_a_bug_keeps_its_traceback() -> None:
    """An exception that is not a user's mistake is not caught."""
    with pytest.raises(ZeroDivisionError):
        run(sample, ["--fail", "bug"])


def start(
    folder: Path, arguments: list[str], stderr: int, stdout: int = subprocess.PIPE
) -> subprocess.Popen[bytes]:
    """Start `PROGRAM` in a process of its own, with these file descriptors for its output."""
    (folder / "program.py").write_text(PROGRAM)
    return subprocess.Popen(
        [sys.executable, str(folder / "program.py"), *arguments],
        stdout=stdout,
        stderr=stderr,
        env=os.environ | {"TERM": "xterm"},
    )


def written_to(reader: int) -> bytes:
    """Everything that was written to a pseudo-terminal, once all its writers are closed."""
    parts = []
    with os.fdopen(reader, "rb", buffering=0) as terminal:
        while True:
            try:
                part = terminal.read(65536)
            except OSError:  # so Linux signals the end of a terminal
                break
            if not part:
                break
            parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize(("arguments", "shown"), [([], True), (["-q"], False)])
def test_progress_is_shown_on_a_terminal_unless_quiet(
    tmp_path: Path, arguments: list[str], shown: bool
) -> None:
    """The bar is shown where stderr is a terminal and -q is not given; results go to stdout."""
    reader, writer = pty.openpty()
    with start(tmp_path, arguments, writer) as process:
        os.close(writer)
        assert process.stdout is not None
        results = process.stdout.read()
    terminal = written_to(reader)

    assert results == RESULTS
    assert (b"counting" in terminal) == shown
    assert b"result" not in terminal


def test_a_result_on_the_bars_own_terminal_has_a_line_of_its_own(tmp_path: Path) -> None:
    """Where stdout and stderr are one terminal, the bar's line is wiped before each result."""
    reader, writer = pty.openpty()
    with start(tmp_path, [], writer, writer):
        os.close(writer)
        terminal = written_to(reader)

    for number in range(3):
        assert f"\r\x1b[2Kresult {number}\r\n".encode() in terminal


def test_without_a_terminal_there_is_no_progress(tmp_path: Path) -> None:
    """Where stderr is not a terminal, results and errors are written without a bar."""
    with start(tmp_path, [], subprocess.PIPE) as process:
        results, errors = process.communicate()

    assert (results, errors) == (RESULTS, b"")


NAMES = """
import sys
import click
from inkfold.commands.cli import echo, echo_above, run
from inkfold.errors import InkfoldError

@click.command()
def command():
    name = "a\\x1b[2Jb\\x9b\\x07\\t亜"
    echo(name)
    echo((name + "c\\udcff").encode("utf-8", "surrogateescape"))
    echo_above(name)
    raise InkfoldError(name)

sys.exit(run(command, []))
"""


def test_a_name_does_not_command_a_terminal_and_stays_exact_in_a_pipe(tmp_path: Path) -> None:
    """Escape sequences in names are spelt out on a terminal; a pipe gets their very bytes."""
    (tmp_path / "names.py").write_text(NAMES)
    command = [sys.executable, str(tmp_path / "names.py")]
    reader, writer = pty.openpty()
    with subprocess.Popen(command, stdout=writer, stderr=writer):
        os.close(writer)
        terminal = written_to(reader)
    piped = subprocess.run(command, capture_output=True, check=False)

    shown = "a\\x1b[2Jb\\x9b\\x07\t亜".encode()
    assert terminal == (
        shown + b"\r\n" + shown + b"c\\xff\r\n\r\x1b[2K" + shown + b"\r\nerror: " + shown + b"\r\n"
    )
    exact = "a\x1b[2Jb\x9b\x07\t亜".encode()
    assert piped.stdout == exact + b"\n" + exact + b"c\xff\n" + exact + b"\n"
    assert piped.stderr == b"error: " + exact + b"\n"


def test_a_disk_that_fails_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """An error of the device itself is told in one line that names the file, with exit code 2."""

    @click.command()
    def fail() -> None:
        raise OSError(errno.EIO, "Input/output error", "d.h5")

    assert run(fail, []) == MISTAKE
    assert capsys.readouterr().err.startswith("error: d.h5: Input/output error; ")


def test_a_copy_that_does_not_fit_names_the_output(capsys: pytest.CaptureFixture[str]) -> None:
    """Where a disk is full in a copy, the line names what was to be written, not its source."""

    @click.command()
    def command() -> None:
        part = "models/.small.this-machine.77.part/model.onnx"
        raise OSError(errno.ENOSPC, "No space left on device", "models/cnn32/model.onnx", 0, part)

    assert run(command, []) == MISTAKE
    assert capsys.readouterr().err.startswith("error: models/small: No space left on device; ")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_run_with_its_number(tmp_path: Path, number: signal.Signals) -> None:
    """SIGTERM and SIGINT give 128 and the signal's number, as in shells, without a traceback."""
    with start(tmp_path, ["-q", "wait"], subprocess.PIPE) as process:
        assert process.stdout is not None
        while process.stdout.readline() != b"ready\n":
            pass
        process.send_signal(number)
        _, errors = process.communicate()

    assert process.returncode == 128 + number
    assert b"Traceback" not in errors


@pytest.mark.parametrize("signalled", [True, False])
def test_a_signal_in_c_code_ends_a_run_with_its_number(signalled: bool) -> None:
    """C code turns a signal's exception into SystemError; without a signal SystemError is a bug."""

    @click.command()
    def command() -> None:
        with contextlib.suppress(SystemExit):
            if signalled:
                os.kill(os.getpid(), signal.SIGTERM)
        raise SystemError("<method '__array__'> returned a result with an exception set")

    if signalled:
        before = signal.signal(signal.SIGTERM, signal.SIG_DFL)  # that of the tests would end them
        try:
            assert run(command, []) == 128 + signal.SIGTERM
        finally:
            signal.signal(signal.SIGTERM, before)
    else:
        with pytest.raises(SystemError):
            run(command, [])


def test_a_clock_gives_time_and_rate() -> None:
    """A clock puts the seconds since it was made before the rate."""
    assert Clock().rate(0).endswith(" s, 0 a second")
