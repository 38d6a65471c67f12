"""A training run as it is watched: progress, log, what to do after a stop, closing lines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from inkfold.commands.cli import Clock, echo_above, progress

if TYPE_CHECKING:
    from inkfold.bundle.history import Row
    from inkfold.training.engine import Trained, Training


def run_training(
    training: Training, again: str, *, resume: bool, overwrite: bool, quiet: bool
) -> None:
    """Run the training, watched; when it is stopped, say so, and that `again` goes on with it."""
    from inkfold.training.log import TrainingLog, log_line
    from inkfold.training.loop import Watcher

    clock = Clock()
    name, total = training.recipe.name, training.pictures_at_most
    with (
        TrainingLog(Path("logs") / training.output.name, _header(training)) as log,
        progress(name, total, quiet=quiet) as advance,
    ):

        def epoch_done(history: list[Row]) -> None:
            log.epoch_done(history)
            echo_above(log_line(history[-1]))

        watcher = Watcher(log.write_summary, advance, epoch_done)
        try:
            trained = training.run(watcher, resume=resume, overwrite=overwrite)
        except (KeyboardInterrupt, SystemExit):
            click.echo(_stopped(training, again), err=True)
            raise
        closing = _closing(training, trained, clock)
        log.finish(trained.history, closing)
    click.echo("\n".join(closing))
    click.echo(f"next: python evaluate.py {trained.path} {training.dataset.path}")


def _header(training: Training) -> list[str]:
    dataset, recipe, options = training.dataset, training.recipe, training.options
    return [
        f"{recipe.name} on {dataset.path.name} (fingerprint {dataset.fingerprint})",
        (
            f"{len(dataset.train):,} pictures to train on, {len(dataset.validation):,} to validate "
            f"with, {len(dataset.classes):,} classes, {recipe.size}x{recipe.size}"
        ),
        (
            f"batch {recipe.batch}, seed {options.seed}, augment {options.augment}, "
            f"arithmetic {training.config['precision']}, refit {options.refit}"
        ),
    ]


def _stopped(training: Training, again: str) -> str:
    if not training.checkpoint.exists():
        return "stopped before the first epoch was done; nothing was kept"
    return f"stopped; what was done is kept in {training.checkpoint}; go on with: {again}"


def _closing(training: Training, trained: Trained, clock: Clock) -> list[str]:
    from inkfold.metrics import Rate

    record, history = trained.record, trained.history
    seen = sum(row["pictures"] for row in history)
    seconds = sum(row["seconds"] for row in history)
    agreement = (
        f"ONNX and Keras agree to {record['onnx_error']:.1e}"
        if record["onnx_error"] is not None
        else "no model.onnx: TensorFlow, which writes it, is not installed here; where it is, run: "
        f"python -m inkfold.bundle.onnx_export {trained.path}"
    )
    found = record["scores"]["validation"]
    right = Rate(found["correct"], found["total"])
    where = "validation, before it was trained on that too" if record["refit"] else "validation"
    return [
        f"kept epoch {found['epoch']}, right on {where}: {right}",
        (
            f"{trained.path}: {record['parameters']:,} parameters from {training.dataset.path} in "
            f"{len(history)} epochs, {seen:,} pictures in {seconds:.0f} s, "
            f"{seen / seconds:,.0f} a second; {clock.seconds:.0f} s in all"
        ),
        agreement,
    ]
