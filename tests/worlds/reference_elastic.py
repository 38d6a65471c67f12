"""Elastic distortion as Simard, Steinkraus and Platt (ICDAR 2003) describe it, image by image.

Slow and plain: this is the specification with which tests compare inkfold.elastic.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates


def reference_field(
    size: int, sigma: float, alpha: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Displacement along one axis in pixels, (size, size): alpha times smoothed U(-1, 1) noise.

    The noise reaches 4 sigma beyond the image on each side, which is as far as the window reaches,
    so that every pixel is smoothed alike.
    """
    wider = math.ceil(4 * sigma)
    noise = rng.uniform(-1, 1, (size + 2 * wider, size + 2 * wider))
    smooth = gaussian_filter(noise, sigma, truncate=4, mode="constant")
    return np.asarray(alpha * smooth[wider:-wider, wider:-wider])


def reference_fields(
    n: int, size: int, sigma: float, alpha: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """The displacement fields of `n` images, of rows and of columns: (n, 2, size, size)."""
    fields = [reference_field(size, sigma, alpha, rng) for _ in range(2 * n)]
    return np.reshape(fields, (n, 2, size, size))


def reference_warp(image: NDArray[np.uint8], field: NDArray[np.floating]) -> NDArray[np.float64]:
    """``copy[r, c] = image[r + field[0, r, c], c + field[1, r, c]]``, bilinear, paper outside.

    "grid-constant" interpolates between the border's pixels and the paper beyond; "constant" would
    cut the image off at the middle of its border pixels.
    """
    source = np.indices(image.shape) + field.astype(np.float64)
    ink = image.astype(np.float64)
    return np.asarray(map_coordinates(ink, source, order=1, mode="grid-constant", cval=0))


def covariance(size: int, sigma: float, alpha: float) -> NDArray[np.float64]:
    """Covariance of the flattened field: alpha^2 / 3 times G G^T, on rows and on columns."""
    reach = math.ceil(4 * sigma)
    window = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    window /= window.sum()
    matrix = np.stack([np.pad(window, (row, size - 1 - row)) for row in range(size)])
    line = matrix @ matrix.T
    return np.asarray(alpha**2 / 3 * np.kron(line, line))
