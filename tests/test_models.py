"""Every network that comes along: checks that each of them must pass."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from inkfold.commands.network_files import load_network, load_script
from inkfold.keras_backend import import_keras
from inkfold.networks.scores import CLASSES, SCORES, TOTAL

ROOT = Path(__file__).resolve().parents[1]
NETWORKS = ROOT / "inkfold/networks"
SCRIPTS = [NETWORKS / f"{name}.py" for name in SCORES]


def convolution(filters: int, inputs: int, side: int) -> int:
    """Parameters: 5x5 kernels, a bias, four numbers of normalisation, a PReLU slope a pixel."""
    return 25 * inputs * filters + filters + 4 * filters + filters * side * side


def dense(units: int, inputs: int) -> int:
    """Parameters: weights, biases, normalisation, and one PReLU slope for each unit."""
    return inputs * units + units + 4 * units + units


def predecessor(first: int, sides: tuple[int, int, int], units: int) -> int:
    """Parameters of a predecessor's network, whose convolutions have `first`, 2 and 4 x filters."""
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


def plain(kernel: int, inputs: int, filters: int) -> int:
    """Parameters of a convolution, or with kernel 1 of a fully connected layer."""
    return kernel * kernel * inputs * filters + filters


def normalised(kernel: int, inputs: int, filters: int, *, bias: bool = False) -> int:
    """Parameters of a convolution and of the normalisation, four for each filter."""
    return kernel * kernel * inputs * filters + 4 * filters + filters * bias


def halving(inputs: int, filters: int) -> int:
    """Parameters of two 3x3 convolutions and a 5x5 one in strided28."""
    return (
        normalised(3, inputs, filters, bias=True)
        + normalised(3, filters, filters, bias=True)
        + normalised(5, filters, filters, bias=True)
    )


# counted by hand: a number of classes, and the parameters of the network for so many
PARAMETERS = {
    "cnn32": (100, predecessor(30, (32, 16, 8), 2000)),
    "cnn30": (100, predecessor(30, (30, 15, 8), 2000)),
    "cnn32_wide": (100, predecessor(40, (32, 16, 8), 3000)),
    "lenet64": (
        27,
        plain(5, 1, 128) + plain(5, 128, 64) + plain(1, 16 * 16 * 64, 1024) + plain(1, 1024, 27),
    ),
    "plain28": (36, plain(5, 1, 64) + plain(3, 64, 32) + plain(1, 11 * 11 * 32, 36)),
    "strided28": (
        36,
        halving(1, 32) + halving(32, 64) + normalised(4, 64, 128, bias=True) + plain(1, 128, 36),
    ),
    "leaky28": (
        47,
        plain(5, 1, 36) + plain(3, 36, 72) + plain(1, 5 * 5 * 72, 200) + plain(1, 200, 47),
    ),
    "blocks28": (
        47,
        normalised(3, 1, 32, bias=True)
        + normalised(3, 32, 64, bias=True)
        + normalised(3, 64, 128, bias=True)
        + plain(1, 3 * 3 * 128, 256)
        + plain(1, 256, 47),
    ),
    "residual32": (
        100,
        normalised(6, 1, 48)
        + 2 * normalised(3, 48, 48)
        + normalised(3, 48, 96)
        + 2 * normalised(3, 96, 96)
        + normalised(3, 96, 192)
        + 2 * normalised(3, 192, 192)
        + plain(1, 192, 100),
    ),
}
# the parameters that the predecessors' own code and files give
PUBLISHED = {
    "plain28": 159_556,
    "strided28": 330_596,
    "leaky28": 393_983,
    "blocks28": 400_367 + 448,
}
OF_KANJI = ("cnn30", "cnn32", "cnn32_wide")


@pytest.mark.slow
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_network_has_the_parameters_that_were_counted_by_hand(path: Path) -> None:
    """The network and its docstring have the number of parameters that was counted by hand."""
    import_keras()
    build, _ = load_script(path)

    classes, parameters = PARAMETERS[path.stem]

    model = build(classes)

    assert model.count_params() == parameters
    assert PUBLISHED.get(path.stem, parameters) == parameters
    assert build.__doc__ is not None
    assert f"``build({classes})`` has {parameters:,} parameters" in build.__doc__


@pytest.mark.slow
def test_our_network_is_small() -> None:
    """residual32 has fewer than 1.5 million parameters for the 314 classes of the largest set."""
    import_keras()
    build, recipe = load_script(NETWORKS / "residual32.py")

    assert build(314).count_params() < 1_500_000
    assert recipe.size == 32


