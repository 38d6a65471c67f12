"""How many photographs of a character are answered as its clean picture is, kind by kind.

    python benchmarks/photographs.py [BUNDLE] --pictures 60 --seed 1 --figure docs/images

The kinds are those of tests/worlds/photographs.py. Each character is drawn once as a clean picture
and once as a photograph, and the bundle answers both; without BUNDLE it is the one that comes
along. Where INKFOLD_DATA names the folder of real sets, the characters are the pictures of EMNIST's
ByMerge test split, used as ink: those with an even number for an even seed, those with an odd one
for an odd seed. Otherwise they are the 26 characters that the tests draw.

Columns: right answers of the clean pictures; of the photographs prepared as scans, as the bundle
does and by `--fit pad` alone; of the photographs as they are now; how many were taken for
photographs; milliseconds of a processor to prepare one. The last lines count clean pictures that
were taken for photographs, empty sheets that come out blank, and words of three characters of which
all is kept: the box of their ink has the proportions of the word, within 35 %. `--sheets 0` leaves
the last two out.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from inkfold.bundle.bundle import SHIPPED, load_bundle
from inkfold.classifier import Classifier
from inkfold.commands.cli import run
from inkfold.importers import emnist
from inkfold.metrics import Rate
from inkfold.photograph.written import written
from inkfold.picture import as_grey, is_blank, preparation, prepare
from inkfold.spec import ImageSpec
from tests.worlds.drawn_letters import STROKES
from tests.worlds.photographs import (
    KINDS,
    Law,
    Mask,
    Picture,
    drawn,
    from_pixels,
    photograph,
    scan,
)

HALF = 80  # grey level of ink from which it counts
FEW = {"12 megapixels": 5}  # a kind with so many times fewer pictures than the others
Images = list[NDArray[np.uint8]]
Source = Callable[[np.random.Generator], tuple[Mask, str]]


@dataclass(frozen=True, kw_only=True)
class Row:
    """What was counted of a kind.

    Attributes
    ----------
    kind : str
    clean, as_bundle, as_pad, now : Rate
        Right answers: of the clean pictures; of the photographs prepared as scans by the bundle's
        spec and by fit pad; of the photographs as `prepare` takes them now.
    photographs, false_photographs : int
        Photographs, and clean pictures, that were taken for photographs.
    withheld_clean, withheld : int
        Clean pictures, and photographs as they are now, that do not look like one character to the
        bundle, so that no label is given by default.
    milliseconds : float
        Of a processor, to prepare a photograph.
    """

    kind: str
    clean: Rate
    as_bundle: Rate
    as_pad: Rate
    now: Rate
    photographs: int
    false_photographs: int
    withheld_clean: int
    withheld: int
    milliseconds: float

    def __str__(self) -> str:
        """A row of the table in Markdown."""
        kept = 100 * self.now.correct / max(1, self.clean.correct)
        low, high = (100 * end for end in self.now.interval or (0.0, 1.0))
        return (
            f"| {self.kind} | {self.clean.correct} of {self.clean.total} | "
            f"{self.as_bundle.correct} | {self.as_pad.correct} | {self.now.correct} "
            f"({low:.0f} to {high:.0f} %) | {kept:.1f} % | {self.photographs} | "
            f"{self.withheld_clean} | {self.withheld} | {self.milliseconds:.0f} |"
        )


def strokes() -> Source:
    """The characters that the tests draw."""
    names = list(STROKES)

    def draw(rng: np.random.Generator) -> tuple[Mask, str]:
        name = names[rng.integers(len(names))]
        return drawn(name, rng), name

    return draw


def handwriting(folder: Path, half: int) -> Source:
    """Pictures of EMNIST's ByMerge test split whose number is even (`half` 0) or odd (1)."""
    collection = emnist.read(folder / "emnist-bymerge-test")
    spec = ImageSpec(size=28)
    glyphs = [glyph for place, glyph in enumerate(collection.glyphs()) if place % 2 == half]

    def draw(rng: np.random.Generator) -> tuple[Mask, str]:
        glyph = glyphs[rng.integers(len(glyphs))]
        return from_pixels(prepare(glyph.pixels, spec)), collection.classes[glyph.label]

    return draw


