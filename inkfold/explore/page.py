"""The page about a dataset: everything gathered, drawn and said, in one HTML file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkfold.audit.advice import advice, found
from inkfold.audit.audit import Audit
from inkfold.augmentation.augment import Augmentation
from inkfold.augmentation.preview import strength_of
from inkfold.dataset.reader import Dataset
from inkfold.explore.figures import (
    class_sizes,
    levels_chart,
    pixel_facts,
    provenance_words,
    spec_words,
)
from inkfold.explore.pictures import audit_section, class_cards, drawn_strips, stored_strips
from inkfold.explore.projection import KEPT, Projection, scatter
from inkfold.explore.scan import Exploration
from inkfold.pages.chart import ACROSS, UP, Chart, Scale, line, thinned
from inkfold.pages.page import TEMPLATES, cells, data_uri, png, write_page
from inkfold.recipe import Distortion
from inkfold.spec import SPLITS

SHARES = (0.5, 0.8, 0.9, 0.95, 0.99)  # of the variance: the page says how many components hold it


def write_exploration(
    path: Path,
    dataset: Dataset,
    exploration: Exploration,
    projection: Projection | None,
    audit: Audit,
) -> None:
    """Write the page; the same dataset and seed give the same bytes.

    Parameters
    ----------
    path : Path
    dataset : Dataset
    exploration : Exploration
    projection : Projection or None
        Of ``exploration.sample``; None where that has too few distinct pictures.
    audit : Audit
        Its quick part is shown.
    """
    scan = exploration.scan
    ink = scan.mean.mean(axis=(1, 2)) / 255
    write_page(
        path,
        "explore.html.j2",
        name=dataset.path.name,
        found=found(audit),
        advice=advice(audit),
        classes=dataset.classes,
        size=dataset.spec.size,
        splits=SPLITS,
        exploration=exploration,
        scan_counts=scan.counts.tolist(),
        sizes=class_sizes(exploration.counts),
        cards=class_cards(exploration.examples, scan),
        facts=pixel_facts(scan.levels),
        levels=levels_chart(scan.levels),
        inks=_most_and_least(ink, scan.counts),
        spec_words=spec_words(dataset.spec),
        provenance_words=provenance_words(dataset.provenance),
        provenance=json.dumps(dataset.provenance, indent=1, ensure_ascii=False, sort_keys=True),
        layout=_layout(dataset, exploration, projection),
        augmented=_augmented(dataset, exploration),
        audit=audit_section(dataset, audit),
        groups=len(_groups(dataset)),
        zip=zip,
        script=(TEMPLATES / "explore.js").read_text(encoding="utf-8"),
    )


def _most_and_least(
    ink: NDArray[np.float32], counts: NDArray[np.int64]
) -> list[tuple[str, list[Any]]]:
    """The five classes with the most and with the least ink: label and mean share of ink."""
    order = [int(label) for label in np.argsort(-ink, kind="stable") if counts[label]]
    rows = [(label, float(ink[label])) for label in order]
    return [("most ink", rows[:5])] + ([("least ink", rows[::-1][:5])] if len(rows) > 5 else [])


def _layout(
    dataset: Dataset, exploration: Exploration, projection: Projection | None
) -> dict[str, Any]:
    """The sample in the plane, and the share of the variance in its principal components."""
    labels = exploration.sample.labels
    sample = {"pictures": len(labels), "of": int(exploration.scan.counts.sum())}
    if projection is None:
        return sample | {"projection": None}
    return sample | {
        "projection": projection,
        "planes": {
            name: scatter(points, labels, dataset.classes)
            for name, points in projection.planes.items()
        },
        "explained": _explained(projection.explained),
        "needed": list(_needed(projection.explained)),
        "components": data_uri(png(signed(projection.components)), "image/png"),
        "tsne_input": min(KEPT, len(projection.explained)),
    }


def _explained(shares: NDArray[np.float64]) -> Chart:
    """The variance in the first components, summed up, as far as the curve still rises."""
    summed = [100 * float(share) for share in np.cumsum(shares)]
    last = min(len(summed), max(10, round(1.2 * dict(_needed(shares))["99 %"])))
    x, y = Scale(0, max(last, 2), *ACROSS), Scale(0, 100, *UP)
    points = [(0, 0.0), *enumerate(summed[:last], 1)]
    curve = line("", "mark", thinned(points), x, y)
    return Chart(
        across="principal components",
        up="% of the variance",
        across_ticks=x.ticks(),
        up_ticks=y.ticks(),
        lines=[curve],
    )


def _needed(shares: NDArray[np.float64]) -> Iterator[tuple[str, int]]:
    """How many components hold each share of the variance."""
    summed = np.cumsum(shares)
    for share in SHARES:
        yield f"{100 * share:.0f} %", 1 + int(np.searchsorted(summed, share - 1e-12))


def signed(components: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Components side by side, six in a row, as ink: mid-grey is 0, positive entries are darker."""
    largest = np.abs(components).max(axis=(1, 2), keepdims=True)
    tiles = np.rint(127.5 + 127.5 * components / np.maximum(largest, 1e-12)).astype(np.uint8)
    columns = min(6, len(tiles))
    missing = -len(tiles) % columns
    padded = np.pad(tiles, ((0, missing), (0, 0), (0, 0)))
    return np.asarray(cells(padded[None], columns)[0])


def _augmented(dataset: Dataset, exploration: Exploration) -> dict[str, Any]:
    """Originals beside stored copies, or beside those that ``augment``'s defaults would write."""
    if exploration.stored:
        return {"stored": True, "strips": stored_strips(exploration.stored), "strength": ""}
    augmentation = Augmentation(Distortion())
    strips = drawn_strips(dataset, augmentation)
    shown = [np.zeros((2, 1, 1), np.float32)]
    strength = strength_of(dataset.spec.size, augmentation, shown)
    words = f"{strength.theory:.2f} px by theory, {strength.measured:.2f} px over 1,000 fields"
    return {"stored": False, "strips": strips, "strength": words, "plan": augmentation.distortion}


def _groups(dataset: Dataset) -> set[str]:
    """The names of the writers, pages or sheets in all splits."""
    return {name for split in dataset.splits for name in split.group or () if name}
