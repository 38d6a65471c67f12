"""The web application: its page, its answers, its kept drawings, and the manual under ``/docs``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, Header, HTTPException, Request, UploadFile
from fastapi import Path as PathParameter
from fastapi.exceptions import RequestValidationError
from fastapi.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    Response,
)
from fastapi.staticfiles import StaticFiles

from inkfold import __version__
from inkfold.canvas.drawing import DrawingTooLargeError, render
from inkfold.canvas.kept_drawings import KeptDrawing, KeptDrawings
from inkfold.canvas.recogniser import Answer, Recogniser
from inkfold.canvas.web.guard import PATIENCE, Guard
from inkfold.canvas.web.messages import (
    AnswerMessage,
    ClassesMessage,
    DrawingMessage,
    HealthMessage,
    KeepMessage,
    KeptMessage,
    Problem,
    answer_message,
)
from inkfold.errors import InkfoldError, PictureError, PictureTooLargeError
from inkfold.pages.page import TEMPLATES, render_page
from inkfold.picture import decode

EXAMPLES = {
    "/predict": "curl -F file=@letter.png http://127.0.0.1:8000/predict",
    "/predict/strokes": (
        "curl -H 'Content-Type: application/json' http://127.0.0.1:8000/predict/strokes -d "
        '\'{"rows": 100, "columns": 100, "strokes": '
        '[{"brush": 12, "points": [[10, 50, 0.5], [90, 50, 0.5]]}]}\''
    ),
}
RENDERED, DECODED = 4, 2  # drawings and pictures at once: each may take some 100 MB
MAX_REASONS = 10  # in the answer to an unfit request
STATIC = Path(__file__).parent / "static"
Number = Annotated[str, PathParameter(pattern="^[0-9a-f]{16}$")]
PROBLEMS: dict[int | str, dict[str, object]] = {
    code: {"model": Problem, "description": description}
    for code, description in {
        400: "The body is incomplete, or the Host header names another server.",
        403: "Asked for by a page of another site.",
        408: "The body did not arrive in time.",
        413: "More than 8 MB or 50 megapixels.",
        415: "Not a picture.",
        503: "The bundle cannot answer it, or too many clients ask at once.",
    }.items()
}


def create_app(
    recogniser: Recogniser,
    collection: KeptDrawings,
    hosts: tuple[str, ...],
    patience: float = PATIENCE,
) -> FastAPI:
    """The application of one bundle and one collection.

    Parameters
    ----------
    recogniser : Recogniser
        Answers the pictures and drawings.
    collection : KeptDrawings
        Where drawings are kept.
    hosts : tuple of str
        The names that a request's Host header may have; ``*`` allows any. With a list of names, a
        foreign site that resolves its own name to this machine's address cannot call the server.
    patience : float
        Seconds in which the body of a request has to arrive.
    """
    app = FastAPI(
        title="Inkfold",
        version=__version__,
        description="A classifier of handwritten characters, and the drawings that were kept.",
        docs_url=None,  # FastAPI's own page loads scripts from elsewhere
        redoc_url=None,
    )
    app.add_middleware(Guard, hosts=hosts, patience=patience)
    app.add_exception_handler(DrawingTooLargeError, _too_large)
    app.add_exception_handler(RequestValidationError, _unfit)
    app.add_exception_handler(InkfoldError, _no_answer)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    _add_pages(app)
    rendering = CapacityLimiter(RENDERED)
    _add_answers(app, recogniser, rendering)
    _add_collection(app, collection, rendering)
    return app


async def _too_large(_request: Request, error: Exception) -> Response:
    """Status 422 and the reason, in the form of `_unfit`."""
    return _reasons([{"loc": ["body"], "msg": str(error), "type": "too_large"}])


async def _unfit(_request: Request, error: Exception) -> Response:
    """Status 422, and for each value that is unfit its place and the reason.

    FastAPI's own answer also repeats the value, which JSON may not be able to hold.
    """
    found = error.errors()[:MAX_REASONS] if isinstance(error, RequestValidationError) else []
    return _reasons([{name: each[name] for name in ("loc", "msg", "type")} for each in found])


async def _no_answer(_request: Request, error: Exception) -> Response:
    """Status 503 and the reason why the bundle cannot answer: its network diverged, for example."""
    return JSONResponse({"detail": str(error)}, 503)


def _reasons(reasons: list[dict[str, Any]]) -> Response:
    text = json.dumps(
        {"detail": reasons}, default=str
    )  # ASCII, which half a character does not harm
    return Response(text, 422, media_type="application/json")


def _add_pages(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    @app.get("/page.css", include_in_schema=False)
    def style() -> FileResponse:
        return FileResponse(TEMPLATES / "page.css")

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(manual(app.openapi()))


def _add_answers(app: FastAPI, recogniser: Recogniser, rendering: CapacityLimiter) -> None:
    decoding = CapacityLimiter(DECODED)

    @app.get("/health")
    def health() -> HealthMessage:
        """Whether the server answers, and with which bundle."""
        bundle = recogniser.classifier.bundle
        return HealthMessage(status="ok", bundle=bundle.path.resolve().name, version=__version__)

    @app.get("/classes")
    def classes() -> ClassesMessage:
        """The classes that the bundle knows, in label order."""
        return ClassesMessage(classes=recogniser.classes)

    @app.post(
        "/predict",
        response_model=AnswerMessage,
        responses=PROBLEMS | {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def predict(
        file: UploadFile, accept: Annotated[str, Header()] = "application/json"
    ) -> Response | AnswerMessage:
        """Answer a picture file. With `Accept: text/plain` the label alone comes back.

        It is ? where the picture does not look like one character.
        """

        def answered() -> Answer:
            return recogniser.answer(decode(file.file.read()))

        try:
            answer = await to_thread.run_sync(answered, limiter=decoding)
        except PictureError as error:
            status = 413 if isinstance(error, PictureTooLargeError) else 415
            raise HTTPException(status, f"{error}; send a PNG or JPEG") from None
        if accept.partition(",")[0].partition(";")[0].strip() == "text/plain":
            return PlainTextResponse(_label(answer))
        return answer_message(answer)

    @app.post(
        "/predict/strokes", responses={code: PROBLEMS[code] for code in (400, 403, 408, 413, 503)}
    )
    async def predict_strokes(drawing: DrawingMessage) -> AnswerMessage:
        """Answer a drawing. Rows go down and columns to the right, in pixels of the sheet."""

        def answered() -> Answer:
            return recogniser.answer(render(drawing.drawing()), drawn=True)

        return answer_message(await to_thread.run_sync(answered, limiter=rendering))


def _add_collection(app: FastAPI, collection: KeptDrawings, rendering: CapacityLimiter) -> None:
    refused: dict[int | str, dict[str, object]] = {403: PROBLEMS[403]}
    missing = refused | {404: {"model": Problem, "description": "No such drawing."}}

    @app.get("/kept")
    def kept() -> list[KeptMessage]:
        """The drawings that were kept, by class."""
        return [KeptMessage.of(drawing) for drawing in collection.list()]

    @app.post(
        "/kept",
        status_code=201,
        responses=refused
        | {code: PROBLEMS[code] for code in (400, 408, 413)}
        | {507: {"model": Problem, "description": "The drawing cannot be written."}},
    )
    async def keep(request: KeepMessage) -> KeptMessage:
        """Keep a drawing as a PNG file in the folder of its class."""

        def kept() -> KeptDrawing:
            pixels = render(request.drawing.drawing())
            with _storing():
                return collection.keep(pixels, request.name)

        return KeptMessage.of(await to_thread.run_sync(kept, limiter=rendering))

    @app.get("/kept/{number}", response_class=FileResponse, responses=missing)
    def picture(number: Number) -> Response:
        """A kept drawing."""
        if (data := collection.read(number)) is None:
            raise HTTPException(404, "no such drawing; GET /kept lists them")
        return Response(data, media_type="image/png")

    @app.delete(
        "/kept/{number}",
        status_code=204,
        responses=missing | {507: {"model": Problem, "description": "It cannot be deleted."}},
    )
    def remove(number: Number) -> None:
        """Delete a kept drawing."""
        with _storing():
            removed = collection.remove(number)
        if not removed:
            raise HTTPException(404, "no such drawing; GET /kept lists them")


def _label(answer: Answer) -> str:
    """The label alone: empty for a blank picture, ? for what does not look like one character."""
    if not answer.labels:
        return ""
    return answer.labels[0] if answer.sure or answer.flag is None else "?"


@contextmanager
def _storing() -> Iterator[None]:
    """Make status 507 of an error of the collection."""
    try:
        yield
    except InkfoldError as error:
        raise HTTPException(507, str(error)) from None


def manual(openapi: dict[str, Any]) -> str:
    """The page for people that describes what the server answers to, as HTML.

    Parameters
    ----------
    openapi : dict
        The application's OpenAPI 3.1 description, as FastAPI makes it.
    """
    schemas = openapi["components"]["schemas"]
    paths = [
        {
            "method": method.upper(),
            "path": path,
            "what": operation.get("description", operation["summary"]),
            "example": EXAMPLES.get(path),
            "answers": [
                {"code": code, "what": answer["description"]}
                for code, answer in operation["responses"].items()
            ],
        }
        for path, operations in openapi["paths"].items()
        for method, operation in operations.items()
    ]
    bodies = [
        {
            "name": name.removesuffix("Message"),
            "what": schema.get("description", ""),
            "fields": [
                {"name": field, "type": _type_name(rules), "what": rules.get("description", "")}
                for field, rules in schema.get("properties", {}).items()
            ],
        }
        for name, schema in schemas.items()
        if name.endswith("Message") or name in {"Likely", "Seen", "Problem"}
    ]
    return render_page("manual.html.j2", info=openapi["info"], paths=paths, bodies=bodies)


def _type_name(rules: dict[str, Any]) -> str:
    """The type of a field in words: ``list of Stroke``, ``string or null``."""
    if "$ref" in rules:
        return str(rules["$ref"].rpartition("/")[2].removesuffix("Message"))
    if "anyOf" in rules:
        return " or ".join(map(_type_name, rules["anyOf"]))
    if rules.get("type") == "array":
        return f"list of {_type_name(rules['items'])}" if "items" in rules else "list"
    return str(rules.get("type", "any"))
