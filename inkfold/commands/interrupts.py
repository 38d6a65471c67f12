"""Ctrl-C at any moment of a program: one line and exit code 130, from its imports to its end.

Importing this module makes an interrupt outside of a command's run (while modules are imported, or
after the run) end the program in one line; `ending_on_signals` is for the run itself. A program
that was started with a signal ignored, as a shell starts one in the background, stays so.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # typing takes milliseconds to import, in which Ctrl-C is not yet caught
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType, TracebackType

LINE = b"interrupted\n"
INTERRUPTED = 130  # 128 and the number of SIGINT, as shells have it
SOON = 0.05  # seconds after which it is looked whether the exception of a signal was dropped


def is_interrupt(error: BaseException | None) -> bool:
    """Whether an interrupt is the error itself or what led to it.

    An interrupt in the middle of an import may come out as RuntimeError or ImportError.
    """
    return _came_of(error, KeyboardInterrupt)


def _came_of(error: BaseException | None, kind: type[BaseException]) -> bool:
    """Whether an error is of a kind, or was raised because of one or while one was handled."""
    seen: list[BaseException] = []
    while error is not None and not any(error is other for other in seen):
        if isinstance(error, kind):
            return True
        seen.append(error)
        error = error.__cause__ or error.__context__
    return False


def _end_at_once() -> None:
    os.write(2, LINE)
    os._exit(INTERRUPTED)


def _tell(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """What is done with an exception that nothing catches."""
    if is_interrupt(error):
        _end_at_once()
    sys.__excepthook__(kind, error, traceback)


def _tell_dropped(dropped: sys.UnraisableHookArgs) -> None:
    """What is done with an exception that Python drops, as in a callback of the import system."""
    if is_interrupt(dropped.exc_value):
        _end_at_once()
    sys.__unraisablehook__(dropped)


# Whoever has set hooks of their own (a test runner, a notebook) sees interrupts as before.
if sys.excepthook is sys.__excepthook__ and sys.unraisablehook is sys.__unraisablehook__:
    sys.excepthook, sys.unraisablehook = _tell, _tell_dropped

import _thread  # noqa: E402, an interrupt is told in one line from here on
import atexit  # noqa: E402, same
import signal  # noqa: E402, same
import threading  # noqa: E402, same
import time  # noqa: E402, same
from contextlib import contextmanager  # noqa: E402, same

if sys.excepthook is _tell:
    # what was registered first runs last: nothing is left to interrupt while Python takes itself
    # down, and there its handlers would be called in the middle of that
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)


@contextmanager
def ending_on_signals(received: list[int]) -> Iterator[None]:
    """Within the block SIGINT and SIGTERM raise SystemExit with 128 and their number.

    A second signal ends the process at once. The handlers are put back when the block ends. Outside
    of the main thread, where Python has no handlers, nothing is done.

    Parameters
    ----------
    received : list of int
        The number of a signal is appended when it comes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ending = _Ending(received, sys.unraisablehook)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    sys.unraisablehook = ending.tell_dropped
    try:
        for number, handler in handlers.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, ending.end)
        yield
    finally:
        ending.stop()
        for number, handler in handlers.items():
            signal.signal(number, handler)
        sys.unraisablehook = ending.hook_before


def pass_on(number: int) -> None:
    """Call the handler that the calling program has set for a signal, which was held back."""
    handler = signal.getsignal(number)
    if callable(handler) and handler is not signal.default_int_handler:
        signal.raise_signal(number)


class _Ending:
    """What a signal does during a run.

    Its exception may be dropped: by Python in a destructor, or by C code that takes every error for
    its own (NumPy does, where an array of JAX is waited for). So a thread looks whether the run is
    ending, and raises the signal again where it goes on.
    """

    def __init__(
        self, received: list[int], hook_before: Callable[[sys.UnraisableHookArgs], object]
    ) -> None:
        self.received = received
        self.hook_before = hook_before
        self._again = self._over = False
        self._raising = _thread.allocate_lock()

    def end(self, number: int, _frame: FrameType | None) -> None:
        """Handle a signal."""
        if self._again:
            self._again = False
            if _came_of(sys.exc_info()[1], SystemExit):  # cleaning up goes on
                return
        elif self.received:
            if number == signal.SIGINT:
                os.write(2, LINE)
            os._exit(128 + number)
        else:
            self.received.append(number)
            # not by threading, one of whose locks this thread may be holding now
            _thread.start_new_thread(self._look, ())
        sys.exit(128 + number)

    def tell_dropped(self, dropped: sys.UnraisableHookArgs) -> None:
        """Say nothing of the signal's exception where Python drops it: it is raised again."""
        if not (self.received and isinstance(dropped.exc_value, SystemExit)):
            self.hook_before(dropped)

    def stop(self) -> None:
        """Raise no signal any more; one that is on its way is handled before this ends."""
        with self._raising:
            self._over = True

    def _look(self) -> None:
        """Have the main thread look again and again whether the run is ending."""
        while True:
            time.sleep(SOON)
            with self._raising:
                if self._over:
                    return
                self._again = True
                number = signal.Signals(self.received[0])
                if hasattr(
                    signal, "pthread_kill"
                ):  # wakes a main thread that waits; not on Windows
                    signal.pthread_kill(threading.main_thread().ident or 0, number)
                else:
                    _thread.interrupt_main(number)
