"""Nothing heavy is imported before the arguments are checked, in processes of their own."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.worlds.bands import write_bundle, write_picture
from tests.worlds.scripts import ROOT, run_script

STAGES = (
    *("create_dataset.py", "import_data.py", "augment.py", "evaluate.py", "classify.py"),
    "draw.py",
)
MODELS = tuple(sorted(f"models/{path.name}" for path in (ROOT / "models").glob("*.py")))
HEAVY = {"tensorflow", "keras", "h5py", "scipy", "matplotlib", "sklearn", "onnxruntime", "cv2"}
NEVER = {"tensorflow", "keras", "h5py", "scipy", "matplotlib", "sklearn", "pandas", "rich"}
WRONG = {
    "create_dataset.py": ["nowhere"],
    "import_data.py": ["idx", "nowhere"],
    "augment.py": ["nowhere.h5"],
    "evaluate.py": ["nowhere", "nowhere.h5"],
    "classify.py": ["--model", "nowhere", "a.png"],
}
# runs a script as `python SCRIPT ...` does and then prints which packages it loaded
SPY = """
import runpy, sys
sys.argv = sys.argv[1:]
sys.path[0] = __import__("os").path.dirname(sys.argv[0])
code = None
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as end:
    code = end.code
print("\\n", code, *sorted({name.partition(".")[0] for name in sys.modules}))
"""


def loaded(script: str, *arguments: str, cwd: Path) -> tuple[str, set[str]]:
    """A script's exit code and the packages that its process had loaded at the end."""
    command = [sys.executable, "-c", SPY, str(ROOT / script), *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True)
    code, *packages = done.stdout.splitlines()[-1].split()
    return code, set(packages)


def seconds(script: str, *arguments: str, cwd: Path, enough: float) -> float:
    """Processor time of the best of ten runs, or of the first that takes less than `enough`.

    On a busy machine the same run takes half as long again.
    """
    taken: list[float] = []
    while len(taken) < 10 and min(taken, default=enough) >= enough:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run_script(script, *arguments, cwd=cwd)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(taken)


@pytest.mark.parametrize("script", [*STAGES, *MODELS])
def test_help_imports_nothing_heavy(script: str, tmp_path: Path) -> None:
    """A script's --help loads click, but neither numpy nor anything that takes longer to load."""
    code, packages = loaded(script, "--help", cwd=tmp_path)

    assert code == "0"
    assert "click" in packages, "the spy sees nothing"
    assert packages & (HEAVY | {"numpy", "rich"}) == set()


@pytest.mark.parametrize("script", [*STAGES, *MODELS])
def test_help_answers_in_under_three_tenths_of_a_second(script: str, tmp_path: Path) -> None:
    """A script's --help takes less than 0.3 s of processor time, a fifth of it Python's start."""
    assert seconds(script, "--help", cwd=tmp_path, enough=0.3) < 0.3


@pytest.mark.parametrize("script", [*STAGES, *MODELS])
def test_a_wrong_path_is_reported_in_under_half_a_second(script: str, tmp_path: Path) -> None:
    """A wrong path ends with exit code 2 in less than 0.5 s, before TensorFlow is loaded."""
    arguments = WRONG.get(script, ["nowhere.h5"])

    code, packages = loaded(script, *arguments, cwd=tmp_path)

    assert code == "2"
    assert packages & {"tensorflow", "keras", "sklearn", "matplotlib"} == set()
    assert seconds(script, *arguments, cwd=tmp_path, enough=0.5) < 0.5


def test_an_answer_needs_neither_tensorflow_nor_another_slow_library(tmp_path: Path) -> None:
    """classify.py answers a picture with numpy, OpenCV, onnxruntime and click alone."""
    write_bundle(tmp_path / "bands")
    write_picture(tmp_path / "1.png", 1)

    code, packages = loaded("classify.py", "--model", "bands", "1.png", cwd=tmp_path)

    assert code == "0"
    assert {"numpy", "cv2", "onnxruntime", "click"} <= packages
    assert packages & NEVER == set()
