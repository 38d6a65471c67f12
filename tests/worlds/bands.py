"""A bundle and pictures whose answers are known by hand.

The network adds up the ink in vertical bands, one for each class. A picture whose band `c` is
black and the rest of it paper gives class `c` nine times the weight of every other class: with
four classes 9/12 = 0.75 against 1/12. A blank picture gives all classes the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import log
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from inkfold.bundle.bundle import ARCHITECTURE, ONNX, WEIGHTS
from inkfold.bundle.writing import finish_bundle
from inkfold.dataset.digests import digests
from inkfold.dataset.writer import Rows, writing_dataset
from inkfold.spec import SPLITS, ImageSpec

CLASSES = ("あ", "b b", "$c", "ด")
WIDTH = 2  # columns of a band
SPEC = ImageSpec(size=WIDTH * len(CLASSES), fit="stretch", ink="light")
PACKING = {"fingerprint": "packed-1", "source": {"fingerprint": "folder-1"}}

Image = NDArray[np.uint8]
Bands = Sequence[int | None]  # the inked band of each picture; None for a blank one


def picture(band: int | None, *, size: int = SPEC.size) -> Image:
    """White ink in one band on black paper."""
    image = np.zeros((size, size), np.uint8)
    if band is not None:
        image[:, band * WIDTH : (band + 1) * WIDTH] = 255
    return image


def write_picture(path: Path, band: int | None) -> Path:
    """The picture as a PNG file, in folders that are made for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", picture(band))[1].tobytes())
    return path


def write_bundle(
    folder: Path,
    *,
    classes: Sequence[str] = CLASSES,
    spec: ImageSpec = SPEC,
    provenance: Mapping[str, Any] = PACKING,
    scores: Mapping[str, Any] | None = None,
    weight: float = log(9) / (WIDTH * SPEC.size * 255),
) -> Path:
    """A bundle with the network above; the files of Keras in it are there to be hashed only."""
    folder.mkdir(parents=True)
    (folder / ARCHITECTURE).write_text("{}", encoding="utf-8")
    (folder / WEIGHTS).write_bytes(b"none")
    (folder / "MODEL_CARD.md").write_text("# bands\n\n<!-- scores -->\nNone.\n", encoding="utf-8")
    onnx.save(_bands(len(classes), spec.size, weight), folder / ONNX)
    record = {
        "name": "bands",
        "classes": list(classes),
        "spec": asdict(spec),
        "recipe": {},
        "seed": 0,
        "dataset": {"fingerprint": provenance["fingerprint"], "provenance": dict(provenance)},
        "parameters": 0,
        "shapes": [],
        "scores": dict(scores or {}),
        "refit": False,
    }
    finish_bundle(folder, record)
    return folder


def _bands(classes: int, size: int, weight: float) -> onnx.ModelProto:
    """softmax(pixels @ weights) as the exporter's graphs take and give it."""
    weights = np.zeros((size, size, classes), np.float32)
    for label in range(classes):
        weights[:, label * WIDTH : (label + 1) * WIDTH, label] = weight
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["pixels"], ["flat"], axis=1),
            helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        ],
        "bands",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", size, size, 1])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", classes])],
        [numpy_helper.from_array(weights.reshape(-1, classes), "weights")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def write_dataset(
    path: Path,
    splits: Mapping[str, tuple[Bands, Sequence[int]]],
    *,
    classes: Sequence[str] = CLASSES,
    spec: ImageSpec = SPEC,
    provenance: Mapping[str, Any] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
) -> Path:
    """A dataset of such pictures: for each split the inked bands and the labels; others are empty.

    The source of row 3 of test is ``test/3.png``; `groups` holds the writers of some splits.
    """
    with writing_dataset(path, classes, spec, overwrite=False) as writer:
        for split in SPLITS:
            bands, labels = splits.get(split, ((), ()))
            drawn = [picture(band, size=spec.size) for band in bands]
            images = np.array(drawn, np.uint8).reshape(-1, spec.size, spec.size)
            source = np.array([f"{split}/{at}.png".encode() for at in range(len(bands))], "S20")
            writers = np.array([name.encode() for name in (groups or {}).get(split, ())], "S20")
            group = writers if len(writers) else None
            rows = Rows(
                images=images,
                labels=np.array(labels, np.int32),
                source=source,
                digest=digests(images),
                group=group,
            )
            with writer.split(split, len(rows), like=rows) as writing:
                for start in range(0, len(rows), 256):
                    writing.append(rows[start : start + 256])
        writer.finish(dict(provenance or {}))
    return path
