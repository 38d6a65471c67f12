"""Train a network: every script in ``models/``, and ``inkfold train SCRIPT``."""

from __future__ import annotations

import importlib.util
import shlex
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from inkfold.commands.cli import Clock, echo_above, progress, run
from inkfold.commands.options import (
    all_of,
    distortion_options,
    output_option,
    overwrite_option,
    quiet_option,
    seed_option,
)
from inkfold.errors import InkfoldError
from inkfold.recipe import Distortion, Recipe, Stage

if TYPE_CHECKING:
    from inkfold.bundle.history import Row
    from inkfold.training.engine import Trained, Training

Build = Callable[[int], Any]  # classes -> keras.Model; keras is not imported here


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
    from inkfold.bundle.bundle import recorded_rate

    record, history = trained.record, trained.history
    seen = sum(row["pictures"] for row in history)
    seconds = sum(row["seconds"] for row in history)
    agreement = (
        f"ONNX and Keras agree to {record['onnx_error']:.1e}"
        if record["onnx_error"] is not None
        else "no model.onnx: TensorFlow, which writes it, is not installed here; where it is, run: "
        f"python -m inkfold.bundle.onnx_export {trained.path}"
    )
    right = recorded_rate(record, "validation")
    where = "validation, before it was trained on that too" if record["refit"] else "validation"
    return [
        f"kept epoch {record['scores']['validation']['epoch']}, right on {where}: {right}",
        (
            f"{trained.path}: {record['parameters']:,} parameters from {training.dataset.path} in "
            f"{len(history)} epochs, {seen:,} pictures in {seconds:.0f} s, "
            f"{seen / seconds:,.0f} a second; {clock.seconds:.0f} s in all"
        ),
        agreement,
    ]


def train_command(build: Build, recipe: Recipe, *, program: str) -> click.Command:
    """The command line of one network."""
    stages = ", then ".join(map(_told, recipe.stages))
    ending = (
        "It runs all its epochs and keeps its last weights."
        if all(stage.keeps_last for stage in recipe.stages)
        else "A stage ends early when validation loss stops falling."
    )
    text = f"""Train {recipe.name} on a packed dataset and write a bundle.

    \b
    Example:
        {program} {recipe.dataset} --augment online

    It reads {recipe.size}x{recipe.size} pictures. Its recipe: {stages};
    batches of {recipe.batch}. {ending}
    """
    callback = all_of(_options(recipe))(partial(_train, build, recipe, program))
    return click.command(program, help=text)(callback)


def _told(stage: Stage) -> str:
    if stage.keeps_last:
        return (
            f"{stage.epochs} epochs at a rate that rises to {stage.learning_rate:g} and falls to 0"
        )
    return f"at most {stage.epochs} epochs at rate {stage.learning_rate:g}"


def _options(recipe: Recipe) -> list[Callable[[Any], Any]]:
    """The argument and the options, in the order of the help text."""
    return [
        click.argument("dataset", type=click.Path(path_type=Path), default=recipe.dataset),
        output_option(f"models/trained/{recipe.name}", "The bundle to write."),
        click.option(
            "--epochs",
            type=click.IntRange(min=1),
            help="At most this many in all, fewer or more than the recipe's.  [default: recipe's]",
        ),
        click.option(
            "--batch",
            type=click.IntRange(min=1),
            default=recipe.batch,
            show_default=True,
            help="Pictures in a batch.",
        ),
        seed_option,
        click.option(
            "--augment",
            type=click.Choice(["online", "none"]),
            default="none",
            show_default=True,
            help="online: distort every picture anew in every epoch.",
        ),
        *distortion_options(recipe.distortion, "With --augment online. "),
        click.option(
            "--precision",
            type=click.Choice(["auto", "float32", "bfloat16"]),
            default="auto",
            show_default=True,
            help="auto: bfloat16 where the hardware has it.",
        ),
        click.option("--resume", is_flag=True, help="Go on with a run that was stopped."),
        click.option(
            "--refit",
            is_flag=True,
            help="Then train again on train + validation for the epochs found.",
        ),
        overwrite_option,
        quiet_option,
    ]


def _train(
    build: Build,
    recipe: Recipe,
    program: str,
    *,
    dataset: Path,
    output: Path,
    epochs: int | None,
    batch: int,
    resume: bool,
    overwrite: bool,
    quiet: bool,
    **chosen: Any,  # noqa: ANN401, the fields of Distortion and Options; click checks their values
) -> int:
    """Check what is asked for, then train."""
    from inkfold.dataset.reader import open_dataset

    amounts = {amount.name: chosen.pop(amount.name) for amount in fields(Distortion)}
    recipe = replace(recipe, batch=batch, distortion=Distortion(**amounts))
    if epochs is not None:
        recipe = recipe.in_epochs(epochs)
    with open_dataset(dataset) as opened:
        from inkfold.training.engine import Options, Training

        training = Training(build, recipe, opened, Options(**chosen), output)
        training.check(resume=resume, overwrite=overwrite)
        again = f"{program} {shlex.join([*_given(), '--resume'])}"
        run_training(training, again, resume=resume, overwrite=overwrite, quiet=quiet)
    return 0


def _given() -> list[str]:
    """What the user typed of argument and options, --resume left out."""
    context, words = click.get_current_context(), []
    for parameter in context.command.params:
        name = str(parameter.name)
        typed = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if not typed or name == "resume":
            continue
        if isinstance(parameter, click.Option):
            words.append(parameter.opts[-1])
        if not (isinstance(parameter, click.Option) and parameter.is_flag):
            words.append(str(context.params[name]))
    return words


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
