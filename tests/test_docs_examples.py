"""What the pages tell a reader to type works: Python runs, and commands have the options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from inkfold.bundle.bundle import SHIPPED
from inkfold.commands.main import command
from tests.worlds.examples import write_world
from tests.worlds.scripts import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
PYTHON = [
    pytest.param(page, code, id=f"{page.stem}-{place}")
    for page in PAGES
    for place, code in enumerate(
        re.findall(
            r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
        )
    )
]
# a line of a block that begins with a program of ours, up to what the shell would do with it
LINE = re.compile(r"^(?: {4}|\$ )?((?:python|inkfold|make) [^|<>&\n]*)", re.MULTILINE)
CONTAINER = re.compile(r"^docker run .* inkfold(?:-train)? ", re.MULTILINE)  # starts inkfold
MAKE = re.compile(r"^(\w+):", re.MULTILINE)
NOT_A_COMMAND = {"stage", "--help"}  # a word in capitals stands for the command's name


@pytest.mark.parametrize(("page", "code"), PYTHON)
def test_the_python_of_a_page_runs(
    page: Path, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A block runs as it stands, in a folder with the pictures, dataset and bundle it names."""
    write_world(tmp_path)
    (tmp_path / "models/trained/cnn32").symlink_to(SHIPPED)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}

    exec(compile(code, page.name, "exec"), names)  # noqa: S102, our own page

    if callable(build := names.get("build")):  # a network: it has an answer for each class
        assert build(4).output_shape == (None, 4)


def typed(page: Path) -> Iterator[list[str]]:
    """The command lines of a page's blocks, in words."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:sh)?\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    blocks += re.findall(r"(?:^ {4}.*\n)+", text, re.MULTILINE)
    for block in blocks:
        for line in LINE.findall(CONTAINER.sub("inkfold ", block)):
            yield shlex.split(line, comments=True)


def options_of(name: str) -> set[str]:
    """The options of a command, or of a network, in the manual that the commands write."""
    manual = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## (\S+)(.*?)(?=^## |\Z)", manual, re.DOTALL | re.MULTILINE)
    networks = [text for _, text in sections if "--epochs" in text]
    own = [text for title, text in sections if title == name != "train"] or networks
    return set(re.findall(r"--?[a-z][a-z-]*", own[0]))


def mistakes(words: list[str]) -> Iterator[str]:
    """What a command line asks for that is not there."""
    program, what, *rest = words
    if program == "make":
        if what not in MAKE.findall((ROOT / "Makefile").read_text(encoding="utf-8")):
            yield f"no target {what}"
        return
    if what == "-m":
        if find_spec(rest[0]) is None:
            yield f"no module {rest[0]}"
        return
    if program == "python" and what.startswith(("benchmarks/", "docs/")):
        if not (ROOT / what).is_file():
            yield f"no script {what}"
        return
    name = Path(what).stem if program == "python" else what
    network = program == "python" and what.startswith("models/")
    if not network and name not in command.commands:
        yield f"no command {name}"
        return
    known = options_of(name) | {"--help"}
    given = [word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word)]
    yield from (f"{name} has no {option}" for option in given if option not in known)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_command_line_of_a_page_names_what_is_there(page: Path) -> None:
    """Each command of a block is one of ours, with options that it has."""
    wrong = [
        (shlex.join(words), mistake)
        for words in typed(page)
        if len(words) > 1 and words[1].lower() not in NOT_A_COMMAND
        for mistake in mistakes(words)
    ]

    assert wrong == []
