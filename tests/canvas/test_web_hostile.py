"""What the server answers to clients that mean harm or stop halfway: no error, no endless wait."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from inkfold.bundle.bundle import load_bundle
from inkfold.canvas.kept_drawings import KeptDrawings
from inkfold.canvas.recogniser import Recogniser
from inkfold.canvas.web.app import create_app
from inkfold.canvas.web.guard import Guard
from inkfold.classifier import Classifier
from inkfold.spec import ImageSpec
from tests.worlds.bands import SPEC, write_bundle
from tests.worlds.serving import serving

STROKE = {"brush": 8, "points": [[1, 1, 0.5], [50, 50, 0.5]]}
DRAWING = {"rows": 100, "columns": 100, "strokes": [STROKE, STROKE]}
KEEP = {"name": "a", "drawing": DRAWING}
# what no JSON library of Python writes stands here as text that is put in afterwards
RAW = ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 400, "9" * 5000, "1e-999", "-0"]
RAW += [r'"\ud800"', r'"\udc80x"', r'{"\ud800": 1}', "[" * 5000, "nul", r'"\x"', '"\x00"', ""]
VALUES = st.one_of(
    st.sampled_from([*map("RAW{}".format, range(len(RAW)))]),
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    st.sampled_from([[], {}, [[]], [[1, 2]], "x" * 2000, [0] * 30_000, [STROKE] * 600, 2**63]),
    st.just({f"k{number}": 0 for number in range(5000)}),
    st.just([[0, 0, 0.5]] * 20_001),
)
JSON = {"Content-Type": "application/json"}
ANSWERS = {200, 201, 400, 404, 405, 413, 415, 422}


def places(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401, JSON
    """The path to every value inside of a JSON value, itself included."""
    yield here
    inner = list(enumerate(value)) if isinstance(value, list) else []
    for key, each in value.items() if isinstance(value, dict) else inner:
        yield from places(each, (*here, key))


PLACES = [*sorted(places(KEEP), key=str), ("unknown",), ("drawing", "unknown")]


def replaced(value: Any, place: tuple[Any, ...], new: object) -> Any:  # noqa: ANN401, JSON
    """The value with another one at a place; an unknown key is added."""
    if not place:
        return new
    copy = value.copy()
    copy[place[0]] = replaced(
        copy.get(place[0]) if isinstance(copy, dict) else copy[place[0]], place[1:], new
    )
    return copy


def written(value: object) -> bytes:
    """JSON, with the texts of `RAW` where their numbers stand."""
    text = json.dumps(value)
    for number in reversed(range(len(RAW))):
        text = text.replace(f'"RAW{number}"', RAW[number])
    return text.encode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server keeps drawings."""
    return tmp_path_factory.mktemp("hostile") / "kept"


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[httpx.Client]:
    """A client of a server that runs."""
    spec = ImageSpec(size=SPEC.size, fit="stretch")
    bundle = write_bundle(folder.parent / "known", spec=spec)
    app = create_app(
        Recogniser(Classifier(load_bundle(bundle))), KeptDrawings(folder), ("127.0.0.1",)
    )
    with serving(app) as address, httpx.Client(base_url=address, timeout=120) as opened:
        yield opened


@pytest.mark.slow
@settings(deadline=None, derandomize=True, max_examples=150)
@given(place=st.sampled_from(PLACES), value=VALUES)
def test_a_value_of_any_kind_in_any_place_gets_an_answer(
    client: httpx.Client, place: tuple[Any, ...], value: object
) -> None:
    """Numbers that are none, halves of characters, other types, and lists and texts of any size."""
    changed = replaced(KEEP, place, value)
    requests = [("/kept", changed)]
    requests += [("/predict/strokes", changed.get("drawing"))] if isinstance(changed, dict) else []
    for path, body in requests:
        answer = client.post(path, content=written(body), headers=JSON)

        assert answer.status_code in ANSWERS
        assert answer.status_code < 400 or json.loads(answer.text)["detail"]


@pytest.mark.parametrize("text", RAW)
def test_a_number_or_name_that_is_none_is_refused(client: httpx.Client, text: str) -> None:
    """NaN, infinite numbers and half a character get 422 or 400, which says why."""
    for body in ({"name": "RAW", "drawing": DRAWING}, replaced(KEEP, ("drawing", "rows"), "RAW")):
        answer = client.post(
            "/kept", content=json.dumps(body).replace('"RAW"', text).encode(), headers=JSON
        )

        assert answer.status_code in {400, 422}
        assert "detail" in answer.json()


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PUT", "OPTIONS", "HEAD", "BREW"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": "["},
        {"Host": "[::1"},
        {"Host": "a" * 5000},
        {"Origin": "http://["},
        {"Origin": "http://\xe9"},
        {"Accept": "\xff" * 100},
        {"Content-Type": "multipart/form-data"},
        {"Content-Type": "multipart/form-data; boundary=x; charset=none"},
        {"Content-Type": "application/json; charset=\xff"},
        {"Range": "bytes=9-1,-,x"},
        {"Content-Length": "9" * 30},
        {"Transfer-Encoding": "none"},
    ],
    ids=lambda headers: "".join(headers) or "plain",
)
def test_every_path_stands_every_header(
    client: httpx.Client, method: str, headers: dict[str, str]
) -> None:
    """No path of the server answers a broken header, address or body with a server error."""
    address = urlsplit(str(client.base_url))
    paths = ["/", "/page.css", "/docs", "/health", "/classes", "/predict", "/predict/strokes"]
    paths += ["/kept", "/kept/0123456789abcdef", "/kept/%ff", "/kept/%00", "/static/%00"]
    paths += [
        "/static/" + "a" * 300,
        "/static/..%2f..%2fapp.py",
        "/openapi.json",
        "/%ed%a0%80",
        "/?%ff=%00",
    ]
    for path in paths:
        lines = {"Host": address.netloc, "Content-Length": "3", "Connection": "close"} | headers
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        request = f"{method} {path} HTTP/1.1\r\n{head}\r\n--x"
        with socket.create_connection((address.hostname or "", address.port or 0), 120) as opened:
            opened.sendall(request.encode("latin-1"))
            opened.shutdown(socket.SHUT_WR)
            answer = opened.makefile("rb").readline()

        assert not answer.startswith(b"HTTP/1.1 5"), (path, answer)


