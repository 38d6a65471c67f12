"""The Dockerfile: a linter finds nothing in it, and what it copies and installs is there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.worlds.scripts import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
PAGE = (ROOT / "docs/docker.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_a_linter_finds_nothing_in_the_dockerfile() -> None:
    """Hadolint knows what goes wrong in images, and reads the shell's lines as well."""
    own = Path(sys.executable).with_name("hadolint")
    linter = str(own) if own.exists() else shutil.which("hadolint")
    if linter is None:
        pytest.skip("hadolint is not installed (requirements.txt)")
    found = subprocess.run(
        [linter, "--no-color", ROOT / "Dockerfile"], check=False, capture_output=True, text=True
    )

    assert (found.stdout + found.stderr, found.returncode) == ("", 0)


def test_what_the_dockerfile_copies_goes_to_the_builder() -> None:
    """.dockerignore keeps back everything but the files that are copied, and these are there."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, flags=re.MULTILINE)
    copied = {name for line in copies for name in line.split()}

    assert "*" in lines
    assert copied == let_in
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_the_dockerfile_copies_what_the_package_is_built_of() -> None:
    """The build reads pyproject.toml, the readme, the licence and every package."""
    needed = {"pyproject.toml", PROJECT["readme"], *PROJECT["license-files"], "inkfold"}

    assert needed == {
        name
        for line in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, flags=re.MULTILINE)
        for name in line.split()
    }


def test_the_images_run_as_a_user_without_rights() -> None:
    """The last USER before the entry point is a number above 0, which a cluster can check."""
    (user,) = re.findall(r"^USER (.+)$", DOCKERFILE, flags=re.MULTILINE)

    assert int(user) > 0
    assert DOCKERFILE.index("USER") < DOCKERFILE.index("ENTRYPOINT")


def test_the_page_names_the_targets_that_the_dockerfile_has() -> None:
    """The image without a target is the last one, and --target names a stage."""
    stages = re.findall(r"^FROM \S+ AS (\S+)$", DOCKERFILE, flags=re.MULTILINE)

    assert stages[-1] == "answer"
    assert set(re.findall(r"--target (\w+)", PAGE + DOCKERFILE)) == {"train"} <= set(stages)


def test_the_dockerfile_installs_extras_that_the_package_has() -> None:
    """An extra that is not there is only warned of by pip, which builds an image without it."""
    extras = re.findall(r"'\.\[(.+?)\]'", DOCKERFILE)

    assert len(extras) == 2
    assert {name for line in extras for name in line.split(",")} <= set(
        PROJECT["optional-dependencies"]
    )
