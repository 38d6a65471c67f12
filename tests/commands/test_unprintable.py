"""A terminal or a pipe that cannot print a character costs nothing: it is spelt out."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click
import numpy as np
import pytest

from inkfold.commands.cli import encodable, run
from tests.worlds import tiny_network
from tests.worlds.bands import write_bundle
from tests.worlds.bands import write_dataset as write_banded
from tests.worlds.bands import write_picture as write_band
from tests.worlds.drawn_pictures import glyph, write_classes, write_picture
from tests.worlds.foreign_files import write_idx
from tests.worlds.scripts import run_script

MAIN = "inkfold/commands/main.py"
SURROUNDINGS = {
    "cp1252": {"PYTHONIOENCODING": "cp1252"},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


def test_what_an_encoding_lacks_is_spelt_out() -> None:
    """Letters that an encoding has stay, others are escapes, and stray bytes are spelt out."""
    text = "é 漢 🖋 \udcff"

    assert encodable("é 漢 🖋", "utf-8") == "é 漢 🖋"
    assert encodable(text, "utf-8") == "é 漢 🖋 \\xff"
    assert encodable(text, "cp1252") == "é \\u6f22 \\U0001f58b \\xff"
    assert encodable(text, "ascii") == "\\xe9 \\u6f22 \\U0001f58b \\xff"


def test_the_streams_are_afterwards_as_they_were(capfd: pytest.CaptureFixture[str]) -> None:
    """A program that calls a command finds its own way of encoding errors again."""

    @click.command()
    def command() -> None:
        sys.stdout.write("stray \udcff\n")

    before = sys.stdout.errors, sys.stderr.errors
    assert run(command, []) == 0
    assert (sys.stdout.errors, sys.stderr.errors) == before
    assert capfd.readouterr().out == "stray \\udcff\n"


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_packing_and_checking_end_well(tmp_path: Path, name: str) -> None:
    """Names of classes and files that cannot be printed are escapes, and the work is kept."""
    surroundings = SURROUNDINGS[name]
    write_classes(tmp_path / "in", {"漢": 9, "🖋": 9, "é": 1})
    (tmp_path / "in/漢/bad 🖋.png").touch()
    arguments = ["in", "-o", "漢 🖋.h5", "--allow-bad", "50", "--min-per-class", "2"]

    packed = run_script("create_dataset.py", *arguments, cwd=tmp_path, env=surroundings)
    checked = run_script(MAIN, "check", "漢 🖋.h5", cwd=tmp_path, env=surroundings)
    missing = run_script(MAIN, "check", "missing 🖋.h5", cwd=tmp_path, env=surroundings)

    assert packed.returncode == 1
    lines = packed.stderr.splitlines()
    assert lines[0] == b"unreadable: '\\u6f22/bad \\U0001f58b.png': empty file"
    letter = "é".encode("ascii" if name == "C" else name, "backslashreplace")
    assert lines[1] == b"classes with too few pictures: 1: '" + letter + b"' (1)"
    assert len(packed.stdout.splitlines()) == 2
    assert (checked.returncode, checked.stderr) == (0, b"")
    assert missing.returncode == 2
    assert missing.stderr.count(b"\n") == 1


def test_every_other_command_ends_well(tmp_path: Path) -> None:
    """Importing, augmenting, exporting and measuring end with exit code 0 where ASCII is all."""
    write_idx(tmp_path / "漢", "train", [at % 3 for at in range(60)])
    splits = {"train": ((0, 1), (0, 1)), "validation": ((3,), (3,)), "test": ((0, 1), (0, 3))}
    write_banded(tmp_path / "漢.h5", splits)
    write_bundle(tmp_path / "bands 漢")
    commands = [
        ("import_data.py", "idx", "漢", "-o", "🖋.h5"),
        ("augment.py", "🖋.h5", "-o", "🖋🖋.h5", "--copies", "1", "--workers", "1"),
        (MAIN, "export", "🖋.h5", "out 漢"),
        ("evaluate.py", "bands 漢", "漢.h5"),
    ]

    for command in commands:
        done = run_script(*command, cwd=tmp_path, env=SURROUNDINGS["C"])
        assert done.returncode == 0, done.stderr
        assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_lines_of_classification_are_the_same_bytes_everywhere(tmp_path: Path, name: str) -> None:
    """Paths and labels go to a pipe as UTF-8, whatever the surroundings can print."""
    write_bundle(tmp_path / "bands")
    write_band(tmp_path / "漢 🖋.png", 0)
    arguments = ("--model", "bands", "漢 🖋.png", "missing 漢.png")

    there = run_script("classify.py", *arguments, cwd=tmp_path, env=SURROUNDINGS[name])

    assert there.returncode == 1
    assert there.stdout == "漢 🖋.png あ\n".encode()
    assert there.stderr.splitlines()[1].startswith("error: missing 漢.png: ".encode())


def test_help_is_printed_where_the_name_of_a_script_is_not(tmp_path: Path) -> None:
    """The text that click prints by itself spells out what the pipe cannot have."""
    shutil.copy(tiny_network.__file__, tmp_path / "漢.py")

    done = run_script(MAIN, "train", "漢.py", "--help", cwd=tmp_path, env=SURROUNDINGS["cp1252"])

    assert done.returncode == 0, done.stderr
    assert b"inkfold train '\\u6f22.py'" in done.stdout


def test_a_folder_with_stray_bytes_can_be_augmented(tmp_path: Path) -> None:
    """A path that is no text is printed with its bytes spelt out, after the work is done."""
    folder = tmp_path / b"a\xff".decode("utf-8", "surrogateescape")
    write_classes(folder / "in", {"a": 10, "b": 10})
    write_picture(folder / "in/a/x.png", glyph(np.random.default_rng(7)))

    packed = run_script("create_dataset.py", "in", "-o", "d.h5", cwd=folder)
    done = run_script("augment.py", folder / "d.h5", "--copies", "1", "--workers", "1", cwd=folder)

    assert packed.returncode == 0, packed.stderr
    assert done.returncode == 0, done.stderr
    assert b"a\\xff/d_elastic.h5: " in done.stdout
