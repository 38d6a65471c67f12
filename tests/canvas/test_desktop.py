"""The window, really opened on a screen of its own and worked with mouse and keys."""

from __future__ import annotations

import builtins
import itertools
import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from inkfold.bundle.bundle import SHIPPED, load_bundle
from inkfold.canvas.recogniser import Recogniser
from inkfold.classifier import Classifier
from inkfold.commands.draw import main
from inkfold.picture import read
from tests.worlds.drawn_letters import STROKES
from tests.worlds.scripts import ROOT

NEEDED = ("Xvfb", "xdotool")
MISSING = [name for name in NEEDED if shutil.which(name) is None]
SIZE = (1000, 600)
BAR = (31, 95, 168)  # their colour


@dataclass(frozen=True)
class Screen:
    """A screen with the window on it."""

    display: str
    memory: Path
    window: str
    folder: Path

    def do(self, *words: object) -> str:
        """One xdotool command."""
        return xdotool(self.display, *words)

    def write(self, character: str) -> None:
        """Write a character with the mouse, stroke by stroke."""
        for stroke in STROKES[character]:
            places = [(round(100 + 220 * column), round(60 + 280 * row)) for column, row in stroke]
            self.do("mousemove", "--window", self.window, *places[0], "mousedown", 1)
            for (x0, y0), (x1, y1) in itertools.pairwise(
                places
            ):  # as a quick hand, 20 pixels a move
                for share in np.linspace(0, 1, 2 + int(np.hypot(x1 - x0, y1 - y0) / 20))[1:]:
                    place = (round(x0 + share * (x1 - x0)), round(y0 + share * (y1 - y0)))
                    self.do("mousemove", "--window", self.window, *place)
            self.do("mouseup", 1)
        self.do("mousemove", "--window", self.window, 600, 440)  # or the pointer counts as ink

    def pixels(self) -> NDArray[np.uint8]:
        """What the screen shows, (rows, columns, RGB), read from Xvfb's file in XWD's format."""
        data = self.memory.read_bytes()
        head = struct.unpack(">25I", data[:100])
        start, columns, rows, line = head[0] + 12 * head[19], head[4], head[5], head[12]
        plane = np.frombuffer(data[start : start + rows * line], np.uint8)
        return plane.reshape(rows, line // 4, 4)[:, :columns, 2::-1]

    def ink(self) -> int:
        """Black pixels of the sheet."""
        return int((self.pixels()[20:410, 40:420] == 0).all(axis=2).sum())

    def bars(self) -> int:
        """Pixels that the five bars fill."""
        return int((self.pixels() == BAR).all(axis=2).sum())


def xdotool(display: str, *words: object) -> str:
    """Run it on a display; what it prints."""
    line = ["xdotool", *map(str, words)]
    done = subprocess.run(
        line, env=os.environ | {"DISPLAY": display}, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def waited(what: Callable[[], object], seconds: float = 20) -> bool:
    """Whether it comes true in time."""
    end = time.monotonic() + seconds
    while not (found := what()) and time.monotonic() < end:
        time.sleep(0.1)
    return bool(found)


def settled(what: Callable[[], tuple[int, int]], seconds: float = 0.5) -> tuple[int, int]:
    """What it is when it has stayed the same for so long."""
    found, since = what(), time.monotonic()
    while time.monotonic() - since < seconds:
        time.sleep(0.05)
        if (now := what()) != found:
            found, since = now, time.monotonic()
    return found


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    """A screen of its own, and ``python draw.py --desktop`` on it."""
    if MISSING:
        pytest.skip(f"{' and '.join(MISSING)} not installed; Debian: apt install xvfb xdotool")
    pytest.importorskip("tkinter", reason="Python has no Tk; Debian: apt install python3-tk")
    reading, writing = os.pipe()
    server = ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24"]
    line = [sys.executable, str(ROOT / "draw.py"), str(SHIPPED), "--desktop"]
    with subprocess.Popen(
        [*server, "-fbdir", str(tmp_path)], pass_fds=[writing], stderr=subprocess.DEVNULL
    ) as shown:
        os.close(writing)
        with os.fdopen(reading) as told:
            display = f":{told.readline().strip()}"
        environment = os.environ | {"DISPLAY": display}
        with subprocess.Popen([*line, "--keep", str(tmp_path / "kept")], env=environment) as window:
            try:
                search = ("search", "--onlyvisible", "--name", "Inkfold")
                assert waited(lambda: xdotool(display, *search))
                found = xdotool(display, *search).splitlines()[0]
                opened = Screen(display, tmp_path / "Xvfb_screen0", found, tmp_path / "kept")
                assert waited(lambda: (opened.pixels()[20:400, 40:420] == 255).mean() > 0.99)
                yield opened
            finally:
                window.terminate()
                assert window.wait(20) == 143  # it hears the signal though Tk waits for events
                shown.terminate()


@pytest.mark.slow
def test_a_letter_is_drawn_answered_undone_and_kept(screen: Screen) -> None:
    """With the mouse, the keys and the field of names; what is kept lies on the disk."""
    screen.write("K")
    assert waited(lambda: screen.bars() > 500)
    whole, filled = settled(lambda: (screen.ink(), screen.bars()))
    screen.do("key", "ctrl+z")
    assert waited(lambda: 0 < screen.ink() < whole)
    screen.do("key", "ctrl+z")
    assert waited(lambda: (screen.ink(), screen.bars()) == (0, 0))
    screen.do("key", "ctrl+shift+z", "key", "ctrl+y")
    assert waited(lambda: (screen.ink(), screen.bars()) == (whole, filled))
    screen.do("key", "Delete")
    assert waited(lambda: screen.ink() == 0)
    screen.do("key", "ctrl+z")
    assert waited(lambda: screen.ink() == whole)

    screen.do("mousemove", "--window", screen.window, 600, 385, "click", 1)
    screen.do("type", "kay")
    screen.do("key", "Return")

    assert waited(lambda: list(screen.folder.rglob("*.png")))
    (file,) = screen.folder.rglob("*.png")
    assert file.parent.name == "kay"
    drawing = read(file)
    assert (drawing < 128).sum() == pytest.approx(whole, rel=0.1)
    answer = Recogniser(Classifier(load_bundle(SHIPPED))).answer(drawing)
    assert answer.labels[0] == "K"  # its corner was not lost to a quick hand
    assert waited(lambda: screen.ink() == 0)


def test_without_tk_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line, with exit code 2."""
    whole = builtins.__import__

    def without(name: str, *words: object, **more: object) -> object:
        if name == "tkinter":
            raise ImportError(name)
        return whole(name, *words, **more)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr(builtins, "__import__", without)

    assert main([str(SHIPPED), "--desktop"]) == 2
    assert "python3-tk" in capsys.readouterr().err


def test_without_a_screen_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And names the page as the other way."""
    pytest.importorskip("tkinter", reason="Python has no Tk; Debian: apt install python3-tk")
    if sys.platform != "linux":
        pytest.skip("only X needs DISPLAY")
    monkeypatch.delenv("DISPLAY", raising=False)

    assert main([str(SHIPPED), "--desktop"]) == 2
    assert "no window can be opened" in capsys.readouterr().err
