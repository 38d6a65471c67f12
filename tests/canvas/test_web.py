"""What the server behind the page answers, refuses and keeps, requested over a real socket."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from inkfold.bundle.bundle import load_bundle
from inkfold.canvas.drawing import render
from inkfold.canvas.kept_drawings import KeptDrawings
from inkfold.canvas.recogniser import Recogniser
from inkfold.canvas.web.app import create_app
from inkfold.canvas.web.guard import MAX_BYTES
from inkfold.canvas.web.messages import DrawingMessage
from inkfold.classifier import Classifier
from inkfold.picture import decode, prepare
from inkfold.prediction import Refusal
from tests.worlds.bands import CLASSES, SPEC, picture, write_bundle
from tests.worlds.serving import serving
from tests.worlds.taught import TWO, bar, write_taught

SIDE = SPEC.size


def png(pixels: np.ndarray) -> bytes:
    """A picture as a PNG file."""
    return cv2.imencode(".png", pixels)[1].tobytes()


def band_drawing(band: int) -> dict[str, Any]:
    """A stroke down the middle of a band of an eighth of the sheet."""
    column = 100 * (2 * band + 1)
    stroke = {"brush": 80, "points": [[0, column, 0.5], [800, column, 0.5]]}
    return {"rows": 800, "columns": 800, "strokes": [stroke]}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle whose answers are known by hand; it finds out which side of the paper is ink."""
    spec = SPEC.__class__(size=SPEC.size, fit="stretch", ink="auto")
    return write_bundle(tmp_path_factory.mktemp("web") / "known", spec=spec)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where drawings are kept."""
    return tmp_path / "kept"


@pytest.fixture
def client(bundle: Path, folder: Path) -> Iterator[httpx.Client]:
    """A client of a server that runs."""
    recogniser = Recogniser(Classifier(load_bundle(bundle)), Refusal(below=0.6))
    app = create_app(recogniser, KeptDrawings(folder), ("127.0.0.1",))
    with serving(app) as address, httpx.Client(base_url=address, timeout=120) as opened:
        yield opened


def test_a_picture_file_gets_a_whole_answer(client: httpx.Client) -> None:
    """An answer has the label, its probability, the likeliest classes, and the classified bytes."""
    answer = client.post("/predict", files={"file": png(picture(2))}).json()

    assert (answer["label"], answer["sure"]) == (CLASSES[2], True)
    assert answer["probability"] == pytest.approx(0.75, abs=1e-3)
    assert answer["top"][0]["label"] == CLASSES[2]
    assert len(answer["top"]) == len(CLASSES)
    assert base64.b64decode(answer["seen"]["pixels"]) == picture(2).tobytes()


def test_a_page_that_answers_some_classes_alone_knows_no_others(
    bundle: Path, tmp_path: Path
) -> None:
    """With --only the page's list of classes and its answers hold the chosen classes."""
    chosen = (CLASSES[0], CLASSES[2])
    recogniser = Recogniser(Classifier(load_bundle(bundle), only=chosen))
    app = create_app(recogniser, KeptDrawings(tmp_path / "kept"), ("127.0.0.1",))
    with serving(app) as address, httpx.Client(base_url=address, timeout=120) as client:
        classes = client.get("/classes").json()["classes"]
        answer = client.post("/predict", files={"file": png(picture(2))}).json()

    assert classes == list(chosen)
    assert [likely["label"] for likely in answer["top"]] == [CLASSES[2], CLASSES[0]]
    assert sum(likely["probability"] for likely in answer["top"]) == pytest.approx(1, abs=1e-5)


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that knows what its classes look like."""
    return write_taught(tmp_path_factory.mktemp("taught"))


@pytest.mark.parametrize(
    ("refusal", "sure", "text"),
    [(Refusal(), False, "?"), (Refusal(0.0, flagged=False), True, CLASSES[0])],
    ids=["auto", "reject 0"],
)
def test_what_does_not_look_like_one_character_has_a_flag(
    taught: Path, tmp_path: Path, refusal: Refusal, sure: bool, text: str
) -> None:
    """The answer says why and still has the guess; by default it is not sure, and ? as text."""
    recogniser = Recogniser(Classifier(load_bundle(taught)), refusal)
    app = create_app(recogniser, KeptDrawings(tmp_path / "kept"), ("127.0.0.1",))
    with serving(app) as address, httpx.Client(base_url=address, timeout=120) as client:
        two = client.post("/predict", files={"file": png(TWO)}).json()
        one = client.post("/predict", files={"file": png(bar(3))}).json()
        blank = client.post("/predict", files={"file": png(np.zeros_like(TWO))}).json()
        plain = {"accept": "text/plain"}
        label = client.post("/predict", files={"file": png(TWO)}, headers=plain).text

    assert (two["flag"], two["sure"], two["label"]) == ("several", sure, CLASSES[0])
    assert (one["flag"], one["sure"], one["label"]) == (None, True, CLASSES[3])
    assert (blank["flag"], blank["sure"], blank["label"]) == ("blank", False, None)
    assert label == text


def test_a_bundle_that_answers_with_no_numbers_is_told_to_the_client(tmp_path: Path) -> None:
    """A network that overflows on ink gives status 503 with the reason, and no answer."""
    spec = replace(SPEC, ink="auto")
    bundle = write_bundle(tmp_path / "b", spec=spec, weight=1e38)
    recogniser = Recogniser(Classifier(load_bundle(bundle)))
    app = create_app(recogniser, KeptDrawings(tmp_path / "kept"), ("127.0.0.1",))
    with serving(app) as address, httpx.Client(base_url=address, timeout=120) as client:
        answers = [
            client.post("/predict", files={"file": png(picture(1))}),
            client.post("/predict/strokes", json=band_drawing(1)),
        ]

    assert [answer.status_code for answer in answers] == [503, 503]
    assert all("values that are no numbers" in answer.json()["detail"] for answer in answers)


def test_a_program_that_wants_text_gets_the_label_alone(client: httpx.Client) -> None:
    """With Accept: text/plain the answer is the label, as predecessor 004 gave it, or nothing."""
    headers = {"Accept": "text/plain"}
    label = client.post("/predict", files={"file": png(picture(0))}, headers=headers)
    blank = client.post("/predict", files={"file": png(picture(None))}, headers=headers)

    assert label.headers["content-type"].startswith("text/plain")
    assert (label.text, blank.text) == (CLASSES[0], "")


def test_strokes_are_drawn_prepared_and_answered(client: httpx.Client, bundle: Path) -> None:
    """The answer to a drawing holds the image that `prepare` makes of the rendered drawing."""
    for band, name in enumerate(CLASSES):
        drawing = band_drawing(band)
        answer = client.post("/predict/strokes", json=drawing).json()
        drawn = render(DrawingMessage(**drawing).drawing())
        seen = prepare(drawn, load_bundle(bundle).spec)

        assert answer["label"] == name
        assert base64.b64decode(answer["seen"]["pixels"]) == seen.tobytes()


def test_a_drawing_and_its_picture_get_the_same_answer(client: httpx.Client) -> None:
    """Strokes, and a picture file of the same strokes, are prepared in the same way."""
    drawing = band_drawing(1)
    file = png(render(DrawingMessage(**drawing).drawing()))

    answer = client.post("/predict/strokes", json=drawing).json()
    assert client.post("/predict", files={"file": file}).json() == answer


def test_a_blank_sheet_has_no_label(client: httpx.Client) -> None:
    """The answer to a blank sheet has no label and no classes, and is not sure."""
    answer = client.post("/predict/strokes", json={"rows": 9, "columns": 9, "strokes": []}).json()

    assert (answer["label"], answer["sure"], answer["top"]) == (None, False, [])


def test_the_grain_of_paper_has_no_label(client: httpx.Client) -> None:
    """A picture whose levels differ by less than 16 is blank, as classify.py says too."""
    grain = np.pad(np.full((5, 5), 206, np.uint8), 2, constant_values=200)

    answer = client.post("/predict", files={"file": png(grain)}).json()

    assert (answer["label"], answer["top"]) == (None, [])


def test_below_the_threshold_an_answer_is_not_sure(client: httpx.Client) -> None:
    """With two bands inked alike no class reaches the threshold of 0.6."""
    both = picture(0) | picture(1)

    assert client.post("/predict", files={"file": png(both)}).json()["sure"] is False


@pytest.mark.parametrize(
    ("data", "status", "reason"),
    [
        (b"", 415, "empty file"),
        (b"GIF89a, or so it says", 415, "not a picture"),
        (png(picture(0))[:60], 415, "not a picture"),
        (b"x" * (MAX_BYTES + 1), 413, "more than 8 MB"),
        (png(np.zeros((7100, 7100), np.uint8)), 413, "50 megapixels"),
    ],
    ids=["empty", "text", "torn", "too many bytes", "too many pixels"],
)
def test_a_file_that_is_not_a_picture_is_refused(
    client: httpx.Client, data: bytes, status: int, reason: str
) -> None:
    """A refused file gets a status and a reason that holds no path of the machine."""
    refused = client.post("/predict", files={"file": ("a.png", data)})

    assert refused.status_code == status
    assert reason in refused.json()["detail"]
    assert "/" not in refused.json()["detail"]


def test_a_body_without_a_length_is_counted_as_it_comes(client: httpx.Client) -> None:
    """A body that is streamed in pieces, without Content-Length, is refused above the limit."""

    def pieces() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        for _ in range(MAX_BYTES // 1_000_000 + 1):
            yield b"x" * 1_000_000

    headers = {"Content-Type": "multipart/form-data; boundary=x"}

    assert client.post("/predict", content=pieces(), headers=headers).status_code == 413


def test_programs_can_ask_for_classes_health_and_description(client: httpx.Client) -> None:
    """The page /docs names every path of the OpenAPI description, with an example and no script."""
    assert client.get("/classes").json() == {"classes": list(CLASSES)}
    assert client.get("/health").json()["bundle"] == "known"
    paths = client.get("/openapi.json").json()["paths"]
    page = client.get("/docs").text

    assert {"/predict", "/predict/strokes", "/classes", "/health", "/kept"} <= paths.keys()
    for path in paths:
        assert path in page
    assert "http://127.0.0.1:8000/predict" in page
    assert "<script" not in page


def test_a_drawing_is_kept_listed_shown_and_deleted(client: httpx.Client, folder: Path) -> None:
    """A kept drawing is in the list until it is deleted; its picture is the rendered drawing."""
    kept = client.post("/kept", json={"name": "alef", "drawing": band_drawing(0)})
    assert kept.status_code == 201
    address = f"/kept/{kept.json()['number']}"
    shown = client.get(address)
    listing = client.get("/kept").json()
    deleted = client.delete(address)

    assert listing == [kept.json()]
    assert shown.headers["content-type"] == "image/png"
    drawn = render(DrawingMessage(**band_drawing(0)).drawing())
    assert np.array_equal(decode(shown.content), drawn)
    assert (deleted.status_code, client.get(address).status_code) == (204, 404)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["../../x", "CON", "🦉", "x" * 300, "a/../../b", "\x00"])
def test_nothing_is_written_outside_of_the_collection(
    client: httpx.Client, folder: Path, name: str
) -> None:
    """A class name that looks like a path, or is too long for a file, stays in the collection."""
    before = {path for path in folder.parent.rglob("*") if folder not in path.parents}

    kept = client.post("/kept", json={"name": name, "drawing": band_drawing(0)})

    assert kept.status_code == 201
    after = {path for path in folder.parent.rglob("*") if folder not in path.parents}
    assert after - before <= {folder}
    assert (folder / kept.json()["place"]).is_file()


@pytest.mark.parametrize("number", ["..%2f..%2fetc%2fpasswd", "0" * 15, "G" * 16, "0" * 17])
def test_a_drawing_is_reached_by_its_number_alone(client: httpx.Client, number: str) -> None:
    """A path or a number of another form in the address is refused, and reaches no file."""
    assert client.get(f"/kept/{number}").status_code in {404, 422}
    assert client.delete(f"/kept/{number}").status_code in {404, 422}


@pytest.mark.parametrize(
    "drawing",
    [
        {},
        {"rows": 0, "columns": 9, "strokes": []},
        {"rows": 9_000, "columns": 9, "strokes": []},
        {"rows": 9, "columns": 9, "strokes": [{"brush": 5, "points": []}]},
        {"rows": 9, "columns": 9, "strokes": [{"brush": 0, "points": [[1, 1, 0.5]]}]},
        {"rows": 9, "columns": 9, "strokes": [{"brush": 5, "points": [[1, 1, 2]]}]},
        {"rows": 9, "columns": 9, "strokes": [], "more": 1},
    ],
)
def test_an_impossible_drawing_is_refused(client: httpx.Client, drawing: dict[str, Any]) -> None:
    """A drawing with a missing, impossible or unknown field gets 422, which names the field."""
    refused = client.post("/predict/strokes", json=drawing)

    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"][0] == "body"


def test_a_page_of_another_site_can_neither_keep_nor_read(
    client: httpx.Client, folder: Path
) -> None:
    """A foreign origin is refused where it would write, and gets no CORS header where it reads."""
    foreign = {"Origin": "http://example.org"}
    request = {"name": "a", "drawing": band_drawing(0)}
    refused = client.post("/kept", json=request, headers=foreign)
    read = client.get("/classes", headers=foreign)
    own = client.post("/kept", json=request, headers={"Origin": str(client.base_url).rstrip("/")})

    assert refused.status_code == 403
    assert not {name for name in read.headers if name.startswith("access-control")}
    assert own.status_code == 201
    assert len(list(folder.rglob("*.png"))) == 1


def test_a_host_name_that_is_not_the_servers_own_is_refused(client: httpx.Client) -> None:
    """A foreign site that resolves its own name to this machine's address gets 400."""
    assert client.get("/classes", headers={"Host": "example.org"}).status_code == 400


