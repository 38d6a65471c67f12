"""Fifty clients at the same time: whether each gets its own answer, and how long it waits.

    python benchmarks/clients.py
    python benchmarks/clients.py --uploads    # memory under forty uploads of 6 MB at once

`python draw.py` answers in a process of its own with the shipped bundle. Fifty threads send
drawings to /predict/strokes, each as soon as its last one is answered. For comparison one drawing
is answered for a single client over HTTP, and without the server.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import ROOT, digits
from inkfold.bundle.bundle import SHIPPED, load_bundle
from inkfold.canvas.drawing import render
from inkfold.canvas.recogniser import Recogniser
from inkfold.canvas.web.messages import DrawingMessage
from inkfold.classifier import Classifier
from tests.worlds.drawn_letters import STROKES

CLIENTS = 50
EACH = 40  # drawings that each client sends


def uploads() -> None:
    """Start the server, send forty pictures of noise at once, and print its peak memory."""
    noise = np.random.default_rng(0).integers(0, 256, (2400, 2500), dtype=np.uint8)
    data = cv2.imencode(".png", noise)[1].tobytes()
    line = [sys.executable, str(ROOT / "draw.py"), str(SHIPPED), "--port", "0", "--no-browser"]
    with (
        subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as server,  # noqa: S603, our own
        ThreadPoolExecutor(40) as pool,
    ):
        try:
            address = server.stdout.readline().split()[0] if server.stdout else ""
            process = psutil.Process(server.pid)
            before = peak = process.memory_info().rss
            files = {"file": data}
            sent = [
                pool.submit(httpx.post, f"{address}predict", files=files, timeout=600)
                for _ in range(40)
            ]
            while not all(future.done() for future in sent):
                peak = max(peak, process.memory_info().rss)
                time.sleep(0.01)
            answered = sum(future.result().status_code == 200 for future in sent)
        finally:
            server.terminate()
    sys.stdout.write(f"40 uploads of {len(data) / 1e6:.1f} MB, {answered} answered: ")
    sys.stdout.write(f"{before >> 20} MiB before, {peak >> 20} MiB at the peak\n")


def main() -> None:
    """Start the server, send drawings from one client and from fifty, and print the times."""
    expected, cost = without_server(Recogniser(Classifier(load_bundle(SHIPPED))))
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
                futures = [pool.submit(ask, address, expected, n, EACH) for n in range(CLIENTS)]
                results = [future.result() for future in futures]
        finally:
            server.terminate()
    many = np.concatenate([taken for _, taken in results])
    median, slowest = (float(np.percentile(many, share)) for share in (50, 99))
    figures = {
        "one drawing, no server": cost,
        "one client": float(np.median(single)),
        "50 clients, median": median,
        "50 clients, 99th percentile": slowest,
    }
    for name, seconds in figures.items():
        times = f"{digits(seconds / cost)} times" if seconds != cost else ""
        sys.stdout.write(f"{name:30s} {1000 * seconds:7.1f} ms  {times}\n")
    sys.stdout.write(f"wrong answers: {sum(wrong for wrong, _ in results)} of {len(many):,}\n")
    rate = len(many) / (many.sum() / CLIENTS)
    sys.stdout.write(f"answered: {rate:,.0f} a second\n")


def without_server(recogniser: Recogniser) -> tuple[dict[str, str], float]:
    """The label of each character without a server, and the median of the seconds."""
    answers, taken = {}, []
    for _ in range(10):
        for character in STROKES:
            drawing = DrawingMessage(**drawing_of(character)).drawing()
            began = time.perf_counter()
            answers[character] = recogniser.answer(render(drawing)).labels[0]
            taken.append(time.perf_counter() - began)
    return answers, float(np.median(taken))


def ask(address: str, expected: dict[str, str], first: int, count: int) -> tuple[int, list[float]]:
    """Send `count` drawings from one client; the wrong answers, and the seconds of each request."""
    wrong, taken, characters = 0, [], list(STROKES)
    with httpx.Client(base_url=address, timeout=60) as client:
        for number in range(first, first + count):
            character = characters[number % len(characters)]
            began = time.perf_counter()
            answer = client.post("/predict/strokes", json=drawing_of(character)).json()
            taken.append(time.perf_counter() - began)
            wrong += answer["label"] != expected[character]
    return wrong, taken


def drawing_of(character: str) -> dict[str, Any]:
    """A drawing of a character, as the page sends it."""
    strokes = [
        {
            "brush": 16,
            "points": [[90 + 220 * row, 110 + 176 * column, 0.5] for column, row in stroke],
        }
        for stroke in STROKES[character]
    ]
    return {"rows": 400, "columns": 400, "strokes": strokes}


if __name__ == "__main__":
    uploads() if sys.argv[1:] == ["--uploads"] else main()
