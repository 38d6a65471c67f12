"""Inkfold after ``pip install``: what the wheel brings, and what works in an empty folder."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from inkfold.commands.main import command
from inkfold.networks.scores import SCORES
from tests.worlds.bands import write_dataset
from tests.worlds.drawn_letters import Shot, photograph
from tests.worlds.installed import (
    Installation,
    build_wheel,
    install,
    names_in,
    with_all_libraries,
    with_its_dependencies,
)
from tests.worlds.scripts import ROOT

PACKAGE = ROOT / "inkfold"
SCRIPTS = "|".join(sorted(path.stem for path in ROOT.glob("*.py")))
# the scripts of a checkout, which are not installed
SCRIPT = re.compile(rf"\b(?:{SCRIPTS})\.py\b|\bmodels/\w+\.py\b|\bpython (?:models|{SCRIPTS})\b")
OF_LETTERS = "next: inkfold augment d.h5"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def light(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation with the libraries that ``pip install inkfold`` brings, and no others."""
    folder = tmp_path_factory.mktemp("light")
    return with_its_dependencies(install(wheel, folder / "venv"), wheel)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A working folder with a photo of an R, two classes of letters, and a dataset of four."""
    cv2.imwrite(str(tmp_path / "photo.png"), photograph("R", Shot()))
    rng = np.random.default_rng(0)
    for name in "AR":
        folder = tmp_path / "letters" / name
        folder.mkdir(parents=True)
        for number in range(20):
            shot = Shot(slant=float(rng.uniform(-10, 10)), size=40 + number)
            cv2.imwrite(str(folder / f"{number}.png"), photograph(name, shot))
    train, validation, test = ((0, 1, 2, 3), (0, 1, 2, 3)), ((0,), (0,)), ((0, 1), (0, 1))
    write_dataset(tmp_path / "bands.h5", {"train": train, "validation": validation, "test": test})
    return tmp_path


def tracked() -> set[str]:
    """The package's files."""
    paths = (path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {path.relative_to(ROOT).as_posix() for path in paths}


def test_the_wheel_brings_the_package_and_nothing_else(wheel: Path) -> None:
    """Bundles, networks, templates, the page and py.typed are in it; tests and scripts are not."""
    names = names_in(wheel)
    package = {name for name in names if not name.split("/")[0].endswith(".dist-info")}

    assert package == tracked()
    for name in (
        *("inkfold/py.typed", "inkfold/shipped/emnist47/model.onnx"),
        *("inkfold/pages/templates/page.css", "inkfold/canvas/web/static/index.html"),
        *(f"inkfold/networks/{network}.py" for network in SCORES),
    ):
        assert name in package


def test_it_reads_a_photo_in_an_empty_folder(light: Installation, here: Path) -> None:
    """The bundle that comes along answers, without any option and by its name."""
    for arguments in (["photo.png"], ["--model", "emnist47", "photo.png"]):
        done = light.run("classify", *arguments, cwd=here)

        assert (done.returncode, done.stdout) == (0, "photo.png R\n"), done.stderr
        assert f"{light.packages}/inkfold/shipped/emnist47 answers: 47 classes" in done.stderr


def test_a_light_installation_packs_and_augments_in_the_current_folder(
    light: Installation, here: Path
) -> None:
    """Outputs lie where the user is, and the next command is named as it is installed."""
    before = light.files()

    packed = light.run("create_dataset", "letters", "-o", "d.h5", cwd=here)
    augmented = light.run("augment", "d.h5", cwd=here)

    assert packed.returncode == 0, packed.stderr
    assert packed.stdout.splitlines()[-1] == OF_LETTERS
    assert augmented.returncode == 0, augmented.stderr
    assert (here / "d_elastic.h5").is_file()
    assert light.run("check", "d_elastic.h5", cwd=here).returncode == 0
    assert light.files() == before == tracked()


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["train", "cnn32", "bands.h5"], "train"),
        (["demo"], "train"),
        (["evaluate", "emnist47", "bands.h5"], "report"),
        (["explore", "bands.h5"], "report"),
        (["augment", "bands.h5", "--preview", "sheet.png"], "report"),
        (["audit", "bands.h5"], "audit"),
        (["audit", "bands.h5", "--quick", "-o", "lists"], "report"),
        (["shrink", "emnist47", "bands.h5", "small"], "train"),
        (["check", "emnist47"], "train"),
        (["classify", "--engine", "keras", "photo.png"], "train"),
        (["draw", "--no-browser", "--port", "0"], "draw"),
        (["export", "bands.h5", "out", "--format", "parquet"], "parquet"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_what_is_missing_is_named_with_its_extra_before_any_work(
    light: Installation, here: Path, arguments: list[str], extra: str
) -> None:
    """One line, exit code 2, nothing on stdout, and nothing written."""
    before = sorted(here.rglob("*"))

    done = light.run(*arguments, cwd=here)

    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert f"not installed: pip install 'inkfold[{extra}]'" in done.stderr
    assert done.stdout == ""
    assert sorted(here.rglob("*")) == before


def test_the_audit_without_its_network_is_light(light: Installation, here: Path) -> None:
    """``--quick`` without an output needs none of the extras."""
    done = light.run("audit", "bands.h5", "--quick", cwd=here)

    assert done.returncode in (0, 1), done.stderr
    assert "4" in done.stdout


@pytest.mark.slow
def test_no_help_and_no_advice_names_a_script(light: Installation, here: Path) -> None:
    """What an installed command prints names commands, not the scripts of a checkout."""
    (here / "empty").mkdir()
    lines = [
        [],
        *([name, "--help"] for name in command.commands),
        ["train", "cnn32", "--help"],
        ["networks"],
        ["networks", "cnn32"],
        ["train", "nothing"],
        ["train", "nothing.py"],
        ["augment"],
        ["augment", "letters"],
        ["augment", "photo.png"],
        ["create_dataset", "letters/A"],
        ["create_dataset", "empty"],
        ["create_dataset", "letters", "-o", "one.h5", "--split", "1,0,0"],
        ["create_dataset", "letters", "-o", "test.h5", "--split", "0,0,1"],
        ["classify", "--model", "nothing", "photo.png"],
        ["classify", "--model", "letters", "photo.png"],
        ["import_data", "letters"],
        ["import_data", "photo.png"],
        ["export", "bands.h5", "png"],
        ["export", "bands.h5", "idx", "--format", "idx"],
        ["check", "nothing"],
    ]
    for arguments in lines:
        done = light.run(*arguments, cwd=here)
        printed = done.stdout + done.stderr

        assert printed, arguments
        assert "Traceback" not in printed, arguments
        assert SCRIPT.findall(printed) == [], arguments


def texts() -> list[tuple[str, str]]:
    """Every text of the package that a user may see, with the name of its file."""
    found = []
    for path in sorted(PACKAGE.rglob("*")):
        name = path.relative_to(ROOT).as_posix()
        if path.suffix == ".py":
            tree = ast.parse(path.read_text(encoding="utf-8"))
            hidden = {id(docstring) for docstring in _docstrings(tree)}
            found += [
                (name, node.value)
                for node in ast.walk(tree)
                if isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and id(node) not in hidden
            ]
        elif path.suffix in (".j2", ".html", ".js", ".css", ".md"):
            found.append((name, path.read_text(encoding="utf-8")))
    return found


def _docstrings(tree: ast.Module) -> list[ast.expr]:
    """The docstrings that no user sees: all but those of commands, which are their helps."""
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return [
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, owners)
        and getattr(node, "name", "") != "command"
        and node.body
        and isinstance(node.body[0], ast.Expr)
    ]


