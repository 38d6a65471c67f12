"""Elastic distortion of many small pictures: exact law, two matrix products, one gather.

After Simard, Steinkraus and Platt, "Best Practices for Convolutional Neural Networks Applied to
Visual Document Analysis", ICDAR 2003: every pixel is displaced by alpha times a field of noise,
uniform in (-1, 1), that a Gaussian of standard deviation sigma has smoothed; one field for rows and
an independent one for columns. docs/elastic.md derives what follows; the specification is
tests/worlds/reference_elastic.py, which is the same law written slowly.

Smoothing is linear. With G the H x (H + 2p) matrix of the Gaussian on a field that is p = 4 sigma
wider on each side (the strength is then the same at the border as in the centre), smoothed noise is
``G N G^T``. With ``G = U S V^T``, ``V^T N V`` is independent noise again, so that

    field = alpha / sqrt(3) * B Z B^T,   B = U_r S_r (H x r),   Z ~ N(0, 1) (r x r)

has the same covariance, r being the number of singular values above 1e-3 of the first. An affine
map is three more entries of Z when B has the constant and the coordinate as further columns.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from statistics import NormalDist
from typing import Self

import numpy as np
from numpy.typing import NDArray

from inkfold.affine import draw_affine
from inkfold.errors import InkfoldError
from inkfold.gather import check_pictures, gather, mosaics
from inkfold.spec import Distortion

TOLERANCE = 1e-3  # singular values below this share of the first are left out


class Elastic:
    """Distorts square pictures; the parameters' units are those of `inkfold.spec.Distortion`.

    The pixel of the copy at p shows the original at ``A p + d(p)``: A is the affine map about the
    picture's centre, d the elastic field, which so keeps its law in pixels of the original.

    Attributes
    ----------
    size : int
    distortion : Distortion
    rms : float
        Root-mean-square of the elastic displacement along one axis, in pixels, by theory: alpha
        / sqrt(3) times the sum of the window's squares, ``alpha / (sigma * sqrt(12 pi))`` from
        sigma = 1 on.

    Raises
    ------
    InkfoldError
        If a parameter is out of range.

    Examples
    --------
    >>> elastic = Elastic(32, sigma=6, alpha=47, rotate=10)
    >>> copies = elastic.distort(images, block_rng(seed=0, copy=1, block=0))
    """

    def __init__(  # noqa: PLR0917, the signature that is promised to users
        self,
        size: int,
        sigma: float,
        alpha: float,
        rotate: float = 0.0,
        scale: float = 0.0,
        shear: float = 0.0,
        shift: float = 0.0,
    ) -> None:
        self.size = size
        self.distortion = Distortion(sigma, alpha, rotate, scale, shear, shift)
        _check(size, self.distortion)
        kernel = _gaussian(sigma)
        strength = alpha / math.sqrt(3)  # 1 / sqrt(3) is the rms of U(-1, 1)
        self.rms = strength * float((kernel**2).sum())
        self._rank, self._basis = 0, np.empty((size, 0))
        if alpha > 0:
            self._basis = math.sqrt(strength) * _components(size, kernel)
            self._rank = self._basis.shape[1]
        self._is_affine = any((rotate, scale, shear, shift))
        if self._is_affine:
            centred = np.arange(size) - (size - 1) / 2
            self._basis = np.column_stack([self._basis, np.ones(size), centred])
        self._basis = self._basis.astype(np.float32)

    @classmethod
    def of(cls, size: int, distortion: Distortion) -> Self:
        """The engine for pictures of `size` x `size` pixels that draws from `distortion`."""
        d = distortion
        return cls(size, d.sigma, d.alpha, d.rotate, d.scale, d.shear, d.shift)

    def fields(self, n: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw `n` displacement fields, the affine map included.

        Returns
        -------
        fields : float32 (n, 2, size, size)
            Source minus target in pixels: ``[:, 0]`` along rows (down), ``[:, 1]`` along columns
            (right). `distort` gathers with the very fields that the same state of `rng` gives.
        """
        size = self.size
        fields = np.empty((n, 2, size, size), np.float32)
        for part, drawn in self._displacements(n, rng):
            fields[part] = drawn.reshape(2, size, -1, size).transpose(2, 0, 1, 3)
        return fields

    def distort(self, images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        """One distorted copy of each picture.

        Parameters
        ----------
        images : uint8 (n, size, size)
            0 = paper; beyond the border there is paper.
        rng : numpy.random.Generator

        Returns
        -------
        copies : uint8 (n, size, size)
        """
        check_pictures(images, (len(images), self.size, self.size))
        copies = np.empty_like(images)
        for part, drawn in self._displacements(len(images), rng):
            copies[part] = gather(images[part], drawn)
        return copies

    def _displacements(
        self, n: int, rng: np.random.Generator
    ) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """Fields of `n` pictures, mosaic by mosaic: float32 (2, size, pictures * size)."""
        rank, columns = self._rank, self._basis.shape[1]
        # Everything is drawn at once: a call costs the same for few pictures as for many. The
        # picture's number stands between the two indices of Z: then neither product, nor the mosaic
        # that the second one makes, needs a transpose.
        drawn = rng.integers(0, 1 << 16, (2, rank, n, rank), np.uint16)
        maps = self._maps(n, rng)
        for part in mosaics(n, self.size, self.size):
            pictures = part.stop - part.start
            z = np.zeros((2, columns, pictures, columns), np.float32)
            z[:, :rank, :, :rank] = _quantiles().take(drawn[:, :, part])
            if self._is_affine:
                constant, coordinate = rank, rank + 1
                z[:, coordinate, :, constant] = maps[:, 0, part]
                z[:, constant, :, coordinate] = maps[:, 1, part]
                z[:, constant, :, constant] = maps[:, 2, part]
            half = z.reshape(2 * columns * pictures, columns) @ self._basis.T
            yield part, np.asarray(self._basis @ half.reshape(2, columns, pictures * self.size))

    def _maps(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Affine maps of `n` copies less the identity: float64 (2, 3, n)."""
        if not self._is_affine:
            return np.empty((2, 3, n))
        identity = np.eye(2, 3)[:, :, None]
        return draw_affine(self.distortion, self.size, n, rng) - identity


def block_rng(seed: int, copy: int, block: int) -> np.random.Generator:
    """The generator of one copy of one block of rows: its place alone decides, not the worker.

    Philox is a counter-based generator: different keys give independent streams.
    """
    return np.random.Generator(np.random.Philox(key=[seed, copy << 32 | block]))


def _gaussian(sigma: float) -> NDArray[np.float64]:
    """The smoothing window of 2 ceil(4 sigma) + 1 pixels; its sum is 1."""
    reach = math.ceil(4 * sigma)
    window = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return np.asarray(window / window.sum())


def _components(size: int, window: NDArray[np.float64]) -> NDArray[np.float64]:
    """``U_r S_r`` of the matrix that smooths a wide line of noise: float64 (size, r)."""
    matrix = np.zeros((size, size + len(window) - 1))
    for row in range(size):
        matrix[row, row : row + len(window)] = window
    u, s, _ = np.linalg.svd(matrix, full_matrices=False)
    rank = int((s > TOLERANCE * s[0]).sum())
    return np.asarray(u[:, :rank] * s[:rank])


@cache
def _quantiles() -> NDArray[np.float32]:
    """65,536 equally likely values of N(0, 1), scaled to a variance of exactly 1; up to 4.3.

    A random place in the table takes a quarter of the time of `Generator.standard_normal`.
    """
    # the standard library's quantile: importing scipy.special would take 0.2 s of every process
    half = [NormalDist().inv_cdf((place + 0.5) / (1 << 16)) for place in range(1 << 15)]
    values = np.array(half + [-value for value in reversed(half)])
    return np.asarray(values / values.std(), np.float32)


def _check(size: int, distortion: Distortion) -> None:
    """Refuse what has no meaning; the comparisons also refuse NaN and infinity."""
    d = distortion
    for name, value, fits, expected in (
        ("size", size, 1 <= size <= 8192, "1 to 8,192 pixels"),
        ("sigma", d.sigma, 0 < d.sigma <= 1000, "more than 0 and at most 1,000 pixels"),
        ("alpha", d.alpha, 0 <= d.alpha <= 1e6, "0 to 1,000,000"),
        ("rotate", d.rotate, 0 <= d.rotate <= 180, "0 to 180 degrees"),
        ("scale", d.scale, 0 <= d.scale < 1, "0 to below 1 (0.1 draws factors from 0.9 to 1.1)"),
        ("shear", d.shear, 0 <= d.shear < 90, "0 to below 90 degrees"),
        ("shift", d.shift, 0 <= d.shift <= 1, "0 to 1, a share of the side"),
    ):
        if not fits:
            raise InkfoldError(f"the distortion's {name} is {value:g}; expected {expected}")
