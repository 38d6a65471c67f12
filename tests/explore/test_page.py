"""explore.py as a user runs it, and the page that it writes."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from inkfold.augmentation.augment import Augmentation, augment_dataset
from inkfold.commands.explore import main
from inkfold.dataset.reader import open_dataset
from inkfold.explore import scan
from inkfold.explore.page import signed
from inkfold.recipe import Distortion
from inkfold.workers import local_crew
from tests.worlds.packed_strokes import write_packed
from tests.worlds.scripts import run_script

NAMES = ("<b>&\"'", "</script><i>", "🦉", "{{ x }}")
VOID = {"meta", "img"}

Capture = pytest.CaptureFixture[str]


class Page(HTMLParser):
    """What a browser makes of a page: tags that were opened, text, addresses, headings."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: dict[str, int] = {}
        self.attributes: list[tuple[str, str]] = []
        self.text: dict[str, list[str]] = {}
        self.feed(path.read_text(encoding="utf-8"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count a tag, and remember that it is open."""
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count a tag that ends itself, such as ``<line .../>``."""
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        """Check that the tag that was opened last is closed first."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep text under the name of the tag that it stands in."""
        if self.open:
            self.text.setdefault(self.open[-1], []).append(data)

    def values(self, name: str) -> list[str]:
        """The values of the attribute `name` in all tags."""
        return [value for key, value in self.attributes if key == name]


def explored(path: Path) -> tuple[Page, str]:
    """The page of a dataset, as read and as text."""
    assert main([str(path), "-q", "--overwrite"]) == 0
    page = Page(path.with_suffix(".html"))
    assert page.open == [], "a tag was never closed"
    return page, path.with_suffix(".html").read_text(encoding="utf-8")


def test_the_page_is_written_beside_the_dataset_and_named_in_a_sentence(
    tmp_path: Path, capfd: Capture
) -> None:
    """Counts, size and seconds are on stdout, nothing on stderr, and only the page is left."""
    path = write_packed(tmp_path / "set.h5", (40, 8, 8))

    assert main([str(path)]) == 0

    out, err = capfd.readouterr()
    page = tmp_path / "set.html"
    assert re.fullmatch(
        rf"{page}: 56 pictures of 4 classes on a page of \d\.\d MB, from {path} in \d+\.\d s\n", out
    )
    assert err == ""
    assert sorted(file.name for file in tmp_path.iterdir()) == ["set.h5", "set.html"]


def test_every_section_is_there_and_every_address_is_inside(tmp_path: Path) -> None:
    """Links lead to sections of the page, pictures are data, and nothing is fetched."""
    page, text = explored(write_packed(tmp_path / "set.h5", (40, 8, 8)))

    assert page.text["h2"] == [
        "How it was made",
        "Class sizes",
        "Findings",
        "Samples of each class",
        "Mean and variability of each class",
        "Pixels",
        "PCA and t-SNE",
        "Augmentation",
    ]
    ids = page.values("id")
    assert all(link[0] == "#" and link[1:] in ids for link in page.values("href"))
    assert all(source.startswith("data:image/png;base64,") for source in page.values("src"))
    assert not re.search(r"url\((?!data:)|@import|https?://", text)
    assert "default-src 'none'" in text
    assert page.tags["img"] == len(page.values("alt"))
    assert all(page.values("alt"))
    assert (
        page.values("role").count("img")
        == len([label for label in page.values("aria-label") if label])
        - page.values("role").count("region")
        - page.tags["nav"]
        - 2  # the sections without a heading of their own: what was found, and the figures
    )


def test_names_of_classes_are_text_wherever_they_stand(tmp_path: Path) -> None:
    """Class names with tags, quotes, braces or an owl are shown as they are."""
    page, _ = explored(write_packed(tmp_path / "set.h5", (40, 8, 8), classes=NAMES))
    drawn = re.compile(r"M\d+ \d+h0")
    dots = [len(drawn.findall(path)) for path in page.values("d")]

    assert "b" not in page.tags
    assert page.tags["script"] == 1
    assert dots == [10] * 8, "ten pictures of each class in both clouds"
    assert page.text["title"].count(NAMES[0]) == 2, "in both clouds of dots"
    for name in NAMES:
        assert page.text["bdi"].count(name) >= 4
        assert f"mean picture and variability of {name}" in page.values("aria-label")


@pytest.mark.parametrize(
    ("counts", "classes", "words"),
    [
        ((1, 0, 0), ("a",), "1 picture of 1 class"),
        ((0, 0, 7), ("a", "b"), "are of the originals in test: 7 pictures."),
        ((3, 0, 0), ("a", "b", "c", "d"), "0 to 1"),
        ((30, 3, 3), ("only",), "36 pictures of 1 class"),
    ],
)
def test_any_set_has_a_page(
    tmp_path: Path, counts: tuple[int, int, int], classes: tuple[str, ...], words: str
) -> None:
    """A set of one picture, without train, with an empty class or with one class has a page."""
    page, text = explored(write_packed(tmp_path / "set.h5", counts, classes=classes))

    assert words in text
    assert ("Too few different pictures" in text) == (sum(counts) < 5)
    assert ("There is no picture in train" in text) == (counts[0] == 0)
    assert len(page.text["h2"]) == 8 + ("What to do next" in page.text["h2"])


def test_equal_pictures_have_a_page(tmp_path: Path) -> None:
    """Forty equal pictures have no spread to divide by, and are not laid out."""
    _, text = explored(write_packed(tmp_path / "set.h5", (40, 0, 0), identical=True))

    assert "Too few different pictures in train" in text


def test_an_augmented_file_shows_the_copies_that_stand_in_it(tmp_path: Path) -> None:
    """Each class has a strip of stored copies in place of drawn ones; copies are counted apart."""
    plain = write_packed(tmp_path / "d.h5", (40, 8, 8))
    with open_dataset(plain) as packed, local_crew(1) as crew:
        augmentation = Augmentation(Distortion(sigma=4, alpha=20), copies=2)
        augment_dataset(packed, tmp_path / "e.h5", augmentation, crew=crew)
    _, before = explored(plain)
    page, after = explored(tmp_path / "e.h5")

    assert "What <code>augment</code> would add" in before
    assert "the copies that stand in this file; there are 80." in after
    assert page.values("alt")[-4:] == [f"{name}: an original and 2 copies of it" for name in "abcd"]
    assert "Distorted copies added by augment" in after
    assert "and 80 distorted copies" in after


def test_the_same_set_and_seed_give_the_same_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages of one seed are equal to the byte; another seed draws other pictures for PCA."""
    path = write_packed(tmp_path / "set.h5", (40, 0, 0))
    pages = []
    monkeypatch.setattr(scan, "SAMPLE", 20)
    for seed in ("0", "0", "1"):
        assert main([str(path), "--seed", seed, "--overwrite"]) == 0
        pages.append(path.with_suffix(".html").read_bytes())

    assert pages[0] == pages[1]
    assert pages[0] != pages[2]


def test_a_hundred_and_one_classes_share_two_groups_and_lose_their_bars(tmp_path: Path) -> None:
    """With 101 classes groups open, the largest and smallest have bars, a table has all."""
    names = [f"class {number}" for number in range(101)]
    path = write_packed(tmp_path / "set.h5", (101, 101, 0), classes=names, size=32)
    page, text = explored(path)

    assert text.count("<details") == 2 + 2 + 2
    assert "Every class has 2 pictures." in text
    assert page.text["bdi"].count("class 100") >= 3
    assert len(text) < 1_500_000


def test_mistakes_are_reported_before_any_work(
    tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An existing page, the dataset itself or a folder as output, and no dataset are refused."""
    path = write_packed(tmp_path / "set.h5", (4, 0, 0))
    (tmp_path / "set.html").write_text("mine")
    monkeypatch.setattr(scan, "explore", None)
    for arguments, message in (
        ([path], "set.html already exists; add --overwrite or choose another with -o"),
        ([path, "-o", path, "--overwrite"], "set.h5 is the dataset itself; choose another output"),
        ([path, "-o", tmp_path, "--overwrite"], "is a folder; give the name of a file"),
        ([tmp_path / "no.h5"], "no.h5: no such dataset; pack one with"),
    ):
        assert main(list(map(str, arguments))) == 2
        assert message in capfd.readouterr().err
    assert (tmp_path / "set.html").read_text() == "mine"
    monkeypatch.undo()
    assert main([str(path), "--overwrite"]) == 0


def test_the_script_starts_without_a_terminal(tmp_path: Path) -> None:
    """``python explore.py DATASET -o PAGE`` writes the page into a folder that it makes."""
    write_packed(tmp_path / "set.h5", (3, 0, 0))
    done = run_script("explore.py", "set.h5", "-o", "pages/look.html", cwd=tmp_path)

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"pages/look.html: 3 pictures of 4 classes")
    assert (tmp_path / "pages" / "look.html").stat().st_size > 10_000


def test_what_a_component_adds_is_dark_and_what_it_takes_away_light() -> None:
    """Each component is scaled to its own largest entry; an entry of 0 is mid-grey."""
    components = np.array([[[0.5, 0.0], [-0.5, 0.25]], [[0.0, 0.0], [0.1, 0.0]]])
    shown = signed(components)

    assert shown[:, :2].tolist() == [[255, 128], [0, 191]]
    assert shown[:, 3:].tolist() == [[128, 128], [255, 128]]
