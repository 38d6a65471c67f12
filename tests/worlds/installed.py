"""Inkfold as a user installs it: a wheel, and environments of their own in which it lies.

No package is fetched: an environment borrows the libraries of the one that runs the tests, all of
them or those alone that the wheel's dependencies name.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement

from tests.worlds.scripts import ROOT

BORROWED = Path(sysconfig.get_path("platlib"))
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-q")
FOLDERS = ("inkfold", "models", "tests", "benchmarks")
FILES = ("pyproject.toml", "README.md", "LICENSE")


def build_wheel(folder: Path) -> Path:
    """The wheel of a copy of the checkout, built in `folder`."""
    source = folder / "source"
    for name in FOLDERS:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (
        *ROOT.glob("*.py"),
        *map(ROOT.joinpath, ("pyproject.toml", "README.md", "LICENSE")),
    ):
        shutil.copy(path, source)
    options = ("wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(folder))
    subprocess.run([*PIP, *options, str(source)], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def names_in(wheel: Path) -> set[str]:
    """The files in a wheel."""
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


@dataclass(frozen=True)
class Installation:
    """An environment in which the wheel is installed."""

    folder: Path

    @property
    def packages(self) -> Path:
        """Where its packages lie."""
        (path,) = self.folder.glob("lib/python*/site-packages")
        return path

    def run(self, *arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run ``inkfold ARGUMENTS`` to its end, where the checkout cannot be imported."""
        command = [str(self.folder / "bin/inkfold"), *map(str, arguments)]
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}
        return subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
        )

    def files(self) -> set[str]:
        """The package's own files, without compiled ones."""
        package = self.packages / "inkfold"
        found = (path for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc")
        return {path.relative_to(self.packages).as_posix() for path in found}


def install(wheel: Path, folder: Path) -> Installation:
    """Install a wheel into a new environment, by pip, without any library."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = str(folder / "bin/python")
    options = ("install", "--no-deps", "--no-index", str(wheel))
    subprocess.run([*PIP, "--python", python, *options], check=True)
    return Installation(folder)


def with_all_libraries(installation: Installation) -> Installation:
    """The installation, with every library that the tests have."""
    # the editable installation of the checkout is a .pth file, which is read in site folders only
    (installation.packages / "borrowed.pth").write_text(f"{BORROWED}\n", encoding="utf-8")
    return installation


def with_its_dependencies(installation: Installation, wheel: Path) -> Installation:
    """The installation, with what ``pip install inkfold`` brings, and nothing else."""
    for name in sorted(_closure(_required(wheel))):
        for entry in {file.parts[0] for file in distribution(name).files or ()}:
            link = installation.packages / entry
            if entry not in ("..", "__pycache__") and not link.exists():
                link.symlink_to(BORROWED / entry)
    return installation


def _required(wheel: Path) -> list[str]:
    with ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_bytes(archive.read(name)).get_all("Requires-Dist", [])


def _closure(requirements: list[str]) -> set[str]:
    """The names of what some requirements bring, those of their own requirements among them."""
    known: set[str] = set()
    waiting = [*_wanted(requirements)]
    while waiting:
        name = waiting.pop()
        if name not in known:
            known.add(name)
            waiting += _wanted(distribution(name).requires or [])
    return known


def _wanted(requirements: list[str]) -> Iterator[str]:
    """Those that no extra asks for, of what is installed here."""
    for text in requirements:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            try:
                yield distribution(requirement.name).metadata["Name"]
            except PackageNotFoundError:
                raise LookupError(f"{requirement.name} is not installed here") from None
