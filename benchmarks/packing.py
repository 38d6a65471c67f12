"""How long packing 20,000 picture files takes, beside one pass of other readers of class folders.

    python benchmarks/packing.py

Ours is the whole process with two workers, from its start to the file on the disk: split, digests
and compression are included. The peers only read, shrink and hand out the pictures. They are timed
twice. First they wait in processes of their own with everything imported, so that only the pass
itself counts; that favours them by our start of 0.2 s. Then they are timed as whole processes like
ours. All files are in the page cache.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.elastic_peers import import_torchvision
from benchmarks.measuring import ROOT, Row, Spread, in_turn, ratios, report, run_script

PASS, WHOLE = "the pass alone", "the whole process"
COUNT, CLASSES, SIDE, SIZE = 20_000, 100, 64, 32
ROUNDS = 3
LOOP, KERAS = "a loop over cv2.imread", "keras image_dataset_from_directory"
TORCHVISION = "torchvision ImageFolder, 2 workers"
TARGETS = {KERAS: "at least 3", LOOP: "at least 1.5", TORCHVISION: ""}


def measure() -> list[Row]:
    """Pack 20,000 PNG files of 64x64 in 100 folders, beside three ways to read them once."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        work = Path(folder)
        pictures = write_pictures(work / "pictures", COUNT)
        ours = ("create_dataset.py", pictures, "-o", work / "d.h5", "--workers", "2", "--overwrite")
        contenders: dict[str, Callable[[], object]] = {"ours": partial(run_script, *ours, cwd=work)}
        for name in PEERS:
            process = stack.enter_context(started(name, pictures))
            stack.callback(process.communicate)  # closes its input, which ends it
            if not is_ready(process):
                print(f"{name}: not installed, left out", file=sys.stderr)  # noqa: T201, named, not hidden
                continue
            contenders[f"{name}: {PASS}"] = partial(one_pass, process)
            contenders[f"{name}: {WHOLE}"] = partial(whole_process, name, pictures)
        timed = in_turn(contenders, ROUNDS)
    return [
        _row(f"{name}: {extent}", timed, target)
        for name, target in TARGETS.items()
        for extent in (PASS, WHOLE)
        if f"{name}: {extent}" in timed
    ]


def _row(name: str, timed: dict[str, list[float]], target: str) -> Row:
    ours, theirs = (Spread.of(timed[key]) for key in ("ours", name))
    return Row(
        stage=f"create_dataset.py, {COUNT:,} PNG of {SIDE}x{SIDE}, 2 workers",
        ours=f"{ours.text()} s",
        peer=name,
        theirs=f"{theirs.text()} s",
        ratio=ratios(timed[name], timed["ours"]),
        target=target,
        command="python benchmarks/packing.py",
        note="ours writes the file, theirs only reads",
    )


def write_pictures(root: Path, count: int) -> Path:
    """Write lines as if written with a brush, dark on white, as PNG files in `CLASSES` folders."""
    rng = np.random.default_rng(0)
    for label in range(CLASSES):
        (root / f"{label:03d}").mkdir(parents=True)
    for index in range(count):
        picture = np.full((SIDE, SIDE), 255, np.uint8)
        points = rng.integers(SIDE // 8, SIDE - SIDE // 8, (5, 2)).astype(np.int32)
        cv2.polylines(picture, [points], False, 20, 4, cv2.LINE_AA)
        name = f"{index % CLASSES:03d}/{index:06d}.png"
        (root / name).write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    return root


def by_loop(root: Path) -> Callable[[], int]:
    """A loop of a few lines in one process; a single picture gives OpenCV's threads no work."""

    def read() -> int:
        pictures, labels = [], []
        for label, folder in enumerate(sorted(os.listdir(root))):  # noqa: PTH208, the quickest
            for name in sorted(os.listdir(root / folder)):  # noqa: PTH208, the quickest
                picture = cv2.imread(f"{root}/{folder}/{name}", cv2.IMREAD_GRAYSCALE)
                assert picture is not None
                pictures.append(cv2.resize(picture, (SIZE, SIZE), interpolation=cv2.INTER_AREA))
                labels.append(label)
        return len(np.stack(pictures))

    return read


def by_keras(root: Path) -> Callable[[], int]:
    """Keras finds the files and reads all batches once; tf.data uses all processors."""
    from keras.utils import image_dataset_from_directory

    def read() -> int:
        batches = image_dataset_from_directory(
            root,
            color_mode="grayscale",
            image_size=(SIZE, SIZE),
            batch_size=256,
            shuffle=False,
            verbose=False,
        )
        return sum(len(labels) for _, labels in batches)

    return read


def by_torchvision(root: Path) -> Callable[[], int]:
    """Torchvision reads all batches once, with two worker processes that each pass starts anew."""
    import_torchvision()
    from torch.utils.data import DataLoader
    from torchvision.datasets import ImageFolder
    from torchvision.transforms import Compose, Grayscale, PILToTensor, Resize

    shrink = Compose([Grayscale(), Resize((SIZE, SIZE)), PILToTensor()])

    def read() -> int:
        loader = DataLoader(ImageFolder(root, shrink), batch_size=256, num_workers=2)
        return sum(len(labels) for _, labels in loader)

    return read


PEERS = {LOOP: by_loop, KERAS: by_keras, TORCHVISION: by_torchvision}


def serve(name: str, root: str) -> None:
    """Run a peer in its own process: for each line on stdin a pass, and the pictures it read."""
    read = PEERS[name](Path(root))
    print("ready", flush=True)  # noqa: T201, read by the process that times this one
    for _ in sys.stdin:
        print(read(), flush=True)  # noqa: T201, read by the process that times this one


def started(name: str, root: Path) -> subprocess.Popen[str]:
    """A new process that serves a peer; see `serve`."""
    call = f"from benchmarks.packing import serve; serve({name!r}, {str(root)!r})"
    return subprocess.Popen(  # noqa: S603, our own
        [sys.executable, "-c", call],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def is_ready(process: subprocess.Popen[str]) -> bool:
    """Wait until a peer has imported its libraries; False if one of them is not installed."""
    return process.stdout is not None and process.stdout.readline() == "ready\n"


def one_pass(process: subprocess.Popen[str]) -> None:
    """Let a peer read all pictures once."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    count = process.stdout.readline()
    if count != f"{COUNT}\n":
        raise RuntimeError(f"{process.args!r} read {count!r}, not {COUNT} pictures")


def whole_process(name: str, root: Path) -> None:
    """Run a peer from the start of Python to its end."""
    with started(name, root) as process:
        is_ready(process)
        one_pass(process)
        process.communicate()


if __name__ == "__main__":
    sys.exit(report(measure))
