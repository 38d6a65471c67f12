"""What an answer costs: from a cold start, and for 20,000 files.

python benchmarks/classifying.py

It first trains cnn32 for an epoch, on 314 classes that mean nothing: speed alone is asked for here.
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

CLASSES = 314  # of the kanji that cnn32 is known by
EACH = 5  # pictures of a class to train with
FILES = 20_000
SIZE = 64  # pixels along a file's side
COLD_ROUNDS = 5
FILE_ROUNDS = 2  # of 20,000
SAMPLE = 100  # pictures one by one, in each of these rounds
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
    """Real digits enlarged, 20,000 in one folder and some as classes; the former's paths."""
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
    """The picture as PNG, 64x64."""
    pixels = cv2.resize(read(path), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    return bytes(cv2.imencode(".png", pixels)[1])


def starts(work: Path) -> Iterator[Row]:
    """How soon help and a wrong path are answered, beside a Python that does nothing."""
    script = [sys.executable, str(ROOT / "classify.py")]
    timed = in_turn(
        {
            "nothing": partial(ended, [sys.executable, "-c", "pass"], work),
            "--help": partial(ended, [*script, "--help"], work),
            "a wrong path": partial(ended, [*script, "--model", "nowhere", "a.png"], work),
        },
        COLD_ROUNDS,
    )
    for what, promise in (("--help", "0.3 s"), ("a wrong path", "0.5 s")):
        yield Row(
            stage=f"`classify.py`, {what}",
            ours=f"{Spread.of(timed[what]).told()} s",
            peer="Python that does nothing",
            theirs=f"{Spread.of(timed['nothing']).told()} s",
            ratio=ratios(timed[what], timed["nothing"]),
            target="",
            command=COMMAND,
            note=f"the design allows {promise}",
        )


def ended(command: list[str], work: Path) -> None:
    """Run it, whatever its exit code is."""
    subprocess.run(command, cwd=work, capture_output=True, check=False)  # noqa: S603, our scripts


def first_answer(work: Path, picture: Path) -> Row:
    """One picture, each time in a new process."""
    engines = {
        engine: partial(run_script, "classify.py", "--engine", engine, picture, cwd=work)
        for engine in ENGINES
    }
    timed = in_turn(engines, COLD_ROUNDS)
    return Row(
        stage="`classify.py`, one picture, cold process, cnn32",
        ours=f"{Spread.of(timed['onnx']).told()} s",
        peer="the same with `--engine keras`",
        theirs=f"{Spread.of(timed['keras']).told()} s",
        ratio=ratios(timed["keras"], timed["onnx"]),
        target="at least 10",
        command=COMMAND,
        note="every hash of the bundle is checked",
    )


def beside_batches(timed: dict[str, list[float]]) -> Row:
    """The whole command with one engine and with the other."""
    return Row(
        stage=f"`classify.py` on {FILES:,} files, cnn32, whole process",
        ours=f"{Spread.of(timed['onnx']).told()} s",
        peer="the same with `--engine keras`, in batches of 256",
        theirs=f"{Spread.of(timed['keras']).told()} s",
        ratio=ratios(timed["keras"], timed["onnx"]),
        target="at least 1",
        command=COMMAND,
        note=f"PNG of {SIZE}x{SIZE}",
    )


def one_by_one(work: Path, pictures: list[Path]) -> list[float]:
    """Seconds a picture of one ``model.predict(picture[None])`` after another, in each round."""
    bundle = load_bundle(work / BUNDLE)
    model = bundle.keras_model()

    def predict(paths: list[Path]) -> None:
        for path in paths:
            image = prepare(read(path), bundle.spec)[None, ..., None].astype(np.float32)
            model.predict(image, verbose=0)

    predict(pictures[:10])
    samples = [pictures[at * SAMPLE :][:SAMPLE] for at in range(FILE_ROUNDS)]
    return [seconds(partial(predict, sample)) / SAMPLE for sample in samples]


def beside_single_predictions(taken: list[float], single: list[float]) -> Row:
    """A picture of 20,000, start included, beside one of a sample in a warm process."""
    ours = [each / FILES for each in taken]
    return Row(
        stage=f"`classify.py` on {FILES:,} files, cnn32, a picture",
        ours=f"{Spread.of(ours).told(1e3)} ms",
        peer="one `model.predict` a picture in a warm process",
        theirs=f"{Spread.of(single).told(1e3)} ms",
        ratio=ratios(single, ours),
        target="at least 20",
        command=COMMAND,
        note=f"theirs on {FILE_ROUNDS} x {SAMPLE} pictures, without its start",
    )


def say(what: str) -> None:
    """Progress."""
    print(f"{what} ...", file=sys.stderr, flush=True)  # noqa: T201, a benchmark tells


if __name__ == "__main__":
    sys.exit(report(measure))
