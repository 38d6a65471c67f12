"""Train a network: every script in ``models/``, and ``inkfold train SCRIPT``."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inkfold.commands.cli import (
    Clock,
    output_option,
    overwrite_option,
    progress,
    quiet_option,
    run,
    seed_option,
)
from inkfold.errors import InkfoldError
from inkfold.nouns import Recipe
from inkfold.schedule import shortened

if TYPE_CHECKING:
    from inkfold.checkpoint import Row
    from inkfold.training import Trained, Training

Build = Callable[[int], Any]  # classes -> keras.Model; keras is not imported here


def train_command(build: Build, recipe: Recipe, *, program: str) -> click.Command:
    """The command line of one network."""
    stages = ", then ".join(
        f"at most {stage.epochs} epochs at rate {stage.learning_rate:g}" for stage in recipe.stages
    )

    @click.command(
        program,
        help=f"""Train {recipe.name} on a packed dataset and write a bundle.

        \b
        Example:
            {program} {recipe.dataset} --augment online

        It reads {recipe.size}x{recipe.size} pictures. Its recipe: {stages};
        batches of {recipe.batch}. A stage ends early when validation loss stops falling.
        """,
    )
    @click.argument("dataset", type=click.Path(path_type=Path), default=recipe.dataset)
    @output_option(f"models/trained/{recipe.name}", "The bundle to write.")
    @click.option(
        "--epochs",
        type=click.IntRange(min=1),
        help="At most this many in all.  [default: recipe's]",
    )
    @click.option("--batch", type=click.IntRange(min=1), default=recipe.batch, show_default=True)
    @seed_option
    @click.option(
        "--augment",
        type=click.Choice(["online", "none"]),
        default="none",
        show_default=True,
        help="online: distort every picture anew in every epoch.",
    )
    @click.option(
        "--precision",
        type=click.Choice(["auto", "float32", "bfloat16"]),
        default="auto",
        show_default=True,
        help="auto: bfloat16 where the hardware has it.",
    )
    @click.option("--resume", is_flag=True, help="Go on with a run that was stopped.")
    @click.option(
        "--refit",
        is_flag=True,
        help="Then train again on train + validation for the epochs found.",
    )
    @overwrite_option
    @quiet_option
    def command(  # noqa: PLR0917, one parameter an option
        dataset: Path,
        output: Path,
        epochs: int | None,
        batch: int,
        seed: int,
        augment: Any,  # noqa: ANN401, click checks the choice
        precision: Any,  # noqa: ANN401, the same
        resume: bool,
        refit: bool,
        overwrite: bool,
        quiet: bool,
    ) -> int:
        from inkfold.dataset import open_dataset
        from inkfold.training import Options, Training

        chosen = replace(recipe, batch=batch)
        if epochs is not None:
            chosen = replace(chosen, stages=shortened(recipe.stages, epochs))
        options = Options(seed=seed, augment=augment, precision=precision, refit=refit)
        with open_dataset(dataset) as opened:
            training = Training(build, chosen, opened, options, output)
            training.check(resume=resume, overwrite=overwrite)
            _train(training, program, resume=resume, overwrite=overwrite, quiet=quiet)
        return 0

    return command


def main(build: Build, recipe: Recipe, argv: Sequence[str] | None = None) -> int:
    """Run the command line of one network; what a script in ``models/`` calls."""
    program = f"python models/{recipe.name}.py"
    return run(train_command(build, recipe, program=program), argv)


@click.command(
    "train",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
)
@click.argument("script", type=click.Path(path_type=Path))
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(script: Path, arguments: tuple[str, ...]) -> int:
    """Train the network of a model script that lies anywhere.

    \b
    Example:
        inkfold train my_network.py datasets/characters.h5 --augment online

    The script holds RECIPE and build(classes), like those in models/. What follows it is what
    those scripts take: see inkfold train SCRIPT --help.
    """
    if str(script) == "--help":
        click.echo(click.get_current_context().get_help())
        return 0
    build, recipe = load_script(script)
    inner = train_command(build, recipe, program=f"inkfold train {script}")
    return int(inner.main(args=list(arguments), standalone_mode=False) or 0)


def load_script(path: Path) -> tuple[Build, Recipe]:
    """The network and the recipe of a model script.

    Raises
    ------
    InkfoldError
        If there is no such script, or it does not hold both.
    """
    if not path.is_file():
        raise InkfoldError(f"{path}: no such model script; those that come along are in models/")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise InkfoldError(f"{path}: a model script's name ends in .py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    build, recipe = getattr(module, "build", None), getattr(module, "RECIPE", None)
    if not callable(build) or not isinstance(recipe, Recipe):
        raise InkfoldError(
            f"{path}: a model script holds RECIPE and build(classes); see models/cnn32.py"
        )
    return build, recipe


def _train(training: Training, program: str, *, resume: bool, overwrite: bool, quiet: bool) -> None:
    """Run the training, watched; say where it was stopped and how to go on."""
    from inkfold.training_log import TrainingLog, log_line
    from inkfold.training_loop import Watcher

    clock = Clock()
    name, total = training.recipe.name, training.pictures_at_most
    with (
        TrainingLog(Path("logs") / training.output.name, _header(training)) as log,
        progress(name, total, quiet=quiet) as advance,
    ):

        def epoch_done(history: list[Row]) -> None:
            log.write(history)
            click.echo(log_line(history[-1]))

        watcher = Watcher(log.write_summary, advance, epoch_done)
        try:
            trained = training.run(watcher, resume=resume, overwrite=overwrite)
        except (KeyboardInterrupt, SystemExit):
            click.echo(_stopped(training, program), err=True)
            raise
        closing = _closing(training, trained, clock)
        log.write(trained.history, closing)
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


def _stopped(training: Training, program: str) -> str:
    if not training.checkpoint.exists():
        return "stopped before the first epoch was done; nothing was kept"
    return (
        f"stopped; the epochs that were done are kept in {training.checkpoint}; "
        f"go on with: {program} {training.dataset.path} -o {training.output} --resume "
        "(and the same options)"
    )


def _closing(training: Training, trained: Trained, clock: Clock) -> list[str]:
    from inkfold.metrics import Rate

    record, history = trained.record, trained.history
    seen = sum(row["pictures"] for row in history)
    seconds = sum(row["seconds"] for row in history)
    agreement = (
        f"ONNX and Keras agree to {record['onnx_error']:.1e}"
        if record["onnx_error"] is not None
        else "no model.onnx: TensorFlow, which writes it, is not installed here; where it is, run: "
        f"python -m inkfold.onnx_export {trained.path}"
    )
    found = record["scores"]["validation"]
    right = Rate(found["correct"], found["total"])
    return [
        f"best epoch {found['epoch']}, right on validation: {right}",
        (
            f"{trained.path}: {record['parameters']:,} parameters from {training.dataset.path} in "
            f"{len(history)} epochs, {seen:,} pictures in {seconds:.0f} s, "
            f"{seen / seconds:,.0f} a second; {clock.seconds:.0f} s in all"
        ),
        agreement,
    ]
