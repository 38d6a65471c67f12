"""What an installation weighs, and how soon a new user has a first answer.

    python benchmarks/installing.py [--extra none --extra draw --extra train --extra all]

For each extra a fresh environment gets the wheel of this checkout by pip, from wherever pip gets
packages. The size is that of site-packages without pip and setuptools, compiled files included, as
pip leaves it. The first answers are timed in an empty folder, each in a process of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click
import cv2

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from inkfold.commands import cli
from tests.worlds.drawn_letters import Shot, photograph
from tests.worlds.installed import build_wheel

TOOLS = ("pip", "setuptools", "pkg_resources", "_distutils_hack")  # come with the environment
ROUNDS = 3
LINES = {
    "inkfold --help": ["--help"],
    "inkfold networks": ["networks"],
    "inkfold classify photo.png": ["classify", "photo.png"],
    "inkfold train cnn32 nowhere.h5": ["train", "cnn32", "nowhere.h5"],
}


def size(environment: Path) -> int:
    """Bytes of the files in site-packages, without the tools that come with an environment."""
    (packages,) = environment.glob("lib/python*/site-packages")
    files = (path for path in packages.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(
        path.stat().st_size
        for path in files
        if not path.relative_to(packages).parts[0].startswith(TOOLS)
    )


def installed(wheel: Path, extra: str, folder: Path) -> tuple[float, float]:
    """Install into `folder`; the seconds that pip took, and the megabytes."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)  # noqa: S603, ours
    what = str(wheel) if extra == "none" else f"{wheel}[{extra}]"
    begin = time.perf_counter()
    command = [str(folder / "bin/pip"), "install", "-q", "--disable-pip-version-check", what]
    subprocess.run(command, check=True)  # noqa: S603, same
    return time.perf_counter() - begin, size(folder) / 1e6


def answers(environment: Path, work: Path) -> Iterator[str]:
    """What each line printed last, and the seconds of its first run and of the best later one."""
    surroundings = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    for line, arguments in LINES.items():
        seconds = []
        for _ in range(1 + ROUNDS):
            begin = time.perf_counter()
            done = subprocess.run(  # noqa: S603, same
                [str(environment / "bin/inkfold"), *arguments],
                cwd=work,
                env=surroundings,
                capture_output=True,
                text=True,
                check=False,
            )
            seconds.append(time.perf_counter() - begin)
        last = (done.stdout + done.stderr).strip().splitlines()[-1]
        yield f"  {line}: {seconds[0]:.2f} s, then {min(seconds[1:]):.2f} s; {last}"


@click.command()
@click.option(
    "--extra",
    "extras",
    multiple=True,
    default=("none", "report", "draw", "train", "all"),
    help="Install with this extra, or with none.",
)
def command(extras: tuple[str, ...]) -> None:
    """Install the wheel of this checkout into fresh environments, and measure them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheel = build_wheel(folder)
        cli.echo(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB")
        for extra in extras:
            work = folder / "empty"
            work.mkdir(exist_ok=True)
            cv2.imwrite(str(work / "photo.png"), photograph("R", Shot()))
            environment = folder / extra
            seconds, megabytes = installed(wheel, extra, environment)
            cli.echo(f"{extra}: {megabytes:.0f} MB, installed in {seconds:.0f} s")
            for line in answers(environment, work):
                cli.echo(line)


if __name__ == "__main__":
    sys.exit(cli.run(command))
