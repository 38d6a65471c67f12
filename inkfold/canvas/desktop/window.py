"""The window to write on: handles mouse and keys, asks for answers, and keeps drawings."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from inkfold.canvas.drawing import Drawing, History, Stroke, render
from inkfold.canvas.kept_drawings import KeptDrawings
from inkfold.canvas.recogniser import Answer, Recogniser
from inkfold.errors import InkfoldError

if TYPE_CHECKING:
    import tkinter as tk

SIDE = 400  # height and width of the sheet, in pixels
TK_MISSING = (
    "Python here has no Tk, which the window needs; install it (Debian, Ubuntu: python3-tk; "
    "Fedora: python3-tkinter; macOS with Homebrew: python-tk), or leave --desktop out"
)
AWAKE = 200  # milliseconds between two runs of Python while Tk waits for events
POLL = 5  # milliseconds between two checks whether an answer is ready


def open_window(recogniser: Recogniser, folder: Path) -> None:
    """Show the window until it is closed.

    Raises
    ------
    InkfoldError
        If Tk is not installed, or no screen is available.
    """
    try:
        import tkinter as tk
    except ImportError:
        raise InkfoldError(TK_MISSING) from None
    try:
        root = tk.Tk(className="Inkfold")
    except tk.TclError as error:
        raise InkfoldError(
            f"no window can be opened ({error}); leave --desktop out and use the page"
        ) from None
    collection = KeptDrawings(folder)
    collection.sweep()
    Window(root, recogniser, collection)
    _stay_awake(root)
    root.mainloop()


def _stay_awake(root: tk.Tk) -> None:
    """Run Python every `AWAKE` ms: signals are handled by Python, and Tk's wait keeps it idle."""
    root.after(AWAKE, _stay_awake, root)


class Window:
    """The behaviour of the window.

    Parameters
    ----------
    root : tkinter.Tk
    recogniser : Recogniser
    collection : KeptDrawings
        Where drawings are kept.
    """

    def __init__(self, root: tk.Tk, recogniser: Recogniser, collection: KeptDrawings) -> None:
        from inkfold.canvas.desktop.panel import Panel

        self._root, self._recogniser, self._collection = root, recogniser, collection
        self._history = History()
        self._points: list[tuple[float, float, float]] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="answer")
        self._pending: Future[Answer] | None = None
        self._stale = False  # whether the sheet has changed since the pending answer was asked for
        root.title("Inkfold: write a character")
        self._panel = Panel(
            root,
            SIDE,
            recogniser.classes,
            {
                "undo": lambda: self._change(self._history.undo()),
                "redo": lambda: self._change(self._history.redo()),
                "clear": lambda: self._change(self._history.clear()),
                "keep": self._keep,
            },
        )
        sheet = self._panel.sheet
        sheet.bind("<ButtonPress-1>", self._began)
        sheet.bind("<B1-Motion>", self._moved)
        sheet.bind("<ButtonRelease-1>", self._ended)
        self._answer()

    def _began(self, event: tk.Event[tk.Misc]) -> None:
        self._points = [(event.y, event.x, 0.5)]
        self._panel.sheet.focus_set()
        self._show()

    def _moved(self, event: tk.Event[tk.Misc]) -> None:
        if not self._points:
            return
        self._points.append((event.y, event.x, 0.5))
        self._panel.extend(self._points[-2:])
        self._answer()

    def _ended(self, _event: tk.Event[tk.Misc]) -> None:
        if self._points:
            stroke = self._stroke()
            self._points = []
            self._change(self._history.drawn(stroke))

    def _stroke(self) -> Stroke:
        import numpy as np

        return Stroke(np.array(self._points, float), self._panel.brush)

    def _drawing(self) -> Drawing:
        current = (self._stroke(),) if self._points else ()
        return Drawing(SIDE, SIDE, (*self._history.strokes, *current))

    def _change(self, history: History) -> None:
        self._history = history
        self._show()
        self._answer()

    def _show(self) -> None:
        self._panel.show_drawing(self._drawing())
        self._panel.enable(
            undo=bool(self._history.done),
            redo=bool(self._history.undone),
            clear=bool(self._history.strokes),
            keep=bool(self._history.strokes),
        )

    def _answer(self) -> None:
        """Ask for an answer to the drawing in a thread, unless an answer is pending.

        The thread keeps Tk free: while Tk is busy it joins the pointer's moves into one event, and
        a fast stroke would lose its corners.
        """
        self._stale = True
        if self._pending is None:
            self._stale = False
            drawing = self._drawing()
            self._pending = self._thread.submit(
                lambda: self._recogniser.answer(render(drawing), drawn=True)
            )
            self._root.after(POLL, self._show_answer)

    def _show_answer(self) -> None:
        """Show the pending answer when it is ready; ask again if the sheet has changed since."""
        if self._pending is None:
            return
        if not self._pending.done():
            self._root.after(POLL, self._show_answer)
            return
        pending, self._pending = self._pending, None
        try:
            self._panel.show_answer(pending.result())
        except InkfoldError as error:  # the drawing has too much ink, or the network no answer
            self._panel.show_message(f"No answer: {error}")
        if self._stale:
            self._answer()

    def _keep(self) -> None:
        try:
            kept = self._collection.keep(render(self._drawing()), self._panel.name)
        except InkfoldError as error:
            self._panel.show_message(f"Not kept: {error}")
            return
        self._panel.show_message(f"Kept: {self._collection.folder / kept.folder / kept.file}")
        self._change(self._history.clear())
