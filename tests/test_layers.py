"""The shape of the house: an import goes to a lower floor, or stays in its room."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "inkfold"

# From the ground up. A folder is a room, and a file beside the folders is a room of its own.
FLOORS = (
    "errors picture_formats byte_marks",
    "program extras",
    (
        "spec recipe metrics class_names picture_files layers identity records folder_kinds "
        "renames headers quiet hdf5_heaps hdf5_faults ahead tally photograph structure crew"
    ),
    (
        "output workers cluster decoders class_choice elastic calibration keras_backend networks "
        "novelty"
    ),
    "picture prediction pages locks fork_server",
    "dataset bundle importers given archives",
    "classifier packing augmentation audit",
    "evaluation explore canvas",
    "training",
    "commands",
)
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms.split()}
HEAVY = {
    "cleanlab",
    "jax",
    "distributed",
    "fsspec",
    "keras",
    "tensorflow",
    "onnxruntime",
    "onnx",
    "matplotlib",
    "pyarrow",
    "sklearn",
    "tensorboard",
}
# docs/decisions/0009-fused-kernels.md
ABOUT_TENSORFLOW = {"training.kernels", "training.twins"}


def imports(path: Path, *, top_level_only: bool = False) -> Iterator[str]:
    """Every module that a file imports, those for type checkers alone left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    guarded = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    for node in tree.body if top_level_only else ast.walk(tree):
        if id(node) in guarded:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def name_of(path: Path) -> str:
    """``inkfold/commands/cli.py`` is ``commands.cli``; a door has the name of its room."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def room_of(module: str) -> str:
    """The room of ``inkfold.MODULE``: its folder, or the file itself where it is in none."""
    return module.partition(".")[0]


MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")
ROOMS = {room_of(name_of(path)) for path in MODULES}


def rooms_imported(path: Path) -> set[str]:
    """The rooms that a file imports something of."""
    names = {name.split(".")[1] for name in imports(path) if name.startswith("inkfold.")}
    return names & ROOMS


def test_every_room_stands_on_one_floor() -> None:
    """A new file in a room needs no entry here, a new room does; no entry is left over."""
    assert sum(len(rooms.split()) for rooms in FLOORS) == len(FLOOR_OF), "a room on two floors"
    assert set(FLOOR_OF) == ROOMS


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_an_import_goes_to_a_lower_floor_or_stays_in_its_room(path: Path) -> None:
    """Two rooms of one floor know nothing of each other."""
    own = room_of(name_of(path))
    elsewhere = rooms_imported(path) - {own}

    assert {room for room in elsewhere if FLOOR_OF[room] >= FLOOR_OF[own]} == set()


@pytest.mark.parametrize("door", sorted(PACKAGE.rglob("*/__init__.py")), ids=name_of)
def test_a_door_costs_nothing_and_names_every_file_behind_it(door: Path) -> None:
    """Importing a room loads its public names, or what tells of Ctrl-C, and no other file of it."""
    public = {
        "dataset": {"inkfold.dataset.reader", "inkfold.dataset.split"},
        "bundle": {"inkfold.bundle.bundle"},
        "commands": {"inkfold.commands.interrupts"},
    }
    text = door.read_text(encoding="utf-8")
    files = {path.stem for path in door.parent.glob("*.py")} - {"__init__"}
    loaded = {name for name in imports(door) if name.count(".") == 2}

    assert loaded == public.get(name_of(door), set())
    assert {name for name in files if name not in text} == set(), "the door does not name them"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_heavy_libraries_are_imported_inside_functions(path: Path) -> None:
    """A command answers a mistake before it loads Keras or another large library."""
    heavy = {name.split(".")[0] for name in imports(path, top_level_only=True)} & HEAVY

    assert heavy == set()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_tensorflow_is_imported_by_name_where_its_kernels_are_only(path: Path) -> None:
    """Training is written against Keras; the exporter, too, leaves TensorFlow to Keras."""
    named = "tensorflow" in {name.split(".")[0] for name in imports(path)}

    assert named == (name_of(path) in ABOUT_TENSORFLOW)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_commands_print(path: Path) -> None:
    """A library that prints cannot be used by another program."""
    text = path.read_text(encoding="utf-8")
    calls = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Call)]
    printing = [ast.unparse(call.func) for call in calls]

    assert "print" not in printing
    assert room_of(name_of(path)) == "commands" or "click.echo" not in printing


@pytest.mark.parametrize("path", sorted(ROOT.glob("*.py")), ids=lambda path: path.name)
def test_a_top_level_script_is_a_call_of_its_command(path: Path) -> None:
    """Scripts are thin: all logic is in the package."""
    lines = path.read_text(encoding="utf-8").splitlines()

    assert f"inkfold.commands.{path.stem}" in list(imports(path))
    assert len(lines) <= 25


@pytest.mark.parametrize("path", sorted((PACKAGE / "training").glob("*.py")), ids=name_of)
def test_training_code_cannot_name_the_test_split(path: Path) -> None:
    """Test figures are computed by evaluate.py alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}

    assert "test" not in attributes
