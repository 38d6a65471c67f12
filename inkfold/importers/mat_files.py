"""The variables in a MATLAB file: version 5 by SciPy, version 7.3, which is HDF5, by h5py."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkfold.errors import InkfoldError
from inkfold.extras import need
from inkfold.importers.arrays import AGAIN, BLOCK, head

FIVE, SEVEN = b"MATLAB 5.0 MAT-file", b"MATLAB 7.3 MAT-file"
NUMBERS = frozenset({"double", "single", "logical", "uint8", "int8", "uint16", "int16"})
NUMBERS |= {"uint32", "int32", "uint64", "int64"}


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A variable of a MATLAB file.

    Attributes
    ----------
    path : Path
    name : str
    shape : tuple of int
        As MATLAB says it.
    kind : str
        MATLAB's class: "uint8", "double", "char", "cell", "struct".
    """

    path: Path
    name: str
    shape: tuple[int, ...]
    kind: str

    def __str__(self) -> str:
        return f"{self.name} {self.kind} {self.shape}"

    def blocks(self, axis: int) -> Iterator[NDArray[Any]]:
        """The variable, up to 256 records at a time.

        Parameters
        ----------
        axis : int
            Along which the records lie; it becomes the first. A file of version 5 is read into
            memory as a whole, one of version 7.3 block by block.

        Raises
        ------
        InkfoldError
            If the file is torn.
        """
        with _naming(self.path, self.name):
            if head(self.path, len(FIVE)) == FIVE:
                whole = np.moveaxis(self._loaded(), axis, 0)
                yield from (whole[at : at + BLOCK] for at in range(0, len(whole), BLOCK))
                return
            import h5py

            with h5py.File(self.path) as file:
                array = file[self.name]
                for at in range(0, self.shape[axis], BLOCK):
                    # HDF5 has the axes in the opposite order
                    places = [slice(None)] * len(self.shape)
                    places[len(self.shape) - 1 - axis] = slice(at, at + BLOCK)
                    yield np.moveaxis(array[tuple(places)].T, axis, 0)

    def vector(self) -> NDArray[Any]:
        """A variable of one dimension, numbers or texts: (N,)."""
        with _naming(self.path, self.name):
            if head(self.path, len(FIVE)) == FIVE:
                whole = self._loaded()
                if self.kind == "cell":
                    return np.array([str(np.asarray(cell).item()) for cell in whole.ravel()])
                return whole.ravel()
            import h5py

            with h5py.File(self.path) as file:
                whole = file[self.name][()].T
            if self.kind != "char":
                return np.asarray(whole).ravel()
            return np.array(["".join(map(chr, row)) for row in whole])

    def _loaded(self) -> NDArray[Any]:
        """The variable in a file of version 5."""
        need(f"{self.path}: a MATLAB 5 file", "scipy")
        from scipy.io import loadmat

        return np.asarray(loadmat(self.path, variable_names=[self.name])[self.name])


def is_mat(path: Path) -> bool:
    """Whether a file begins as MATLAB's versions 5 and 7.3 do."""
    return head(path, len(FIVE)) in (FIVE, SEVEN)


def variables_of(path: Path) -> list[Variable]:
    """The variables in a file.

    Raises
    ------
    InkfoldError
        If it is no MATLAB file of version 5 or 7.3, or torn.
    """
    beginning = head(path, len(FIVE))
    found: list[tuple[str, tuple[int, ...], str]]
    with _naming(path, "its list of variables"):
        if beginning == FIVE:
            need(f"{path}: a MATLAB 5 file", "scipy")
            from scipy.io import whosmat

            found = [(name, tuple(shape), str(kind)) for name, shape, kind in whosmat(path)]
        elif beginning == SEVEN:
            found = list(_in_hdf5(path))
        else:
            raise InkfoldError(f"{path}: begins with {beginning!r}, expected a MATLAB file")
    return [Variable(path=path, name=name, shape=shape, kind=kind) for name, shape, kind in found]


def _in_hdf5(path: Path) -> Iterator[tuple[str, tuple[int, ...], str]]:
    """Name, shape and class of each variable in a file of version 7.3."""
    import h5py

    with h5py.File(path) as file:
        for name, item in file.items():
            kind = item.attrs.get("MATLAB_class", b"")
            if isinstance(item, h5py.Dataset):
                kind = kind.decode() if isinstance(kind, bytes) else str(kind)
                yield name, tuple(reversed(item.shape)), kind


@contextmanager
def _naming(path: Path, what: str) -> Iterator[None]:
    """Say which file is torn: its bytes lead SciPy and h5py to errors of any kind."""
    try:
        yield
    except (InkfoldError, MemoryError, GeneratorExit):
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:80] or type(error).__name__
        raise InkfoldError(f"{path}: {what} cannot be read ({reason}); {AGAIN}") from None
