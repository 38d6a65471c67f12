"""Elastic distortion of many small images: exact statistics, two matrix products, one gather.

After Simard, Steinkraus and Platt, "Best Practices for Convolutional Neural Networks Applied to
Visual Document Analysis", ICDAR 2003: every pixel is displaced by alpha times a field of noise,
uniform in (-1, 1), that a Gaussian of standard deviation sigma has smoothed; one field for rows and
an independent one for columns. docs/elastic.md derives what follows; the specification is
tests/worlds/reference_elastic.py, which draws the same fields slowly.

Smoothing is linear. Let G be the H x (H + 2p) matrix of the Gaussian on a field that is p = 4 sigma
wider on each side, so that the strength is the same at the border as in the centre. Smoothed noise
is then ``G N G^T``. With ``G = U S V^T``, ``V^T N V`` is independent noise again, so that

    field = alpha / sqrt(3) * B Z B^T,   B = U_r S_r (H x r),   Z ~ N(0, 1) (r x r)

has the same covariance, where r is the number of singular values above 1e-3 of the first. An
affine map takes three more entries of Z, if B has the constant and the coordinate as two more
columns.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache, lru_cache
from statistics import NormalDist
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from inkfold.errors import InkfoldError
from inkfold.recipe import Distortion

Floats = NDArray[np.float32]
WIDEST = 32_000  # pixels along a mosaic's side: cv2.remap takes sides under 32,767
# Most pixels in a mosaic, so that its arrays stay in the second-level cache and in memory that
# malloc keeps. Four times as many pixels took three times as long for each, in page faults.
LARGEST = 1 << 16
TOLERANCE = 1e-3  # singular values below this share of the first are left out


class Elastic:
    """Distorts square images; the parameters' units are those of `inkfold.recipe.Distortion`.

    The pixel of the copy at p shows the original at ``A p + d(p)``, where A is the affine map about
    the image's centre and d the elastic field, whose displacements are pixels of the original.

    Attributes
    ----------
    size : int
        Height and width of the images, in pixels.
    distortion : Distortion
    rms : float
        Root-mean-square of the elastic displacement along one axis, in pixels, by theory:
        ``alpha / (sigma * sqrt(12 pi))`` where sigma is at least 1.

    Raises
    ------
    InkfoldError
        If a parameter is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from inkfold import Elastic
    >>> elastic = Elastic(32, sigma=6, alpha=47, rotate=10)
    >>> round(elastic.rms, 2)  # pixels
    1.28
    >>> images = np.zeros((3, 32, 32), np.uint8)
    >>> images[:, 6:26, 14:18] = 255  # an upright stroke, three times
    >>> copies = elastic.distort(images, np.random.default_rng(seed=0))
    >>> copies.shape, copies.dtype
    ((3, 32, 32), dtype('uint8'))
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
        self.rms = strength * float((kernel**2).sum())  # exact for every sigma
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
        """The engine for images of `size` x `size` pixels that draws within `distortion`."""
        d = distortion
        return cls(size, d.sigma, d.alpha, d.rotate, d.scale, d.shear, d.shift)

    def fields(self, n: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw `n` displacement fields, the affine map included.

        Returns
        -------
        fields : float32 (n, 2, size, size)
            Source minus target in pixels: ``[:, 0]`` along rows (down), ``[:, 1]`` along columns
            (right). With the same state of `rng`, `distort` uses exactly these fields.

        Examples
        --------
        >>> import numpy as np
        >>> from inkfold import Elastic
        >>> fields = Elastic(32, sigma=6, alpha=47).fields(1000, np.random.default_rng(seed=0))
        >>> fields.shape, fields.dtype
        ((1000, 2, 32, 32), dtype('float32'))
        >>> round(float(fields.std()), 1)  # pixels
        1.3
        """
        size = self.size
        fields = np.empty((n, 2, size, size), np.float32)
        for part, drawn in self._displacements(n, rng):
            fields[part] = drawn.reshape(2, size, -1, size).transpose(2, 0, 1, 3)
        return fields

    def distort(self, images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        """One distorted copy of each image.

        Parameters
        ----------
        images : uint8 (n, size, size)
            0 = paper; outside the image there is paper.
        rng : numpy.random.Generator

        Returns
        -------
        copies : uint8 (n, size, size)

        Raises
        ------
        ValueError
            If `images` have another type or shape.

        Examples
        --------
        >>> import numpy as np
        >>> from inkfold import Elastic
        >>> stroke = np.zeros((1, 32, 32), np.uint8)
        >>> stroke[:, 6:26, 14:18] = 255
        >>> tenfold = np.repeat(stroke, 10, axis=0)  # ten different copies of one image
        >>> elastic = Elastic(32, sigma=6, alpha=47)
        >>> copies = elastic.distort(tenfold, np.random.default_rng(seed=0))
        >>> len(np.unique(copies, axis=0))
        10
        """
        check_pictures(images, (len(images), self.size, self.size))
        copies = np.empty_like(images)
        for part, drawn in self._displacements(len(images), rng):
            copies[part] = gather(images[part], drawn)
        return copies

    def _displacements(
        self, n: int, rng: np.random.Generator
    ) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """Fields of `n` images, mosaic by mosaic: float32 (2, size, images * size)."""
        rank, columns = self._rank, self._basis.shape[1]
        # Everything is drawn in one call, which costs the same for few images as for many. The
        # image's number stands between the two indices of Z, so that neither product, nor the
        # mosaic that the second product makes, needs a transpose.
        drawn = rng.integers(0, 1 << 16, (2, rank, n, rank), np.uint16)
        maps = self._maps(n, rng)
        for part in mosaics(n, self.size, self.size):
            count = part.stop - part.start
            z = np.zeros((2, columns, count, columns), np.float32)
            z[:, :rank, :, :rank] = _quantiles().take(drawn[:, :, part])
            if self._is_affine:
                constant, coordinate = rank, rank + 1
                z[:, coordinate, :, constant] = maps[:, 0, part]
                z[:, constant, :, coordinate] = maps[:, 1, part]
                z[:, constant, :, constant] = maps[:, 2, part]
            half = z.reshape(2 * columns * count, columns) @ self._basis.T
            yield part, np.asarray(self._basis @ half.reshape(2, columns, count * self.size))

    def _maps(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Affine maps of `n` copies less the identity: float64 (2, 3, n)."""
        if not self._is_affine:
            return np.empty((2, 3, n))
        identity = np.eye(2, 3)[:, :, None]
        return draw_affine(self.distortion, self.size, n, rng) - identity


def chunk_rng(seed: int, copy: int, chunk: int) -> np.random.Generator:
    """The random generator of one copy of one chunk of rows, the same in every worker.

    Philox is a counter-based generator: different keys give independent streams.
    """
    return np.random.Generator(np.random.Philox(key=[seed, copy << 32 | chunk]))


def _check(size: int, distortion: Distortion) -> None:
    """Refuse parameters out of range; the comparisons refuse NaN and infinity as well."""
    d = distortion
    for name, value, in_range, expected in (
        ("size", size, 1 <= size <= 8192, "1 to 8,192 pixels"),
        ("sigma", d.sigma, 0 < d.sigma <= 1000, "more than 0 and at most 1,000 pixels"),
        ("alpha", d.alpha, 0 <= d.alpha <= 1e6, "0 to 1,000,000"),
        ("rotate", d.rotate, 0 <= d.rotate <= 180, "0 to 180 degrees"),
        ("scale", d.scale, 0 <= d.scale < 1, "0 to below 1 (0.1 draws factors from 0.9 to 1.1)"),
        ("shear", d.shear, 0 <= d.shear < 90, "0 to below 90 degrees"),
        ("shift", d.shift, 0 <= d.shift <= 1, "0 to 1, a share of the side"),
    ):
        if not in_range:
            raise InkfoldError(f"the distortion's {name} is {value:g}; expected {expected}")


def _gaussian(sigma: float) -> NDArray[np.float64]:
    """The Gaussian smoothing window of 2 ceil(4 sigma) + 1 pixels, whose sum is 1."""
    reach = math.ceil(4 * sigma)
    window = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return np.asarray(window / window.sum())


def _components(size: int, window: NDArray[np.float64]) -> NDArray[np.float64]:
    """``U_r S_r`` of the matrix G that smooths a wide line of noise: float64 (size, r)."""
    matrix = np.zeros((size, size + len(window) - 1))
    for row in range(size):
        matrix[row, row : row + len(window)] = window
    u, s, _ = np.linalg.svd(matrix, full_matrices=False)
    rank = int((s > TOLERANCE * s[0]).sum())
    return np.asarray(u[:, :rank] * s[:rank])


@cache
def _quantiles() -> NDArray[np.float32]:
    """65,536 equally likely values of N(0, 1), from -4.3 to 4.3, with a variance of exactly 1.

    Drawing a place in this table takes a quarter of the time of `Generator.standard_normal`.
    """
    # inv_cdf is the standard library's: importing scipy.special would cost every process 0.2 s
    half = [NormalDist().inv_cdf((place + 0.5) / (1 << 16)) for place in range(1 << 15)]
    values = np.array(half + [-value for value in reversed(half)])
    return np.asarray(values / values.std(), np.float32)


def draw_affine(
    distortion: Distortion, size: int, n: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Affine maps for `n` copies, each amount drawn uniformly from -limit to +limit.

    Parameters
    ----------
    distortion : Distortion
        The limits.
    size : int
        Height and width of the image in pixels: the shift is a share of it.
    n : int
    rng : numpy.random.Generator
        Six numbers are drawn for each copy, even for limits of zero.

    Returns
    -------
    maps : float64 (2, 3, n)
        As `inverse_affine` returns them.
    """
    amounts = rng.uniform(-1, 1, (6, n))
    return inverse_affine(
        rotate=distortion.rotate * amounts[0],
        scale=1 + distortion.scale * amounts[1:3],
        shear=distortion.shear * amounts[3],
        shift=distortion.shift * size * amounts[4:6],
    )


def inverse_affine(
    *,
    rotate: NDArray[np.float64],
    scale: NDArray[np.float64],
    shear: NDArray[np.float64],
    shift: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The maps from a copy's pixels to the original's, scaled, sheared, rotated and shifted.

    Coordinates are (row, column), rows down, measured from the centre of the image.

    Parameters
    ----------
    rotate : float64 (n,)
        Degrees; positive turns the character counter-clockwise.
    scale : float64 (2, n)
        Factors for rows and for columns; above 1 makes the character taller or wider.
    shear : float64 (n,)
        Degrees; positive leans the top of the character to the right.
    shift : float64 (2, n)
        Pixels along rows and along columns; positive moves the character down or right.

    Returns
    -------
    maps : float64 (2, 3, n)
        ``[M | o]``: the pixel of the copy at p shows the original at ``M p + o``. With S, H, R the
        scaling, shearing and rotation, ``M = S^-1 H^-1 R^-1`` and ``o = -M shift``.
    """
    angle, slope = np.radians(rotate), np.tan(np.radians(shear))
    cosine, sine = np.cos(angle), np.sin(angle)
    to_row = np.stack([cosine, sine])
    to_column = np.stack([slope * cosine - sine, slope * sine + cosine])
    linear = np.stack([to_row, to_column]) / scale[:, None]
    offset = -(linear * shift).sum(axis=1)
    return np.concatenate([linear, offset[:, None]], axis=1)


def warp(images: NDArray[np.uint8], fields: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Read each image at the places of its displacement field, bilinearly; paper (0) outside.

    Parameters
    ----------
    images : uint8 (n, H, W)
    fields : float32 (n, 2, H, W)
        Source minus target in pixels: ``copy[r, c] = image[r + field[0], c + field[1]]``.

    Returns
    -------
    copies : uint8 (n, H, W)
    """
    n, height, width = images.shape
    check_pictures(images, (n, *fields.shape[2:]))
    copies = np.empty_like(images)
    for part in mosaics(n, height, width):
        side_by_side = fields[part].transpose(1, 2, 0, 3).reshape(2, height, -1)
        copies[part] = gather(images[part], side_by_side)
    return copies


def gather(images: NDArray[np.uint8], displacement: NDArray[np.float32]) -> NDArray[np.uint8]:
    """`warp` for the images (n, H, W) of one mosaic, with the displacement (2, H, n * W)."""
    n, height, width = images.shape
    mosaic = np.zeros((height, n, width + 2), np.uint8)  # a column of paper beside each tile
    mosaic[:, :, 1:-1] = images.transpose(1, 0, 2)
    row, column, tile = _coordinates(n, height, width)
    # Columns are clamped to the paper beside their own tile, so that no displacement shows the ink
    # of a neighbour. Above and below there is none: outside the mosaic cv2.remap reads paper.
    rows = displacement[0] + row
    columns = np.maximum(displacement[1], -1 - column)
    np.minimum(columns, width - column, out=columns)
    columns += column + tile
    wide = np.empty((height, n, width), np.uint8)
    cv2.remap(
        mosaic.reshape(height, -1),
        columns,
        rows,
        cv2.INTER_LINEAR,
        dst=wide.reshape(height, -1),
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    return wide.transpose(1, 0, 2)


@lru_cache(maxsize=4)
def _coordinates(n: int, height: int, width: int) -> tuple[Floats, Floats, Floats]:
    """Row (H, 1) and column (n * W,) of each pixel in its image, and where its tile begins."""
    row = np.arange(height, dtype=np.float32)[:, None]
    column = np.tile(np.arange(width, dtype=np.float32), n)
    tile = np.repeat(np.arange(n, dtype=np.float32) * (width + 2) + 1, width)
    return row, column, tile


def mosaics(n: int, height: int, width: int) -> Iterator[slice]:
    """Slices of `n` images that are gathered side by side, 64 together if of 32x32 pixels."""
    most = max(1, min(LARGEST // (height * width), WIDEST // (width + 2)))
    for start in range(0, n, most):
        yield slice(start, min(start + most, n))


def check_pictures(images: NDArray[np.uint8], shape: tuple[int, ...]) -> None:
    """Raise ValueError unless `images` are uint8 of this shape; cv2's own message is obscure."""
    if images.shape != shape or images.dtype != np.uint8:
        raise ValueError(f"pictures are {images.dtype} {images.shape}, expected uint8 {shape}")
