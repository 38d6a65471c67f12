"""Documentation is tested: every command and option is in it, and its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import click
import cv2
import numpy as np
import pytest

from inkfold import __version__
from inkfold.commands import manual, train
from inkfold.commands.main import command
from inkfold.networks import cnn32
from inkfold.networks.scores import SCORES
from tests.test_layers import FLOORS
from tests.worlds.packed_strokes import write_packed

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def test_the_manual_is_what_the_commands_say_of_themselves() -> None:
    """After a change of an option: python -m inkfold.commands.manual."""
    assert manual.PAGE.read_text(encoding="utf-8") == manual.page()


def test_every_command_and_option_has_help() -> None:
    """A word that a user may type is explained."""
    network = train.train_command(cnn32.build, cnn32.RECIPE, program="network")
    for name, stage in {**command.commands, "train cnn32": network}.items():
        assert stage.help, name
        for option in stage.params:
            if isinstance(option, click.Option):
                assert option.help, f"{name} {option.name}"


def test_every_stage_is_a_script_too() -> None:
    """``python STAGE.py`` and ``inkfold STAGE``; training has a script for each network."""
    scripts = {path.stem for path in ROOT.glob("*.py")}
    networks = {path.stem for path in (ROOT / "models").glob("*.py")}

    assert scripts == set(command.commands) - {
        "train",
        "networks",
        "demo",
        "export",
        "merge",
        "audit",
        "shrink",
        "calibrate",
        "check",
    }
    assert networks == set(SCORES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_inside_the_documentation_lead_somewhere(page: Path) -> None:
    """A relative link names a file that is there, and a heading of that page if it names one."""
    links = re.findall(r"\]\(([^)\s]*)\)", page.read_text(encoding="utf-8"))
    broken = [link for link in links if "://" not in link and not leads_somewhere(page, link)]

    assert broken == []


def leads_somewhere(page: Path, link: str) -> bool:
    """Whether a relative link's file is there, and the heading that its anchor stands for."""
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    if not target.exists() or not anchor:
        return target.exists()
    text = re.sub(r"```.*?```", "", target.read_text(encoding="utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return anchor in {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in headings
    }


def test_the_architecture_names_every_file_of_the_package() -> None:
    """Every file is in the tree, but for those of the two rooms that have one a format or stage."""
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    tree = page.partition("```\n")[2].partition("```")[0]
    for path in (ROOT / "inkfold").rglob("*.py"):
        room = path.parent.name
        if path.stem != "__init__" and room not in ("importers", "commands", "web", "desktop"):
            assert re.search(rf"\b{path.stem}\b", tree), path


def test_the_architecture_shows_the_floors_that_the_imports_keep() -> None:
    """The page and tests/test_layers.py give the same floors, from the top down."""
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\d  (.+)$", page, flags=re.MULTILINE)

    assert [row.split() for row in reversed(rows)] == [floor.split() for floor in FLOORS]


def test_the_readme_is_short() -> None:
    """A newcomer reads it in one go; the rest is in docs/."""
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


def test_the_python_lines_of_the_readme_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two pictures are answered by the bundle that comes along, and a dataset is opened."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (lines,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "datasets").mkdir()
    write_packed(tmp_path / "datasets/characters.h5")
    for name in ("a.png", "b.png"):
        drawn = np.full((40, 40), 250, np.uint8)
        cv2.line(drawn, (20, 6), (20, 34), 10, 3)
        (tmp_path / name).write_bytes(cv2.imencode(".png", drawn)[1].tobytes())

    exec(compile(lines, "README.md", "exec"), {})  # noqa: S102, our own page

    printed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in printed] == ["a.png", "b.png", "<dataset"]


def test_the_changelog_knows_this_version() -> None:
    """Version and changelog are changed together."""
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
