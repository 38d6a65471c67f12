"""What stands before the application: size, origin and name are checked, headers are set."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BYTES = 8_000_000
MAX_DRAINED = 10 * MAX_BYTES  # read and dropped, so that the sender lives to hear why
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
    """Middleware.

    Parameters
    ----------
    app : ASGI application
    hosts : tuple of str
        Names that a request's Host may have; ``*`` allows any.
    """

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...]) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        body = await _body(receive)  # first of all: who is cut off while sending hears no reason
        refusal = self._refusal(scope["method"], Headers(scope=scope))
        if body is None or refusal is not None:
            await _refuse(sending, *(refusal or TOO_LARGE))
            return
        await self._app(scope, _again(body, receive), sending)

    def _refusal(self, method: str, headers: Headers) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if "*" not in self._hosts and _name(host) not in self._hosts:
            return 400, "called by another name than this server's own"
        origin = headers.get("origin")
        if method not in SAFE and origin is not None and urlsplit(origin).netloc != host:
            return 403, "asked for by a page of another site"
        return None


def _name(host: str) -> str:
    """A Host header without its port."""
    return (urlsplit(f"//{host}").hostname or "") if host else ""


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None if it is longer than allowed, whatever length was told."""
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


def _again(body: bytes, receive: Receive) -> Receive:
    """Give a body that was read already, then what else there is."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receiving() -> Message:
        return waiting.pop() if waiting else await receive()

    return receiving


async def _refuse(send: Send, status: int, reason: str) -> None:
    body = json.dumps({"detail": reason}).encode()
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
