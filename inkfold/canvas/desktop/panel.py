"""The widgets of the window: what is shown and where. What they do is window's concern."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Mapping, Sequence
from tkinter import ttk

import cv2

from inkfold.canvas.curve import smoothed
from inkfold.canvas.drawing import THINNEST, Drawing
from inkfold.canvas.recogniser import SHOWN, Answer

PREVIEW = 160  # side of the enlarged image that the network sees, in pixels
BAR, HEIGHT = 180, 16  # width and height of a full bar, in pixels
REASONS = {
    "several": "there are several bodies of ink",
    "not writing": "the ink is not that of writing",
    "unlike": "it is unlike all that was learned",
}
KEYS = {
    "<Control-z>": "undo",
    "<Control-Shift-Z>": "redo",
    "<Control-y>": "redo",
    "<Delete>": "clear",
}


class Panel:
    """The window's widgets.

    Parameters
    ----------
    root : tkinter.Tk
    side : int
        Height and width of the sheet, in pixels.
    classes : sequence of str
        The names that are offered when a drawing is kept.
    actions : mapping of str to callable
        What the buttons "undo", "redo", "clear" and "keep" do.

    Attributes
    ----------
    sheet : tkinter.Canvas
        The canvas that is drawn on.
    """

    def __init__(
        self,
        root: tk.Tk,
        side: int,
        classes: Sequence[str],
        actions: Mapping[str, Callable[[], None]],
    ) -> None:
        left, right = ttk.Frame(root, padding=12), ttk.Frame(root, padding=12)
        left.grid(row=0, column=0, sticky="n")
        right.grid(row=0, column=1, sticky="n")
        self.sheet = tk.Canvas(
            left, width=side, height=side, background="white", cursor="crosshair", takefocus=True
        )
        self.sheet.pack()
        self._buttons: dict[str, ttk.Button] = {}
        self._brush = tk.IntVar(root, 16)
        self._add_tools(left, actions)
        self._label = ttk.Label(right, font=("TkDefaultFont", 20), anchor="w", width=24)
        self._label.pack(anchor="w")
        self._bars = [_Bar(right) for _ in range(SHOWN)]
        ttk.Label(right, text="What the network sees").pack(anchor="w", pady=(12, 0))
        self._seen = tk.Label(right, borderwidth=1, relief="solid")
        self._seen.pack(anchor="w")
        self._name = tk.StringVar(root)
        self._add_keeping(right, classes, actions["keep"])
        # below everything, so that nothing moves under the pointer when a reason appears
        self._withheld = ttk.Label(
            right, foreground="#57564f", wraplength=340, font=("TkDefaultFont", 11)
        )
        self._withheld.pack(anchor="w")
        for keys, name in KEYS.items():
            root.bind(keys, lambda event, name=name: self._key_pressed(event, actions[name]))  # type: ignore[misc]  # a default argument keeps this turn's name
        for keys, step in (("<bracketleft>", -2), ("<bracketright>", 2)):
            root.bind(keys, lambda _event, step=step: self._brush.set(self._brush.get() + step))  # type: ignore[misc]  # a default argument keeps this turn's step

    def _add_tools(self, frame: ttk.Frame, actions: Mapping[str, Callable[[], None]]) -> None:
        tools = ttk.Frame(frame)
        tools.pack(anchor="w", pady=(8, 0))
        for name in ("undo", "redo", "clear"):
            self._buttons[name] = ttk.Button(tools, text=name.capitalize(), command=actions[name])
            self._buttons[name].pack(side="left")
        ttk.Label(tools, text="Brush").pack(side="left", padx=(12, 4))
        ttk.Scale(tools, from_=4, to=40, variable=self._brush).pack(side="left")

    def _add_keeping(
        self, frame: ttk.Frame, classes: Sequence[str], keep: Callable[[], None]
    ) -> None:
        keeping = ttk.Frame(frame)
        keeping.pack(anchor="w", pady=(12, 0))
        ttk.Label(keeping, text="This was a").pack(side="left")
        names = ttk.Combobox(keeping, textvariable=self._name, values=list(classes), width=10)
        names.pack(side="left", padx=6)
        names.bind("<Return>", lambda _event: keep())
        self._buttons["keep"] = ttk.Button(keeping, text="Keep", command=keep)
        self._buttons["keep"].pack(side="left")
        self._message = ttk.Label(frame, wraplength=320)
        self._message.pack(anchor="w", pady=(6, 0))

    def _key_pressed(self, event: tk.Event[tk.Misc], action: Callable[[], None]) -> None:
        if not isinstance(event.widget, ttk.Combobox):  # in the name field keys edit the text
            action()

    @property
    def brush(self) -> float:
        """Width of the brush, in pixels."""
        return float(min(max(self._brush.get(), 1), 200))

    @property
    def name(self) -> str:
        """The class name that was typed or chosen."""
        return self._name.get()

    def show_message(self, text: str) -> None:
        """Show a line of text below the other widgets."""
        self._message.configure(text=text)

    def enable(self, **enabled: bool) -> None:
        """Switch buttons on and off: ``enable(undo=True, redo=False)``."""
        for name, on in enabled.items():
            self._buttons[name].state(["!disabled" if on else "disabled"])

    def show_drawing(self, drawing: Drawing) -> None:
        """Draw all strokes anew, along the same curves as `render`."""
        self.sheet.delete("ink")
        for stroke in drawing.strokes:
            curve = smoothed(stroke.points)[:, 1::-1]
            places = curve.flatten().tolist()
            share = THINNEST + 2 * (1 - THINNEST) * float(stroke.points[0, 2])
            self.sheet.create_line(
                *places, width=stroke.brush * share, capstyle="round", joinstyle="round", tags="ink"
            )

    def extend(self, points: Sequence[tuple[float, float, float]]) -> None:
        """Add straight lines between points (row, column, pressure); quick, and not smoothed."""
        places = [place for row, column, _ in points for place in (column, row)]
        self.sheet.create_line(*places, width=self.brush, capstyle="round", tags="ink")

    def show_answer(self, answer: Answer) -> None:
        """Show the label, the bars, and the image that the network saw, enlarged."""
        self._label.configure(text=_in_words(answer))
        self._withheld.configure(text=_why_withheld(answer))
        pairs = list(zip(answer.labels, answer.probabilities, strict=True))
        for at, bar in enumerate(self._bars):
            bar.show(*(pairs[at] if at < len(pairs) else ("", 0.0)))
        large = cv2.resize(answer.seen, (PREVIEW, PREVIEW), interpolation=cv2.INTER_NEAREST)
        head = f"P5 {PREVIEW} {PREVIEW} 255 ".encode()
        data = head + large.tobytes()
        self._picture = tk.PhotoImage(data=data, format="PPM")  # kept, for Tk keeps no reference
        self._seen.configure(image=self._picture)


class _Bar:
    """One row of the answer: a class, its probability as a bar, and as a percentage."""

    def __init__(self, parent: ttk.Frame) -> None:
        frame = ttk.Frame(parent)
        frame.pack(anchor="w", pady=1)
        self._name = ttk.Label(frame, width=8, font=("TkDefaultFont", 12))
        self._name.pack(side="left")
        self._canvas = tk.Canvas(frame, width=BAR, height=HEIGHT, background="#e6e5e0")
        self._canvas.pack(side="left")
        self._share = ttk.Label(frame, width=8, anchor="e")
        self._share.pack(side="left")

    def show(self, name: str, probability: float) -> None:
        self._name.configure(text=name)
        self._share.configure(text=f"{100 * probability:.1f} %" if name else "")
        self._canvas.delete("all")
        width = round(BAR * probability)
        self._canvas.create_rectangle(0, 0, width, HEIGHT + 4, fill="#1f5fa8", width=0)


def _in_words(answer: Answer) -> str:
    if not answer.labels:
        return "Nothing is drawn yet."
    if _why_withheld(answer):
        return "?"
    return _guess(answer) if answer.sure else f"Not sure: perhaps {_guess(answer)}"


def _why_withheld(answer: Answer) -> str:
    """Why the picture does not look like one character, and the guess; empty where it does."""
    reason = REASONS.get(answer.flag or "")
    if reason is None or answer.sure:
        return ""
    return f"This does not look like one character: {reason}. Perhaps {_guess(answer)}."


def _guess(answer: Answer) -> str:
    return f"{answer.labels[0]}, {100 * answer.probabilities[0]:.1f} %"
