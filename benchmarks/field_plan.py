"""The plan of docs/results.md: which network is trained on which data, and in which order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Augmentation = Literal["plain", "tenfold", "elastic", "online"]
OURS = "residual32"
SETS = {
    "mnist": "MNIST",
    "kmnist": "KMNIST",
    "emnist47": "EMNIST-47",
    "kanji": "kanji, 314 classes",
}
MILD = ("--alpha", "24", "--rotate", "5", "--scale", "0.05", "--shear", "5", "--shift", "0.03")
# how the pictures are packed for a network; "28" for networks that are not named
VIEWS = {"lenet64": "bw64", "cnn30": "30", "cnn32": "32", "cnn32_wide": "32", OURS: "ours"}
FOLDERS = {"mnist": "mnist", "kmnist": "kmnist", "emnist47": "", "kanji": "kanji"}


@dataclass(frozen=True)
class Variant:
    """How a run differs from the run of the same set, network and augmentation.

    Parameters
    ----------
    description : str
        The difference in words, as the page shows it.
    words : tuple of str
        Further arguments for the command that trains.
    view : str
        How the pictures are packed, a key of the table in `packing`; empty for the network's view.
    """

    description: str
    words: tuple[str, ...]
    view: str = ""


VARIANTS = {
    "mild": Variant("half of all amounts, refitted on train and validation", (*MILD, "--refit")),
    "most": Variant("98 % of the official training pictures", (), "most"),
}


@dataclass(frozen=True, kw_only=True)
class Run:
    """One training and its measurement.

    Parameters
    ----------
    data : str
        A key of `SETS`.
    network : str
        Name of a script in ``models/``, without its ending.
    augmentation : {"plain", "tenfold", "elastic", "online"}
        What the network is trained on: the pictures as they are; the file of ``augment.py`` with
        nine elastic copies of each; pictures that are distorted anew in every epoch, by the elastic
        part of the recipe's distortion or by all of it.
    epochs : int
        Epochs at most, of the file that is trained on; the tenfold file is ten times as long.
    seed : int
    variant : str
        A key of `VARIANTS`; empty for the run without a difference.
    """

    data: str
    network: str
    augmentation: Augmentation
    epochs: int
    seed: int = 0
    variant: str = ""

    @property
    def name(self) -> str:
        """The name of the run's bundle and of its log."""
        variant = f"-{self.variant}" if self.variant else ""
        seed = f"-seed{self.seed}" if self.seed else ""
        return f"{self.data}-{self.network}-{self.augmentation}{variant}{seed}"

    @property
    def words(self) -> tuple[str, ...]:
        """The arguments that the variant adds to the command that trains."""
        return VARIANTS[self.variant].words if self.variant else ()

    @property
    def packed(self) -> str:
        """The name of the run's dataset, without the ending: set and view."""
        view = VARIANTS[self.variant].view if self.variant else ""
        return f"{self.data}-{view or VIEWS.get(self.network, '28')}"


def packing(packed: str, folder: str) -> list[str]:
    """The script and the arguments, without -o, that pack the dataset `Run.packed`.

    `folder` holds the downloaded files of all sets.
    """
    data, _, view = packed.partition("-")
    options = {
        "28": ["--size", "28"],
        "30": ["--size", "30"],
        "32": [],
        "bw64": ["--size", "64", "--fit", "stretch", "--threshold", "otsu"],
        "most": ["--split", "0.98,0.02,0"],
        "ours": ["--fit", "ink", "--threshold", "soft"] if data == "emnist47" else [],
    }[view]
    source = f"{folder}/{FOLDERS[data]}"
    if data == "emnist47":
        return ["benchmarks/emnist47.py", source, *options]
    if data == "kanji":
        return ["create_dataset.py", source, *options]
    return ["import_data.py", "idx", source, *options]


def _ours(
    data: str, augmentation: Augmentation, epochs: int, seed: int = 0, variant: str = ""
) -> Run:
    """A run of our network."""
    return Run(
        data=data,
        network=OURS,
        augmentation=augmentation,
        epochs=epochs,
        seed=seed,
        variant=variant,
    )


def _field(network: str, augmentation: Augmentation, epochs: int) -> Run:
    """A run of any network on EMNIST-47."""
    return Run(data="emnist47", network=network, augmentation=augmentation, epochs=epochs)


def _both(network: str, epochs: int) -> tuple[Run, Run]:
    """The runs of a network on EMNIST-47 without distortion and with it."""
    return _field(network, "plain", epochs), _field(network, "online", epochs)


# The epochs are as many as two cores could train in a night. The epochs that a predecessor was
# trained for are in its script.
RUNS: tuple[Run, ...] = (
    _ours("emnist47", "online", 12),
    _ours("kmnist", "online", 30),
    _ours("mnist", "online", 20),
    _ours("kanji", "online", 30),
    *_both("blocks28", 7),
    *_both("leaky28", 8),
    *_both("plain28", 6),
    _field("strided28", "online", 5),
    _field("lenet64", "plain", 1),
    _field("strided28", "plain", 5),
    _ours("emnist47", "plain", 5),
    *_both("cnn32", 4),
    _ours("kmnist", "plain", 6),
    _ours("mnist", "plain", 6),
    _ours("kanji", "plain", 20),
    _field("lenet64", "online", 1),
    _ours("kmnist", "online", 30, seed=1),
    _ours("kmnist", "elastic", 8),
    _ours("emnist47", "elastic", 6),
    _ours("mnist", "elastic", 8),
    _ours("kanji", "elastic", 30),
    _ours("kmnist", "tenfold", 1),
    _ours("emnist47", "tenfold", 1),
    _ours("mnist", "tenfold", 1),
    _ours("kanji", "tenfold", 3),
    _ours("kmnist", "online", 30, seed=2),
    *_both("cnn30", 4),
    *_both("cnn32_wide", 3),
    _ours("emnist47", "online", 10, variant="mild"),
    _ours("kmnist", "online", 36, variant="most"),
    _ours("mnist", "online", 80, variant="most"),
)
