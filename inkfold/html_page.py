"""A page from a template: one file that opens from the disk, with its style inside."""

from __future__ import annotations

from pathlib import Path

from inkfold.output import write_text

TEMPLATES = Path(__file__).parent / "templates"


def write_page(path: Path, template: str, **content: object) -> None:
    """Write the page that `render_page` makes."""
    write_text(path, render_page(template, **content))


def render_page(template: str, **content: object) -> str:
    """The page that ``templates/TEMPLATE`` makes of `content`.

    Text is escaped for HTML; a name that the template needs and `content` lacks is an error. The
    template finds the shared style sheet as `style`.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    return environment.get_template(template).render(content, style=style)
