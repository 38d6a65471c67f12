"""The last line of a command: what to type next with what was made, or why there is nothing."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inkfold.program import typed
from inkfold.recipe import DEFAULT_DATASET

if TYPE_CHECKING:
    from inkfold.dataset.export import Form
    from inkfold.dataset.reader import Dataset
    from inkfold.packing.pack import Report

SOLE = {"train": "1,0,0", "validation": "0,1,0", "test": "0,0,1"}  # puts all into one split


def quoted(path: Path) -> str:
    """A path as a shell takes it; bytes that are no text are shown, and cannot be typed."""
    return shlex.quote(click.format_filename(path))


def after_packing(report: Report, output: Path, *, own_test: bool = False) -> Iterator[str]:
    """The lines after a dataset was made; `own_test` says that only a set's own test was packed."""
    train, validation, test = map(len, report.plan.orders)
    if own_test and not train:
        yield "nothing to train on: all of it is the set's own test; --resplit divides it"
    elif not train:
        yield "nothing to train on: no picture is in train; another --split puts some there"
    elif len(report.plan.classes) < 2:
        yield "nothing to train: there is one class, and a classifier needs two"
    elif not validation:
        yield (
            "nothing to validate with, which training needs: no picture is in validation; another "
            "--split, or more pictures of a class, put some there"
        )
    else:
        default = output == Path(DEFAULT_DATASET)
        yield f"next: {typed('augment')}" + ("" if default else f" {quoted(output)}")
    if test and not train:
        yield f"next: {typed('evaluate')} BUNDLE {quoted(output)}"


def after_training(bundle: Path, dataset: Dataset) -> str:
    """The line after a bundle was written."""
    if not len(dataset.test):
        return (
            f"nothing to measure on: no picture of {click.format_filename(dataset.path)} is in "
            f"test; next: {typed('evaluate')} {quoted(bundle)} DATASET, with one that has some"
        )
    return f"next: {typed('evaluate')} {quoted(bundle)} {quoted(dataset.path)}"


def after_export(folder: Path, form: Form, splits: Sequence[str], size: int, *, alone: bool) -> str:
    """The line after an export: how to pack it again, or how another library reads it.

    Parameters
    ----------
    folder : Path
    form : {"png", "parquet", "npz", "idx"}
    splits : sequence of str
        Those with pictures.
    size : int
        Height and width of the pictures, in pixels.
    alone : bool
        Whether one split was chosen, which has no folder of its own.
    """
    if form == "png":
        again = f"to pack it again: {typed('create_dataset')} {quoted(folder)} --size {size}"
        return f"{again} --split {SOLE[splits[0]]}" if alone else again
    if form == "idx":
        return f"next: {typed('import_data')} idx {quoted(folder)} --size {size}"
    name = click.format_filename(folder)
    if form == "npz":
        array = f"numpy.load({f'{name}/dataset.npz'!r})[{f'x_{splits[0]}'!r}]"
        return f"next: python -c {shlex.quote(f'import numpy; print({array}.shape)')}"
    loaded = f"load_dataset('parquet', data_dir={name!r})"
    return f"next: python -c {shlex.quote(f'from datasets import load_dataset; print({loaded})')}"
