"""Train a network: ``inkfold train NETWORK``, and the command line of every model script.

Read from above: what a script calls, the command of one recipe, its options, and the run itself.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from inkfold.commands.cli import Advance, Clock, echo, echo_above, progress, run
from inkfold.commands.machines import machine_options, place_of, run_part, together
from inkfold.commands.network_files import Build, load_network
from inkfold.commands.next_lines import after_training
from inkfold.commands.options import (
    Decorator,
    all_of,
    distortion_options,
    output_option,
    overwrite_option,
    quiet_option,
    seed_option,
)
from inkfold.extras import need
from inkfold.program import this_program
from inkfold.recipe import Distortion, Recipe, Stage

if TYPE_CHECKING:
    from inkfold.bundle.history import Row
    from inkfold.training.engine import Trained, Training
    from inkfold.training.plan import Plan


def main(build: Build, recipe: Recipe, argv: Sequence[str] | None = None) -> int:
    """Run the command line of a script in ``models/``; returns its exit code."""
    program = this_program(f"train {recipe.name}")
    return run(train_command(build, recipe, program=program), argv)


@click.command(
    "train",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
)
@click.argument("network")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(network: str, arguments: tuple[str, ...]) -> int:
    """Train a network that comes along, or that of a script of your own.

    \b
    Examples:
        inkfold train cnn32 datasets/characters.h5
        inkfold train my_network.py datasets/characters.h5 --augment online

    NETWORK is a name that inkfold networks lists, or the path of a script, which ends in .py or
    has a slash. The script holds RECIPE and build(classes); inkfold networks cnn32 -o
    my_network.py writes one to begin with. What follows is listed by inkfold train NETWORK --help.
    """
    if network == "--help":
        echo(click.get_current_context().get_help())
        return 0
    build, recipe = load_network(network)
    program = f"inkfold train {shlex.quote(network)}"
    inner = train_command(build, recipe, program=program)
    code = inner.main(args=list(arguments), prog_name=program, standalone_mode=False)
    return int(code or 0)


def train_command(build: Build, recipe: Recipe, *, program: str) -> click.Command:
    """The command line that trains one recipe.

    Parameters
    ----------
    build : callable
        ``build(classes)`` gives the untrained network.
    recipe : Recipe
    program : str
        How a user starts the command, as the help and the line that resumes a run show it.
    """
    stages = ", then ".join(map(_in_words, recipe.stages))
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


def _in_words(stage: Stage) -> str:
    if stage.keeps_last:
        return (
            f"{stage.epochs} epochs at a rate that rises to {stage.learning_rate:g} and falls to 0"
        )
    return f"at most {stage.epochs} epochs at rate {stage.learning_rate:g}"


def _options(recipe: Recipe) -> list[Decorator]:
    """The argument and the options of a recipe's command, in the order of the help."""
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
        click.option(
            "--minutes",
            type=click.FloatRange(min=0, min_open=True),
            help="The time for all epochs; fewer are trained if the recipe's do not fit.",
        ),
        click.option(
            "--kernels",
            type=click.Choice(["auto", "keras", "fused"]),
            default="auto",
            show_default=True,
            help="How layers are computed; auto: whichever is faster here in the first steps.",
        ),
        click.option(
            "--balance",
            is_flag=True,
            help="Let pictures of small classes count more, so that these are recognised too.",
        ),
        *machine_options,
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
    machines: str | None,
    rank: int | None,
    of: int | None,
    **values: Any,  # noqa: ANN401, of the fields of Distortion and Options; click checks them
) -> int:
    """Check the options against the dataset, then train, if asked on several machines."""
    place = place_of(machines, rank, of)
    from inkfold.keras_backend import keras_libraries

    need("training", *keras_libraries(), "tensorboard", "matplotlib", "scipy")
    from inkfold.dataset.reader import open_dataset

    amounts = {amount.name: values.pop(amount.name) for amount in fields(Distortion)}
    recipe = replace(recipe, batch=batch, distortion=Distortion(**amounts))
    if epochs is not None:
        recipe = recipe.in_epochs(epochs)
    with open_dataset(dataset) as opened:
        from inkfold.training.engine import Options, Training

        training = Training(
            build=build,
            recipe=recipe,
            dataset=opened,
            options=Options(**values),
            output=output,
        )
        resuming = f"{program} {shlex.join([*_typed_arguments(), '--resume'])}"
        training.check_output(overwrite=overwrite)
        with together(training, place, resume=resume, overwrite=overwrite) as training:
            if training.machines.is_first:
                run_training(training, resuming, resume=resume, overwrite=overwrite, quiet=quiet)
            else:
                run_part(training, resume=resume)
    return 0


