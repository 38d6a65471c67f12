"""The page in a real Chromium, with the server in a process of its own, as a user starts it."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, FloatRect, Page, Response, expect, sync_playwright

from inkfold.bundle.bundle import SHIPPED, load_bundle
from inkfold.canvas.drawing import Drawing, Stroke, render
from inkfold.classifier import Classifier
from inkfold.picture import prepare, read
from tests.worlds.browsing import CHROMIUM, places_on
from tests.worlds.drawn_letters import Shot, photograph
from tests.worlds.scripts import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium; install Debian's chromium"),
]


@dataclass
class Site:
    """A page that is open: its address, the folder of kept drawings, and what went wrong."""

    page: Page
    address: str
    folder: Path
    problems: list[str] = field(default_factory=list)

    def told(self, text: str) -> None:
        """Keep what the console says, but for what the tests' own reading of canvases brings."""
        if not text.startswith("Canvas2D: Multiple readback operations"):
            self.problems.append(text)

    def write(self, character: str) -> None:
        """Write a character with the mouse, stroke by stroke, in the middle of the sheet."""
        for places in places_on(self.box, character):
            self.page.mouse.move(*places[0])
            self.page.mouse.down()
            for place in places[1:]:
                self.page.mouse.move(*place)
            self.page.mouse.up()

    @property
    def box(self) -> FloatRect:
        """Where the sheet is on the page."""
        box = self.page.locator("#sheet").bounding_box()
        assert box is not None
        return box

    def answers(self, label: str) -> None:
        """Wait for this answer."""
        expect(self.page.locator("#label")).to_have_text(re.compile(rf"^{label}, \d"))

    def ink(self) -> int:
        """Pixels of the sheet that are not blank."""
        return int(
            self.page.evaluate(
                """() => { const sheet = document.getElementById("sheet");
                const all = sheet.getContext("2d").getImageData(0, 0, sheet.width, sheet.height);
                return all.data.filter((value, i) => i % 4 === 3 && value > 0).length; }"""
            )
        )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of the page."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """``python draw.py`` with the bundle that comes along, on a free port."""
    folder = tmp_path_factory.mktemp("draw") / "drawings"
    line = [sys.executable, str(ROOT / "draw.py"), str(SHIPPED), "--port", "0", "--no-browser"]
    with subprocess.Popen(
        [*line, "--keep", str(folder)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[0], folder
        finally:
            process.terminate()


@pytest.fixture
def site(
    browser: Browser, server: tuple[str, Path], request: pytest.FixtureRequest
) -> Iterator[Site]:
    """The page, opened anew; a test fails if anything was told on the console."""
    options = getattr(request, "param", {"viewport": {"width": 1100, "height": 900}})
    context = browser.new_context(**options)
    opened = Site(context.new_page(), *server)
    opened.page.on("console", lambda message: opened.told(message.text))
    opened.page.on("pageerror", lambda error: opened.problems.append(str(error)))
    opened.page.goto(opened.address)
    expect(opened.page.locator("#about")).to_contain_text("47 classes")
    yield opened
    assert opened.problems == []
    context.close()
    shutil.rmtree(opened.folder, ignore_errors=True)


def test_a_digit_that_is_drawn_is_answered(site: Site) -> None:
    """With five bars that add up to at most one, best first."""
    site.write("7")
    site.answers("7")

    shares = [float(text.split()[0]) for text in site.page.locator("#top .share").all_inner_texts()]
    names = site.page.locator("#top .name").all_inner_texts()
    assert (len(shares), names[0]) == (5, "7")
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) <= 100.3


def test_the_answer_comes_while_one_draws(site: Site) -> None:
    """Before the pen is lifted."""
    site.page.mouse.move(site.box["x"] + 200, site.box["y"] + 60)
    site.page.mouse.down()
    site.page.mouse.move(site.box["x"] + 205, site.box["y"] + 330, steps=12)

    expect(site.page.locator("#top li")).to_have_count(5)
    site.page.mouse.up()


def test_a_pen_draws_as_wide_as_it_is_pressed(site: Site) -> None:
    """Its pressure travels with every point; a mouse has none to tell."""
    session = site.page.context.new_cdp_session(site.page)
    force = {"pointerType": "pen", "force": 0.9, "button": "left", "buttons": 1}
    with site.page.expect_response(lambda answer: "strokes" in answer.url) as waited:
        (places,) = places_on(site.box, "7")
        kinds = ("mousePressed", "mouseMoved", "mouseMoved", "mouseReleased")
        for kind, (x, y) in zip(kinds, [*places, places[-1]], strict=True):
            session.send("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y} | force)

    pressures = [point[2] for point in sent(waited.value)["strokes"][0]["points"]]
    assert pressures == pytest.approx([0.9] * len(pressures), abs=0.01)
    site.answers("7")


def test_what_is_shown_as_seen_is_what_was_classified(site: Site) -> None:
    """Byte for byte: the answer's pixels, the preview's, and what our own code makes of them."""
    with site.page.expect_response(
        lambda answer: "strokes" in answer.url and len(sent(answer)["strokes"]) == 2
    ) as waited:
        site.write("4")
    site.answers("4")
    answer, wish = waited.value.json(), sent(waited.value)
    strokes = (Stroke(np.array(one["points"], float), one["brush"]) for one in wish["strokes"])
    bundle = load_bundle(SHIPPED)
    seen = prepare(render(Drawing(wish["rows"], wish["columns"], tuple(strokes))), bundle.spec)
    shown = site.page.evaluate(
        """() => { const seen = document.getElementById("seen");
        const all = seen.getContext("2d").getImageData(0, 0, seen.width, seen.height);
        return [...all.data].filter((value, i) => i % 4 === 0); }"""
    )

    assert base64.b64decode(answer["seen"]["pixels"]) == seen.tobytes() == bytes(shown)
    best = int(Classifier(bundle).predict(seen[None])[0].argmax())
    assert bundle.classes[best] == answer["label"]


def test_undo_redo_and_clear_by_button_and_key(site: Site) -> None:
    """Ink and answer follow; a cleared sheet comes back."""
    page = site.page
    site.write("T")
    site.answers("T")
    whole = site.ink()
    page.click("#undo")
    part = site.ink()
    page.keyboard.press("Control+z")
    expect(page.locator("#label")).to_have_text("Nothing is drawn yet.")
    blank = site.ink()
    page.keyboard.press("Control+Shift+z")
    page.click("#redo")

    assert (site.ink(), blank) == (whole, 0)
    assert 0 < part < whole
    site.answers("T")
    page.locator("#sheet").focus()
    page.keyboard.press("Delete")
    assert site.ink() == 0
    page.click("#undo")
    site.answers("T")
    expect(page.locator("#redo")).to_be_enabled()


def test_the_keyboard_draws_too(site: Site) -> None:
    """Space puts the pen down, arrows move it, brackets change the brush."""
    sheet = site.page.locator("#sheet")
    before = int(site.page.locator("#brush").input_value())
    sheet.focus()
    start = ["ArrowUp"] * 9 + ["ArrowLeft"] * 5
    roof, stem = ["ArrowRight"] * 10, ["ArrowDown", "ArrowDown", "ArrowLeft"] * 9
    for key in ("]", "]", *start, "Space", *roof, *stem, "Space"):
        site.page.keyboard.press(key)

    assert int(site.page.locator("#brush").input_value()) == before + 4
    site.answers("7")


@pytest.mark.parametrize(
    "site",
    [{"viewport": {"width": 360, "height": 740}, "has_touch": True, "color_scheme": "dark"}],
    indirect=True,
)
def test_a_finger_draws_on_a_phone(site: Site) -> None:
    """In the dark; the page does not scroll under the finger and is not wider than the screen."""
    session = site.page.context.new_cdp_session(site.page)
    (places,) = places_on(site.box, "7")

    def touch(kind: str, *there: tuple[float, float]) -> None:
        points = [{"x": x, "y": y} for x, y in there]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", places[0])
    for place in places[1:]:
        touch("touchMove", place)
    touch("touchEnd")

    site.answers("7")
    assert site.page.evaluate("scrollY") == 0
    assert site.page.evaluate("document.documentElement.scrollWidth") <= 360
    assert site.page.locator("#label").bounding_box()["y"] < 740  # type: ignore[index]  # it is there


def test_a_picture_is_pasted_dropped_and_opened(site: Site, tmp_path: Path) -> None:
    """In place of drawing; what was drawn is cleared, which can be taken back."""
    file = tmp_path / "r.png"
    cv2.imwrite(str(file), photograph("R", Shot()))
    data = base64.b64encode(file.read_bytes()).decode()
    hand_over = """([kind, data]) => {
        const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
        const transfer = new DataTransfer();
        transfer.items.add(new File([bytes], "r.png", { type: "image/png" }));
        const event = kind === "paste"
          ? new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true })
          : new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true });
        document.body.dispatchEvent(event); }"""
    for kind in ("paste", "drop", "open"):
        site.write("7")
        site.answers("7")
        if kind == "open":
            site.page.set_input_files("#file", file)
        else:
            site.page.evaluate(hand_over, [kind, data])
        site.answers("R")
        assert site.ink() == 0
        site.page.click("#undo")
        site.answers("7")
        site.page.click("#clear")


def test_a_drawing_is_kept_on_the_disk_and_deleted_again(site: Site) -> None:
    """In the folder of the class that was typed; a new name is allowed."""
    site.write("E")
    site.answers("E")
    offered = site.page.locator("#classes option").count()
    site.page.fill("#name", "epsilon/1")
    site.page.click("#keep-it")
    expect(site.page.locator("#kept li")).to_have_count(1)
    (file,) = site.folder.rglob("*.png")
    kept = read(file)
    site.page.click("#kept button")
    expect(site.page.locator("#kept li")).to_have_count(0)

    assert offered == 47
    assert kept.shape == (400, 400)
    assert (kept < 128).sum() > 1000
    assert file.parent.name == "epsilon%2F1"
    assert list(site.folder.rglob("*.png")) == []


def test_a_drawing_survives_another_size_of_the_window(site: Site) -> None:
    """Its strokes are drawn anew, as fine as the screen; the answer stays."""
    site.write("H")
    site.answers("H")
    wide = site.ink()
    site.page.set_viewport_size({"width": 380, "height": 800})
    site.page.wait_for_timeout(200)
    narrow = site.ink()

    assert 0 < narrow < wide
    site.write("H")  # over the first one: the places are those of the sheet still
    site.answers("H")


def test_a_picture_that_is_none_is_told(site: Site, tmp_path: Path) -> None:
    """In a line that screen readers read out; the next answer takes it away."""
    file = tmp_path / "notes.png"
    file.write_text("no picture")
    site.page.set_input_files("#file", file)
    alert = site.page.locator("#problem")
    expect(alert).to_contain_text("not a picture")
    assert alert.get_attribute("role") == "alert"
    site.write("7")
    site.answers("7")
    expect(alert).to_be_hidden()
    assert len(site.problems) == 1  # the browser tells the status of every refused request
    assert "415" in site.problems.pop()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_contrast_and_every_control_a_name(
    browser: Browser, server: tuple[str, Path], scheme: str
) -> None:
    """WCAG AA: 4.5 to 1; names as a screen reader gets them."""
    context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]  # one of the two
    page = context.new_page()
    page.goto(server[0])
    found = page.evaluate(
        """() => [...document.querySelectorAll("h1, h2, p, label, button, input, summary, a")]
        .filter((one) => one.offsetParent && !one.disabled)
        .map((one) => { let behind = one;
          const clear = (c) => c === "rgba(0, 0, 0, 0)";
          while (behind.parentElement && clear(getComputedStyle(behind).backgroundColor))
            behind = behind.parentElement;
          return [one.tagName, getComputedStyle(one).color,
            getComputedStyle(behind).backgroundColor]; })"""
    )
    snapshot = json.dumps(page.locator("body").aria_snapshot())
    context.close()

    assert len(found) > 12
    for what, text, ground in found:
        assert contrast(text, ground) >= 4.5, what
    for name in ("Sheet to draw on", "Undo", "Redo", "Clear", "Brush", "This was a", "Keep"):
        assert name in snapshot


def sent(answer: Response) -> dict[str, Any]:
    """What the page had asked."""
    wish = answer.request.post_data_json
    assert isinstance(wish, dict)
    return wish


def contrast(one: str, other: str) -> float:
    """Of two colours as a browser tells them (WCAG 2.1, contrast ratio)."""
    lights = []
    for colour in (one, other):
        parts = [int(value) / 255 for value in re.findall(r"\d+", colour)[:3]]
        linear = [v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
        lights.append(float(np.dot([0.2126, 0.7152, 0.0722], linear)) + 0.05)
    return max(lights) / min(lights)