@pytest.mark.slow
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_network_takes_bytes_and_answers_probabilities(path: Path) -> None:
    """A network takes uint8 images of the recipe's size and gives one probability a class."""
    keras = import_keras()
    build, recipe = load_script(path)
    model = build(7)
    side = recipe.size

    answers = keras.ops.convert_to_numpy(model(keras.ops.zeros((2, side, side, 1), "uint8")))

    assert model.input_shape == (None, side, side, 1)
    assert answers.shape == (2, 7)
    assert answers.sum(axis=1) == pytest.approx([1, 1], abs=1e-5)
    assert next(layer.scale for layer in model.layers if hasattr(layer, "scale")) == 1 / 255


def test_the_scores_are_those_of_the_bundles_that_were_trained() -> None:
    """Sizes, parameters, epochs and right answers are what the bundles' records have."""
    files = {path.stem for path in NETWORKS.glob("*.py")} - {"__init__", "scores"}
    assert set(SCORES) == files
    for name, score in SCORES.items():
        folder = ROOT / "logs/field" / f"emnist47-{name}-plain"
        record = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
        epochs = len((folder / "history.csv").read_text(encoding="utf-8").splitlines()) - 1
        counted = {"correct": score.right, "total": TOTAL}

        assert len(record["classes"]) == CLASSES
        assert (record["parameters"], epochs) == (score.parameters, score.epochs)
        assert record["recipe"]["size"] == load_network(name)[1].size == score.size
        assert record["scores"]["test"].items() >= counted.items()
    parameters = [score.parameters for score in SCORES.values()]
    assert parameters == sorted(parameters)


@pytest.mark.slow
@pytest.mark.parametrize("name", SCORES)
def test_keras_counts_the_parameters_that_are_listed(name: str) -> None:
    """A network for 47 classes has as many as ``inkfold networks`` says."""
    import_keras()

    assert load_network(name)[0](CLASSES).count_params() == SCORES[name].parameters


@pytest.mark.parametrize(
    "path", [path for path in SCRIPTS if path.stem not in OF_KANJI], ids=lambda path: path.stem
)
def test_the_score_in_a_docstring_is_the_bundles_own(path: Path) -> None:
    """The score in a script's docstring is the one that its bundle has recorded."""
    text = path.read_text(encoding="utf-8")
    how = "online" if "--augment online" in text else "plain"
    record = ROOT / "logs/field" / f"emnist47-{path.stem}-{how}" / "bundle.json"
    score = json.loads(record.read_text(encoding="utf-8"))["scores"]["test"]
    share = f"{100 * score['correct'] / score['total']:.2f} %"

    assert f"{score['correct']:,} of {score['total']:,} ({share})" in " ".join(text.split())


@pytest.mark.parametrize("name", OF_KANJI)
def test_the_score_in_a_docstring_is_the_one_in_the_log(name: str) -> None:
    """The script, the page of results and the log of experiments give the same counts."""
    path = NETWORKS / f"{name}.py"
    report = ROOT / "logs/kanji-2026-11-20" / path.stem / "evaluation/evaluation.json"
    accuracy = json.loads(report.read_text(encoding="utf-8"))["accuracy"]
    counts = f"{accuracy['correct']:,} of {accuracy['total']:,}"
    low, high = (f"{100 * end:.2f}" for end in accuracy["interval"])

    assert counts in path.read_text(encoding="utf-8")
    for page in ("docs/results.md", "docs/log.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        assert f"{counts}, {100 * accuracy['share']:.2f} % ({low} to {high})" in text


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_network_file_holds_the_network_and_the_recipe_and_no_loop(path: Path) -> None:
    """The file has no loop and at most 60 lines, and its recipe has the file's name."""
    _, recipe = load_script(path)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.For | ast.While)]

    assert recipe.name == path.stem
    assert loops == []
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 60


def test_a_predecessors_recipe_lowers_its_learning_rate_stage_by_stage() -> None:
    """The learning rate of the predecessor's recipes falls to a tenth in each stage."""
    for name in OF_KANJI:
        _, recipe = load_script(NETWORKS / f"{name}.py")
        rates = [stage.learning_rate for stage in recipe.stages]

        assert rates == pytest.approx([1e-2 * 10**-i for i in range(len(rates))])
