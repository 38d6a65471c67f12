"""The page in a real Chromium, served by ``python draw.py`` as a user starts it."""

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


@dataclass(kw_only=True)
class Site:
    """The page, open in a browser.

    Attributes
    ----------
    page : Page
    address : str
        The server's URL.
    folder : Path
        Where the server keeps drawings.
    problems : list of str
        Errors of the page, and what it wrote to the browser's console.
    """

    page: Page
    address: str
    folder: Path
    problems: list[str] = field(default_factory=list)

    def log(self, text: str) -> None:
        """Record a line of the console, unless the tests' own reading of canvases caused it."""
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
        """The place of the sheet on the page, in pixels."""
        box = self.page.locator("#sheet").bounding_box()
        assert box is not None
        return box

    def expect_answer(self, label: str) -> None:
        """Wait until the page shows the answer `label`; fail if it does not."""
        expect(self.page.locator("#label")).to_have_text(re.compile(rf"^{label}, \d"))

    def point_of(self, place: tuple[float, float]) -> tuple[float, float]:
        """The row and the column of a drawing at a place on the page."""
        x, y, scale = self.page.locator("#sheet").evaluate(
            """(sheet) => { const box = sheet.getBoundingClientRect();
            return [box.left + sheet.clientLeft, box.top + sheet.clientTop,
              400 / sheet.clientWidth]; }"""
        )
        return (place[1] - y) * scale, (place[0] - x) * scale

    def expect_preview(self, pixels: str) -> None:
        """Wait until the preview shows exactly these pixels, in base64; fail if it does not."""
        self.page.wait_for_function(
            """(pixels) => { const seen = document.getElementById("seen");
            const all = seen.getContext("2d").getImageData(0, 0, seen.width, seen.height);
            const shown = all.data.filter((value, i) => i % 4 === 0);
            return btoa(String.fromCharCode(...shown)) === pixels; }""",
            arg=pixels,
        )

    def hand_over(self, file: Path, kind: str) -> None:
        """Give the page a picture file: ``"paste"``, ``"drop"`` or ``"open"``."""
        if kind == "open":
            self.page.set_input_files("#file", file)
            return
        self.page.evaluate(
            """([kind, data]) => {
            const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], "r.png", { type: "image/png" }));
            const event = kind === "paste"
              ? new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true })
              : new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true });
            document.body.dispatchEvent(event); }""",
            [kind, base64.b64encode(file.read_bytes()).decode()],
        )

    def ink(self) -> int:
        """The number of pixels of the sheet that are not blank."""
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
    """The page, opened anew; a test fails if the page has written to the browser's console."""
    options = getattr(request, "param", {"viewport": {"width": 1100, "height": 900}})
    context = browser.new_context(**options)
    address, folder = server
    opened = Site(page=context.new_page(), address=address, folder=folder)
    opened.page.on("console", lambda message: opened.log(message.text))
    opened.page.on("pageerror", lambda error: opened.problems.append(str(error)))
    opened.page.goto(opened.address)
    expect(opened.page.locator("#about")).to_contain_text("47 classes")
    yield opened
    assert opened.problems == []
    context.close()
    shutil.rmtree(opened.folder, ignore_errors=True)


def test_a_digit_that_is_drawn_is_answered(site: Site) -> None:
    """The page shows the label and five bars, best first, which add up to at most 100 %."""
    site.write("7")
    site.expect_answer("7")

    shares = [float(text.split()[0]) for text in site.page.locator("#top .share").all_inner_texts()]
    names = site.page.locator("#top .name").all_inner_texts()
    assert (len(shares), names[0]) == (5, "7")
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) <= 100.3


def test_the_answer_comes_while_one_draws(site: Site) -> None:
    """The bars of the answer are shown before the mouse button is released."""
    site.page.mouse.move(site.box["x"] + 200, site.box["y"] + 60)
    site.page.mouse.down()
    site.page.mouse.move(site.box["x"] + 205, site.box["y"] + 330, steps=12)

    expect(site.page.locator("#top li")).to_have_count(5)
    site.page.mouse.up()