def test_the_page_fetches_nothing_from_elsewhere(client: httpx.Client) -> None:
    """Headers forbid foreign content, and scripts and styles come from the server itself."""
    page = client.get("/")

    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"
    assert "//" not in page.text.replace("<!doctype html>", "")
    for name in ("main.js", "sheet.js", "history.js", "server.js", "answer.js", "draw.css"):
        assert client.get(f"/static/{name}").status_code == 200


def test_many_clients_at_once_get_their_own_answers(client: httpx.Client) -> None:
    """Fifty clients send drawings at the same time, and each gets the answer to its own."""

    def ask(number: int) -> bool:
        band = number % len(CLASSES)
        answer = httpx.post(
            f"{client.base_url}/predict/strokes", json=band_drawing(band), timeout=120
        )
        return bool(answer.json()["label"] == CLASSES[band])

    with ThreadPoolExecutor(50) as pool:
        assert all(pool.map(ask, range(200)))


def test_an_answer_names_no_path_of_the_machine(client: httpx.Client, bundle: Path) -> None:
    """The server's pages and answers name the bundle, and no folder that it lies in."""
    texts = [
        client.get(path).text for path in ("/", "/health", "/classes", "/kept", "/openapi.json")
    ]

    assert all(str(bundle.parent) not in text for text in texts)
    assert json.loads(texts[1])["bundle"] == bundle.name