def measured(
    kind: str, law: Law, source: Source, classifier: Classifier, *, count: int, seed: int
) -> Row:
    """The row of a kind; the same for the same seed."""
    spec = replace(classifier.bundle.spec, capture="auto")
    specs = replace(spec, capture="scan"), ImageSpec(size=spec.size, capture="scan")
    images: tuple[Images, ...] = ([], [], [], [])
    names, photographs, false, seconds = [], 0, 0, 0.0
    number = list(KINDS).index(kind)
    for place in range(count):
        rng = np.random.default_rng([seed, number, place])
        mask, name = source(rng)
        picture, clean = photograph(mask, law(rng), rng), preparation(scan(mask), spec)
        begin = time.thread_time()
        done = preparation(picture, spec)
        seconds += time.thread_time() - begin
        photographs, false = photographs + done.photograph, false + clean.photograph
        prepared = (clean.image, *(prepare(picture, other) for other in specs), done.image)
        for column, image in zip(images, prepared, strict=True):
            column.append(image)
        names.append(name)
    rates = [_right(classifier, column, names) for column in images]
    return Row(
        kind=kind,
        clean=rates[0],
        as_bundle=rates[1],
        as_pad=rates[2],
        now=rates[3],
        photographs=photographs,
        false_photographs=false,
        withheld_clean=_withheld(classifier, images[0]),
        withheld=_withheld(classifier, images[3]),
        milliseconds=1000 * seconds / count,
    )


def _right(classifier: Classifier, images: Images, names: Sequence[str]) -> Rate:
    """How many images are answered with their names."""
    best = classifier.predict(np.stack(images)).argmax(axis=1)
    answers = [classifier.classes[label] for label in best]
    return Rate(sum(a == n for a, n in zip(answers, names, strict=True)), len(names))


def _withheld(classifier: Classifier, images: Images) -> int:
    """How many images get no label by default: blank ones, and those with a flag."""
    stack = np.stack(images)
    _, flags = classifier.answers_and_flags(stack)
    blank = is_blank(stack).tolist()
    return sum(empty or flag is not None for empty, flag in zip(blank, flags, strict=True))


def empty_sheets(laws: Sequence[Law], count: int, seed: int) -> Rate:
    """How many photographs of sheets on which nothing is written are blank."""
    blank = 0
    for number, law in enumerate(laws):
        for place in range(count):
            rng = np.random.default_rng([seed, 100 + number, place])
            picture = photograph(np.zeros((30, 20), np.float32), law(rng), rng)
            blank += bool(is_blank(prepare(picture, ImageSpec(capture="photo"))[None])[0])
    return Rate(blank, count * len(laws))


def whole_words(
    laws: Sequence[Law], source: Source, classifier: Classifier, *, count: int, seed: int
) -> tuple[Rate, Rate]:
    """How many photographs of words of three characters keep all of the word, and get no label."""
    whole, images = 0, []
    for number, law in enumerate(laws):
        for place in range(count):
            rng = np.random.default_rng([seed, 200 + number, place])
            word = _word([source(rng)[0] for _ in range(3)])
            picture = photograph(word, law(rng), rng)
            images.append(prepare(picture, classifier.bundle.spec))
            ink = written(as_grey(picture), "auto") > HALF
            rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
            if len(rows):
                found = (np.ptp(columns) + 1) / (np.ptp(rows) + 1)
                whole += abs(found / (word.shape[1] / word.shape[0]) - 1) < 0.35
    return Rate(int(whole), len(images)), Rate(_withheld(classifier, images), len(images))


