"""Four of the networks in PyTorch, in the fastest form for a processor that we know."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from inkfold.layers import MAX_NORM, MOMENTUM
from inkfold.recipe import Recipe

Tensor = Any  # PyTorch is a peer that need not be installed


class PReLU(nn.Module):  # type: ignore[misc]
    """A rectifier with a slope for each pixel and channel.

    It is made of two plain rectifiers, which take half the time of a ``where``.
    """

    def __init__(self, *shape: int) -> None:
        super().__init__()
        slope = torch.zeros(1, *shape)
        if len(shape) == 3:
            slope = slope.contiguous(memory_format=torch.channels_last)
        self.slope = nn.Parameter(slope)

    def forward(self, x: Tensor) -> Tensor:
        """Positive numbers stay as they are, negative numbers are multiplied with the slope."""
        return torch.relu(x) - self.slope.to(x.dtype) * torch.relu(-x)


class Residual(nn.Module):  # type: ignore[misc]
    """Two convolutions whose result is added to the input."""

    def __init__(self, filters: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            *_convolved(filters, filters), nn.ReLU(), *_convolved(filters, filters)
        )

    def forward(self, x: Tensor) -> Tensor:
        """The rectified sum of the input and of what the convolutions make of it."""
        return torch.relu(x + self.inner(x))


class Network:
    """A network with its Adam optimizer, its loss, and the max norm of cnn30 and cnn32.

    ``torch.compile`` is not used: it made steps no faster on two cores.
    """

    def __init__(
        self, recipe: Recipe, classes: int, learning_rate: float, *, bfloat16: bool
    ) -> None:
        self._bfloat16 = bfloat16
        self._model = nn.Sequential(*LAYERS[recipe.name](classes))
        self._model = self._model.to(memory_format=torch.channels_last)
        optimizer = torch.optim.AdamW if recipe.weight_decay else torch.optim.Adam
        self._adam = optimizer(
            self._model.parameters(), learning_rate, weight_decay=recipe.weight_decay, fused=True
        )
        weighty = [m for m in self._model if isinstance(m, nn.Conv2d | nn.Linear)]
        bounded = recipe.name in {"cnn30", "cnn32"}
        self._bounded = [module.weight for module in weighty[:-1]] if bounded else []
        self._loss = nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)

    def step(self, images: Tensor, labels: Tensor) -> None:
        """Train on a batch: images uint8 (N, 1, H, W), labels int64 (N,)."""
        x = (images.float() / 255).contiguous(memory_format=torch.channels_last)
        self._adam.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self._bfloat16):
            loss = self._loss(self._model(x), labels)
        loss.backward()
        self._adam.step()
        with torch.no_grad():
            for weight in self._bounded:
                axes = tuple(range(1, weight.dim()))
                norm = torch.linalg.vector_norm(weight, dim=axes, keepdim=True)
                weight.mul_(norm.clamp(max=MAX_NORM) / (norm + 1e-7))


def _norm(filters: int) -> nn.Module:
    return nn.BatchNorm2d(filters, eps=1e-3, momentum=1 - MOMENTUM)


def _cnn(classes: int, side: int) -> list[Any]:
    """The layers of cnn32 and, with a side of 30, of cnn30."""
    modules, channels = [], 1
    for filters, dropout in ((30, 0.1), (60, 0.2), (120, 0.3)):
        modules += [
            nn.Conv2d(channels, filters, 5, padding=2),
            _norm(filters),
            PReLU(filters, side, side),
        ]
        if side == 15:
            modules.append(nn.ZeroPad2d(1))
            side += 2
        modules += [nn.MaxPool2d(2), nn.Dropout(dropout)]
        channels, side = filters, side // 2
    modules.append(nn.Flatten())
    inputs = 4 * 4 * 120
    for _ in range(2):
        modules += [
            nn.Linear(inputs, 2000),
            nn.BatchNorm1d(2000, eps=1e-3, momentum=1 - MOMENTUM),
            PReLU(2000),
            nn.Dropout(0.5),
        ]
        inputs = 2000
    return [*modules, nn.Linear(inputs, classes)]


def _blocks28(classes: int) -> list[Any]:
    modules, channels = [], 1
    for filters in (32, 64, 128):
        modules += [
            nn.Conv2d(channels, filters, 3, padding=1),
            _norm(filters),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]
        channels = filters
    hidden = [nn.Flatten(), nn.Linear(1152, 256), nn.ReLU(), nn.Dropout(0.5)]
    return [*modules, *hidden, nn.Linear(256, classes)]


def _convolved(channels: int, filters: int, kernel: int = 3, strides: int = 1) -> list[Any]:
    padding = (kernel - strides + 1) // 2
    convolution = nn.Conv2d(channels, filters, kernel, strides, padding, bias=False)
    return [convolution, _norm(filters)]


def _residual32(classes: int) -> list[Any]:
    return [
        *_convolved(1, 48, kernel=6, strides=2),
        nn.ReLU(),
        Residual(48),
        *_convolved(48, 96, strides=2),
        nn.ReLU(),
        Residual(96),
        *_convolved(96, 192, strides=2),
        nn.ReLU(),
        Residual(192),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(192, classes),
    ]


LAYERS = {
    "cnn30": lambda classes: _cnn(classes, 30),
    "cnn32": lambda classes: _cnn(classes, 32),
    "blocks28": _blocks28,
    "residual32": _residual32,
}
