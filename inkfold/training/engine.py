"""The training engine: a recipe, a network and a dataset become a bundle.

A training is one phase, the search, in which validation decides how long each stage runs and which
weights are kept. With ``--refit`` a second phase trains the network anew on train and validation
together, for the epochs that led to the search's best weights.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
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
from inkfold.recipe import Recipe
from inkfold.training.batches import Batches
from inkfold.training.checkpoint import Checkpoint
from inkfold.training.loop import Build, Fitted, Run, State, Watcher
from inkfold.training.write_bundle import write_bundle

if TYPE_CHECKING:
    import keras

Augment = Literal["online", "none"]


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
    """

    seed: int = 0
    augment: Augment = "none"
    precision: Precision = "auto"
    refit: bool = False


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
    """

    build: Build
    recipe: Recipe
    dataset: Dataset
    options: Options
    output: Path

    @property
    def checkpoint(self) -> Path:
        """Where the state lies until the bundle is written."""
        return self.output.with_name(f".{self.output.name}.checkpoint.npz")

    @property
    def pictures_at_most(self) -> int:
        """Pictures that pass through the network if no stage ends early."""
        epochs = sum(stage.epochs for stage in self.recipe.stages)
        return epochs * len(self.dataset.train) * (2 if self.options.refit else 1)

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
        }

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
                f"python create_dataset.py FOLDER --size {size} -o datasets/characters{size}.h5"
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
        """Train, refit if asked, and write the bundle; the checkpoint is removed at the end."""
        saved = Checkpoint.load(self.checkpoint, self.config) if resume else None
        if saved is None:
            self.checkpoint.unlink(missing_ok=True)  # or this run could resume from an earlier one
        with _dtype_policy(policy(self.options.precision)):
            fitted = self._fit(watcher, saved)
        full = write_bundle(
            self.output,
            self._in_float32(fitted.model),
            fitted.history,
            self._record(fitted),
            self.dataset.validation,
            overwrite=overwrite,
        )
        self.checkpoint.unlink(missing_ok=True)
        return Trained(self.output, fitted.history, full)

    def _fit(self, watcher: Watcher, saved: Checkpoint | None) -> Fitted:
        """The search, and the refit if asked; `saved` says in which of them to resume."""
        state = State(checkpoint=self.checkpoint, config=self.config)
        if saved is not None and saved.refit_epochs:
            state = replace(state, refit_epochs=saved.refit_epochs, calibration=saved.calibration)
            return self._phase(state, watcher, saved).finish()
        search = self._phase(state, watcher, saved).finish()
        if not self.options.refit:
            return search
        calibration = search_record(self._in_float32(search.model), self.dataset)
        state = replace(
            state, refit_epochs=search.epochs, history=search.history, calibration=calibration
        )
        return self._phase(state, watcher).finish()

    def _phase(self, state: State, watcher: Watcher, saved: Checkpoint | None = None) -> Run:
        """The search, or with `State.refit_epochs` the refit, where `saved` left it."""
        dataset, recipe = self.dataset, self.recipe
        splits = [dataset.train]
        if state.refit_epochs:
            splits.append(dataset.validation)
            stages = tuple(
                replace(stage, epochs=epochs, patience=epochs)
                for stage, epochs in zip(recipe.stages, state.refit_epochs, strict=False)
                if epochs
            )
            recipe = replace(recipe, stages=stages)
        online = self.options.augment == "online"
        elastic = Elastic.of(dataset.spec.size, recipe.distortion) if online else None
        batch = min(recipe.batch, sum(map(len, splits)))
        run = Run(
            self.build,
            len(dataset.classes),
            Batches(splits, batch, seed=self.options.seed, elastic=elastic),
            recipe,
            None if state.refit_epochs else dataset.validation,
            seed=self.options.seed,
            state=state,
            watcher=watcher,
        )
        if saved is not None:
            run.restore(saved)
        return run

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
            "recipe": asdict(recipe),
            "seed": self.options.seed,
            "options": asdict(self.options) | {"policy": self.config["precision"]},
            "dataset": {
                "fingerprint": dataset.fingerprint,
                "provenance": dataset.provenance,
                "pictures": {"train": len(dataset.train), "validation": len(dataset.validation)},
            },
        }
        if fitted.calibration is not None:
            record["calibration"] = fitted.calibration
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
