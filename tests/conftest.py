"""What all tests start from."""

from __future__ import annotations

import signal

import pytest


def pytest_configure() -> None:
    """Let Ctrl-C through where the tests run in the background, in which shells have it ignored.

    The programs that tests start would inherit that, and the tests of Ctrl-C could not end them.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # by default SIGTERM ends pytest at once, but not while a command of ours has its own handler
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("SIGTERM", returncode=143))
