"""Documentation is tested: every command and option is in it, and its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from inkfold import __version__
from inkfold.commands import manual, train
from inkfold.commands.main import command

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def test_the_manual_is_what_the_commands_say_of_themselves() -> None:
    """After a change of an option: python -m inkfold.commands.manual."""
    assert manual.PAGE.read_text(encoding="utf-8") == manual.page()


def test_every_command_and_option_has_help() -> None:
    """A word that a user may type is explained."""
    build, recipe = train.load_script(manual.NETWORK)
    network = train.train_command(build, recipe, program="network")
    for name, stage in {**command.commands, "models/NAME.py": network}.items():
        assert stage.help, name
        for option in stage.params:
            if isinstance(option, click.Option):
                assert option.help, f"{name} {option.name}"


def test_every_stage_is_a_script_too() -> None:
    """``python STAGE.py`` and ``inkfold STAGE``; training is started by the scripts in models/."""
    scripts = {path.stem for path in ROOT.glob("*.py")}

    assert scripts == set(command.commands) - {"train", "demo", "export", "audit", "shrink"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_inside_the_documentation_lead_somewhere(page: Path) -> None:
    """Relative links name files that are there."""
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", text)
    broken = [link for link in links if "://" not in link and not (page.parent / link).exists()]

    assert broken == []


def test_the_changelog_knows_this_version() -> None:
    """Version and changelog are changed together."""
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
