"""Ctrl-C at any moment: real signals to real programs, each held at a moment of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from inkfold.commands.cli import run
from tests.worlds.scripts import ROOT

# in place of click: an import that takes long
ENDED = """
import signal, click
from inkfold.commands.cli import run

def test_one():
    @click.command()
    def command():
        signal.raise_signal(signal.SIGTERM)
    run(command, [])

def test_two():
    assert False, "the next test"
"""
SLOW = """
import time
print("ready", flush=True)
time.sleep(60)
"""
# in place of click: Python drops what is raised in a destructor
DROPPED = """
import time
class Dropping:
    def __del__(self):
        print("ready", flush=True)
        time.sleep(60)
Dropping()
time.sleep(60)
"""
# in place of click: what is raised here becomes a RuntimeError in Python 3.11
CHANGED = """
import time
class Naming:
    def __set_name__(self, owner, name):
        print("ready", flush=True)
        time.sleep(60)
class Owner:
    name = Naming()
"""
# a command whose first wait takes every error for its own, as C code may
SWALLOWED = """
import time, click
from inkfold.commands.cli import run

@click.command()
def command():
    try:
        print("ready", flush=True)
        time.sleep(60)
    except BaseException:
        pass
    while True:  # the work goes on
        time.sleep(0.01)

raise SystemExit(run(command, []))
"""
# a command that takes a while to clean up
CLEANING = """
import time, click
from inkfold.commands.cli import run

def leaving():
    try:
        yield
    finally:
        time.sleep(0.5)

@click.command()
def command():
    made = leaving()
    next(made)
    try:
        print("ready", flush=True)
        time.sleep(60)
    finally:
        made.close()
        time.sleep(0.5)
        print("cleaned up", flush=True)

raise SystemExit(run(command, []))
"""
RUN = """
import sys, time
import click
from inkfold.commands.cli import run

def ready():
    print("ready", flush=True)
    time.sleep(60)

class Dropping:
    def __del__(self):
        ready()

@click.command()
@click.argument("moment")
def command(moment):
    if moment == "plain":
        ready()
    elif moment == "dropped":
        Dropping()
        time.sleep(60)
    elif moment == "cleaning":
        try:
            ready()
        finally:
            ready()
    elif moment == "short":
        print("ready", flush=True)
        time.sleep(1)
        print("done")

code = run(command, sys.argv[1:])
if sys.argv[1] == "after":
    ready()
sys.exit(code)
"""


def start(*command: str | Path, path: Path = ROOT) -> subprocess.Popen[str]:
    """Begin a program whose modules are looked for in `path`, too."""
    environment = os.environ | {"PYTHONPATH": str(path)}
    arguments = [str(word) for word in command]
    return subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def wait_until_ready(process: subprocess.Popen[str]) -> None:
    """Wait for the program's word that it has come to its moment, and is asleep there."""
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.05)


@pytest.mark.parametrize("script", ["create_dataset.py", "models/cnn32.py"])
@pytest.mark.parametrize("module", [SLOW, DROPPED, CHANGED], ids=["slow", "dropped", "changed"])
def test_ctrl_c_while_modules_are_imported_is_one_line(
    tmp_path: Path, script: str, module: str
) -> None:
    """Ctrl-C while a script imports its first library prints one line and gives 130."""
    (tmp_path / "click.py").write_text(module)
    path = Path(f"{tmp_path}{os.pathsep}{ROOT}")
    with start(sys.executable, ROOT / script, "--help", path=path) as process:
        wait_until_ready(process)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()

    assert (process.returncode, errors) == (130, "interrupted\n")


@pytest.mark.parametrize("moment", ["plain", "dropped", "after"])
def test_ctrl_c_during_and_after_a_run_is_one_line(tmp_path: Path, moment: str) -> None:
    """Ctrl-C in a command, in a destructor that drops it, or after the run gives one line."""
    (tmp_path / "program.py").write_text(RUN)
    with start(sys.executable, tmp_path / "program.py", moment) as process:
        wait_until_ready(process)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()

    assert (process.returncode, errors) == (130, "interrupted\n")


def test_a_second_ctrl_c_ends_a_program_that_is_still_cleaning_up(tmp_path: Path) -> None:
    """The first Ctrl-C lets a program clean up for a minute; the second ends it in one line."""
    (tmp_path / "program.py").write_text(RUN)
    with start(sys.executable, tmp_path / "program.py", "cleaning") as process:
        wait_until_ready(process)
        process.send_signal(signal.SIGINT)
        wait_until_ready(process)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()

    assert (process.returncode, errors) == (130, "interrupted\n")


@pytest.mark.skipif(shutil.which("sh") is None, reason="a shell starts the program")
def test_a_program_that_was_started_with_ctrl_c_ignored_ignores_it(tmp_path: Path) -> None:
    """A shell has Ctrl-C ignored by what runs in its background, and so it stays."""
    (tmp_path / "program.py").write_text(RUN)
    ignoring = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable]
    with start(*ignoring, tmp_path / "program.py", "short") as process:
        wait_until_ready(process)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate()

    assert (process.returncode, output, errors) == (0, "done\n", "")


def test_the_handlers_of_the_caller_are_put_back() -> None:
    """A program that calls a command has its own handlers of signals and hooks afterwards."""

    def handlers() -> list[object]:
        numbers = (signal.SIGINT, signal.SIGTERM)
        return [sys.excepthook, sys.unraisablehook, *map(signal.getsignal, numbers)]

    inside = []

    @click.command()
    def command() -> None:
        inside.extend(handlers())

    before = handlers()

    assert run(command, []) == 0
    assert handlers() == before
    assert inside[2:] != before[2:]


def test_a_signal_that_ends_a_run_reaches_the_callers_own_handler() -> None:
    """A program that calls a command hears of SIGTERM once, after the command has cleaned up."""
    heard: list[str] = []

    @click.command()
    def command() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            heard.append("cleaned up")

    before = signal.signal(signal.SIGTERM, lambda *_: heard.append("handled"))
    try:
        code = run(command, [])
    finally:
        signal.signal(signal.SIGTERM, before)

    assert code == 128 + signal.SIGTERM
    assert heard == ["cleaned up", "handled"]


def test_sigterm_ends_the_tests_themselves(tmp_path: Path) -> None:
    """The tests end at a SIGTERM that comes while a command runs, and runs no further test."""
    (tmp_path / "test_ended.py").write_text(ENDED)
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:xdist"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 143
    assert "SIGTERM" in done.stdout
    assert "the next test" not in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_whose_exception_was_dropped_is_raised_again(number: signal.Signals) -> None:
    """A library that takes every error for its own does not keep a run from ending."""
    code, output = _ended_by(SWALLOWED, number)

    assert code == 128 + number, output


def test_cleaning_up_is_not_interrupted_by_the_look_whether_it_is_done() -> None:
    """What a run does at its end is done to its end, however long it takes."""
    code, output = _ended_by(CLEANING, signal.SIGTERM)

    assert (code, output) == (143, "cleaned up\n")


def _ended_by(program: str, number: signal.Signals) -> tuple[int, str]:
    """Send a signal to a program once it is ready; its exit code, and what it printed then."""
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    return process.returncode, output
