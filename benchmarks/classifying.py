"""How long classify.py takes: for one picture from a cold start, and for 20,000 files.

    python benchmarks/classifying.py

It first trains cnn32 for an epoch on 314 classes of arbitrary pictures: only speed is measured, and
the answers are not looked at.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import ROOT, Row, Spread, in_turn, ratios, report, run_script, seconds
from inkfold.bundle.bundle import load_bundle
from inkfold.commands.demo import write_digits
from inkfold.picture import prepare, read

CLASSES = 314  # as many as the kanji that cnn32 was made for
EACH = 5  # pictures of each class to train with
FILES = 20_000
SIZE = 64  # pixels along a side of each file's picture
COLD_ROUNDS = 3  # of one picture
FILE_ROUNDS = 2  # of 20,000 files
SAMPLE = 100  # pictures that are answered one by one, in each of the `FILE_ROUNDS`
COMMAND = "python benchmarks/classifying.py"
ENGINES = ("onnx", "keras")
BUNDLE = Path("models/trained/cnn32")


def measure() -> Iterator[Row]:
    """Time classify.py against Keras' engine, cold and on many files, and one predict a picture."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        pictures = write_pictures(work)
        say("training")
        run_script("create_dataset.py", "few", cwd=work)
        run_script("models/cnn32.py", "--epochs", "1", cwd=work)
        say("starting")
        yield from starts(work)
        yield first_answer(work, pictures[0])
        say(f"answering {FILES:,} files")
        many = {
            engine: partial(run_script, "classify.py", "-q", "--engine", engine, "many", cwd=work)
            for engine in ENGINES
        }
        timed = in_turn(many, FILE_ROUNDS, warm=False)
        yield beside_batches(timed)
        say("answering one by one")
        yield beside_single_predictions(timed["onnx"], one_by_one(work, pictures))


def write_pictures(work: Path) -> list[Path]:
    """Write enlarged digits, ``few/CLASS/`` to train with and ``many/`` to answer.

    Returns
    -------
    paths : list of Path
        The files in ``many/``.
    """
    write_digits(work / "digits", lambda _count: None)
    digits = [enlarged(path) for path in sorted((work / "digits").glob("*/*.png"))]
    for number in range(CLASSES * EACH):
        folder = work / "few" / f"{number % CLASSES:03d}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.png").write_bytes(digits[number])
    paths = [work / "many" / f"{number:05d}.png" for number in range(FILES)]
    paths[0].parent.mkdir()
    for number, path in enumerate(paths):
        path.write_bytes(digits[number % len(digits)])
    return paths


def enlarged(path: Path) -> bytes:
    """A picture file enlarged to 64x64, as the bytes of a PNG file."""
    pixels = cv2.resize(read(path), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    return bytes(cv2.imencode(".png", pixels)[1])


def starts(work: Path) -> Iterator[Row]:
    """Seconds until the help and the error about a wrong path, beside Python that does nothing."""
    script = [sys.executable, str(ROOT / "classify.py")]
    timed = in_turn(
        {
            "nothing": partial(ended, [sys.executable, "-c", "pass"], work),
            "--help": partial(ended, [*script, "--help"], work),
            "a wrong path": partial(ended, [*script, "--model", "nowhere", "a.png"], work),
        },
        COLD_ROUNDS,
    )
    for name, limit in (("--help", "0.3 s"), ("a wrong path", "0.5 s")):
        yield Row(
            stage=f"`classify.py`, {name}",
            ours=f"{Spread.of(timed[name]).text()} s",
            peer="Python that does nothing",
            theirs=f"{Spread.of(timed['nothing']).text()} s",
            ratio=ratios(timed[name], timed["nothing"]),
            target="",
            command=COMMAND,
            note=f"the design allows {limit}",
        )


def ended(command: list[str], work: Path) -> None:
    """Run a command to its end, whatever its exit code is."""
    subprocess.run(command, cwd=work, capture_output=True, check=False)  # noqa: S603, our scripts


def first_answer(work: Path, picture: Path) -> Row:
    """Seconds to answer one picture in a new process, with our engine and with Keras'."""
    engines = {
        engine: partial(run_script, "classify.py", "--engine", engine, picture, cwd=work)
        for engine in ENGINES
    }
    timed = in_turn(engines, COLD_ROUNDS)
    return Row(
        stage="`classify.py`, one picture, cold process, cnn32",
        ours=f"{Spread.of(timed['onnx']).text()} s",
        peer="the same with `--engine keras`",
        theirs=f"{Spread.of(timed['keras']).text()} s",
        ratio=ratios(timed["keras"], timed["onnx"]),
        target="at least 10",
        command=COMMAND,
        note="every hash of the bundle is checked",
    )


def beside_batches(timed: dict[str, list[float]]) -> Row:
    """Seconds of the whole command on all files, with our engine and with Keras'."""
    return Row(
        stage=f"`classify.py` on {FILES:,} files, cnn32, whole process",
        ours=f"{Spread.of(timed['onnx']).text()} s",
        peer="the same with `--engine keras`, in batches of 256",
        theirs=f"{Spread.of(timed['keras']).text()} s",
        ratio=ratios(timed["keras"], timed["onnx"]),
        target="at least 1",
        command=COMMAND,
        note=f"PNG of {SIZE}x{SIZE}",
    )


def one_by_one(work: Path, pictures: list[Path]) -> list[float]:
    """Seconds a picture, in each round, of ``model.predict`` called for one picture at a time."""
    bundle = load_bundle(work / BUNDLE)
    model = bundle.keras_model()

    def predict(paths: list[Path]) -> None:
        for path in paths:
            image = prepare(read(path), bundle.spec)[None, ..., None].astype(np.float32)
            model.predict(image, verbose=0)

    predict(pictures[:10])
    samples = [pictures[at * SAMPLE :][:SAMPLE] for at in range(FILE_ROUNDS)]
    return [seconds(partial(predict, sample)) / SAMPLE for sample in samples]


def beside_single_predictions(command_seconds: list[float], single: list[float]) -> Row:
    """Milliseconds a picture: the whole command on all files, beside ``model.predict`` alone."""
    ours = [seconds / FILES for seconds in command_seconds]
    return Row(
        stage=f"`classify.py` on {FILES:,} files, cnn32, a picture",
        ours=f"{Spread.of(ours).text(1e3)} ms",
        peer="one `model.predict` a picture in a warm process",
        theirs=f"{Spread.of(single).text(1e3)} ms",
        ratio=ratios(single, ours),
        target="at least 20",
        command=COMMAND,
        note=f"theirs on {FILE_ROUNDS} x {SAMPLE} pictures, without its start",
    )


def say(activity: str) -> None:
    """Print what begins now, on stderr."""
    print(f"{activity} ...", file=sys.stderr, flush=True)  # noqa: T201, progress of a benchmark


if __name__ == "__main__":
    sys.exit(report(measure))
