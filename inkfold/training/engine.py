"""The training engine: a recipe, a network and a dataset become a bundle.

A training is one phase, the search, in which validation decides how long each stage runs and which
weights are kept. With ``--refit`` a second phase trains the network anew on train and validation
together, for the epochs that led to the search's best weights.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from inkfold.bundle.history import Row
from inkfold.dataset.reader import Dataset
from inkfold.elastic import Elastic
from inkfold.errors import InkfoldError
from inkfold.evaluation.calibrate import search_record
from inkfold.folder_kinds import BUNDLE
from inkfold.keras_backend import Precision, import_keras, policy
from inkfold.output import check_free
from inkfold.program import typed
from inkfold.recipe import Recipe
from inkfold.training.allocator import keep_freed_memory
from inkfold.training.balance import weights_of
from inkfold.training.batches import Batches
from inkfold.training.checkpoint import Checkpoint
from inkfold.training.compile import Build, Kernels, fresh_network, has_fused_kernels
from inkfold.training.learn_novelty import learned_of
from inkfold.training.loop import Fitted, Run, State, Watcher
from inkfold.training.machines import Machines, described
from inkfold.training.pace import measured
from inkfold.training.plan import Plan, Work, planned
from inkfold.training.write_bundle import write_bundle

if TYPE_CHECKING:
    import keras

Augment = Literal["online", "none"]
KernelChoice = Literal["auto", "keras", "fused"]
SHARE = "trained_share"  # in a checkpoint's calibration: what `learned_of` found in the search
WORTH_MEASURING = 60.0  # seconds of training from which on Keras' own layers are tried as well


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a user chooses beside the recipe.

    Attributes
    ----------
    seed : int
    augment : {"online", "none"}
        "online" distorts every picture anew in every epoch with the recipe's distortion.
    precision : {"auto", "float32", "bfloat16"}
        The arithmetic of training; the bundle is float32 in any case.
    refit : bool
        Whether a second phase trains on train and validation together.
    kernels : {"auto", "keras", "fused"}
        Keras' own layers, or their faster twins (docs/decisions/0009-fused-kernels.md); "auto"
        measures which are faster, where the training takes long enough to be worth it.
    minutes : float or None
        The time for all epochs: the schedule is shortened to what fits.
    balance : bool
        Whether pictures of small classes count more in the loss (`inkfold.training.balance`).
    """

    seed: int = 0
    augment: Augment = "none"
    precision: Precision = "auto"
    refit: bool = False
    kernels: KernelChoice = "auto"
    minutes: float | None = None
    balance: bool = False


