"""Pictures of a dataset inside a page: no files beside it."""

from __future__ import annotations

from base64 import b64encode

import numpy as np
from numpy.typing import NDArray

from inkfold.dataset import Split


def data_uris(split: Split, rows: NDArray[np.int64]) -> list[str]:
    """The pictures of some rows as PNG in ``data:`` addresses, dark ink on white paper.

    Parameters
    ----------
    split : Split
    rows : int64 array of shape (n,)
        In any order.

    Returns
    -------
    addresses : list of str, length n
    """
    if not len(rows):
        return []
    different, at = np.unique(rows, return_inverse=True)
    images = split.images[different]  # HDF5 takes rows in rising order only
    uris = [png_uri(255 - image) for image in images]
    return [uris[place] for place in at.tolist()]


def png_uri(image: NDArray[np.uint8]) -> str:
    """A grey picture, uint8 (H, W), as a ``data:`` address."""
    import cv2

    encoded = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1]
    return data_uri(encoded.tobytes(), "image/png")


def data_uri(content: bytes, kind: str) -> str:
    """A file's bytes as a ``data:`` address."""
    return f"data:{kind};base64,{b64encode(content).decode('ascii')}"
