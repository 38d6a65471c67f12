"""models/cnn32.py in PyTorch, in the fastest form for a processor that we know."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from inkfold.layers import MAX_NORM, MOMENTUM

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


class Network:
    """cnn32 with its Adam optimizer and its max norm.

    ``torch.compile`` is not used: it made steps no faster on two cores.
    """

    def __init__(self, classes: int, learning_rate: float, *, bfloat16: bool) -> None:
        self._bfloat16 = bfloat16
        self._model = nn.Sequential(*_convolutions(), nn.Flatten(), *_dense(classes))
        self._model = self._model.to(memory_format=torch.channels_last)
        self._adam = torch.optim.Adam(self._model.parameters(), lr=learning_rate, fused=True)
        weighty = [m for m in self._model if isinstance(m, nn.Conv2d | nn.Linear)]
        self._bounded = [module.weight for module in weighty[:-1]]
        self._loss = nn.CrossEntropyLoss()

    def step(self, images: Tensor, labels: Tensor) -> None:
        """Train on a batch: images uint8 (N, 1, 32, 32), labels int64 (N,)."""
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


def _convolutions() -> list[Any]:
    modules, channels, side = [], 1, 32
    for filters, dropout in ((30, 0.1), (60, 0.2), (120, 0.3)):
        modules += [
            nn.Conv2d(channels, filters, 5, padding=2),
            nn.BatchNorm2d(filters, eps=1e-3, momentum=1 - MOMENTUM),
            PReLU(filters, side, side),
            nn.MaxPool2d(2),
            nn.Dropout(dropout),
        ]
        channels, side = filters, side // 2
    return modules


def _dense(classes: int) -> list[Any]:
    modules, inputs = [], 4 * 4 * 120
    for _ in range(2):
        modules += [
            nn.Linear(inputs, 2000),
            nn.BatchNorm1d(2000, eps=1e-3, momentum=1 - MOMENTUM),
            PReLU(2000),
            nn.Dropout(0.5),
        ]
        inputs = 2000
    return [*modules, nn.Linear(inputs, classes)]
