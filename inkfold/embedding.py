"""A few numbers that stand for a picture: blurred, centred, of one length, turned to main axes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 14  # of the small picture
AXES = 32
FITTED = 10_000  # pictures that the axes are found with, at most
Vectors = NDArray[np.float32]


def embed(images: NDArray[np.uint8]) -> Vectors:
    """Pictures, uint8 (n, H, W), as vectors of length 1: float32 (n, 196).

    The centre of mass is put in the middle, so that a shifted picture is near its original; the
    blur takes away noise.
    """
    small = np.stack([_small(image) for image in images])
    vectors = small.reshape(len(images), -1).astype(np.float32)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-6), np.float32)


def _small(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Centred, blurred by a 28th of the side, shrunk: uint8 (14, 14)."""
    height, width = image.shape
    moments = cv2.moments(image)
    if mass := moments["m00"]:
        down = (height - 1) / 2 - moments["m01"] / mass
        right = (width - 1) / 2 - moments["m10"] / mass
        move = np.array([[1, 0, right], [0, 1, down]], np.float32)
        image = np.asarray(cv2.warpAffine(image, move, (width, height)), np.uint8)
    blurred = cv2.GaussianBlur(image, (0, 0), max(height / 28, 0.5))
    return np.asarray(cv2.resize(blurred, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


@dataclass(frozen=True)
class Axes:
    """Main axes of some vectors: `centre` (196,), `axes` (196, k)."""

    centre: Vectors
    axes: Vectors

    def __call__(self, vectors: Vectors) -> Vectors:
        """Along the axes: float32 (n, k)."""
        return np.asarray((vectors - self.centre) @ self.axes, np.float32)


def main_axes(vectors: Vectors) -> Axes:
    """The 32 directions in which the vectors differ most (principal components)."""
    centre = vectors.mean(axis=0)
    away = (vectors - centre).astype(np.float64)
    _, directions = np.linalg.eigh(away.T @ away)
    return Axes(centre, directions[:, ::-1][:, :AXES].astype(np.float32))
