"""The window, opened on a virtual screen and used with mouse and keys."""

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
SIZE = (1000, 600)  # of the screen: width and height in pixels
BAR = (31, 95, 168)  # colour of the five bars: red, green, blue


@dataclass(frozen=True, kw_only=True)
class Screen:
    """A virtual screen with the window on it.

    Attributes
    ----------
    display : str
        The X display, such as ``:1``.
    memory : Path
        Xvfb's file with the pixels of the screen.
    window : str
        The window's number, for xdotool.
    folder : Path
        Where drawings are kept.
    """

    display: str
    memory: Path
    window: str
    folder: Path

    def do(self, *words: object) -> str:
        """Run an xdotool command on the screen; its output."""
        return xdotool(self.display, *words)

    def write(self, character: str) -> None:
        """Write a character with the mouse, stroke by stroke."""
        for stroke in STROKES[character]:
            places = [(round(100 + 220 * column), round(60 + 280 * row)) for column, row in stroke]
            self.do("mousemove", "--window", self.window, *places[0], "mousedown", 1)
            for (x0, y0), (x1, y1) in itertools.pairwise(places):
                # 20 pixels a move, as of a quick hand
                for share in np.linspace(0, 1, 2 + int(np.hypot(x1 - x0, y1 - y0) / 20))[1:]:
                    place = (round(x0 + share * (x1 - x0)), round(y0 + share * (y1 - y0)))
                    self.do("mousemove", "--window", self.window, *place)
            self.do("mouseup", 1)
        self.do("mousemove", "--window", self.window, 600, 440)  # or the pointer counts as ink

    def pixels(self) -> NDArray[np.uint8]:
        """The screen as uint8 (rows, columns, RGB), read from Xvfb's file in XWD's format."""
        data = self.memory.read_bytes()
        head = struct.unpack(">25I", data[:100])
        start, columns, rows, line = head[0] + 12 * head[19], head[4], head[5], head[12]
        plane = np.frombuffer(data[start : start + rows * line], np.uint8)
        return plane.reshape(rows, line // 4, 4)[:, :columns, 2::-1]

    def ink(self) -> int:
        """The number of black pixels on the sheet."""
        return int((self.pixels()[20:410, 40:420] == 0).all(axis=2).sum())

    def bars(self) -> int:
        """The number of pixels that the five bars fill."""
        return int((self.pixels() == BAR).all(axis=2).sum())


def xdotool(display: str, *words: object) -> str:
    """Run an xdotool command on an X display; its output."""
    line = ["xdotool", *map(str, words)]
    done = subprocess.run(
        line, env=os.environ | {"DISPLAY": display}, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def comes_true(condition: Callable[[], object], seconds: float = 20) -> bool:
    """Whether a condition comes true within some seconds."""
    end = time.monotonic() + seconds
    while not (result := condition()) and time.monotonic() < end:
        time.sleep(0.1)
    return bool(result)


def settled(measure: Callable[[], tuple[int, int]], seconds: float = 0.5) -> tuple[int, int]:
    """What `measure` gives once it has not changed for some seconds."""
    last, since = measure(), time.monotonic()
    while time.monotonic() - since < seconds:
        time.sleep(0.05)
        if (now := measure()) != last:
            last, since = now, time.monotonic()
    return last


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    """A new virtual screen, and ``python draw.py --desktop`` on it."""
    if MISSING:
        pytest.skip(f"{' and '.join(MISSING)} not installed; Debian: apt install xvfb xdotool")
    pytest.importorskip("tkinter", reason="Python has no Tk; Debian: apt install python3-tk")
    reading, writing = os.pipe()
    server = ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24"]
    line = [sys.executable, str(ROOT / "draw.py"), str(SHIPPED), "--desktop"]
    with subprocess.Popen(
        [*server, "-fbdir", str(tmp_path)], pass_fds=[writing], stderr=subprocess.DEVNULL
    ) as xvfb:
        os.close(writing)
        with os.fdopen(reading) as pipe:
            display = f":{pipe.readline().strip()}"
        environment = os.environ | {"DISPLAY": display}
        with subprocess.Popen([*line, "--keep", str(tmp_path / "kept")], env=environment) as window:
            try:
                search = ("search", "--onlyvisible", "--name", "Inkfold")
                assert comes_true(lambda: xdotool(display, *search))
                opened = Screen(
                    display=display,
                    memory=tmp_path / "Xvfb_screen0",
                    window=xdotool(display, *search).splitlines()[0],
                    folder=tmp_path / "kept",
                )
                assert comes_true(lambda: (opened.pixels()[20:400, 40:420] == 255).mean() > 0.99)
                yield opened
            finally:
                window.terminate()
                assert window.wait(20) == 143  # the signal ends it though Tk waits for events
                xvfb.terminate()


@pytest.mark.slow
def test_a_letter_is_drawn_answered_undone_and_kept(screen: Screen) -> None:
    """Mouse, keys and the field of names work in the window; a kept drawing is a file of ink."""
    screen.write("K")
    assert comes_true(lambda: screen.bars() > 500)
    whole, filled = settled(lambda: (screen.ink(), screen.bars()))
    screen.do("key", "ctrl+z")
    assert comes_true(lambda: 0 < screen.ink() < whole)
    screen.do("key", "ctrl+z")
    assert comes_true(lambda: (screen.ink(), screen.bars()) == (0, 0))
    screen.do("key", "ctrl+shift+z", "key", "ctrl+y")
    assert comes_true(lambda: (screen.ink(), screen.bars()) == (whole, filled))
    screen.do("key", "Delete")
    assert comes_true(lambda: screen.ink() == 0)
    screen.do("key", "ctrl+z")
    assert comes_true(lambda: screen.ink() == whole)

    screen.do("mousemove", "--window", screen.window, 600, 385, "click", 1)
    screen.do("type", "kay")
    screen.do("key", "Return")

    assert comes_true(lambda: list(screen.folder.rglob("*.png")))
    (file,) = screen.folder.rglob("*.png")
    assert file.parent.name == "kay"
    drawing = read(file)
    assert (drawing < 128).sum() == pytest.approx(whole, rel=0.1)
    answer = Recogniser(Classifier(load_bundle(SHIPPED))).answer(drawing)
    assert answer.labels[0] == "K"  # the quick stroke has kept its corner
    assert comes_true(lambda: screen.ink() == 0)


def test_without_tk_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--desktop on a Python without Tk ends with exit code 2 and the package to install."""
    real_import = builtins.__import__

    def without_tk(name: str, *arguments: object, **options: object) -> object:
        if name == "tkinter":
            raise ImportError(name)
        return real_import(name, *arguments, **options)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(builtins, "__import__", without_tk)

    assert main([str(SHIPPED), "--desktop"]) == 2
    assert "python3-tk" in capsys.readouterr().err


def test_without_a_screen_the_error_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--desktop without an X display ends with exit code 2 and the reason."""
    pytest.importorskip("tkinter", reason="Python has no Tk; Debian: apt install python3-tk")
    if sys.platform != "linux":
        pytest.skip("only X needs DISPLAY")
    monkeypatch.delenv("DISPLAY", raising=False)

    assert main([str(SHIPPED), "--desktop"]) == 2
    assert "no window can be opened" in capsys.readouterr().err