def _typed_arguments() -> list[str]:
    """The arguments and options that the user typed, without --resume."""
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


def run_training(
    training: Training, resuming: str, *, resume: bool, overwrite: bool, quiet: bool
) -> None:
    """Run a training with its log, a progress bar, a line for each epoch, and closing lines.

    Parameters
    ----------
    training : Training
    resuming : str
        The command that resumes the run, printed when it is stopped.
    resume, overwrite : bool
        As for `Training.run`.
    quiet : bool
        Show no progress bar.
    """
    from inkfold.locks import only_writer
    from inkfold.training.balance import unequal
    from inkfold.training.log import TrainingLog, log_line
    from inkfold.training.loop import Watcher

    clock = Clock()
    with ExitStack() as stack:
        folder = Path("logs") / training.output.name  # of all outputs of this name
        stack.enter_context(only_writer(folder))
        log = stack.enter_context(TrainingLog(folder, _header(training)))
        advances: list[Advance] = []  # the bar's, once it is known how much there is to do
        rows: list[Row] = []  # of this run: a resumed one repeats no epoch

        def planned(plan: Plan, pictures: int) -> None:
            log.planned(plan.told)
            echo("\n".join(filter(None, (plan.told, training.machines.told))))
            if not training.options.balance and (line := unequal(training.dataset)):
                echo(line)
            bar = progress(training.recipe.name, pictures, quiet=quiet)
            advances.append(stack.enter_context(bar))

        def epoch_done(history: list[Row]) -> None:
            log.epoch_done(history)
            rows.append(history[-1])
            echo_above(log_line(history[-1]))

        watcher = Watcher(
            built=log.write_summary,
            planned=planned,
            batch_done=lambda count: advances[0](count),  # noqa: PLW0108, it is empty until then
            epoch_done=epoch_done,
        )
        try:
            trained = training.run(watcher, resume=resume, overwrite=overwrite)
        except (KeyboardInterrupt, SystemExit):
            echo(_stopped(training, resuming), err=True)
            raise
        closing = _closing(training, trained, rows, clock)
        log.finish(trained.history, closing)
    echo("\n".join(closing))
    echo(after_training(trained.path, training.dataset))


def _header(training: Training) -> list[str]:
    """The first lines of the text log: recipe, data and options of the run."""
    dataset, recipe, options = training.dataset, training.recipe, training.options
    return [
        f"{recipe.name} on {dataset.path.name} (fingerprint {dataset.fingerprint})",
        (
            f"{len(dataset.train):,} pictures to train on, {len(dataset.validation):,} to validate "
            f"with, {len(dataset.classes):,} classes, {recipe.size}x{recipe.size}"
        ),
        (
            f"batch {recipe.batch}, seed {options.seed}, augment {options.augment}, "
            f"arithmetic {training.config['precision']}, refit {options.refit}, "
            f"balance {options.balance}"
        ),
        *filter(None, [training.machines.told]),
    ]


def _stopped(training: Training, resuming: str) -> str:
    if not training.checkpoint.exists():
        return "stopped before the first epoch was done; nothing was kept"
    return f"stopped; what was done is kept in {training.checkpoint}; resume with: {resuming}"


def _closing(training: Training, trained: Trained, rows: list[Row], clock: Clock) -> list[str]:
    """The last lines of a run: the epoch kept and its score, size and speed, the ONNX check.

    `rows` are those of the epochs that this run trained, fewer than all where it was resumed.
    """
    from inkfold.bundle.bundle import recorded_rate

    record, epochs = trained.record, f"{len(trained.history)} epochs"
    if len(rows) < len(trained.history):
        epochs += f", {len(rows)} of them in this run"
    pictures, seconds = (sum(row[name] for row in rows) for name in ("pictures", "seconds"))
    agreement = (
        f"ONNX and Keras agree to {record['onnx_error']:.1e}"
        if record["onnx_error"] is not None
        else "no model.onnx: TensorFlow, which writes it, is not installed here; where it is, run: "
        f"python -m inkfold.bundle.onnx_export {trained.path}"
    )
    rate = recorded_rate(record, "validation")
    split = "validation, before it was trained on that too" if record["refit"] else "validation"
    return [
        f"kept epoch {record['scores']['validation']['epoch']}, right on {split}: {rate}",
        (
            f"{trained.path}: {record['parameters']:,} parameters from {training.dataset.path} in "
            f"{epochs}, {pictures:,} pictures in {seconds:.0f} s, "
            f"{pictures / max(seconds, 0.01):,.0f} a second; {clock.seconds:.0f} s in all"
        ),
        agreement,
    ]
