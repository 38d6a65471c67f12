"""The documentation site: built as a whole, it shows every page, and no link in it is dead."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it import MarkdownIt

import inkfold
from tests.worlds.scripts import ROOT

pytest.importorskip("zensical")  # a tool of requirements.txt

BUILD = ROOT / "docs/site/build.py"
CONFIG = ROOT / "docs/site/zensical.toml"
PAGES = sorted(path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*.md"))
BLOCKS = ("h1", "h2", "h3", "li", "th", "td", "pre", "img", "code", "strong", "em")


@dataclass
class Page(HTMLParser):
    """What a page of the site has: its anchors, links, parts from elsewhere, and blocks."""

    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    blocks: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a tag's id, its link, and the file that a browser would load for it."""
        values = {name: value for name, value in attrs if value is not None}
        self.ids |= {values[name] for name in ("id", "name") if name in values}
        self.blocks[tag] += 1
        if "src" in values:
            self.parts.append(values["src"])
        if "href" in values:
            (self.links if tag == "a" else self.parts).append(values["href"])


def read(text: str) -> Page:
    """The page of a text in HTML."""
    page = Page()
    page.feed(text)
    return page


@cache
def read_file(path: Path) -> Page:
    """The page of a file."""
    return read(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole site, built once."""
    folder = tmp_path_factory.mktemp("built") / "site"
    build = [sys.executable, str(BUILD), "-o", str(folder)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def home(page: Path) -> Path:
    """Where the site has a page of the repository."""
    folder = page.parent if page.name == "README.md" else page.with_suffix("")
    return folder / "index.html"


def is_dead(site: Path, page: Path, link: str) -> bool:
    """Whether a link on a page of the site leads nowhere; of another host's only the syntax."""
    address = urlsplit(link)
    if address.scheme or address.netloc:
        return address.scheme not in ("https", "mailto") or "." not in address.netloc
    path = unquote(address.path)
    target = (site / path.lstrip("/") if path.startswith("/") else page.parent / path).resolve()
    if not path:
        target = page
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return True
    anchor = unquote(address.fragment)
    return bool(anchor) and anchor not in read_file(target).ids


@pytest.mark.slow
def test_no_link_of_the_site_is_dead(site: Path) -> None:
    """Every link leads to a page or a file, and to an anchor that is there."""
    pages = [path for path in site.rglob("*.html") if path.name != "404.html"]
    dead = [
        (str(path.relative_to(site)), link)
        for path in pages
        for link in read_file(path).links + read_file(path).parts
        if is_dead(site, path, link)
    ]

    assert len(pages) > len(PAGES)
    assert dead == []


@pytest.mark.slow
def test_a_page_of_the_site_loads_nothing_from_another_host(site: Path) -> None:
    """Fonts, scripts, styles and pictures are the site's own."""
    parts = [part for path in site.rglob("*.html") for part in read_file(path).parts]
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))

    assert [part for part in parts if urlsplit(part).netloc] == []
    assert re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^)]*", styles) == []


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=str)
def test_the_site_shows_a_page_as_the_repository_does(site: Path, page: Path) -> None:
    """As many headings, list items, cells, code blocks and pictures as CommonMark sees in it."""
    text = (ROOT / page).read_text(encoding="utf-8")
    expected = read(MarkdownIt("commonmark").enable("table").render(text)).blocks
    body = re.search(
        r"<article[^>]*>(.*?)</article>", (site / home(page)).read_text(encoding="utf-8"), re.DOTALL
    )
    assert body is not None

    found = read(body[1]).blocks
    assert {name: found[name] for name in BLOCKS} == {name: expected[name] for name in BLOCKS}


@pytest.mark.slow
def test_the_site_has_every_public_name_with_its_example(site: Path) -> None:
    """The reference has an anchor for each name, and the examples of its docstring."""
    page = site / "docs/reference/index.html"

    assert {f"inkfold.{name}" for name in inkfold.__all__} <= read_file(page).ids
    assert page.read_text(encoding="utf-8").count("&gt;&gt;&gt;") > len(inkfold.__all__)


def named(nav: list[object]) -> list[str]:
    """The pages of the site's navigation, from the top down."""
    paths: list[str] = []
    for entry in nav:
        assert isinstance(entry, dict)
        for value in entry.values():
            paths += named(value) if isinstance(value, list) else [value]
    return paths


def test_the_navigation_has_every_page_in_the_order_of_the_readme() -> None:
    """docs/site/zensical.toml names each page of docs/; README's table gives the order."""
    nav = named(tomllib.loads(CONFIG.read_text(encoding="utf-8"))["project"]["nav"])
    table = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Where to go next")[2]
    order = [
        name.replace(".ipynb", ".md") for name in re.findall(r"\]\((docs/[^)#]*\.\w+)\)", table)
    ]
    own = {str(page) for page in PAGES if page.parent.name != "decisions"}

    assert own | {"docs/decisions/README.md"} <= set(nav)
    assert [page for page in nav if page in order] == order
