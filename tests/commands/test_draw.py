"""The command line of the canvas: how it starts and ends, and what it refuses."""

from __future__ import annotations

import math
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from inkfold.bundle.bundle import SHIPPED
from inkfold.commands.draw import main
from tests.worlds.bands import write_bundle
from tests.worlds.scripts import ROOT

QUIET = ("--no-browser", "--port", "0")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_server_prints_its_address_answers_and_ends(
    tmp_path: Path, number: signal.Signals
) -> None:
    """In a folder without trained bundles the shipped bundle answers, until a signal comes."""
    line = [sys.executable, str(ROOT / "draw.py"), *QUIET]
    with subprocess.Popen(line, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            address, _, explanation = process.stdout.readline().partition(" ")
            health = httpx.get(f"{address}health").json()
        finally:
            process.send_signal(number)
        assert process.wait(20) in {0, 128 + number, -number}

    assert address.startswith("http://127.0.0.1:")
    assert "drawings are kept in drawings" in explanation
    assert health["bundle"] == SHIPPED.name
    assert list(tmp_path.iterdir()) == []  # nothing is written before a drawing is kept


def test_a_bundle_that_cannot_answer_is_refused_before_the_page_opens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line says that the training of this bundle diverged."""
    bundle = write_bundle(tmp_path / "b", weight=math.nan)

    assert main([str(bundle), *QUIET]) == 2
    assert "b: the network answers with values that are no numbers" in capsys.readouterr().err


def test_a_port_that_is_taken_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    """The error names address and port, and advises another --port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        assert main([str(SHIPPED), "--no-browser", "--port", str(port)]) == 2

    error = capsys.readouterr().err
    assert f"127.0.0.1, port {port}: " in error
    assert "choose another with --port" in error


def test_a_host_of_another_machine_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    """A host name that does not exist, and another machine's address, are refused by name."""
    for host in ("no.such.host.invalid", "192.0.2.1"):
        assert main([str(SHIPPED), *QUIET, "--host", host]) == 2
        assert host in capsys.readouterr().err


def test_a_folder_that_is_not_a_bundle_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder without a bundle is refused before a window is opened or a server is started."""
    for options in (QUIET, ("--desktop",)):
        assert main([str(tmp_path), *options]) == 2
        assert "no bundle here" in capsys.readouterr().err
