"""The kinds of folders that commands write, by which one is known before it is replaced.

A folder is replaced only if it has the file that every folder of its kind has, and holds nothing
that a command would not have written there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# what a killed command may have left in a folder: the hidden beginnings of a file
LEFTOVER = r"(?:[^/]*/)*\.[^/]+\.[\w-]+\.\d+\.part"


@dataclass(frozen=True, kw_only=True)
class FolderKind:
    """A kind of folder.

    Attributes
    ----------
    noun : str
        What messages call such a folder.
    marker : str
        The file that every such folder has.
    files : str
        A regular expression of all files in it, as paths from the folder with ``/``.
    """

    noun: str
    marker: str
    files: str

    def objection(self, folder: Path) -> str | None:
        """Why an existing folder is not to be replaced, as the end of a sentence; None if it may.

        An empty folder may be replaced: nothing in it could be lost.
        """
        if not any(folder.iterdir()):
            return None
        if not (folder / self.marker).is_file():
            return f"it is not {self.noun} (it has no {self.marker})"
        ours = re.compile(f"{self.files}|{LEFTOVER}", re.DOTALL)
        for name in _entries(folder):
            if not ours.fullmatch(name):
                return f"it holds {name!r}, which is no part of {self.noun}"
        return None


def _entries(folder: Path) -> Iterator[str]:
    """What is below a folder, as paths from it: files, links, and empty folders, which end in /."""
    for root, folders, files in os.walk(folder, onerror=_fail):
        folders.sort()
        below = Path(root).relative_to(folder)
        links = [name for name in folders if Path(root, name).is_symlink()]
        for name in sorted([*files, *links]):
            yield (below / name).as_posix()
        if not folders and not files:
            yield f"{below.as_posix()}/"


def _fail(error: OSError) -> None:
    """Let a folder that cannot be read end the walk: what it holds is unknown."""
    raise error


_BUNDLE = (
    r"model_architecture\.json|model\.weights\.h5|model\.onnx|bundle\.json"
    r"|novelty\.npz|history\.csv|curves\.png|MODEL_CARD\.md"
)
_REPORT = (
    r"summary\.txt|evaluation\.json|confusion\.png|report\.html"
    r"|(?:per_class|confusion|confused_pairs|mistakes|reliability|coverage|groups)\.csv"
)
_LOG = r"training\.log|history\.csv|summary\.txt|tensorboard/events\.out\.tfevents\.[^/]+"

BUNDLE = FolderKind(noun="a bundle", marker="bundle.json", files=_BUNDLE)
REPORT = FolderKind(noun="an evaluation's report", marker="evaluation.json", files=_REPORT)
COMPARISON = FolderKind(
    noun="a comparison's report",
    marker="comparison.json",
    files=r"summary\.txt|comparison\.json|differences\.csv|report\.html",
)
AUDIT = FolderKind(
    noun="an audit's folder",
    marker="audit.json",
    files=r"summary\.txt|audit\.json|(?:near_duplicates|suspects)\.png|(?:classes|blank"
    r"|nearly_blank|wrong_polarity|at_border|duplicates|leaks|conflicts|near_duplicates|suspects"
    r")\.csv",
)
EXPORT = FolderKind(
    noun="an exported folder",
    marker="pictures.csv",
    files=r"pictures\.csv|[^/]+/(?:train|validation|test)-\d{7,}\.png"
    r"|(?:train|validation|test)/[^/]+/\d{7,}\.png",
)
EXPORTED_FILES = FolderKind(
    noun="an exported folder",
    marker="export.json",
    files=r"export\.json|(?:train|validation|test)-00000-of-00001\.parquet|dataset\.npz"
    r"|(?:train|validation|t10k)-(?:images-idx3|labels-idx1)-ubyte|classes\.txt|classmap\.csv",
)
DEMO = FolderKind(
    noun="a demo's folder",
    marker="measured.txt",
    files=r"measured\.txt|preview\.png|pictures/\d/\d{4}\.png|datasets/characters(?:_elastic)?\.h5"
    rf"|models/trained/cnn32/(?:{_BUNDLE})|logs/cnn32/(?:{_LOG})|logs/cnn32/evaluation/(?:{_REPORT})",
)
