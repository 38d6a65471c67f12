"""The web application: its page, its answers, its kept drawings, and the manual under ``/docs``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Header, HTTPException, Request, UploadFile
from fastapi import Path as PathParameter
from fastapi.concurrency import run_in_threadpool
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
from inkfold.canvas.kept_drawings import KeptDrawings
from inkfold.canvas.recogniser import Recogniser
from inkfold.canvas.web.guard import Guard
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
STATIC = Path(__file__).parent / "static"
Number = Annotated[str, PathParameter(pattern="^[0-9a-f]{16}$")]
PROBLEMS: dict[int | str, dict[str, object]] = {
    code: {"model": Problem, "description": description}
    for code, description in {
        400: "The body is incomplete, or the Host header names another server.",
        403: "Asked for by a page of another site.",
        413: "More than 8 MB or 50 megapixels.",
        415: "Not a picture.",
    }.items()
}


def create_app(recogniser: Recogniser, collection: KeptDrawings, hosts: tuple[str, ...]) -> FastAPI:
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
    """
    app = FastAPI(
        title="Inkfold",
        version=__version__,
        description="A classifier of handwritten characters, and the drawings that were kept.",
        docs_url=None,  # FastAPI's own page loads scripts from elsewhere
        redoc_url=None,
    )
    app.add_middleware(Guard, hosts=hosts)
    app.add_exception_handler(DrawingTooLargeError, _too_large)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    _add_pages(app)
    _add_answers(app, recogniser)
    _add_collection(app, collection)
    return app


async def _too_large(_request: Request, error: Exception) -> Response:
    """Status 422 and the reason."""
    return JSONResponse({"detail": str(error)}, 422)


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


def _add_answers(app: FastAPI, recogniser: Recogniser) -> None:
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
        """Answer a picture file. With `Accept: text/plain` the label alone comes back."""
        data = await file.read()
        try:
            answer = await run_in_threadpool(lambda: recogniser.answer(decode(data)))
        except PictureError as error:
            status = 413 if isinstance(error, PictureTooLargeError) else 415
            raise HTTPException(status, f"{error}; send a PNG or JPEG") from None
        if accept.partition(",")[0].partition(";")[0].strip() == "text/plain":
            return PlainTextResponse(answer.labels[0] if answer.labels else "")
        return answer_message(answer)

    @app.post("/predict/strokes", responses={code: PROBLEMS[code] for code in (400, 403, 413)})
    def predict_strokes(drawing: DrawingMessage) -> AnswerMessage:
        """Answer a drawing. Rows go down and columns to the right, in pixels of the sheet."""
        return answer_message(recogniser.answer(render(drawing.drawing())))


def _add_collection(app: FastAPI, collection: KeptDrawings) -> None:
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
        | {code: PROBLEMS[code] for code in (400, 413)}
        | {507: {"model": Problem, "description": "The drawing cannot be written."}},
    )
    def keep(request: KeepMessage) -> KeptMessage:
        """Keep a drawing as a PNG file in the folder of its class."""
        pixels = render(request.drawing.drawing())
        try:
            return KeptMessage.of(collection.keep(pixels, request.name))
        except InkfoldError as error:
            raise HTTPException(507, str(error)) from None

    @app.get("/kept/{number}", response_class=FileResponse, responses=missing)
    def picture(number: Number) -> FileResponse:
        """A kept drawing."""
        path = collection.path(number)
        if path is None:
            raise HTTPException(404, "no such drawing; GET /kept lists them")
        return FileResponse(path, media_type="image/png")

    @app.delete("/kept/{number}", status_code=204, responses=missing)
    def remove(number: Number) -> None:
        """Delete a kept drawing."""
        if not collection.remove(number):
            raise HTTPException(404, "no such drawing; GET /kept lists them")


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
