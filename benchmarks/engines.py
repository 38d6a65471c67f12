"""Bulk classification by ONNX Runtime, Keras and OpenVINO: from a cold start, and warm.

    python benchmarks/engines.py [--network cnn32] [--rounds 3]

Each engine has a process of its own, which loads the same bundle and answers the same 4,096 images
in turn with the others. ONNX Runtime and Keras answer as `inkfold.classifier` runs them; OpenVINO
reads ``model.onnx`` and answers with as many requests at once as it proposes for throughput, in
float32. The bundle is trained for an epoch on arbitrary pictures: only speed is measured, and that
the answers agree.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import ROOT, Row, Spread, in_turn, keep, line, ratios, run_script, turns
from inkfold.bundle.bundle import ONNX, load_bundle
from inkfold.classifier import Classifier
from inkfold.commands import cli
from tests.worlds.packed_strokes import write_packed

CLASSES, COUNT = 314, 4_096
ENGINES = ("ONNX Runtime", "Keras", "OpenVINO")
RUN = 64  # images in a request of OpenVINO, as many as ONNX Runtime is given
FIRST = "the first answer of a process"


def images(size: int) -> NDArray[np.uint8]:
    """Noise: only speed is measured."""
    return np.random.default_rng(0).integers(0, 256, (COUNT, size, size), dtype=np.uint8)


def openvino(bundle: Path) -> Any:  # noqa: ANN401, a function from images to probabilities
    """OpenVINO's way to answer images: asynchronous requests, float32."""
    import openvino as ov

    core = ov.Core()
    hints = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": "f32"}
    network = core.compile_model(bundle / ONNX, "CPU", hints)
    queue = ov.AsyncInferQueue(network)

    def answer(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        out = np.empty((len(pixels), CLASSES), np.float32)

        def keep(request: Any, place: int) -> None:  # noqa: ANN401, OpenVINO has no such type
            out[place : place + RUN] = request.get_output_tensor().data

        queue.set_callback(keep)
        for place in range(0, len(pixels), RUN):
            queue.start_async(pixels[place : place + RUN, ..., None].astype(np.float32), place)
        queue.wait_all()
        return out

    return answer


def serve(engine: str, bundle: str) -> None:
    """Answer all images at each line on stdin, and print the pictures a second.

    The first line that is printed is the largest difference from ONNX Runtime's answers.
    """
    loaded = load_bundle(Path(bundle))
    if engine == "OpenVINO":
        answer = openvino(Path(bundle))
    else:
        answer = Classifier(loaded, "keras" if engine == "Keras" else "onnx").network_answers
    pixels = images(loaded.spec.size)
    few = pixels[:256]
    difference = np.abs(answer(few) - Classifier(loaded).network_answers(few)).max()
    answer(pixels)
    print(difference, flush=True)  # noqa: T201, the answer; no work is left that would disturb others
    for _ in sys.stdin:
        began = time.perf_counter()
        answer(pixels)
        print(COUNT / (time.perf_counter() - began), flush=True)  # noqa: T201, the answer


def first(engine: str, bundle: str) -> None:
    """Load the bundle and answer one image."""
    pixels = images(load_bundle(Path(bundle)).spec.size)[:1]
    if engine == "OpenVINO":
        openvino(Path(bundle))(pixels)
    else:
        Classifier(
            load_bundle(Path(bundle)), "keras" if engine == "Keras" else "onnx"
        ).network_answers(pixels)


def called(function: str, engine: str, bundle: Path) -> list[str]:
    """A command that calls a function of this module."""
    call = f"from benchmarks.engines import {function}; {function}({engine!r}, {str(bundle)!r})"
    return [sys.executable, "-c", call]


def measured(bundle: Path, engines: list[str], rounds: int) -> dict[str, list[float]]:
    """Pictures a second of each engine, in each round; says how far the answers differ."""
    rates: dict[str, list[float]] = {engine: [] for engine in engines}
    with ExitStack() as stack:
        processes = {
            engine: stack.enter_context(
                subprocess.Popen(  # noqa: S603, our own
                    called("serve", engine, bundle),
                    cwd=ROOT,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for engine in engines
        }

        def asked(process: subprocess.Popen[str]) -> float:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("\n")
            process.stdin.flush()
            return float(process.stdout.readline())

        for engine, process in processes.items():
            difference = process.stdout.readline().strip() if process.stdout else ""
            click.echo(f"{engine}: differs from ONNX Runtime by {difference} at most", err=True)
        for number in range(rounds):
            for engine in turns(engines, number):
                rates[engine].append(asked(processes[engine]))
        for process in processes.values():
            process.communicate()
    return rates


def rows(network: str, bundle: Path, rounds: int) -> list[Row]:
    """ONNX Runtime, which `classify.py` takes, beside each other engine, warm and cold."""
    engines = list(ENGINES if importlib.util.find_spec("openvino") else ENGINES[:2])
    warm = measured(bundle, engines, rounds)
    cold = in_turn(
        {
            engine: partial(subprocess.run, called("first", engine, bundle), cwd=ROOT, check=True)
            for engine in engines
        },
        rounds,
    )
    ours, command = ENGINES[0], f"python benchmarks/engines.py --network {network}"
    warm_stage = f"answering {COUNT:,} images, {network}, {ours}, warm"
    cold_stage = f"{FIRST}, {network}, {ours}"
    compared = [
        (stage, unit, peer, timed, ratio)
        for peer in engines[1:]
        for stage, unit, timed, ratio in (
            (warm_stage, "pictures/s", warm, ratios(warm[ours], warm[peer])),
            (cold_stage, "s", cold, ratios(cold[peer], cold[ours])),
        )
    ]
    return [
        Row(
            stage=stage,
            ours=f"{Spread.of(timed[ours]).text()} {unit}",
            peer=peer,
            theirs=f"{Spread.of(timed[peer]).text()} {unit}",
            ratio=ratio,
            target="",
            command=command,
        )
        for stage, unit, peer, timed, ratio in compared
    ]


@click.command(help=__doc__)
@click.option("--network", default="cnn32", show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--rows", "kept", type=click.Path(path_type=Path), help="Also write them as JSON.")
def command(network: str, *, rounds: int, kept: Path | None) -> int:
    """Measure, and print the rows."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        names = [f"{number:03}" for number in range(CLASSES)]
        write_packed(work / "d.h5", (2 * CLASSES, CLASSES, CLASSES), classes=names, size=32)
        run_script(f"models/{network}.py", "d.h5", "-o", "b", "--epochs", "1", "-q", cwd=work)
        found = rows(network, work / "b", rounds)
        for row in found:
            click.echo(line(row))
        if kept is not None:
            keep(found, kept)
    return 0


if __name__ == "__main__":
    sys.exit(cli.run(command))
