"""Training a network: which weights and scores are kept, and that the test split is never read."""

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
from inkfold.training.compile import fresh_network
from inkfold.training.loop import Run, State
from inkfold.training.plan import Plan
from inkfold.training.scoring import score
from tests.worlds import tiny_network
from tests.worlds.packed_strokes import write_packed
from tests.worlds.trained import SILENT, history, training, weights

ONE_EPOCH = replace(tiny_network.RECIPE.stages[0], epochs=1)


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[Dataset]:
    """A few hundred drawn strokes of four classes."""
    with open_dataset(write_packed(tmp_path / "d.h5")) as opened:
        yield opened


@pytest.mark.slow
def test_training_keeps_the_best_epoch_and_records_its_score(
    dataset: Dataset, tmp_path: Path
) -> None:
    """The bundle's network has the counts on validation that its record holds."""
    trained = training(dataset, tmp_path / "b").run(SILENT, resume=False, overwrite=False)
    bundle = load_bundle(tmp_path / "b")
    recorded = bundle.scores["validation"]
    rows = history(tmp_path / "b")

    counts = score(bundle.keras_model(), dataset.validation, 32)

    assert (counts.correct, counts.total) == (recorded["correct"], recorded["total"])
    assert counts.loss == pytest.approx(recorded["loss"], rel=1e-4)
    assert recorded["loss"] == pytest.approx(min(float(row["validation_loss"]) for row in rows))
    assert recorded["epoch"] == max(int(row["epoch"]) for row in rows if row["best"] == "1")
    assert counts.correct > 56, "four strokes in four places: nearly all of 64"
    assert trained.record["onnx_error"] < 1e-4
    assert not training(dataset, tmp_path / "b").checkpoint.exists()


@pytest.mark.slow
def test_the_test_split_is_never_read_while_training(dataset: Dataset, tmp_path: Path) -> None:
    """A dataset without a test split is trained on, and the bundle has no test score."""
    del dataset.test

    training(dataset, tmp_path / "b").run(SILENT, resume=False, overwrite=False)

    assert load_bundle(tmp_path / "b").scores.keys() == {"validation"}


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights(dataset: Dataset, tmp_path: Path) -> None:
    """Two trainings with one seed end with equal weights, which are not those they began with."""
    for name in "ab":
        training(dataset, tmp_path / name, seed=3).run(SILENT, resume=False, overwrite=False)
    first, second = (weights(tmp_path / name) for name in "ab")
    initial = phase(dataset, tmp_path, ONE_EPOCH, seed=3).model.get_weights()

    assert all(np.array_equal(x, y) for x, y in zip(first, second, strict=True))
    assert not np.array_equal(first[0], initial[0])


@pytest.mark.slow
def test_a_refit_repeats_the_searchs_epochs_on_train_and_validation(
    dataset: Dataset, tmp_path: Path
) -> None:
    """A refit's rows follow the search's, count validation's pictures, and are not validated."""
    refitted = training(dataset, tmp_path / "b", refit=True, augment="online")
    refitted.run(SILENT, resume=False, overwrite=False)
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


def phase(
    dataset: Dataset,
    folder: Path,
    *stages: Stage,
    batch: int = 32,
    seed: int = 0,
    seconds: float | None = None,
) -> Run:
    """A search of the tiny network through these stages."""
    recipe = replace(tiny_network.RECIPE, stages=stages)
    return Run(
        fresh_network(tiny_network.build, len(dataset.classes), recipe, seed=seed, kernels="fused"),
        Batches([dataset.train], batch, seed=0),
        stages,
        dataset.validation,
        state=State(checkpoint=folder / "c.npz", config={}, seconds=seconds),
        watcher=SILENT,
    )


@pytest.mark.slow
def test_the_seed_gives_the_initial_weights(dataset: Dataset, tmp_path: Path) -> None:
    """Before any batch, equal seeds have equal weights and a new seed has new ones."""
    first, again, reseeded = (
        phase(dataset, tmp_path, ONE_EPOCH, seed=seed).model.get_weights()[0] for seed in (3, 3, 4)
    )

    assert np.array_equal(first, again)
    assert not np.array_equal(first, reseeded)


@pytest.mark.slow
def test_a_cosine_stage_moves_its_rate_at_every_step(dataset: Dataset, tmp_path: Path) -> None:
    """Of ten batches in two epochs the last has the rate of nine tenths of the stage."""
    stage = Stage.cosine(1e-2, epochs=2, warmup=0.25)

    fitted = phase(dataset, tmp_path, stage, batch=64).finish()

    assert [row["best"] for row in fitted.history] == [1, 1]  # the last weights are kept
    assert [row["learning_rate"] for row in fitted.history] == pytest.approx(
        [stage.rate_at(share) for share in (0.2, 0.7)]
    )
    assert float(fitted.model.optimizer.learning_rate) == pytest.approx(stage.rate_at(0.9))


@pytest.mark.slow
def test_a_phase_whose_time_is_over_ends_after_its_epoch(dataset: Dataset, tmp_path: Path) -> None:
    """Of two stages of five epochs one epoch is trained in no time; its weights are kept."""
    stages = (Stage(1e-2, 5, 5), Stage.cosine(1e-2, 5))

    fitted = phase(dataset, tmp_path, *stages, seconds=0.0).finish()

    assert [row["best"] for row in fitted.history] == [1]
    assert fitted.epochs == (1,)


@pytest.mark.slow
def test_each_stage_begins_with_a_fresh_optimizer(dataset: Dataset, tmp_path: Path) -> None:
    """After two stages of ten batches each, the optimizer has counted the last ten steps alone."""
    fitted = phase(dataset, tmp_path, ONE_EPOCH, ONE_EPOCH).finish()

    assert len(fitted.history) == 2
    assert int(fitted.model.optimizer.iterations) == 10


@pytest.mark.slow
def test_a_resumed_run_that_does_not_improve_ends_with_the_best_weights_of_the_checkpoint(
    dataset: Dataset, tmp_path: Path
) -> None:
    """The weights of an earlier epoch, whose loss cannot be beaten, come back at the end."""
    resumed = phase(dataset, tmp_path, ONE_EPOCH)
    variables = [*resumed.model.variables, *resumed.model.optimizer.variables]
    resumed.restore(
        Checkpoint(
            config={},
            plan=Plan(),
            position=Position(epoch=3, best=0.0, best_epoch=2),
            history=[],
            variables=[np.asarray(variable) for variable in variables],
            best=[np.full_like(weight, 0.5) for weight in resumed.model.get_weights()],
        )
    )

    fitted = resumed.finish()

    assert len(fitted.history) == 1
    assert all((weight == 0.5).all() for weight in fitted.model.get_weights())


@pytest.mark.slow
def test_a_diverging_run_is_an_error_and_writes_no_bundle(
    dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A loss that is not finite ends the command with exit code 2 and the epoch in its message."""
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
