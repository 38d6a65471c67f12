"""What a run decides by its first steps: its kernels, how many epochs fit, how long it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from inkfold.training.compile import Kernels
from inkfold.training.pace import Pace

SURE = 1.05  # Keras' own layers are taken only where the faster ones need this much more time
MARGIN = 1.1  # the time is planned for a machine that is so much slower later


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The decisions; a checkpoint keeps them, so that a resumed run ends as an unbroken one.

    Attributes
    ----------
    kernels : {"keras", "fused"}
    epochs : int or None
        The most epochs of the recipe that are trained; None for all of them.
    steps : int or None
        The most steps of an epoch, where not one whole epoch fits into the time; else None.
    told : str
        What the log says of it, in one line.
    """

    kernels: Kernels = "fused"
    epochs: int | None = None
    steps: int | None = None
    told: str = ""


@dataclass(frozen=True, kw_only=True)
class Work:
    """How much a training has to do at most.

    Attributes
    ----------
    epochs : int
    steps : int
        Training steps of an epoch.
    answers : int
        Batches of validation that are answered after each epoch.
    refit : bool
        Whether all epochs are trained a second time, on train and validation together.
    """

    epochs: int
    steps: int
    answers: int
    refit: bool

    def epoch_seconds(self, pace: Pace) -> float:
        """The time of an epoch, with its share of the refit."""
        search = self.steps * pace.step + self.answers * pace.answer
        return search + (self.steps + self.answers) * pace.step * self.refit

    def seconds(self, pace: Pace) -> float:
        """The time of all epochs."""
        return self.epochs * self.epoch_seconds(pace)


def planned(paces: Mapping[Kernels, Pace], work: Work, seconds: float | None) -> Plan:
    """Choose the kernels, and shorten the schedule to what fits into a time.

    Parameters
    ----------
    paces : mapping
        What was measured, by the kernels.
    work : Work
    seconds : float or None
        The time for all epochs; None for as long as they take.
    """
    kernels = _faster(paces)
    epoch = work.epoch_seconds(paces[kernels])
    told = _in_words_of_steps(paces, kernels)
    if seconds is None or work.epochs * epoch * MARGIN <= seconds:
        whole = f"at most {_epochs(work.epochs)} of {in_words(epoch)}"
        return Plan(kernels=kernels, told=f"{whole}: {in_words(work.epochs * epoch)}; {told}")
    fitting = seconds / (epoch * MARGIN)
    epochs = max(1, int(fitting))
    steps = None if fitting >= 1 else max(1, int(work.steps * fitting))
    what = _epochs(epochs)
    if steps is not None:
        what = f"{steps:,} of the {work.steps:,} steps of an epoch"
    fit = f"{in_words(seconds)} are enough for {what}, of the recipe's {_epochs(work.epochs)}"
    return Plan(
        kernels=kernels,
        epochs=epochs,
        steps=steps,
        told=f"{fit} (an epoch takes {in_words(epoch)}); {told}",
    )


def _faster(paces: Mapping[Kernels, Pace]) -> Kernels:
    """The kernels with the shorter step; close to each other, the fused ones."""
    if "keras" not in paces:
        return "fused"
    if "fused" not in paces:
        return "keras"
    return "keras" if paces["fused"].step > paces["keras"].step * SURE else "fused"


def _in_words_of_steps(paces: Mapping[Kernels, Pace], kernels: Kernels) -> str:
    """Which kernels were taken, and what a step took with each."""
    others = [name for name in paces if name != kernels]
    compared = "".join(f", {name} {1000 * paces[name].step:.0f} ms" for name in others)
    return f"{kernels} kernels, {1000 * paces[kernels].step:.0f} ms a step{compared}"


def _epochs(count: int) -> str:
    return "1 epoch" if count == 1 else f"{count} epochs"


def in_words(seconds: float) -> str:
    """A time as a person plans by it: ``0.4 s``, ``40 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 90:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
