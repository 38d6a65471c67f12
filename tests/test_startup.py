"""Nothing heavy is imported before the arguments are checked, in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.worlds.bands import write_bundle, write_picture
from tests.worlds.scripts import ROOT

STAGES = (
    *("create_dataset.py", "import_data.py", "augment.py", "evaluate.py", "classify.py"),
    "draw.py",
)
MODELS = tuple(sorted(f"models/{path.name}" for path in (ROOT / "models").glob("*.py")))
LIBRARIES = {
    *("click", "cv2", "fastapi", "h5py", "isal", "jinja2", "keras", "matplotlib", "multipart"),
    *("numpy", "onnx", "onnxruntime", "pandas", "rich", "scipy", "sklearn", "tensorboard"),
    *("tensorflow", "tf2onnx", "threadpoolctl", "uvicorn"),
}
NEVER = {"tensorflow", "keras", "h5py", "scipy", "matplotlib", "sklearn", "pandas", "rich"}
WRONG = {
    "create_dataset.py": ["nowhere"],
    "import_data.py": ["idx", "nowhere"],
    "augment.py": ["nowhere.h5"],
    "evaluate.py": ["nowhere", "nowhere.h5"],
    "classify.py": ["--model", "nowhere", "a.png"],
}
# what opens the file that a script refuses, where that is not h5py
OPENS = {"import_data.py": ["cv2", "isal"], "classify.py": [], "draw.py": [], "evaluate.py": []}
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


@pytest.mark.parametrize("script", [*STAGES, *MODELS])
def test_help_imports_nothing_heavy(script: str, tmp_path: Path) -> None:
    """A script's --help loads click and no other library: numpy alone would double its time."""
    code, packages = loaded(script, "--help", cwd=tmp_path)

    assert code == "0"
    assert "click" in packages, "the spy sees nothing"
    assert packages & LIBRARIES == {"click"}


@pytest.mark.parametrize("script", [*STAGES, *MODELS])
def test_a_wrong_path_is_reported_before_a_slow_library_is_loaded(
    script: str, tmp_path: Path
) -> None:
    """A wrong path ends with exit code 2 after the libraries that open a file, and no others."""
    arguments = WRONG.get(script, ["nowhere.h5"])

    code, packages = loaded(script, *arguments, cwd=tmp_path)

    assert code == "2"
    assert packages & LIBRARIES <= {"click", "numpy", *OPENS.get(script, ["h5py"])}


def test_an_answer_needs_neither_tensorflow_nor_another_slow_library(tmp_path: Path) -> None:
    """classify.py answers a picture with numpy, OpenCV, onnxruntime and click alone."""
    write_bundle(tmp_path / "bands")
    write_picture(tmp_path / "1.png", 1)

    code, packages = loaded("classify.py", "--model", "bands", "1.png", cwd=tmp_path)

    assert code == "0"
    assert {"numpy", "cv2", "onnxruntime", "click"} <= packages
    assert packages & NEVER == set()
