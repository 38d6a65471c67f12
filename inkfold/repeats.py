"""Pictures with the same pixels: inside a split, in two splits, under two labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkfold.picture import Mask


@dataclass(frozen=True)
class Repeats:
    """What is repeated, of N pictures.

    `number` int64 (N,) is the same for pictures with the same pixels, -1 for those that are like no
    other. Of the rest, bool (N,): `again` whether the pixels came before in the same split,
    `across` whether they are in another split too, `conflicting` whether they are under another
    label too.
    """

    number: NDArray[np.int64]
    again: Mask
    across: Mask
    conflicting: Mask


def repeats_of(
    digest: NDArray[np.uint64],
    split: NDArray[np.int8],
    label: NDArray[np.int32],
    counted: Mask,
) -> Repeats:
    """Compare all pictures by the digests of their pixels.

    Parameters
    ----------
    digest : uint64 array of shape (N, 2)
    split : int8 array of shape (N,)
    label : int32 array of shape (N,)
    counted : bool array of shape (N,)
        The others are like no other: blank pictures are all the same, and said apart.
    """
    places = np.flatnonzero(counted)
    _, of, count = np.unique(digest[places], axis=0, return_inverse=True, return_counts=True)
    of = of.reshape(-1)
    several = count[of] > 1
    places, of = places[several], of[several]
    number = np.full(len(digest), -1, np.int64)
    number[places] = np.unique(of, return_inverse=True)[1].reshape(-1)
    masks = [np.zeros(len(digest), bool) for _ in range(3)]
    masks[0][places] = _later(of, split[places])
    masks[1][places] = _differ(of, split[places])
    masks[2][places] = _differ(of, label[places])
    return Repeats(number, *masks)


def _differ(of: NDArray[np.int64], value: NDArray[np.int8] | NDArray[np.int32]) -> Mask:
    """Whether `value` is not the same throughout the set that each one is of."""
    size = int(of.max(initial=-1)) + 1
    high = np.full(size, -1, np.int64)
    low = np.full(size, np.iinfo(np.int64).max)
    np.maximum.at(high, of, value)
    np.minimum.at(low, of, value)
    return np.asarray(high[of] != low[of])


def _later(of: NDArray[np.int64], split: NDArray[np.int8]) -> Mask:
    """Whether one of the same set and split came before."""
    first = np.unique(of * 4 + split, return_index=True)[1]
    later = np.ones(len(of), bool)
    later[first] = False
    return later
