"""Training a network: what is kept, what is repeated, what is never read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inkfold.bundle.bundle import load_bundle
from inkfold.commands.cli import run
from inkfold.commands.train import train_command
from inkfold.dataset.reader import Dataset, open_dataset
from inkfold.recipe import Stage
from inkfold.training.batches import Batches
from inkfold.training.checkpoint import Checkpoint, Position
from inkfold.training.loop import Run, State, score
from tests.worlds import tiny_network
from tests.worlds.packed_strokes import write_packed
from tests.worlds.trained import SILENT, history, training, weights


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[Dataset]:
    """A few hundred drawn strokes of four classes."""
    with open_dataset(write_packed(tmp_path / "d.h5")) as opened:
        yield opened


@pytest.mark.slow
def test_training_keeps_the_best_epoch_and_tells_the_truth_about_it(
    dataset: Dataset, tmp_path: Path
) -> None:
    """The bundle's network makes the very counts on validation that its record holds."""
    trained = training(dataset, tmp_path / "b").run(SILENT, resume=False, overwrite=False)
    bundle = load_bundle(tmp_path / "b")
    told = bundle.scores["validation"]
    rows = history(tmp_path / "b")

    found = score(bundle.keras_model(), dataset.validation, 32)

    assert (found.correct, found.total) == (told["correct"], told["total"])
    assert found.loss == pytest.approx(told["loss"], rel=1e-4)
    assert told["loss"] == pytest.approx(min(float(row["validation_loss"]) for row in rows))
    assert told["epoch"] == max(int(row["epoch"]) for row in rows if row["best"] == "1")
    assert found.correct > 56, "four strokes in four places: nearly all of 64"
    assert trained.record["onnx_error"] < 1e-4
    assert not training(dataset, tmp_path / "b").checkpoint.exists()


@pytest.mark.slow
def test_the_test_split_is_never_read_while_training(dataset: Dataset, tmp_path: Path) -> None:
    """Training works on a dataset that has no test split to look at."""
    del dataset.test

    training(dataset, tmp_path / "b").run(SILENT, resume=False, overwrite=False)

    assert load_bundle(tmp_path / "b").scores.keys() == {"validation"}


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights(dataset: Dataset, tmp_path: Path) -> None:
    """And another seed gives others."""
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        training(dataset, tmp_path / name, seed=seed).run(SILENT, resume=False, overwrite=False)
    first, second, other = (weights(tmp_path / name) for name in "abc")

    assert all(np.array_equal(x, y) for x, y in zip(first, second, strict=True))
    assert not any(np.array_equal(x, y) for x, y in zip(first[:1], other[:1], strict=True))


@pytest.mark.slow
def test_a_refit_repeats_the_epochs_found_on_train_and_validation(
    dataset: Dataset, tmp_path: Path
) -> None:
    """Its rows follow those of the search, have no validation figures, and the bundle says so."""
    run_ = training(dataset, tmp_path / "b", refit=True, augment="online")
    run_.run(SILENT, resume=False, overwrite=False)
    rows = history(tmp_path / "b")
    search = [row for row in rows if row["phase"] == "search"]
    refit = [row for row in rows if row["phase"] == "refit"]
    bundle = load_bundle(tmp_path / "b")
    best = bundle.scores["validation"]["epoch"]

    assert bundle.record["refit"] is True
    assert best in {int(row["epoch"]) for row in search}
    assert 0 < len(refit) <= best
    assert all(row["validation_loss"] == "" for row in refit)
    assert {row["pictures"] for row in search} == {"320"}
    assert {row["pictures"] for row in refit} == {"384"}


def one_epoch(dataset: Dataset, folder: Path, seed: int, stages: int = 1) -> Run:
    """A run of the tiny network that ends after an epoch of each stage."""
    return Run(
        tiny_network.build,
        len(dataset.classes),
        Batches([dataset.train], 32, seed=0),
        replace(
            tiny_network.RECIPE, stages=(replace(tiny_network.RECIPE.stages[0], epochs=1),) * stages
        ),
        dataset.validation,
        seed=seed,
        state=State(folder / "c.npz", {}),
        watcher=SILENT,
    )


@pytest.mark.slow
def test_the_seed_gives_the_initial_weights(dataset: Dataset, tmp_path: Path) -> None:
    """Apart from the order of the batches."""
    first, again, other = (
        one_epoch(dataset, tmp_path, seed).model.get_weights()[0] for seed in (3, 3, 4)
    )

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.slow
def test_a_cosine_stage_moves_its_rate_at_every_step(dataset: Dataset, tmp_path: Path) -> None:
    """Ten batches in two epochs: the last step's rate is that of nine tenths of the stage."""
    stage = Stage.cosine(1e-2, epochs=2, warmup=0.25)
    cosine = replace(tiny_network.RECIPE, stages=(stage,))
    run = Run(
        tiny_network.build,
        len(dataset.classes),
        Batches([dataset.train], 64, seed=0),
        cosine,
        dataset.validation,
        seed=0,
        state=State(tmp_path / "cosine.npz", {}),
        watcher=SILENT,
    )

    fitted = run.finish()

    assert [row["best"] for row in fitted.history] == [1, 1]  # the last weights are kept
    assert [row["learning_rate"] for row in fitted.history] == pytest.approx(
        [stage.rate_at(share) for share in (0.2, 0.7)]
    )
    assert float(fitted.model.optimizer.learning_rate) == pytest.approx(stage.rate_at(0.9))


@pytest.mark.slow
def test_each_stage_begins_with_a_fresh_optimizer(dataset: Dataset, tmp_path: Path) -> None:
    """Two stages of an epoch of ten batches: at the end the optimizer has counted ten steps."""
    fitted = one_epoch(dataset, tmp_path, seed=0, stages=2).finish()

    assert len(fitted.history) == 2
    assert int(fitted.model.optimizer.iterations) == 10


@pytest.mark.slow
def test_a_run_that_goes_on_and_finds_nothing_better_ends_with_the_weights_it_had_kept(
    dataset: Dataset, tmp_path: Path
) -> None:
    """Kept weights of a loss that cannot be beaten come back at the end."""
    run_ = one_epoch(dataset, tmp_path, seed=0)
    variables = [*run_.model.variables, *run_.model.optimizer.variables]
    best = [np.full_like(weight, 0.5) for weight in run_.model.get_weights()]
    progress = Position(epoch=3, best=0.0, best_epoch=2)
    values = [np.asarray(variable) for variable in variables]
    run_.restore(Checkpoint({}, (), progress, [], values, best))

    fitted = run_.finish()

    assert len(fitted.history) == 1
    assert all((weight == 0.5).all() for weight in fitted.model.get_weights())


@pytest.mark.slow
def test_a_diverging_run_says_so(
    dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 with the learning rate, no bundle."""
    stage = replace(tiny_network.RECIPE.stages[0], learning_rate=float("1e36"))
    recipe = replace(tiny_network.RECIPE, stages=(stage,))
    output = tmp_path / "b"

    code = run(
        train_command(tiny_network.build, recipe, program="tiny"),
        [str(dataset.path), "-o", str(output), "--precision", "float32"],
    )

    assert code == 2
    assert "training diverged in epoch 1" in capsys.readouterr().err
    assert not output.exists()