@dataclass(frozen=True)
class Trained:
    """A finished training.

    Attributes
    ----------
    path : Path
        The bundle.
    history : list of dict
        One row for each epoch.
    record : dict
        The bundle's record.
    """

    path: Path
    history: list[Row]
    record: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Training:
    """A training, described before it is run.

    Attributes
    ----------
    build : callable
        ``build(classes)`` gives the untrained network.
    recipe : Recipe
    dataset : Dataset
        Only its train and validation splits are read.
    options : Options
    output : Path
        The bundle to write; the checkpoint lies beside it.
    machines : Machines
        Who trains it together; machine 0 alone writes files.
    """

    build: Build
    recipe: Recipe
    dataset: Dataset
    options: Options
    output: Path
    machines: Machines = field(default_factory=Machines)

    @property
    def checkpoint(self) -> Path:
        """Where the state lies until the bundle is written."""
        return self.output.with_name(f".{self.output.name}.checkpoint.npz")

    @property
    def config(self) -> dict[str, Any]:
        """What defines the run: it resumes only from a checkpoint in which all of this is equal."""
        return {
            "recipe": asdict(self.recipe),
            "dataset": self.dataset.fingerprint,
            "augment": self.options.augment,
            "precision": policy(self.options.precision),
            "refit": self.options.refit,
            "seed": self.options.seed,
            # earlier versions had none of these; null stands for what they did
            "kernels": None if self.options.kernels == "auto" else self.options.kernels,
            "minutes": self.options.minutes,
            "balance": self.options.balance or None,
            # the sums of a step are rounded otherwise where a batch is divided otherwise
            "devices": self.machines.shares if self.machines.shares > 1 else None,
        }

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        """Pictures in a batch of the search, and in one of the refit where that is asked for."""
        whole = len(self.dataset.train) + len(self.dataset.validation)
        refit = (min(self.recipe.batch, whole),) if self.options.refit else ()
        return (self._batch, *refit)

    def check(self, *, resume: bool, overwrite: bool) -> None:
        """Refuse what cannot be trained, before Keras is imported.

        Raises
        ------
        InkfoldError
            If the dataset's images have another size than the recipe's, if it has fewer than two
            classes or an empty split, if the output exists, if there is no stopped run to resume,
            or if there is one and neither `resume` nor `overwrite` is given.
        """
        self.check_output(overwrite=overwrite)
        if resume and not self.checkpoint.exists():
            raise InkfoldError(
                f"{self.output}: no stopped run to resume ({self.checkpoint} is missing); "
                "leave --resume out"
            )
        if self.checkpoint.exists() and not resume and not overwrite:
            raise InkfoldError(
                f"{self.output}: a stopped run is kept in {self.checkpoint}; "
                "resume it with --resume, or start again with --overwrite"
            )

    def check_output(self, *, overwrite: bool) -> None:
        """Refuse a dataset that cannot be trained on, and an output that may not be written."""
        self._check_dataset()
        check_free(self.output, overwrite=overwrite, kind=BUNDLE, inputs=[self.dataset.path])

    def _check_dataset(self) -> None:
        dataset, recipe = self.dataset, self.recipe
        if dataset.spec.size != recipe.size:
            size = recipe.size
            raise InkfoldError(
                f"{recipe.name} reads {size}x{size} pictures, {dataset.path} holds "
                f"{dataset.spec.size}x{dataset.spec.size}; pack the right one with: "
                f"{typed('create_dataset')} FOLDER --size {size} -o datasets/characters{size}.h5"
            )
        if len(dataset.classes) < 2:
            raise InkfoldError(
                f"{dataset.path} has {len(dataset.classes)} class, a classifier needs at least 2; "
                "pack a folder with one sub-folder for each class"
            )
        for split in (dataset.train, dataset.validation):
            if len(split) == 0:
                raise InkfoldError(
                    f"{dataset.path}: the {split.name} split is empty, training needs it; "
                    "pack again with more pictures or another --split"
                )

    def run(self, watcher: Watcher, *, resume: bool, overwrite: bool) -> Trained:
        """Train, refit if asked, and write the bundle; the checkpoint is removed at the end.

        Of several machines each trains its part and reads the checkpoint that it resumes from;
        machine 0 alone writes the bundle, and the record of what another returns is empty.
        """
        keep_freed_memory()
        self.machines.agree(self._facts(resume=resume))
        saved = Checkpoint.load(self.checkpoint, self.config) if resume else None
        if saved is None and self.machines.is_first:
            self.checkpoint.unlink(missing_ok=True)  # or this run could resume from an earlier one
        with _dtype_policy(policy(self.options.precision)):
            fitted = self._fit(watcher, saved)
        self.machines.leave()
        if not self.machines.is_first:
            return Trained(self.output, fitted.history, {})
        full = write_bundle(
            self.output,
            self._in_float32(fitted.model),
            fitted.history,
            self._record(fitted),
            self.dataset,
            overwrite=overwrite,
            trained_share=(fitted.calibration or {}).get(SHARE),
        )
        self.checkpoint.unlink(missing_ok=True)
        return Trained(self.output, fitted.history, full)

    def _facts(self, *, resume: bool) -> dict[str, Any]:
        """What has to be equal on all machines, or they would train different networks."""
        if self.machines.of == 1:
            return {}
        checkpoint = hashlib.sha256(self.checkpoint.read_bytes()).hexdigest() if resume else None
        network = described(self.build(len(self.dataset.classes)))
        return {
            **self.config,
            "--resume": resume,
            "checkpoint": checkpoint,
            "network": network,
            "classes": list(self.dataset.classes),
        }

    def _fit(self, watcher: Watcher, saved: Checkpoint | None) -> Fitted:
        """The search, and the refit if asked; `saved` says in which of them to resume."""
        if saved is None:
            model, plan = self._begin()
        else:
            model, plan = self._network(saved.plan.kernels), saved.plan
        done = 0 if saved is None else sum(row["pictures"] for row in saved.history)
        watcher.planned(plan, max(0, self._pictures_at_most(plan) - done))
        state = State(
            checkpoint=self.checkpoint, config=self.config, plan=plan, seconds=self._search_seconds
        )
        if saved is not None and saved.refit_epochs:
            state = replace(state, refit_epochs=saved.refit_epochs, calibration=saved.calibration)
            return self._phase(model, state, watcher, saved).finish()
        search = self._phase(model, state, watcher, saved).finish()
        if not self.options.refit:
            return search
        plain = self._in_float32(search.model)
        calibration = search_record(plain, self.dataset)
        if (learned := learned_of(plain, self.dataset)) is not None:
            calibration[SHARE] = learned.trained_share
        state = replace(
            state, refit_epochs=search.epochs, history=search.history, calibration=calibration
        )
        return self._phase(self._network(plan.kernels), state, watcher).finish()

    def _begin(self) -> tuple[keras.Model, Plan]:
        """The untrained network, and what its first steps say about the run."""
        size, kernels = self._batch, self.options.kernels
        if not has_fused_kernels():
            kernels = "keras"
        first: Kernels = "fused" if kernels == "auto" else kernels
        models: dict[Kernels, keras.Model] = {first: self._network(first)}
        answers = self._answers()
        paces = measured(models, size, self.machines, answers)
        long = self._work.seconds(paces[first]) > WORTH_MEASURING
        if kernels == "auto" and long:
            models["keras"] = self._network("keras")
            paces = measured(models, size, self.machines, answers)
        minutes = self.options.minutes
        plan = planned(paces, self._work, None if minutes is None else 60 * minutes)
        return models[plan.kernels], plan

    def _network(self, kernels: Kernels) -> keras.Model:
        """The untrained network, compiled."""
        with self.machines.sharing():
            return fresh_network(
                self.build,
                len(self.dataset.classes),
                self.recipe,
                seed=self.options.seed,
                kernels=kernels,
                weights=weights_of(self.dataset) if self.options.balance else None,
            )

    def _answers(self) -> keras.Model | None:
        """Where devices share a batch, a network on one of them, which can answer by itself."""
        return None if self.machines.shares == 1 else self.build(len(self.dataset.classes))

    @property
    def _batch(self) -> int:
        """Pictures in a batch of the search."""
        return min(self.recipe.batch, len(self.dataset.train))

    @property
    def _work(self) -> Work:
        return Work(
            epochs=sum(stage.epochs for stage in self.recipe.stages),
            steps=len(self.dataset.train) // self._batch,
            answers=-(-len(self.dataset.validation) // self._batch),
            refit=self.options.refit,
        )

    @property
    def _search_seconds(self) -> float | None:
        """The time for the search's epochs: a refit gets as much as the search."""
        minutes = self.options.minutes
        return None if minutes is None else 60 * minutes / (2 if self.options.refit else 1)

    def _pictures_at_most(self, plan: Plan) -> int:
        """Pictures that pass through the network if no stage ends early."""
        steps = plan.steps or self._work.steps
        epochs = plan.epochs or self._work.epochs
        return epochs * steps * self._batch * (2 if self.options.refit else 1)

    def _phase(
        self, model: keras.Model, state: State, watcher: Watcher, saved: Checkpoint | None = None
    ) -> Run:
        """The search, or with `State.refit_epochs` the refit, where `saved` left it."""
        dataset, stages = self.dataset, self._planned_recipe(state.plan).stages
        splits = [dataset.train]
        if state.refit_epochs:
            splits.append(dataset.validation)
            stages = tuple(
                replace(stage, epochs=epochs, patience=epochs)
                for stage, epochs in zip(stages, state.refit_epochs, strict=False)
                if epochs
            )
            state = replace(state, seconds=None)  # it repeats what the search had time for
        online = self.options.augment == "online"
        batches = Batches(
            splits,
            min(self.recipe.batch, sum(map(len, splits))),
            seed=self.options.seed,
            elastic=Elastic.of(dataset.spec.size, self.recipe.distortion) if online else None,
            at_most=state.plan.steps,
            machines=self.machines,
        )
        validation = None if state.refit_epochs else dataset.validation
        run = Run(
            model,
            batches,
            stages,
            validation,
            state=state,
            watcher=watcher,
            answers=None if validation is None else self._answers(),
        )
        if saved is not None:
            run.restore(saved)
        return run

    def _planned_recipe(self, plan: Plan) -> Recipe:
        """The recipe in the epochs that fit."""
        return self.recipe if plan.epochs is None else self.recipe.in_epochs(plan.epochs)

    def _in_float32(self, trained: keras.Model) -> keras.Model:
        """The same network with the same weights, whatever arithmetic it was trained in."""
        with _dtype_policy("float32"):
            model = self.build(len(self.dataset.classes))
        model.set_weights(trained.get_weights())
        return model

    def _record(self, fitted: Fitted) -> dict[str, Any]:
        """What the bundle's record says of recipe, options and dataset."""
        dataset, recipe = self.dataset, self.recipe
        record = {
            "name": recipe.name,
            "classes": list(dataset.classes),
            "spec": asdict(dataset.spec),
            "recipe": asdict(self._planned_recipe(fitted.plan)),
            "seed": self.options.seed,
            "options": asdict(self.options)
            | {"policy": self.config["precision"], "kernels": fitted.plan.kernels},
            "dataset": {
                "fingerprint": dataset.fingerprint,
                "provenance": dataset.provenance,
                "pictures": {"train": len(dataset.train), "validation": len(dataset.validation)},
            },
        }
        if self.options.balance:
            record["class_weights"] = weights_of(dataset).tolist()
        if fitted.calibration is not None:
            record["calibration"] = {
                name: value for name, value in fitted.calibration.items() if name != SHARE
            }
        return record


@contextlib.contextmanager
def _dtype_policy(name: str) -> Iterator[None]:
    """Have networks built in this arithmetic within the block."""
    config = import_keras().config
    before = config.dtype_policy()
    config.set_dtype_policy(name)
    try:
        yield
    finally:
        config.set_dtype_policy(before)
