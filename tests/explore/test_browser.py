"""The page in a real Chromium: wide and narrow, light and dark, with and without its script."""

from __future__ import annotations

import html
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inkfold.commands.explore import main
from tests.worlds.browsing import CHROMIUM
from tests.worlds.packed_strokes import write_packed

QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--hide-scrollbars"),
)
DARK = "--blink-settings=preferredColorScheme=0"
NAMES = ("<b>&\"'", "🦉", "A very long name of a class, with " + "x" * 80, *map(str, range(9)))

# Runs before the page's own script.
LISTEN = """<script>
window.problems = [];
addEventListener("error", (event) => problems.push(event.message));
addEventListener("securitypolicyviolation", (event) => problems.push(event.blockedURI));
console.error = console.warn = (...words) => problems.push(words.join(" "));
</script>"""

# Runs after the page's own script: colours are read as the browser has resolved them.
REPORT = """<script>
addEventListener("load", () => {
  const root = document.documentElement, select = document.querySelector("select");
  const colour = (query, name) => getComputedStyle(document.querySelector(query))[name];
  const over = [...document.querySelectorAll("body *")].filter((element) =>
    element.getBoundingClientRect().right > innerWidth + 1 && !element.closest(".wide, .unseen"));
  const report = {
    problems, width: innerWidth, scrolled: root.scrollWidth,
    over: over.slice(0, 5).map((element) => element.outerHTML.slice(0, 99)),
    fetched: performance.getEntriesByType("resource").map((entry) => entry.name)
      .filter((name) => !name.startsWith("data:")),
    ground: colour("body", "backgroundColor"), text: colour("body", "color"),
    quiet: colour(".quiet", "color"), link: colour("nav a", "color"),
    dots: [...document.querySelectorAll(".dots path")].map((path) => getComputedStyle(path).stroke),
    options: select ? [...select.options].map((option) => option.text) : [],
    asked: [], reached: [...document.querySelectorAll("a, summary, select, [tabindex]")].length,
  };
  if (select) {
    select.value = "1";
    select.dispatchEvent(new Event("change"));
    report.shown = [...document.querySelectorAll(".dots .on title")].map((t) => t.textContent);
    const path = document.querySelector(".dots path:last-child");
    const [, x, y] = path.getAttribute("d").match(/M(\\d+) (\\d+)/);
    const at = new DOMPoint(+x, +y).matrixTransform(path.getScreenCTM());
    path.ownerSVGElement.dispatchEvent(
      new MouseEvent("click", { clientX: at.x, clientY: at.y, bubbles: true }));
    report.told = document.querySelector(".told").textContent;
  }
  const pre = document.createElement("pre");
  pre.id = "report";
  pre.textContent = JSON.stringify(report);
  parent.document.body.append(pre);
});
</script>"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]


@pytest.fixture(scope="module", params=[12, 130], ids=["12 classes", "130 classes"])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of a set with some awkward names."""
    folder = tmp_path_factory.mktemp("page")
    names = [*NAMES, *(f"class {number}" for number in range(request.param - len(NAMES)))]
    path = write_packed(folder / "set.h5", (4 * len(names), 10, 10), classes=names, size=32)
    assert main([str(path), "-q"]) == 0
    return path.with_suffix(".html").read_text(encoding="utf-8")


