"""A web server in a thread of the test's own process, on a free port of 127.0.0.1."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import FastAPI

from inkfold.canvas.web.server import STALLED, server_of


@contextmanager
def serving(app: FastAPI, stalled: float = STALLED) -> Iterator[str]:
    """Serve an application while the block runs; gives its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = server_of(app, stalled, log_level="error")
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
