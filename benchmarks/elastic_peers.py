"""Elastic distortion as other libraries do it, each called the way its users call it.

Each peer is a function that distorts some pictures of uint8 (n, size, size), made by a factory that
takes sigma and alpha in pixels. What is imported lies inside the factories: a peer that is not
installed is left out by name.
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


@dataclass(frozen=True)
class Peer:
    """A way to distort: its name, how it is made, and how many pictures a call gets."""

    name: str
    make: Callable[[int, float, float], Distort]
    pictures: int
    note: str = ""


def scipy_loop(size: int, sigma: float, alpha: float) -> Distort:
    """The paper written plainly: the specification of the tests, picture by picture."""
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
    """Its transform, picture by picture, with a field of its own for each."""
    import albumentations as peer

    transform = peer.ElasticTransform(alpha=alpha, sigma=sigma, p=1.0)
    return lambda images: [transform(image=image)["image"] for image in images]


def torchvision(_size: int, sigma: float, alpha: float) -> Distort:
    """Version 2 of its transform, picture by picture: a batch would share one field."""
    import torch

    import_torchvision()
    from torchvision.transforms import v2

    torch.set_num_threads(1)
    transform = v2.ElasticTransform(alpha=alpha, sigma=sigma)
    return lambda images: [transform(torch.from_numpy(image)[None]) for image in images]


def import_torchvision() -> None:
    """Import torchvision; of a wheel that is linked to CUDA the Python part, which is all we need.

    Its compiled operators (box suppression and the like) do not load beside a torch without CUDA,
    and registering what stands for them then fails.
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
            import torchvision  # noqa: F401, whether it can be is the question


def kornia(size: int, sigma: float, alpha: float) -> Distort:
    """Its layer on a whole batch, a field for each picture; alpha in half sides."""
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
    """Its layer on a whole batch, compiled; its strength and smoothness follow from one factor."""
    import keras
    import tensorflow as tf

    layer = keras.layers.RandomElasticTransform(factor=1.0, scale=1.0, data_format="channels_last")
    layer.build((None, size, size, 1))
    compiled = tf.function(lambda batch: layer(batch, training=True))
    return lambda images: compiled(tf.constant(images[..., None], tf.float32))


PEERS = (
    Peer("scipy, picture by picture", scipy_loop, 16),
    Peer("cv2, picture by picture", cv2_loop, 32),
    Peer("albumentations ElasticTransform", albumentations, 32),
    Peer("torchvision v2 ElasticTransform", torchvision, 16),
    Peer("kornia RandomElasticTransform", kornia, 64),
    Peer("Keras RandomElasticTransform", keras_layer, 64, "a law of its own"),
)
