"""Protection of the application: checks each request's size, host and origin, and sets headers."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from contextlib import AsyncExitStack
from urllib.parse import SplitResult, urlsplit

from anyio import create_task_group
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BYTES = 8_000_000
MAX_DRAINED = 10 * MAX_BYTES  # of a body that is too large; see `Guard._body`
SMALL = 250_000  # bytes of a body that any number of requests may send at the same time
LARGE = 8  # requests with larger bodies that are read and answered at the same time; others wait
PATIENCE = 60.0  # seconds in which a body has to arrive
TOO_LARGE = 413, f"more than {MAX_BYTES // 1_000_000} MB"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS = {
    # nothing is fetched from elsewhere, and no page elsewhere may show this one in a frame
    "content-security-policy": "default-src 'self'; img-src 'self' data: blob:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


class Guard:
    """ASGI middleware that refuses a request, or hands it to the application.

    It refuses a body of more than `MAX_BYTES` or that arrives too slowly, a Host header that is
    not among `hosts`, and a request from a page of another site that would change something.

    Parameters
    ----------
    app : ASGI application
    hosts : tuple of str
        Names that a request's Host header may have; ``*`` allows any.
    patience : float
        Seconds in which a body has to arrive.
    """

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...], patience: float = PATIENCE) -> None:
        self._app, self._hosts, self._patience = app, hosts, patience
        self._large = asyncio.Semaphore(LARGE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection, as ASGI defines it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        async with AsyncExitStack() as held:
            try:  # before any refusal: a client that still sends reads no answer
                body = await self._body(receive, held)
            except TimeoutError:
                await _refuse(sending, 408, f"the body took more than {self._patience:g} seconds")
                return
            except ConnectionError:
                return
            refusal = self._refusal(scope["method"], Headers(scope=scope))
            if body is None or refusal is not None:
                await _refuse(sending, *(refusal or TOO_LARGE))
                return
            await _until_gone(self._app, scope, body, receive, sending)

    async def _body(self, receive: Receive, held: AsyncExitStack) -> deque[bytes] | None:
        """The pieces of a request's body; None if it has more than `MAX_BYTES`.

        The bytes are counted as they come, for a Content-Length header may be missing or wrong. Up
        to `MAX_DRAINED` bytes of a body that is too large are read and dropped, so that the client
        has sent it whole and reads the refusal. `held` keeps the request among the `LARGE` until
        it is answered.

        Raises
        ------
        TimeoutError
            If the body, or what comes after `SMALL` bytes of it, takes longer than the patience.
        ConnectionError
            If the client has gone.
        """
        pieces: deque[bytes] = deque()
        total, more = await _read(receive, pieces, 0, SMALL, self._patience)
        if more:
            await held.enter_async_context(self._large)
            total, more = await _read(receive, pieces, total, MAX_DRAINED, self._patience)
        return pieces if total <= MAX_BYTES else None

    def _refusal(self, method: str, headers: Headers) -> tuple[int, str] | None:
        """The status and the reason of a refusal; None if the request is allowed."""
        host = headers.get("host", "")
        if "*" not in self._hosts and _address(f"//{host}").hostname not in self._hosts:
            return 400, "the Host header names another server"
        origin = headers.get("origin")
        if method not in SAFE and origin is not None and _address(origin).netloc != host:
            return 403, "asked for by a page of another site"
        return None


def _address(text: str) -> SplitResult:
    """The parts of an address; nothing but empty parts if it is none."""
    try:
        return urlsplit(text)
    except ValueError:  # a bracket that is not closed, for example
        return SplitResult("", "", "", "", "")


async def _read(
    receive: Receive, pieces: deque[bytes], total: int, most: int, patience: float
) -> tuple[int, bool]:
    """Read a body up to `most` bytes; their number, `total` included, and whether more may come."""
    more = True
    async with asyncio.timeout(patience):
        while more and total <= most:
            message = await receive()
            if message["type"] != "http.request":
                raise ConnectionError
            piece = message.get("body", b"")
            total += len(piece)
            if total <= MAX_BYTES:
                pieces.append(piece)
            more = message.get("more_body", False)
    return total, more


def _replaying(pieces: deque[bytes], receive: Receive) -> Receive:
    """A `receive` that first gives the pieces that were read, and forgets each, then what comes."""
    whole = False

    async def receiving() -> Message:
        nonlocal whole
        if whole:
            return await receive()
        piece = pieces.popleft() if pieces else b""
        whole = not pieces
        return {"type": "http.request", "body": piece, "more_body": not whole}

    return receiving


async def _until_gone(
    app: ASGIApp, scope: Scope, body: deque[bytes], receive: Receive, send: Send
) -> None:
    """Run the application, and end its waiting when the client goes.

    A thread that works already is not stopped: what it renders or decodes is bounded by itself.
    """
    answered, failed = False, None

    async def sending(message: Message) -> None:
        nonlocal answered
        last = message["type"] == "http.response.body" and not message.get("more_body", False)
        answered = answered or last
        await send(message)

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        if not answered:
            group.cancel_scope.cancel()

    async with create_task_group() as group:
        group.start_soon(watch)
        try:
            await app(scope, _replaying(body, receive), sending)
        except Exception as error:  # raised again outside of the group
            failed = error
        group.cancel_scope.cancel()
    if failed is not None:
        raise failed


async def _refuse(send: Send, status: int, reason: str) -> None:
    """Answer with a status and the JSON object that `messages.Problem` describes, and hang up."""
    body = json.dumps({"detail": reason}).encode()
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
