"""The shape of the house: imports point down only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "inkfold"

# Each layer may import its own and lower ones. Every module stands in exactly one.
LAYERS = tuple(
    set(names.split())
    for names in (
        "__init__ errors nouns",
        # arrays in, arrays out
        """affine ahead answers csv_text division elastic fitting folder_names gather grouping
        history metrics picture placing processors schedule split strokes tally threads work
        by_group calibration chart coverage
        class_counts pixel_facts plane provenance scatter
        embedding ink_checks lookalikes near_duplicates repeats""",
        # the disk
        """augmentation batches bundle bundle_record checkpoint dataset dataset_writer digits
        distorted_block exporting folders glyph_staging hashing importing keras_import
        output packed_rows packing paths planning spool staging gallery html_page tables
        class_cards class_scan sprites
        cleaning keeping originals""",
        # keras, onnxruntime, matplotlib
        """bundling classifier compiling confusion_plot curves evaluation labels layers matching
        model_card
        onnx_export precision preview recognition report scoring shrinking
        tensorflow_feed tensorflow_kernels tensorflow_twins
        training training_log training_loop training_nouns
        answered calibrating comparison comparison_report evaluation_page learning_curves trust
        trust_charts weakest
        audit_section explore_page exploring preview_strips
        audit audit_findings audit_report contact_sheet quick_network suspects""",
    )
)
COMMANDS = len(LAYERS)
IMPORTERS = 2  # they read the disk
HEAVY = {
    "cleanlab",
    "keras",
    "tensorflow",
    "onnxruntime",
    "onnx",
    "matplotlib",
    "sklearn",
    "tensorboard",
}


def layer_of(module: str) -> int:
    """The layer of ``inkfold.MODULE``."""
    if module.startswith(("commands", "web", "desktop")):
        return COMMANDS
    if module.startswith("importers"):
        return IMPORTERS
    return next(level for level, names in enumerate(LAYERS) if module in names)


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


def ours(path: Path) -> Iterator[str]:
    """The modules of the package that a file imports, without the package's name."""
    for name in imports(path):
        parts = name.split(".")
        inside = PACKAGE.joinpath(*parts[1:])
        if parts[0] == "inkfold" and len(parts) > 1 and (inside.with_suffix(".py").exists()):
            yield ".".join(parts[1:])


MODULES = sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    """``inkfold/commands/cli.py`` is ``commands.cli``."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


def test_every_module_has_its_layer_and_every_layer_its_modules() -> None:
    """A new module says where it stands; a name without a module is a leftover."""
    known = {name for names in LAYERS for name in names}
    found = {name_of(path) for path in MODULES if path.parent == PACKAGE}

    assert sum(len(names) for names in LAYERS) == len(known), "a module stands in two layers"
    assert found == known


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_down_only(path: Path) -> None:
    """A module imports nothing of a layer above its own."""
    level = layer_of(name_of(path))
    above = [name for name in ours(path) if layer_of(name) > level]

    assert above == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_heavy_libraries_are_imported_inside_functions(path: Path) -> None:
    """So that a command answers a mistake before it loads Keras."""
    heavy = {name.split(".")[0] for name in imports(path, top_level_only=True)} & HEAVY

    assert heavy == set()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_tensorflow_is_imported_by_name_where_its_kernels_are_only(path: Path) -> None:
    """Training is written against Keras alone; the exporter, too, leaves TensorFlow to Keras.

    Three modules are all about it: docs/decisions/0009-fused-kernels.md and 0013-feed.md.
    """
    named = "tensorflow" in {name.split(".")[0] for name in imports(path)}

    assert named == (name_of(path) in {"tensorflow_feed", "tensorflow_kernels", "tensorflow_twins"})


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_commands_print(path: Path) -> None:
    """A library that prints cannot be used by another program."""
    text = path.read_text(encoding="utf-8")
    calls = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Call)]
    printing = [ast.unparse(call.func) for call in calls]

    assert "print" not in printing
    assert layer_of(name_of(path)) == COMMANDS or "click.echo" not in printing


@pytest.mark.parametrize("path", sorted(ROOT.glob("*.py")), ids=lambda path: path.name)
def test_a_top_level_script_is_a_call_of_its_command(path: Path) -> None:
    """Scripts are thin: all logic is in the package."""
    lines = path.read_text(encoding="utf-8").splitlines()

    assert f"inkfold.commands.{path.stem}" in list(imports(path))
    assert len(lines) <= 25


def test_training_code_cannot_name_the_test_split() -> None:
    """Test figures are computed by evaluate.py alone."""
    for module in ("training", "training_loop", "bundling", "batches", "precision", "checkpoint"):
        tree = ast.parse((PACKAGE / f"{module}.py").read_text(encoding="utf-8"))
        attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}

        assert "test" not in attributes, module
