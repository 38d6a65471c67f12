"""The server that runs the application: uvicorn, with an end to connections that stall."""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

CONNECTIONS = 500  # at the same time; a request of one more is answered with 503
STALLED = 20.0  # seconds between two looks at a connection


class Watched(H11Protocol):
    """A connection that is cut when nothing happened on it between two looks.

    Something happened where a request was begun, or the client took some of an answer; the bytes
    of a request's head count only when the head is whole. While the application works on a request
    nothing needs to happen.
    """

    stalled = STALLED

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Look at the connection for the first time."""
        super().connection_made(transport)
        self._seen: tuple[object, int] | None = None
        self._look()

    def _look(self) -> None:
        unsent = self.transport.get_write_buffer_size()
        answered = self.cycle is None or self.cycle.response_complete
        seen = (self.cycle, unsent)
        if seen == self._seen and (answered or unsent):
            self.transport.abort()
            return
        self._seen = seen
        self._timer = self.loop.call_later(self.stalled, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Look no more."""
        self._timer.cancel()
        super().connection_lost(exc)


def server_of(app: FastAPI, stalled: float = STALLED, **options: Any) -> uvicorn.Server:  # noqa: ANN401, passed on to uvicorn
    """A server of an application, ready to run.

    Parameters
    ----------
    app : FastAPI
    stalled : float
        Seconds after which, at the latest after twice as many, a stalled connection is cut.
    options
        Further settings of `uvicorn.Config`.
    """
    protocol = type("Watched", (Watched,), {"stalled": stalled})
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=protocol,
            ws="none",
            limit_concurrency=CONNECTIONS,
            server_header=False,
            **options,
        )
    )
