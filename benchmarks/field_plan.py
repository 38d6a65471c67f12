"""What is measured on which data, in the order in which it is trained: data, no doing."""

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
VIEWS = {"lenet64": "bw64", "cnn30": "30", "cnn32": "32", "cnn32_wide": "32", OURS: "ours"}


@dataclass(frozen=True)
class Variant:
    """How a training differs from that of the same network, set and augmentation.

    Parameters
    ----------
    told : str
        As the page says it.
    words : tuple of str
        More for the command that trains.
    view : str
        Of the dataset; empty for the network's.
    """

    told: str
    words: tuple[str, ...]
    view: str = ""


VARIANTS = {
    "mild": Variant("half of all amounts, refitted on train and validation", (*MILD, "--refit")),
    "most": Variant("98 % of the official training pictures", (), "most"),
}


@dataclass(frozen=True)
class Run:
    """One training and its measurement.

    Parameters
    ----------
    data : str
    network : str
        The script in ``models/``.
    augmentation : {"plain", "tenfold", "elastic", "online"}
        The pictures as they are; with nine elastic copies each from ``augment.py``; distorted anew
        in every epoch by the elastic part of the recipe, or by all of it.
    epochs : int
        At most; of the tenfold file, which is ten times as long.
    seed : int
    variant : str
        A key of `VARIANTS`; empty for none.
    """

    data: str
    network: str
    augmentation: Augmentation
    epochs: int
    seed: int = 0
    variant: str = ""

    @property
    def name(self) -> str:
        """What its bundle and its log are called."""
        variant = f"-{self.variant}" if self.variant else ""
        seed = f"-seed{self.seed}" if self.seed else ""
        return f"{self.data}-{self.network}-{self.augmentation}{variant}{seed}"

    @property
    def words(self) -> tuple[str, ...]:
        """What its variant adds to the command that trains."""
        return VARIANTS[self.variant].words if self.variant else ()

    @property
    def packed(self) -> str:
        """The dataset that it is measured on, without its ending."""
        view = VARIANTS[self.variant].view if self.variant else ""
        return f"{self.data}-{view or VIEWS.get(self.network, '28')}"


SOURCES = {"mnist": "mnist", "kmnist": "kmnist", "emnist47": "", "kanji": "kanji"}


def packing(packed: str, folder: str) -> list[str]:
    """The command that makes a dataset of the files in `folder`, without its -o."""
    data, _, view = packed.partition("-")
    how = {
        "28": ["--size", "28"],
        "30": ["--size", "30"],
        "32": [],
        "bw64": ["--size", "64", "--fit", "stretch", "--threshold", "otsu"],
        "most": ["--split", "0.98,0.02,0"],
        "ours": ["--fit", "ink", "--threshold", "soft"] if data == "emnist47" else [],
    }[view]
    source = f"{folder}/{SOURCES[data]}"
    if data == "emnist47":
        return ["benchmarks/emnist47.py", source, *how]
    if data == "kanji":
        return ["create_dataset.py", source, *how]
    return ["import_data.py", "idx", source, *how]


def _both(network: str, epochs: int) -> tuple[Run, ...]:
    """A network on EMNIST-47, on the pictures as they are and distorted online."""
    return (Run("emnist47", network, "plain", epochs), Run("emnist47", network, "online", epochs))


# The epochs are what two cores could do in a night; a predecessor's own are in its script.
RUNS: tuple[Run, ...] = (
    Run("emnist47", OURS, "online", 12),
    Run("kmnist", OURS, "online", 30),
    Run("mnist", OURS, "online", 20),
    Run("kanji", OURS, "online", 30),
    *_both("blocks28", 7),
    *_both("leaky28", 8),
    *_both("plain28", 6),
    Run("emnist47", "strided28", "online", 5),
    Run("emnist47", "lenet64", "plain", 1),
    Run("emnist47", "strided28", "plain", 5),
    Run("emnist47", OURS, "plain", 5),
    *_both("cnn32", 4),
    Run("kmnist", OURS, "plain", 6),
    Run("mnist", OURS, "plain", 6),
    Run("kanji", OURS, "plain", 20),
    Run("emnist47", "lenet64", "online", 1),
    Run("kmnist", OURS, "online", 30, seed=1),
    Run("kmnist", OURS, "elastic", 8),
    Run("emnist47", OURS, "elastic", 6),
    Run("mnist", OURS, "elastic", 8),
    Run("kanji", OURS, "elastic", 30),
    Run("kmnist", OURS, "tenfold", 1),
    Run("emnist47", OURS, "tenfold", 1),
    Run("mnist", OURS, "tenfold", 1),
    Run("kanji", OURS, "tenfold", 3),
    Run("kmnist", OURS, "online", 30, seed=2),
    *_both("cnn30", 4),
    *_both("cnn32_wide", 3),
    Run("emnist47", OURS, "online", 10, variant="mild"),
    Run("kmnist", OURS, "online", 36, variant="most"),
    Run("mnist", OURS, "online", 80, variant="most"),
)
