"""Build the documentation site from the pages of the repository: ``python docs/site/build.py``.

The pages are copied into a folder with the repository's own layout, so that a relative link that
holds in the repository holds on the site. Three things are not pages there: folders, to which the
site has no link; the notebook, which becomes a page; and the reference, made of the docstrings.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import click

import inkfold

ROOT = Path(__file__).resolve().parents[2]
CONFIG = Path(__file__).with_name("zensical.toml")
NOTEBOOK = Path("docs/first-session.ipynb")
REFERENCE = Path("docs/reference.md")
LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<target>[^)\s#]+)(?P<anchor>#[^)\s]*)?\)")


def linked(page: Path, text: str) -> Iterator[Path]:
    """What the relative links of a page lead to, as paths from the root of the repository."""
    for link in LINK.finditer(text):
        if "://" not in link["target"]:
            path = (ROOT / page.parent / link["target"]).resolve()
            yield path.relative_to(ROOT)


def without_folders(page: Path, text: str) -> str:
    """The text of a page with the names of folders in place of links to them."""

    def plain(link: re.Match[str]) -> str:
        folder = "://" not in link["target"] and (ROOT / page.parent / link["target"]).is_dir()
        return link["text"] if folder else link[0]

    return LINK.sub(plain, text)


def as_markdown(notebook: Path, folder: Path) -> str:
    """A notebook as a page; its pictures are written beside it in `folder`."""
    from nbconvert import MarkdownExporter

    name = notebook.with_suffix("").name
    resources = {"output_files_dir": f"{name}_files", "unique_key": name}
    text, resources = MarkdownExporter().from_filename(str(ROOT / notebook), resources=resources)
    for path, data in resources["outputs"].items():
        picture = folder / notebook.parent / path
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.write_bytes(data)
    return str(text)


def reference() -> str:
    """The page of the public names, on which the site puts their docstrings."""
    lines = [
        "# Python",
        "",
        "What other programs import; `import inkfold` loads nothing before a name is used.",
        "The examples are run by the tests.",
    ]
    return "\n".join([*lines, *(f"\n::: inkfold.{name}" for name in inkfold.__all__), ""])


def collect(folder: Path) -> None:
    """Copy every page, and what pages link to, into `folder`; make those that are no files."""
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    waiting = [NOTEBOOK, *(page.relative_to(ROOT) for page in sorted(pages))]
    seen = set(waiting)
    while waiting:
        path = waiting.pop()
        copy = (folder / path).with_suffix(".md" if path == NOTEBOOK else path.suffix)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix not in (".md", ".ipynb"):
            shutil.copyfile(ROOT / path, copy)
            continue
        if path == NOTEBOOK:
            text = as_markdown(path, folder)
        else:
            text = without_folders(path, (ROOT / path).read_text(encoding="utf-8"))
        copy.write_text(text.replace(f"{NOTEBOOK.name})", f"{NOTEBOOK.stem}.md)"), encoding="utf-8")
        found = {each for each in linked(path, text) if (ROOT / each).is_file()} - seen
        seen |= found
        waiting += sorted(found)
    (folder / REFERENCE).write_text(reference(), encoding="utf-8")


@click.command()
@click.option(
    *("-o", "--output"), type=click.Path(path_type=Path), default=ROOT / "site", help="The site."
)
def main(output: Path) -> None:
    """Write the site; a dead link in a page is an error."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        collect(folder / "pages")
        shutil.copyfile(CONFIG, folder / CONFIG.name)
        build = [sys.executable, "-m", "zensical", "build", "--strict"]
        paths = os.environ | {"PYTHONPATH": str(ROOT)}  # where the docstrings are read
        done = subprocess.run(build, cwd=folder, env=paths, check=False)  # noqa: S603, pinned tool
        if done.returncode:
            sys.exit(done.returncode)
        shutil.rmtree(output, ignore_errors=True)
        shutil.move(folder / "site", output)


if __name__ == "__main__":
    main()