def look(text: str, folder: Path, width: int = 360, *options: str) -> dict[str, Any]:
    """What the browser reports of a copy of the page with listeners in it.

    The copy is shown in a frame of `width` pixels, for no window is narrower than 500 pixels.
    """
    assert CHROMIUM is not None
    copy = folder / "copy.html"
    text = text.replace("<style>", LISTEN + "<style>", 1).replace("</body>", REPORT + "</body>")
    style = f"width: {width}px; height: 800px; border: 0"
    frame = f'<iframe srcdoc="{html.escape(text)}" style="{style}"></iframe>'
    head = '<!doctype html><html style="color-scheme: light dark"><meta charset="utf-8">'
    copy.write_text(f"{head}<body>{frame}</body></html>", encoding="utf-8")
    profile = f"--user-data-dir={folder / 'profile'}"
    command = [CHROMIUM, *QUIET, profile, *options, "--window-size=1400,900", "--dump-dom"]
    done = subprocess.run([*command, copy.as_uri()], capture_output=True, check=True, timeout=120)
    match = re.search(r'<pre id="report">(.*?)</pre>', done.stdout.decode())
    assert match is not None, done.stderr.decode()
    report: dict[str, Any] = json.loads(html.unescape(match[1]))
    return report


def contrast(first: str, second: str) -> float:
    """WCAG 2's contrast ratio of two colours as a browser writes them: ``rgb(1, 2, 3)``."""
    dark, light = sorted(map(_luminance, (first, second)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    if colour.startswith("oklch"):
        return _oklch_luminance(*map(float, re.findall(r"[\d.]+", colour)[:3]))
    parts = np.array([int(part) for part in re.findall(r"\d+", colour)[:3]]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def _oklch_luminance(lightness: float, chroma: float, hue: float) -> float:
    """The luminance by Ottosson's matrices; colours that no screen has are cut, as browsers do."""
    a, b = chroma * np.cos(np.radians(hue)), chroma * np.sin(np.radians(hue))
    to_cones = np.array(
        [
            [1, 0.3963377774, 0.2158037573],
            [1, -0.1055613458, -0.0638541728],
            [1, -0.0894841775, -1.291485548],
        ]
    )
    to_rgb = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.707614701],
        ]
    )
    cones = (to_cones @ [lightness, a, b]) ** 3
    return float((to_rgb @ cones).clip(0, 1) @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("mode", [(), (DARK,)], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_a_browser_shows_the_page_without_a_problem(
    page: str, tmp_path: Path, width: int, mode: tuple[str, ...]
) -> None:
    """There is no error, nothing is fetched or wider than the window, and colours can be read."""
    report = look(page, tmp_path, width, *mode)

    assert report["problems"] == []
    assert report["fetched"] == []
    assert report["width"] == width
    assert report["over"] == []
    assert report["scrolled"] <= width
    assert (_luminance(report["ground"]) < 0.1) == bool(mode)
    for name in ("text", "quiet", "link"):
        assert contrast(report[name], report["ground"]) >= 4.5, name
    assert min(contrast(stroke, report["ground"]) for stroke in report["dots"]) >= 3


def test_a_class_is_shown_alone_from_the_list_and_by_a_tap(page: str, tmp_path: Path) -> None:
    """The list holds the name of every class with dots, and both plots show the chosen class."""
    report = look(page, tmp_path)

    assert report["options"][:4] == ["all", *NAMES[:3]]
    assert report["shown"] == [NAMES[1], NAMES[1]]
    assert report["told"].startswith("Shown: ")
    assert report["reached"] >= 10


def test_without_its_script_the_page_lacks_only_the_list(page: str, tmp_path: Path) -> None:
    """Where scripts are off, the dots are shown and there is no empty list."""
    report = look(re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL), tmp_path)

    assert report["problems"] == []
    assert report["options"] == []
    assert len(report["dots"]) >= 2 * 12


@pytest.mark.parametrize(
    ("planted", "entry"),
    [
        ('<img src="https://example.org/x.png" alt="">', "problems"),
        ("<script>nothing.there()</script>", "problems"),
        ('<div style="width: 2000px; height: 1px"></div>', "over"),
    ],
)
def test_these_tests_notice_a_planted_problem(
    page: str, tmp_path: Path, planted: str, entry: str
) -> None:
    """A picture from outside, a failing script and a wide element are each reported."""
    report = look(page.replace("<main>", "<main>" + planted), tmp_path)

    assert report[entry]
