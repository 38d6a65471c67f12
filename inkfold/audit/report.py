"""What an audit writes: a summary to read, tables, and sheets of pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inkfold.audit.advice import advice, found, suspected
from inkfold.audit.audit import Audit, as_json, findings
from inkfold.audit.clean import WHY, Cleaning
from inkfold.dataset.originals import Places, pictures, sources
from inkfold.dataset.reader import Dataset
from inkfold.output import write_csv, write_text
from inkfold.pages.fonts import drawable, font_family, shortened
from inkfold.spec import SPLITS, UNEQUAL

SHOWN = 5  # pairs of classes that look alike in the summary
WORST = 0.05  # share of the ranking in suspects.csv
LEAST = 100  # pictures of the ranking in suspects.csv, at least
PICTURE = ("split", "row", "class", "source")  # the columns that name a picture
SHEET = 60  # pictures on a sheet
COLUMNS = 10  # pictures in a row of a sheet
TOGETHER = 1 << 16  # pictures of a list whose sources are in memory at a time
LETTERS = 8  # of a name under a picture; a longer one is cut


def summary(audit: Audit) -> str:
    """The figures for people, as lines of text, without the suspected labels."""
    return "\n".join(_lines(audit)) + "\n"


def suspects_summary(audit: Audit) -> str:
    """The suspected labels and what to do about them, as lines of text; nothing without them."""
    lines = [*_suspect_lines(audit), *(f"- {piece}" for piece in suspected(audit))]
    return "".join(f"{line}\n" for line in lines)


def _lines(audit: Audit) -> Iterator[str]:
    total = int(audit.counts.sum())
    by_split = " / ".join(f"{count:,}" for count in audit.counts.sum(axis=1).tolist())
    yield f"{audit.path.name}: {total:,} pictures of {len(audit.classes):,} classes ({by_split})"
    yield found(audit)
    if pieces := advice(audit):
        yield "What to do next:"
        yield from (f"- {piece}" for piece in pieces)
    yield "The figures:"
    if audit.copies:
        yield f"  {audit.copies:,} distorted copies, which are not looked at"
    yield from _class_lines(audit)
    for name, count in audit.noted.items():
        yield f"  {count:,} files {name} when it was packed"
    for finding in findings(audit):
        yield f"  {len(finding.places):,} {finding.words}"
    if audit.near is not None:
        near = audit.near
        sample = f" (of {near.asked:,} of {near.outside:,} looked at)" * (near.asked < near.outside)
        yield f"  {len(near.pairs):,} nearly the same as a picture in another split{sample}"
    if audit.torn is not None:
        yield f"  {audit.torn:,} groups with pictures in more than one split"
    yield from _alike_line(audit)
    yield _verdict(audit)


def _class_lines(audit: Audit) -> Iterator[str]:
    size = audit.counts.sum(axis=0).tolist()
    (large, small), names = audit.largest_and_smallest, audit.classes
    if size[large] == size[small]:
        yield f"  {size[large]:,} of each class"
    else:
        times = size[large] / max(size[small], 1)
        unequal = f": {times:.3g} times as many" * (times >= UNEQUAL)
        smallest = f"{size[small]:,} of {names[small]!r}"
        yield f"  {size[large]:,} of {names[large]!r} to {smallest}{unequal}"
    for split, counts in zip(SPLITS, audit.counts, strict=True):
        missing = int((counts == 0).sum())
        if missing and counts.any():
            yield f"  {missing:,} classes have no picture in {split}"


def _alike_line(audit: Audit) -> Iterator[str]:
    names = audit.classes
    pairs = [
        f"{names[first]!r} and {names[second]!r} ({pair.distance:.2f})"
        for pair in audit.alike[:SHOWN]
        for first, second in [pair.labels]
    ]
    if pairs:
        yield f"  most alike (distance over spread): {', '.join(pairs)}"


def _suspect_lines(audit: Audit) -> Iterator[str]:
    suspects = audit.suspects
    if suspects is None:
        return
    judged = len(suspects.places)
    yield (
        f"  {suspects.issues:,} labels suspected by cleanlab; the quick network agreed with "
        f"{suspects.right:,} of {judged:,} ({100 * suspects.right / judged:.2f} %)"
    )
    if suspects.unjudged:
        yield f"  {suspects.unjudged:,} labels not judged: under ten pictures of their class"


def _verdict(audit: Audit) -> str:
    if audit.leaks:
        return f"LEAK: {audit.leaks:,} pictures of validation and test are in another split too"
    return "no picture is in two splits"


def write_audit(folder: Path, audit: Audit, dataset: Dataset) -> None:
    """Write all files of the audit to an existing folder (docs/audit.md lists them)."""
    suspects = "".join(f"{line}\n" for line in _suspect_lines(audit))
    write_text(folder / "summary.txt", summary(audit) + suspects)
    figures = {"found": found(audit), "advice": advice(audit), **as_json(audit)}
    text = json.dumps(figures, indent=1, ensure_ascii=False)
    write_text(folder / "audit.json", text + "\n")
    counts = zip(audit.classes, *audit.counts.tolist(), strict=True)
    write_csv(folder / "classes.csv", ["class", *SPLITS], counts)
    number = audit.repeats.number
    for finding in findings(audit):
        places, head = finding.places, list(PICTURE)
        repeated = finding.name in ("duplicates", "leaks", "conflicts")
        if repeated:
            places = places[np.argsort(number[places], kind="stable")]  # equal pixels together
            head.append("same_pixels")
        if not len(places):
            continue
        rows = _rows(audit, dataset, places)
        if repeated:
            rows = ([*row, int(same)] for row, same in zip(rows, number[places], strict=True))
        write_csv(folder / f"{finding.name}.csv", head, rows)
    _write_near(folder, audit, dataset)
    _write_suspects(folder, audit, dataset)
    dataset.check_unchanged()


def _rows(audit: Audit, dataset: Dataset, places: Places) -> Iterator[list[object]]:
    """Split, row, class and source of the pictures at some places, as `PICTURE` names them."""
    originals = audit.originals
    for start in range(0, len(places), TOGETHER):
        some = places[start : start + TOGETHER]
        columns = zip(
            originals.split[some].tolist(),
            originals.row[some].tolist(),
            originals.label[some].tolist(),
            sources(dataset, originals, some),
            strict=True,
        )
        for split, row, label, source in columns:
            yield [SPLITS[split], row, audit.classes[label], source]


def _write_near(folder: Path, audit: Audit, dataset: Dataset) -> None:
    near = audit.near
    if near is None or not len(near.pairs):
        return
    later, earlier = (_rows(audit, dataset, near.pairs[:, side]) for side in (0, 1))
    correlations = [f"{value:.4f}" for value in near.correlation.tolist()]
    head = ["correlation", *PICTURE, *(f"other_{column}" for column in PICTURE)]
    rows = ([value, *a, *b] for value, a, b in zip(correlations, later, earlier, strict=True))
    write_csv(folder / "near_duplicates.csv", head, rows)
    shown = near.pairs[: SHEET // 2].reshape(-1)
    names = [audit.classes[label] for label in audit.originals.label[shown].tolist()]
    words = "nearly the same, pair by pair: validation or test, then its like in an earlier split"
    title = f"{audit.path.name}: {words}"
    captions = [(name,) for name in names]
    write_sheet(folder / "near_duplicates.png", pictures(dataset, shown), captions, title)


def _write_suspects(folder: Path, audit: Audit, dataset: Dataset) -> None:
    suspects = audit.suspects
    if suspects is None:
        return
    count = max(LEAST, suspects.issues, int(WORST * len(suspects.places)))
    worst = suspects.places[:count]
    names = [audit.classes[label] for label in suspects.suggested[:count].tolist()]
    columns = zip(
        _rows(audit, dataset, worst),
        names,
        suspects.probability[:count].tolist(),
        suspects.score[:count].tolist(),
        strict=True,
    )
    rows = (
        [rank, *row, name, f"{probability:.4f}", f"{score:.3g}"]
        for rank, (row, name, probability, score) in enumerate(columns, 1)
    )
    head = ["rank", *PICTURE, "suggested", "probability", "score"]
    write_csv(folder / "suspects.csv", head, rows)
    shown = worst[:SHEET]
    labels = [audit.classes[label] for label in audit.originals.label[shown].tolist()]
    captions = list(zip(labels, names[: len(shown)], strict=True))
    words = "suspected wrong labels, the most suspect first: label → the network's answer"
    title = f"{audit.path.name}: {words}"
    write_sheet(folder / "suspects.png", pictures(dataset, shown), captions, title)


def write_dropped(path: Path, audit: Audit, dataset: Dataset, cleaning: Cleaning) -> None:
    """Write a table of every picture that cleaning drops, and why."""
    places = np.flatnonzero(cleaning.why)
    reasons = [WHY[why] for why in cleaning.why[places].tolist()]
    rows = zip(_rows(audit, dataset, places), reasons, strict=True)
    write_csv(path, [*PICTURE, "why"], ([*row, why] for row, why in rows))


def write_sheet(
    path: Path, images: NDArray[np.uint8], captions: Sequence[Sequence[str]], title: str
) -> None:
    """Write a PNG file with pictures in rows of ten, each with its caption.

    Parameters
    ----------
    path : Path
    images : uint8 array of shape (n, H, W)
        0 is paper; drawn with dark ink.
    captions : sequence of sequences of str
        The names under each picture; an arrow joins them.
    title : str
    """
    from matplotlib.figure import Figure

    rows = -(-len(images) // COLUMNS)
    figure = Figure(figsize=(COLUMNS, 1.25 * rows + 0.6))
    tiles = figure.subplots(rows, COLUMNS, squeeze=False).reshape(-1)
    family = font_family([name for names in captions for name in names])
    for tile in tiles:
        tile.axis("off")
    for tile, image, names in zip(tiles, images, captions, strict=False):
        tile.imshow(255 - image, cmap="gray", vmin=0, vmax=255)
        text = " → ".join(shortened(name, LETTERS) for name in drawable(names))
        tile.set_title(text, y=-0.22, fontsize=8, fontfamily=family)
    figure.suptitle(
        title, x=0.02, y=1 - 0.1 / figure.get_figheight(), ha="left", va="top", fontsize=9
    )
    figure.subplots_adjust(
        left=0.01,
        right=0.99,
        bottom=0.3 / figure.get_figheight(),
        top=1 - 0.4 / figure.get_figheight(),
        hspace=0.35,
        wspace=0.1,
    )
    figure.savefig(path, format="png", dpi=110)
