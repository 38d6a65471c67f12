"""No stage connects to another machine, and none leaves an identifier on this one.

What a process and its children connect to is seen by strace, in their calls to the kernel.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from inkfold.dataset.reader import open_dataset
from tests.worlds.bands import write_bundle, write_dataset, write_picture
from tests.worlds.drawn_pictures import write_classes
from tests.worlds.packed_strokes import write_packed
from tests.worlds.scripts import ROOT
from tests.worlds.tracing import watched

CALLS = "trace=connect,sendto,sendmsg,sendmmsg"
SENDS = """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
    opened.sendto(b"", ("127.0.0.1", 9))
"""
STAGES = [
    ("create_dataset.py", "classes", "-o", "packed.h5", "--workers", "2"),
    ("augment.py", "packed.h5", "-o", "more.h5", "--copies", "1", "--workers", "2"),
    ("explore.py", "packed.h5", "-o", "explored.html"),
    ("-m", "inkfold.commands.main", "audit", "packed.h5", "--quick"),
    ("-m", "inkfold.commands.main", "export", "packed.h5", "exported"),
    ("evaluate.py", "bundle", "bands.h5"),
    ("classify.py", "a.png", "--model", "bundle"),
    ("-m", "tests.worlds.tiny_network", "strokes.h5", "--epochs", "1", "-o", "trained"),
]


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A working folder with all that the stages read, and empty folders `home` and `temporary`."""
    for name in ("home", "temporary"):
        (tmp_path / name).mkdir()
    write_classes(tmp_path / "classes", {"a": 12, "b": 12})
    write_packed(tmp_path / "strokes.h5", (32, 8, 8))
    write_picture(tmp_path / "a.png", 1)
    splits = {"train": ((0, 1), (0, 1)), "validation": ((3,), (3,)), "test": ((0, 1), (0, 1))}
    write_dataset(tmp_path / "bands.h5", splits)
    with open_dataset(tmp_path / "bands.h5") as dataset:
        write_bundle(tmp_path / "bundle", provenance=dataset.provenance)
    return tmp_path


def environment(here: Path) -> Mapping[str, str]:
    """The environment of a user whose folders are those in `here`, and who has set nothing."""
    mine = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    mine |= {"HOME": str(here / "home"), "TMPDIR": str(here / "temporary")}
    return mine | {"PYTHONPATH": str(ROOT)}


def connections(here: Path, *arguments: str) -> list[str]:
    """The calls that name another machine's address, or this one's, while Python runs to its end.

    Sockets between the processes of one machine, which have a file's name, are not meant.
    """
    trace = here / "trace.txt"
    script = [str(ROOT / arguments[0])] if arguments[0].endswith(".py") else [arguments[0]]
    line = ["strace", "-f", "--seccomp-bpf", "-e", CALLS, "-o", str(trace)]
    line += [sys.executable, *script, *arguments[1:]]
    done = subprocess.run(line, cwd=here, env=environment(here), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return [call for call in trace.read_text(errors="replace").splitlines() if "AF_INET" in call]


@watched
def test_a_script_that_connects_is_seen(tmp_path: Path) -> None:
    """A message that a grandchild of the watched process sends to a port of this machine is seen.

    It shows that the tests below can fail.
    """
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SENDS!r}], check=True)"

    assert any("127.0.0.1" in call for call in connections(tmp_path, "-c", code))


@watched
@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(STAGES)), ids=[stage[0] for stage in STAGES])
def test_no_stage_connects_to_anything(here: Path, number: int) -> None:
    """Packing, augmenting, exploring, checking, exporting, measuring, answering and training."""
    if number in range(1, 5):
        connections(here, *STAGES[0])

    assert connections(here, *STAGES[number]) == []


def test_answering_leaves_no_identifier_of_the_machine(here: Path) -> None:
    """After an answer of ONNX Runtime the folders for temporary files and for caches are empty."""
    line = [sys.executable, str(ROOT / "classify.py"), "a.png", "--model", "bundle"]
    subprocess.run(line, cwd=here, env=environment(here), check=True, stdout=subprocess.DEVNULL)

    assert [*(here / "temporary").iterdir(), *(here / "home").iterdir()] == []