def test_a_pen_draws_as_wide_as_it_is_pressed(site: Site) -> None:
    """The pressure of a pen is sent with every point; the letter is answered as usual."""
    session = site.page.context.new_cdp_session(site.page)
    force = {"pointerType": "pen", "force": 0.9, "button": "left", "buttons": 1}
    with site.page.expect_response(lambda answer: "strokes" in answer.url) as awaited:
        (places,) = places_on(site.box, "7")
        kinds = ("mousePressed", "mouseMoved", "mouseMoved", "mouseReleased")
        for kind, (x, y) in zip(kinds, [*places, places[-1]], strict=True):
            session.send("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y} | force)

    pressures = [point[2] for point in drawing_sent(awaited.value)["strokes"][0]["points"]]
    assert pressures == pytest.approx([0.9] * len(pressures), abs=0.01)
    site.expect_answer("7")


def test_the_preview_shows_the_image_that_was_classified(site: Site) -> None:
    """The preview, the answer's pixels and the drawing as we prepare it agree byte for byte."""
    end = site.point_of(places_on(site.box, "4")[-1][-1])

    def is_whole(answer: Response) -> bool:
        """Whether both strokes were sent to their ends: what one draws is answered all the time."""
        strokes = drawing_sent(answer)["strokes"] if "strokes" in answer.url else []
        return len(strokes) == 2 and strokes[1]["points"][-1][:2] == pytest.approx(end, abs=0.01)

    with site.page.expect_response(is_whole) as awaited:
        site.write("4")
    answer, sent = awaited.value.json(), drawing_sent(awaited.value)
    site.expect_preview(answer["seen"]["pixels"])
    site.expect_answer("4")
    strokes = (
        Stroke(np.array(stroke["points"], float), stroke["brush"]) for stroke in sent["strokes"]
    )
    bundle = load_bundle(SHIPPED)
    seen = prepare(render(Drawing(sent["rows"], sent["columns"], tuple(strokes))), bundle.spec)

    assert base64.b64decode(answer["seen"]["pixels"]) == seen.tobytes()
    best = int(Classifier(bundle).predict(seen[None])[0].argmax())
    assert bundle.classes[best] == answer["label"]


def test_undo_redo_and_clear_by_button_and_key(site: Site) -> None:
    """Ink and answer follow undo, redo and clear, and undo brings a cleared sheet back."""
    page = site.page
    site.write("T")
    site.expect_answer("T")
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
    site.expect_answer("T")
    page.locator("#sheet").focus()
    page.keyboard.press("Delete")
    assert site.ink() == 0
    page.click("#undo")
    site.expect_answer("T")
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
    site.expect_answer("7")


@pytest.mark.parametrize(
    "site",
    [{"viewport": {"width": 360, "height": 740}, "has_touch": True, "color_scheme": "dark"}],
    indirect=True,
)
def test_a_finger_draws_on_a_phone(site: Site) -> None:
    """On a small dark screen the page does not scroll under the finger, and fits its width."""
    session = site.page.context.new_cdp_session(site.page)
    (places,) = places_on(site.box, "7")

    def touch(kind: str, *fingers: tuple[float, float]) -> None:
        points = [{"x": x, "y": y} for x, y in fingers]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", places[0])
    for place in places[1:]:
        touch("touchMove", place)
    touch("touchEnd")

    site.expect_answer("7")
    assert site.page.evaluate("scrollY") == 0
    assert site.page.evaluate("document.documentElement.scrollWidth") <= 360
    assert site.page.locator("#label").bounding_box()["y"] < 740  # type: ignore[index]  # a label is shown: it has a box


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    """A picture file of the letter R."""
    file = tmp_path / "r.png"
    cv2.imwrite(str(file), photograph("R", Shot()))
    return file


def test_a_picture_is_pasted_dropped_and_opened(site: Site, letter: Path) -> None:
    """A picture file is answered and clears the drawing; undo brings the drawing back."""
    for kind in ("paste", "drop", "open"):
        site.write("7")
        site.expect_answer("7")
        site.hand_over(letter, kind)
        site.expect_answer("R")
        assert site.ink() == 0
        site.page.click("#undo")
        site.expect_answer("7")
        site.page.click("#clear")


def test_a_late_answer_does_not_replace_that_of_a_newer_question(site: Site, letter: Path) -> None:
    """A picture that comes while a drawing is still being answered keeps the last word."""
    site.page.evaluate(
        """() => { const fetch = window.fetch;
        window.late = 0;
        window.fetch = async (path, options) => {
          const answer = await fetch(path, options);
          if (path !== "/predict/strokes") return answer;
          window.late += 1;
          await new Promise((resolve) => setTimeout(resolve, 1000));
          setTimeout(() => { window.late -= 1; }, 100); // by then the page has shown it
          return answer; }; }"""
    )
    site.write("7")
    site.page.wait_for_function("() => window.late > 0")
    site.hand_over(letter, "paste")
    site.expect_answer("R")
    site.page.wait_for_function("() => window.late === 0")
    site.expect_answer("R")


def test_a_drawing_is_kept_on_the_disk_and_deleted_again(site: Site) -> None:
    """A kept drawing lies in the folder of the typed class, new or known, until it is deleted."""
    site.write("E")
    site.expect_answer("E")
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
    """In a narrower window the strokes are drawn anew, and writing over them answers the same."""
    site.write("H")
    site.expect_answer("H")
    wide = site.ink()
    site.page.set_viewport_size({"width": 380, "height": 800})
    site.page.wait_for_timeout(200)
    narrow = site.ink()

    assert 0 < narrow < wide
    site.write("H")  # over the first one: its strokes have kept their places on the sheet
    site.expect_answer("H")


def test_a_file_that_is_not_a_picture_raises_an_alert(site: Site, tmp_path: Path) -> None:
    """The page says so in a line that screen readers read out; the next answer removes the line."""
    file = tmp_path / "notes.png"
    file.write_text("no picture")
    site.page.set_input_files("#file", file)
    alert = site.page.locator("#problem")
    expect(alert).to_contain_text("not a picture")
    assert alert.get_attribute("role") == "alert"
    site.write("7")
    site.expect_answer("7")
    expect(alert).to_be_hidden()
    assert len(site.problems) == 1  # the browser logs the status of every refused request
    assert "415" in site.problems.pop()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_contrast_and_every_control_a_name(
    browser: Browser, server: tuple[str, Path], scheme: str
) -> None:
    """Texts have WCAG AA's contrast of 4.5 to 1, and a screen reader gets each control's name."""
    context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]  # "light" or "dark"
    page = context.new_page()
    page.goto(server[0])
    texts = page.evaluate(
        """() => [...document.querySelectorAll("h1, h2, p, label, button, input, summary, a")]
        .filter((node) => node.offsetParent && !node.disabled)
        .map((node) => { let behind = node;
          const clear = (c) => c === "rgba(0, 0, 0, 0)";
          while (behind.parentElement && clear(getComputedStyle(behind).backgroundColor))
            behind = behind.parentElement;
          return [node.tagName, getComputedStyle(node).color,
            getComputedStyle(behind).backgroundColor]; })"""
    )
    snapshot = json.dumps(page.locator("body").aria_snapshot())
    context.close()

    assert len(texts) > 12
    for tag, colour, background in texts:
        assert contrast(colour, background) >= 4.5, tag
    for name in ("Sheet to draw on", "Undo", "Redo", "Clear", "Brush", "This was a", "Keep"):
        assert name in snapshot