def test_of_many_deletes_of_a_drawing_one_succeeds(client: httpx.Client) -> None:
    """Of ten clients that delete a drawing at once, one reads 204, and the others 404."""
    for _ in range(10):
        number = client.post("/kept", json=KEEP).json()["number"]
        with ThreadPoolExecutor(10) as pool:
            answers = list(pool.map(client.delete, [f"/kept/{number}"] * 10))

        assert sorted(answer.status_code for answer in answers) == [204, *[404] * 9]


def test_drawings_are_kept_while_others_of_the_class_are_deleted(client: httpx.Client) -> None:
    """The folder of a class comes and goes with its drawings, and none is lost by it."""

    def keep_and_delete(_: int) -> list[int]:
        kept = client.post("/kept", json=KEEP)
        number = kept.json().get("number", "0" * 16)
        seen = [
            client.get("/kept"),
            client.get(f"/kept/{number}"),
            client.delete(f"/kept/{number}"),
        ]
        return [kept.status_code, *(answer.status_code for answer in seen)]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(keep_and_delete, range(80))) == [[201, 200, 200, 204]] * 80


def test_a_folder_whose_name_is_no_text_is_listed(client: httpx.Client, folder: Path) -> None:
    """A class folder with bytes in its name that are no UTF-8 is listed, shown and deleted."""
    foreign = os.fsencode(folder) + b"/\xff\xfe"
    os.makedirs(foreign, exist_ok=True)  # noqa: PTH103, a name of bytes
    Path(os.fsdecode(foreign), "a.png").write_bytes(b"a picture")
    listed = {kept["name"]: kept["number"] for kept in client.get("/kept").json()}

    assert "��" in listed
    assert client.get(f"/kept/{listed['��']}").content == b"a picture"
    assert client.delete(f"/kept/{listed['��']}").status_code == 204


def connected(address: str) -> socket.socket:
    """A connection to a server; what it reads may take two minutes."""
    parts = urlsplit(address)
    return socket.create_connection((parts.hostname or "", parts.port or 0), 120)


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n", b"GET /"])
def test_a_connection_without_a_whole_request_is_cut(sent: bytes) -> None:
    """A client that sends nothing, or half of a request's head, reads the end of the connection."""
    with serving(FastAPI(), stalled=0.1) as address, connected(address) as opened:
        opened.sendall(sent)
        with suppress(ConnectionResetError):
            assert opened.recv(100) == b""


def test_a_head_that_never_ends_is_cut() -> None:
    """A client that sends a byte of a header now and then is cut as one that sends nothing."""
    with serving(FastAPI(), stalled=0.3) as address, connected(address) as opened:
        opened.sendall(b"GET / HTTP/1.1\r\nHost: ")
        with pytest.raises(OSError, match=r"reset|pipe"):  # noqa: PT012, any of many bytes
            for _ in range(100_000):
                opened.sendall(b"x")
                threading.Event().wait(0.01)


@pytest.mark.parametrize("start", [b"{", b" " * 300_000], ids=["small", "large"])
def test_a_body_that_never_ends_is_refused(start: bytes) -> None:
    """A client that announces a body and stops sending reads 408, and the connection ends."""
    app = FastAPI()
    app.add_middleware(Guard, hosts=("*",), patience=0.2)
    with serving(app) as address, connected(address) as opened:
        opened.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + start)
        answer = opened.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"took more than 0.2 seconds" in answer


def test_a_client_that_reads_nothing_is_cut() -> None:
    """A client that asks for a large answer and takes nothing of it does not keep the server."""
    app, ended = FastAPI(), threading.Event()

    async def large(scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for _ in range(1000):
                await send(
                    {"type": "http.response.body", "body": bytes(100_000), "more_body": True}
                )
            ended.set()

    app.mount("/", large)
    with serving(app, stalled=0.2) as address, connected(address) as opened:
        opened.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")

        assert ended.wait(120), "uvicorn drops what is sent to a connection that was cut"


def test_the_waiting_of_a_request_ends_with_its_client() -> None:
    """When the client has gone, what the application waits for is cancelled."""
    app, begun, ended = FastAPI(), threading.Event(), threading.Event()
    app.add_middleware(Guard, hosts=("*",))

    @app.get("/")
    async def wait() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with serving(app) as address:
        with connected(address) as opened:
            opened.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert begun.wait(120)
        assert ended.wait(120)
