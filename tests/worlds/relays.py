"""A relay on loopback between a program and a server, which counts the bytes of both ways."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Relay:
    """Where the relay listens, and what has passed through it.

    Attributes
    ----------
    port : int
        On 127.0.0.1.
    passed : list of int
        The sizes of what has passed, in bytes.
    """

    port: int
    passed: list[int] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Bytes that have passed, both ways together."""
        return sum(self.passed)


@contextmanager
def relay(port: int) -> Iterator[Relay]:
    """Relay connections to `port` of 127.0.0.1 while the block runs."""
    listener = socket.create_server(("127.0.0.1", 0))
    made = Relay(listener.getsockname()[1])
    ends: list[socket.socket] = []

    def pump(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                made.passed.append(len(data))
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        with suppress(OSError):  # the listener is closed at the end
            while True:
                caller, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", port))
                ends.extend((caller, server))
                for pair in ((caller, server), (server, caller)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield made
    finally:
        listener.close()
        for end in ends:
            end.close()
