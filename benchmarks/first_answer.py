"""How long a first answer takes from a cold process: ONNX Runtime beside Keras.

    python benchmarks/first_answer.py            # trains cnn32 for an epoch on digits first

Each engine is started anew several times, in turn; the median counts.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from inkfold.digits import write_digits

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 5


def run(work: Path, script: str, *arguments: str) -> float:
    """Run a script in `work`; the seconds it took."""
    began = time.perf_counter()
    command = [sys.executable, str(ROOT / script), *arguments]
    subprocess.run(command, cwd=work, check=True, capture_output=True)  # noqa: S603, our scripts
    return time.perf_counter() - began


def main() -> None:
    """Train once, then answer one picture again and again."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        write_digits(work / "pictures", lambda _count: None)
        run(work, "create_dataset.py", "pictures")
        run(work, "models/cnn32.py", "--epochs", "1")
        seconds: dict[str, list[float]] = {"onnx": [], "keras": []}
        for _ in range(ROUNDS):
            for engine, taken in seconds.items():
                taken.append(run(work, "classify.py", "--engine", engine, "pictures/0/0000.png"))
        medians = {engine: statistics.median(taken) for engine, taken in seconds.items()}
    ratio = medians["keras"] / medians["onnx"]
    spread = f"{min(seconds['onnx']):.2f} to {max(seconds['onnx']):.2f}"
    print(  # noqa: T201, the figure
        f"first answer of cnn32 from a cold process: {medians['onnx']:.2f} s with ONNX Runtime "
        f"({spread}), {medians['keras']:.2f} s with Keras: {ratio:.0f} times"
    )


if __name__ == "__main__":
    main()
