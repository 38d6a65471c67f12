"""``python draw.py`` as a user starts and ends it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from inkfold.bundle.bundle import SHIPPED
from inkfold.commands.draw import main
from tests.worlds.scripts import ROOT

QUIET = ("--no-browser", "--port", "0")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_tells_its_address_answers_and_ends(tmp_path: Path, number: signal.Signals) -> None:
    """In a folder where nothing was trained the bundle that comes along answers."""
    line = [sys.executable, str(ROOT / "draw.py"), *QUIET]
    with subprocess.Popen(line, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            address, _, told = process.stdout.readline().partition(" ")
            health = httpx.get(f"{address}health").json()
        finally:
            process.send_signal(number)
        assert process.wait(20) in {0, 128 + number, -number}

    assert address.startswith("http://127.0.0.1:")
    assert "drawings are kept in drawings" in told
    assert health["bundle"] == SHIPPED.name
    assert list(tmp_path.iterdir()) == []  # nothing is made before something is kept


def test_a_port_that_is_taken_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """With the number and another way."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        assert main([str(SHIPPED), "--no-browser", "--port", str(port)]) == 2

    said = capsys.readouterr().err
    assert f"127.0.0.1, port {port}: " in said
    assert "choose another with --port" in said


def test_a_host_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """No name, and no address of this machine."""
    for host in ("no.such.host.invalid", "192.0.2.1"):
        assert main([str(SHIPPED), *QUIET, "--host", host]) == 2
        assert host in capsys.readouterr().err


def test_a_bundle_that_is_none_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before a window or a server is thought of."""
    for options in (QUIET, ("--desktop",)):
        assert main([str(tmp_path), *options]) == 2
        assert "no bundle here" in capsys.readouterr().err