def test_no_text_of_the_package_names_a_script() -> None:
    """Messages, helps, pages and cards are written for those who have no checkout.

    The bundle's card says which network it is by its file in a checkout, and by which benchmark it
    was trained; the manual's introduction says that there are scripts too.
    """
    naming = {name for name, text in texts() if SCRIPT.search(text)}

    assert naming <= {"inkfold/commands/manual.py", "inkfold/shipped/emnist47/MODEL_CARD.md"}


@pytest.mark.slow
@pytest.mark.long
def test_an_installed_inkfold_trains_and_measures(
    wheel: Path, tmp_path_factory: pytest.TempPathFactory, here: Path
) -> None:
    """With all libraries a network is trained by its name, measured, and then the newest."""
    whole = with_all_libraries(install(wheel, tmp_path_factory.mktemp("whole") / "venv"))
    for arguments in (
        ["create_dataset", "letters"],
        ["train", "cnn32", "--epochs", "1", "-q"],
        ["evaluate", "cnn32", "datasets/characters.h5"],
        ["check", "emnist47"],
    ):
        done = whole.run(*arguments, cwd=here)
        assert done.returncode == 0, done.stderr
        assert SCRIPT.findall(done.stdout + done.stderr) == []

    answered = whole.run("classify", "photo.png", cwd=here)

    assert "models/trained/cnn32 answers: 2 classes" in answered.stderr
    assert (here / "logs/cnn32/evaluation/report.html").is_file()
    card = (here / "models/trained/cnn32/MODEL_CARD.md").read_text(encoding="utf-8")
    assert SCRIPT.findall(card) == []
    assert whole.files() == tracked()
