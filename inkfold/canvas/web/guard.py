"""Protection of the application: checks each request's size, host and origin, and sets headers."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BYTES = 8_000_000
MAX_DRAINED = 10 * MAX_BYTES  # of a body that is too large; see `_body`
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

    It refuses a body of more than `MAX_BYTES`, a Host header that is not among `hosts`, and a
    request from a page of another site that would change something.

    Parameters
    ----------
    app : ASGI application
    hosts : tuple of str
        Names that a request's Host header may have; ``*`` allows any.
    """

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...]) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection, as ASGI defines it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        body = await _body(receive)  # before any refusal: a client that still sends reads no answer
        refusal = self._refusal(scope["method"], Headers(scope=scope))
        if body is None or refusal is not None:
            await _refuse(sending, *(refusal or TOO_LARGE))
            return
        await self._app(scope, _replaying(body, receive), sending)

    def _refusal(self, method: str, headers: Headers) -> tuple[int, str] | None:
        """The status and the reason of a refusal; None if the request is allowed."""
        host = headers.get("host", "")
        if "*" not in self._hosts and _without_port(host) not in self._hosts:
            return 400, "the Host header names another server"
        origin = headers.get("origin")
        if method not in SAFE and origin is not None and urlsplit(origin).netloc != host:
            return 403, "asked for by a page of another site"
        return None


def _without_port(host: str) -> str:
    """The name in a Host header, without the port."""
    return (urlsplit(f"//{host}").hostname or "") if host else ""


async def _body(receive: Receive) -> bytes | None:
    """The whole body of a request; None if it has more than `MAX_BYTES`.

    The bytes are counted as they come, for a Content-Length header may be missing or wrong. Up to
    `MAX_DRAINED` bytes of a body that is too large are read and dropped, so that the client has
    sent it whole and reads the refusal.
    """
    pieces, total, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":  # the client has gone
            break
        piece = message.get("body", b"")
        total += len(piece)
        if total <= MAX_BYTES:
            pieces.append(piece)
        more = message.get("more_body", False) and total <= MAX_DRAINED
    return b"".join(pieces) if total <= MAX_BYTES else None


def _replaying(body: bytes, receive: Receive) -> Receive:
    """A `receive` that first gives the body that was read already, then later messages."""
    unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receiving() -> Message:
        return unread.pop() if unread else await receive()

    return receiving


async def _refuse(send: Send, status: int, reason: str) -> None:
    """Answer with a status and the JSON object that `messages.Problem` describes."""
    body = json.dumps({"detail": reason}).encode()
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
