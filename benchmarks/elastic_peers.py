"""Elastic distortion by other libraries, each called as its users call it.

A factory takes size, sigma and alpha in pixels, and makes the function that distorts pictures of
uint8 (n, size, size). Each library is imported in its factory, so that a benchmark can name the
libraries that are not installed and leave them out.
"""

from __future__ import annotations

import math
import sys
import types
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.worlds.reference_elastic import reference_fields, reference_warp

Images = NDArray[np.uint8]
Distort = Callable[[Images], object]


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A library that distorts pictures.

    Parameters
    ----------
    name : str
        The library and its function, as tables show it.
    make : callable
        ``make(size, sigma, alpha)`` gives the function that distorts pictures.
    pictures : int
        How many pictures a call gets.
    note : str
        What a reader must know of the comparison.
    """

    name: str
    make: Callable[[int, float, float], Distort]
    pictures: int
    note: str = ""


def scipy_loop(size: int, sigma: float, alpha: float) -> Distort:
    """The paper written plainly with scipy, picture by picture, as our tests specify it."""
    rng = np.random.default_rng(0)

    def distort(images: Images) -> None:
        fields = reference_fields(len(images), size, sigma, alpha, rng)
        for image, field in zip(images, fields, strict=True):
            reference_warp(image, field)

    return distort


def cv2_loop(size: int, sigma: float, alpha: float) -> Distort:
    """The same law with OpenCV's blur and remap, picture by picture."""
    rng, wider = np.random.default_rng(0), math.ceil(4 * sigma)
    side, window = size + 2 * wider, 2 * wider + 1
    rows, columns = np.indices((size, size), np.float32)

    def distort(images: Images) -> None:
        for image in images:
            noise = 2 * rng.random((2, side, side), np.float32) - 1
            smooth = [cv2.GaussianBlur(part, (window, window), sigma) for part in noise]
            down, right = (alpha * part[wider:-wider, wider:-wider] for part in smooth)
            cv2.remap(image, columns + right, rows + down, cv2.INTER_LINEAR)

    return distort


def albumentations(_size: int, sigma: float, alpha: float) -> Distort:
    """Albumentations' transform, picture by picture, each with a field of its own."""
    import albumentations as peer

    transform = peer.ElasticTransform(alpha=alpha, sigma=sigma, p=1.0)
    return lambda images: [transform(image=image)["image"] for image in images]


def torchvision(_size: int, sigma: float, alpha: float) -> Distort:
    """Version 2 of torchvision's transform, picture by picture: a batch would share one field."""
    import torch

    import_torchvision()
    from torchvision.transforms import v2

    torch.set_num_threads(1)
    transform = v2.ElasticTransform(alpha=alpha, sigma=sigma)
    return lambda images: [transform(torch.from_numpy(image)[None]) for image in images]


def import_torchvision() -> None:
    """Import torchvision, or its Python part alone where the whole of it cannot be imported.

    The compiled operators (box suppression and the like) of a torchvision for CUDA do not load
    beside a torch without CUDA, and the module that registers them then fails. The transforms are
    in the Python part.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import torchvision
        except RuntimeError:
            for name in [name for name in sys.modules if name.startswith("torchvision")]:
                del sys.modules[name]
            missing = "torchvision._meta_registrations"
            sys.modules[missing] = types.ModuleType(missing)
            import torchvision  # noqa: F401, imported to see whether it can be


def kornia(size: int, sigma: float, alpha: float) -> Distort:
    """Kornia's layer on a whole batch, a field for each picture; its alpha is in half sides."""
    import torch
    from kornia.augmentation import RandomElasticTransform

    torch.set_num_threads(1)
    window = 2 * math.ceil(4 * sigma) + 1
    strength = 2 * alpha / size
    layer = RandomElasticTransform(
        kernel_size=(window, window), sigma=(sigma, sigma), alpha=(strength, strength), p=1.0
    )
    return lambda images: layer(torch.from_numpy(images)[:, None].float() / 255)


def keras_layer(size: int, _sigma: float, _alpha: float) -> Distort:
    """Keras' layer on a whole batch, compiled; one factor sets its strength and its smoothness."""
    import keras
    import tensorflow as tf

    layer = keras.layers.RandomElasticTransform(factor=1.0, scale=1.0, data_format="channels_last")
    layer.build((None, size, size, 1))
    compiled = tf.function(lambda batch: layer(batch, training=True))
    return lambda images: compiled(tf.constant(images[..., None], tf.float32))


PEERS = (
    Peer(name="scipy, picture by picture", make=scipy_loop, pictures=16),
    Peer(name="cv2, picture by picture", make=cv2_loop, pictures=32),
    Peer(name="albumentations ElasticTransform", make=albumentations, pictures=32),
    Peer(name="torchvision v2 ElasticTransform", make=torchvision, pictures=16),
    Peer(name="kornia RandomElasticTransform", make=kornia, pictures=64),
    Peer(
        name="Keras RandomElasticTransform",
        make=keras_layer,
        pictures=64,
        note="a law of its own",
    ),
)