def drawing_sent(answer: Response) -> dict[str, Any]:
    """The drawing in the request of the page that the server answered."""
    drawing = answer.request.post_data_json
    assert isinstance(drawing, dict)
    return drawing


def contrast(colour: str, background: str) -> float:
    """WCAG 2.1's contrast ratio of two colours like ``rgb(0, 0, 0)``."""
    luminances = []
    for text in (colour, background):
        parts = [int(value) / 255 for value in re.findall(r"\d+", text)[:3]]
        linear = [v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
        luminances.append(float(np.dot([0.2126, 0.7152, 0.0722], linear)) + 0.05)
    return max(luminances) / min(luminances)


def test_what_is_not_one_character_is_said_in_words_with_the_guess_in_grey(
    site: Site, tmp_path: Path
) -> None:
    """A number of two digits is no answer: the page says why, and shows the guess as a guess."""
    sheet = np.full((160, 240), 245, np.uint8)
    cv2.putText(sheet, "42", (30, 110), cv2.FONT_HERSHEY_SIMPLEX, 3, 20, 6, cv2.LINE_AA)
    cv2.imwrite(str(tmp_path / "42.png"), sheet)

    site.hand_over(tmp_path / "42.png", "open")

    expect(site.page.locator("#label")).to_have_text(
        re.compile(r"^This does not look like one character: there are several .* Perhaps \w, \d")
    )
    reason, guess = (site.page.locator(f"#label .{part}") for part in ("reason", "guess"))
    colour = "(element) => getComputedStyle(element).color"
    assert reason.evaluate(colour) != guess.evaluate(colour)
    assert site.problems == []
