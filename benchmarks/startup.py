"""How long `--help` and the report of a wrong path take, beside Python's own start.

    python benchmarks/startup.py            # about a minute

Each is a process of its own. The contenders take turns, and a ratio is of one round. The targets of
`docs/decisions/0002-late-imports.md` are seconds, and hold where Python alone starts in some 20 ms.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import ROOT, Row, Spread, in_turn, line, ratios

ROUNDS = 10
PYTHON = "python -c pass"
SCRIPTS = {
    "create_dataset.py": ["nowhere"],
    "import_data.py": ["idx", "nowhere"],
    "augment.py": ["nowhere.h5"],
    "models/cnn32.py": ["nowhere.h5"],
    "evaluate.py": ["nowhere", "nowhere.h5"],
    "classify.py": ["--model", "nowhere", "a.png"],
    "draw.py": ["nowhere"],
}


def start(folder: Path, code: int, arguments: Sequence[str]) -> None:
    """Run Python in an empty `folder` to its end, which must have this exit code."""
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603, our scripts
    if done.returncode != code:
        raise RuntimeError(f"{arguments} ended with {done.returncode}: {done.stderr[-2000:]}")


def measure() -> Iterator[Row]:
    """Seconds of `--help` and of a wrong path, and how many starts of Python these are."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        contenders = {PYTHON: partial(start, folder, 0, ["-c", "pass"])}
        for script, wrong in SCRIPTS.items():
            path = str(ROOT / script)
            contenders[f"{script} --help"] = partial(start, folder, 0, [path, "--help"])
            contenders[f"{script} {' '.join(wrong)}"] = partial(start, folder, 2, [path, *wrong])
        timed = in_turn(contenders, ROUNDS)
    for stage in list(contenders)[1:]:
        yield Row(
            stage=stage,
            ours=f"{Spread.of(timed[stage]).text()} s",
            peer=PYTHON,
            theirs=f"{Spread.of(timed[PYTHON]).text()} s",
            ratio=ratios(timed[stage], timed[PYTHON]),
            target="",
            command="python benchmarks/startup.py",
        )


if __name__ == "__main__":
    for row in measure():
        print(line(row))  # noqa: T201, a benchmark prints its figures
