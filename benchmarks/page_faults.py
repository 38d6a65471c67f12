"""Kill the page while it keeps drawings, and open more connections than it takes.

    python benchmarks/page_faults.py [--trials 100]

In each kill four clients keep drawings as fast as they are answered, until the server is killed at
a random moment. The trial holds if every drawing that a client was told of lies there with exactly
the bytes that a fresh picture of it has, if no file in the collection is half a picture, and if the
next server answers, lists the same drawings and sweeps what the killed one left. In each flood 600
connections are opened at once and each asks for the page's health. The trial holds if each gets an
answer, 200 or 503, or is closed, and if the server answers a new client within ten seconds after
they have gone.
"""

from __future__ import annotations

import contextlib
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import click
import cv2
import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.faults import print_table
from benchmarks.measuring import ROOT
from inkfold.bundle.bundle import SHIPPED
from inkfold.canvas.drawing import render
from inkfold.canvas.web.messages import DrawingMessage
from inkfold.commands import cli

KEEPING = 4  # clients that keep drawings at the same time
CONNECTIONS = 600
LATEST = 1.5  # seconds after the first drawing at which the last kill comes
STROKE = {"brush": 12, "points": [[10, 50, 0.5], [90, 50, 0.5]]}
DRAWING: dict[str, Any] = {"rows": 100, "columns": 100, "strokes": [STROKE]}


@contextmanager
def page(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server in a process of its own, with its address."""
    line = [sys.executable, str(ROOT / "draw.py"), str(SHIPPED), "--port", "0", "--no-browser"]
    with subprocess.Popen(  # noqa: S603, our own script
        [*line, "--keep", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # each refused connection has a line there
        text=True,
    ) as server:
        try:
            yield server, server.stdout.readline().split()[0] if server.stdout else ""
        finally:
            server.kill()


def kill(folder: Path, moment: float) -> str | None:
    """Kill a server while drawings are kept; what was wrong, or None."""
    told: list[str] = []

    def client(address: str, name: str) -> None:
        """Keep drawings of a class until the server has gone."""
        with contextlib.suppress(httpx.HTTPError), httpx.Client(base_url=address) as session:
            while True:
                answer = session.post("/kept", json={"name": name, "drawing": DRAWING})
                told.append(answer.json()["place"] if answer.status_code == 201 else answer.text)

    with page(folder) as (server, address):
        threads = [
            threading.Thread(target=client, args=(address, name)) for name in "abcd"[:KEEPING]
        ]
        for thread in threads:
            thread.start()
        while not told:
            time.sleep(0.001)
        time.sleep(moment)
        server.kill()
        for thread in threads:
            thread.join()
    return problem_in(folder, told)


def problem_in(folder: Path, told: list[str]) -> str | None:
    """What is wrong with a collection after its server was killed; None where nothing is."""
    picture = cv2.imencode(".png", render(DrawingMessage(**DRAWING).drawing()))[1].tobytes()
    pictures = {str(path.relative_to(folder)): path for path in folder.rglob("*.png")}
    if lost := set(told) - set(pictures):
        return f"told of, but not there: {sorted(lost)[:3]}"
    if half := [name for name, path in pictures.items() if path.read_bytes() != picture]:
        return f"not the picture: {sorted(half)[:3]}"
    with page(folder) as (_, address):
        listed = {kept["place"] for kept in httpx.get(f"{address}kept", timeout=60).json()}
    if listed != set(pictures):
        return f"the next server lists {len(listed)} drawings of {len(pictures)}"
    left = [path.name for path in folder.rglob("*") if path.is_file() and path.suffix != ".png"]
    return f"left over: {left[:3]}" if left else None


def flood(folder: Path) -> str | None:
    """Open too many connections; what was wrong, or None."""
    with page(folder) as (_, address):
        host, port = address.removeprefix("http://").rstrip("/").split(":")
        with ExitStack() as stack:
            opened = [
                stack.enter_context(socket.create_connection((host, int(port)), timeout=60))
                for _ in range(CONNECTIONS)
            ]
            for each in opened:
                each.sendall(f"GET /health HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
            answers = [_status(each) for each in opened]
            odd = {answer for answer in answers if answer not in (b"200", b"503", b"")}
            # on a busy machine all may be there before the first is answered, and get 503
            if odd:
                return f"answers {odd}; expected 200, 503 or a closed connection"
        moment = time.monotonic() + 10
        while time.monotonic() < moment:
            if httpx.get(f"{address}health", timeout=60).status_code == 200:
                return None
            time.sleep(0.1)
    return "no answer to a new client after ten seconds"


def _status(connection: socket.socket) -> bytes:
    """The status of the answer; empty if the connection was closed."""
    try:
        return connection.recv(1000)[9:12]
    except ConnectionError:
        return b""


def rows(trials: int, rng: random.Random) -> Iterator[tuple[str, int, int]]:
    """A row of kills and a row of floods."""
    moments = [rng.uniform(0, LATEST) for _ in range(trials)]
    for name, problems in (
        ("draw.py --keep, killed", (_alone(kill, moment) for moment in moments)),
        (
            f"draw.py, {CONNECTIONS} connections",
            (_alone(flood) for _ in range(max(1, trials // 20))),
        ),
    ):
        tried = broken = 0
        for problem in problems:
            tried += 1
            if problem:
                click.echo(f"{name}: {problem}", err=True)
                broken += 1
        yield name, tried, broken


def _alone(trial: Any, *arguments: Any) -> str | None:  # noqa: ANN401, a trial and what it takes
    """Run a trial with a new folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        found: str | None = trial(Path(folder) / "kept", *arguments)
        return found


@click.command()
@click.option("--trials", type=click.IntRange(min=1), default=100, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
def command(trials: int, seed: int) -> int:
    """Kill and flood the page, and print a table: tried, held, broken."""
    rng = random.Random(seed)  # noqa: S311, moments need no cryptographic randomness
    return print_table("the page | tried", rows(trials, rng))


if __name__ == "__main__":
    sys.exit(cli.run(command))
