"""How long it takes from lifting the pen until the page shows the answer.

    python benchmarks/lifting.py

This needs Chromium and playwright. `python draw.py` answers in a process of its own with the
shipped bundle. Characters are written with the mouse, and the page's own clock is read when the
pointer goes up and when the label is set next.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import ROOT
from inkfold.bundle.bundle import SHIPPED
from tests.worlds.browsing import CHROMIUM, places_on
from tests.worlds.drawn_letters import STROKES

ROUNDS = 3
WATCH = """() => { let lifted = 0; window.taken = [];
const now = () => performance.now();
document.getElementById("sheet").addEventListener("pointerup", () => { lifted = now(); });
new MutationObserver(() => { if (lifted) taken.push(now() - lifted); lifted = 0; })
  .observe(document.getElementById("label"), { childList: true, subtree: true });
}"""


def main() -> None:
    """Start the server and a browser, write every character three times, and print the times."""
    line = [sys.executable, str(ROOT / "draw.py"), str(SHIPPED), "--port", "0", "--no-browser"]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(  # noqa: S603, our own script
            [*line, "--keep", folder], stdout=subprocess.PIPE, text=True
        ) as server,
        sync_playwright() as playwright,
    ):
        try:
            address = server.stdout.readline().split()[0] if server.stdout else ""
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page()
            page.goto(address)
            page.evaluate(WATCH)
            for _ in range(ROUNDS):
                for character in STROKES:
                    write(page, character)
            taken = np.array(page.evaluate("window.taken"))
            browser.close()
        finally:
            server.terminate()
    median, slowest = np.percentile(taken, (50, 99))
    sys.stdout.write(
        f"{len(taken)} strokes: median {median:.0f} ms, 99th percentile {slowest:.0f} ms, "
        f"longest {taken.max():.0f} ms from lifting the pen to the answer\n"
    )


def write(page: Page, character: str) -> None:
    """Write a character, wait for its answer, clear the sheet."""
    box = page.locator("#sheet").bounding_box()
    if box is None:
        raise RuntimeError("the page shows no sheet")
    for places in places_on(box, character):
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place)
        page.mouse.up()
        page.wait_for_timeout(150)
    page.keyboard.press("Delete")
    page.wait_for_timeout(100)


if __name__ == "__main__":
    main()
