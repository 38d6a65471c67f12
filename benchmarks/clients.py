"""Fifty clients at once: whether every answer is the right one, and how long it takes.

    python benchmarks/clients.py

`python draw.py` answers in a process of its own with the bundle that comes along; fifty threads
send drawings to /predict/strokes, each as soon as its last one is answered. Beside it stands what
one drawing costs a single caller: over HTTP, and without the server.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import ROOT, digits
from inkfold.bundle.bundle import SHIPPED, load_bundle
from inkfold.canvas.drawing import render
from inkfold.canvas.recogniser import Recogniser
from inkfold.canvas.web.messages import DrawingMessage
from inkfold.classifier import Classifier
from tests.worlds.drawn_letters import STROKES

CLIENTS, EACH = 50, 40


def wish(character: str) -> dict[str, Any]:
    """A drawing as the page sends it."""
    strokes = [
        {"brush": 16, "points": [[90 + 220 * row, 110 + 176 * column, 0.5] for column, row in one]}
        for one in STROKES[character]
    ]
    return {"rows": 400, "columns": 400, "strokes": strokes}


def alone(recogniser: Recogniser) -> tuple[dict[str, str], float]:
    """Each character's answer without a server, and the median of the seconds."""
    answers, taken = {}, []
    for _ in range(10):
        for character in STROKES:
            drawing = DrawingMessage(**wish(character)).drawing()
            began = time.perf_counter()
            answers[character] = recogniser.answer(render(drawing)).labels[0]
            taken.append(time.perf_counter() - began)
    return answers, float(np.median(taken))


def ask(address: str, expected: dict[str, str], first: int, count: int) -> tuple[int, list[float]]:
    """One client's wrong answers, and the seconds of each request."""
    wrong, taken, characters = 0, [], list(STROKES)
    with httpx.Client(base_url=address, timeout=60) as client:
        for number in range(first, first + count):
            character = characters[number % len(characters)]
            began = time.perf_counter()
            answer = client.post("/predict/strokes", json=wish(character)).json()
            taken.append(time.perf_counter() - began)
            wrong += answer["label"] != expected[character]
    return wrong, taken


def main() -> None:
    """Start the server, ask, print."""
    expected, cost = alone(Recogniser(Classifier(load_bundle(SHIPPED))))
    line = [sys.executable, str(ROOT / "draw.py"), str(SHIPPED), "--port", "0", "--no-browser"]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(  # noqa: S603, our own script
            [*line, "--keep", folder], stdout=subprocess.PIPE, text=True
        ) as server,
    ):
        try:
            address = server.stdout.readline().split()[0] if server.stdout else ""
            _, single = ask(address, expected, 0, 100)
            with ThreadPoolExecutor(CLIENTS) as pool:
                asked = [pool.submit(ask, address, expected, n, EACH) for n in range(CLIENTS)]
                found = [one.result() for one in asked]
        finally:
            server.terminate()
    many = np.concatenate([taken for _, taken in found])
    median, last = (float(np.percentile(many, share)) for share in (50, 99))
    one = float(np.median(single))
    told = {"one drawing, no server": cost, "one client": one, "50 clients, median": median}
    for name, seconds in (told | {"50 clients, 99th percentile": last}).items():
        times = f"{digits(seconds / cost)} times" if seconds != cost else ""
        sys.stdout.write(f"{name:30s} {1000 * seconds:7.1f} ms  {times}\n")
    sys.stdout.write(f"wrong answers: {sum(w for w, _ in found)} of {len(many):,}\n")
    rate = len(many) / (many.sum() / CLIENTS)
    sys.stdout.write(f"answered: {rate:,.0f} a second\n")


if __name__ == "__main__":
    main()
