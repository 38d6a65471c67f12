"""Every script in ``models/``: one suite of checks that each must pass."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from inkfold.commands.train import load_script
from inkfold.keras_import import import_keras

ROOT = Path(__file__).resolve().parents[1]
MODELS = ROOT / "models"
SCRIPTS = sorted(MODELS.glob("*.py"))


def convolution(filters: int, inputs: int, side: int) -> int:
    """5x5 kernels and a bias, four numbers of normalisation, a PReLU slope for each pixel."""
    return 25 * inputs * filters + filters + 4 * filters + filters * side * side


def dense(units: int, inputs: int) -> int:
    """Weights, biases, normalisation, and one PReLU slope for each unit."""
    return inputs * units + units + 4 * units + units


def predecessor(first: int, sides: tuple[int, int, int], units: int) -> int:
    """Three convolutions of `first`, twice and four times as many filters; 4x4 pixels are left."""
    second, third = 2 * first, 4 * first
    return (
        convolution(first, 1, sides[0])
        + convolution(second, first, sides[1])
        + convolution(third, second, sides[2])
        + dense(units, third * 4 * 4)
        + dense(units, units)
        + units * 100
        + 100
    )


# by hand, for 100 classes
PARAMETERS = {
    "cnn32": predecessor(30, (32, 16, 8), 2000),
    "cnn30": predecessor(30, (30, 15, 8), 2000),
    "cnn32_wide": predecessor(40, (32, 16, 8), 3000),
}


@pytest.mark.slow
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_network_has_the_parameters_that_were_counted_by_hand(path: Path) -> None:
    """And its docstring tells the same number."""
    import_keras()
    build, _ = load_script(path)

    model = build(100)

    assert model.count_params() == PARAMETERS[path.stem]
    assert build.__doc__ is not None
    assert f"has {PARAMETERS[path.stem]:,} parameters" in build.__doc__


@pytest.mark.slow
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_network_takes_bytes_and_answers_probabilities(path: Path) -> None:
    """uint8 pictures of the recipe's size in, one probability a class out; 255 is 1 inside."""
    keras = import_keras()
    build, recipe = load_script(path)
    model = build(7)
    side = recipe.size

    answers = keras.ops.convert_to_numpy(model(keras.ops.zeros((2, side, side, 1), "uint8")))

    assert model.input_shape == (None, side, side, 1)
    assert answers.shape == (2, 7)
    assert answers.sum(axis=1) == pytest.approx([1, 1], abs=1e-5)
    assert next(layer.scale for layer in model.layers if hasattr(layer, "scale")) == 1 / 255


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_the_score_in_a_docstring_is_the_one_in_the_log(path: Path) -> None:
    """A number that no test reads is a rumour: script, README and log of experiments agree."""
    report = ROOT / "logs/kanji-2026-11-20" / path.stem / "evaluation/evaluation.json"
    accuracy = json.loads(report.read_text(encoding="utf-8"))["accuracy"]
    counts = f"{accuracy['correct']:,} of {accuracy['total']:,}"
    low, high = (f"{100 * end:.2f}" for end in accuracy["interval"])

    assert counts in path.read_text(encoding="utf-8")
    for page in ("README.md", "docs/log.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        assert f"{counts}, {100 * accuracy['share']:.2f} % ({low} to {high})" in text


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_holds_the_network_and_the_recipe_and_no_loop(path: Path) -> None:
    """The loop exists once, in the engine; the recipe is named like the script."""
    _, recipe = load_script(path)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.For | ast.While)]

    assert recipe.name == path.stem
    assert loops == []
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 60


def test_a_recipe_lowers_its_learning_rate_stage_by_stage() -> None:
    """As the predecessor's: a tenth of it each time."""
    for path in SCRIPTS:
        _, recipe = load_script(path)
        rates = [stage.learning_rate for stage in recipe.stages]

        assert rates == pytest.approx([1e-2 * 10**-i for i in range(len(rates))])