def _word(masks: Sequence[Mask]) -> Mask:
    """Characters beside one another, on one line."""
    height = max(len(mask) for mask in masks)
    parts = [np.pad(mask, ((height - len(mask), 0), (0, height // 6))) for mask in masks]
    return np.hstack(parts)[:, : -(height // 6)]


def draw_figure(path: Path, seed: int = 4) -> None:
    """Draw the stages from photograph to network input, of three drawn photographs."""
    from inkfold.photograph.paper import contrasts, ink_is_dark
    from inkfold.photograph.ruling import without_rulings
    from inkfold.photograph.sheet import sheet_of
    from inkfold.photograph.written import INK, shrunk

    lines = []
    for place, (kind, name) in enumerate(
        (("wooden table", "R"), ("squared", "4"), ("several at once", "B"))
    ):
        rng = np.random.default_rng([seed, place])
        picture = photograph(drawn(name, rng), KINDS[kind](rng), rng)
        grey = shrunk(as_grey(picture))
        dark = ink_is_dark(grey)
        contrast, paper = contrasts(grey if dark else 255 - grey)
        sheet = sheet_of(paper, contrast > INK)
        lined, _ = without_rulings(contrast, sheet)
        final = prepare(picture, ImageSpec(size=32, capture="photo"))
        stages = (
            picture,
            paper,
            np.where(sheet, grey, grey // 4),
            _ink(contrast * sheet),
            _ink(lined * sheet),
            255 - written(as_grey(picture), "auto"),
            255 - final,
        )
        lines.append(np.hstack([_cell(stage) for stage in stages]))
    image = np.vstack(lines)
    done, data = cv2.imencode(".png", image[..., ::-1], (cv2.IMWRITE_PNG_COMPRESSION, 9))
    assert done
    path.write_bytes(data.tobytes())


def _ink(contrast: NDArray[np.float32]) -> Picture:
    return np.asarray(255 - np.clip(255 * contrast, 0, 255), np.uint8)


def _cell(stage: NDArray[np.uint8], side: int = 128) -> Picture:
    """A stage as an RGB picture of one size, with a margin."""
    way = cv2.INTER_NEAREST if max(stage.shape[:2]) < side else cv2.INTER_AREA
    cell = cv2.resize(stage, (side, side), interpolation=way)
    cell = cell if cell.ndim == 3 else cv2.cvtColor(cell, cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.copyMakeBorder(cell, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=(255,) * 3))


@click.command(help=__doc__)
@click.argument("bundle", type=click.Path(path_type=Path), default=SHIPPED)
@click.option("--data", type=click.Path(path_type=Path), envvar="INKFOLD_DATA")
@click.option("--pictures", type=click.IntRange(1), default=60, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--sheets", type=click.IntRange(0), default=8, show_default=True)
@click.option("--kind", multiple=True, help="Measure these kinds alone.")
@click.option(
    "--figure", type=click.Path(path_type=Path), help="Folder in which photographs.png is drawn."
)
def command(
    bundle: Path,
    *,
    data: Path | None,
    pictures: int,
    seed: int,
    sheets: int,
    kind: tuple[str, ...],
    figure: Path | None,
) -> int:
    """Measure each kind and print a table."""
    if figure:
        draw_figure(figure / "photographs.png")
    classifier = Classifier(load_bundle(bundle))
    source = handwriting(data, seed % 2) if data else strokes()
    click.echo(f"{'EMNIST ByMerge, test split' if data else 'drawn characters'}, seed {seed}\n")
    click.echo(
        "| kind | clean | as scan | as scan, pad | now (95 % interval) | of the clean | "
        "taken for photographs | clean withheld | withheld | ms |\n"
        "|---|---|---|---|---|---|---|---|---|---|"
    )
    false = total = 0
    for name, law in KINDS.items():
        if kind and name not in kind:
            continue
        count = max(1, pictures // FEW.get(name, 1))
        row = measured(name, law, source, classifier, count=count, seed=seed)
        false, total = false + row.false_photographs, total + count
        click.echo(str(row))
    click.echo(f"\nclean pictures taken for photographs: {false} of {total}")
    if sheets:
        laws = [KINDS[name] for name in KINDS if name not in FEW and (not kind or name in kind)]
        click.echo(f"empty sheets that are blank: {empty_sheets(laws, sheets, seed)}")
        whole, withheld = whole_words(laws, source, classifier, count=sheets, seed=seed)
        click.echo(f"words that are whole: {whole}")
        click.echo(f"words without a label: {withheld}")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run(command, argv)


if __name__ == "__main__":
    sys.exit(main())
