"""The JSON bodies of requests and answers, with the limits that pydantic checks."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, FailFast, Field, model_validator

from inkfold.canvas.drawing import Drawing, Stroke
from inkfold.canvas.kept_drawings import KeptDrawing
from inkfold.canvas.recogniser import Answer
from inkfold.novelty import Flag

Coordinate = Annotated[float, Field(ge=-10_000, le=10_000, allow_inf_nan=False)]
Pressure = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
MAX_POINTS = 50_000  # of all strokes of a drawing
MAX_FIELDS = 20  # in an object; the fields that are unknown would all be listed


class Message(BaseModel):
    """A body that may have no other field than those of its class."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _few_fields(cls, value: Any) -> Any:  # noqa: ANN401, whatever JSON may hold
        if isinstance(value, dict) and len(value) > MAX_FIELDS:
            raise ValueError(f"{len(value):,} fields, expected {', '.join(cls.model_fields)}")
        return value


class StrokeMessage(Message):
    """What a pen did between going down and going up."""

    brush: float = Field(
        gt=0, le=200, allow_inf_nan=False, description="Width in pixels at the pressure 0.5."
    )
    points: Annotated[list[tuple[Coordinate, Coordinate, Pressure]], FailFast()] = Field(
        min_length=1, max_length=20_000, description="Row, column and pressure of each point."
    )


class DrawingMessage(Message):
    """Strokes on a sheet."""

    rows: int = Field(ge=1, le=2_000, description="Height of the sheet in pixels.")
    columns: int = Field(ge=1, le=2_000, description="Width of the sheet in pixels.")
    strokes: Annotated[list[StrokeMessage], FailFast()] = Field(max_length=500)

    @model_validator(mode="after")
    def _few_points(self) -> Self:
        count = sum(len(stroke.points) for stroke in self.strokes)
        if count > MAX_POINTS:
            raise ValueError(f"{count:,} points in all strokes, at most {MAX_POINTS:,} are drawn")
        return self

    def drawing(self) -> Drawing:
        """The drawing as `canvas.drawing` defines it."""
        strokes = (Stroke(np.array(stroke.points, float), stroke.brush) for stroke in self.strokes)
        return Drawing(self.rows, self.columns, tuple(strokes))


class KeepMessage(Message):
    """A drawing, and the class that it shows."""

    name: str = Field(min_length=1, max_length=1_000, pattern=r"\S", description="The class.")
    drawing: DrawingMessage


class KeptMessage(Message):
    """A kept drawing."""

    name: str = Field(description="The class.")
    number: str = Field(description="The identifier of the drawing: /kept/NUMBER.")
    place: str = Field(description="Folder and file in the collection.")

    @classmethod
    def of(cls, kept: KeptDrawing) -> Self:
        """The message of a kept drawing."""
        place = _readable(f"{kept.folder}/{kept.file}")
        return cls(name=_readable(kept.name), number=kept.number, place=place)


def _readable(name: str) -> str:
    """A name that JSON can hold: bytes of a file's name that are no UTF-8 become U+FFFD."""
    return name.encode("utf-8", errors="surrogateescape").decode("utf-8", errors="replace")


class Likely(Message):
    """One of the likeliest classes."""

    label: str
    probability: float


class Seen(Message):
    """The picture that was classified, byte for byte."""

    size: int = Field(description="Its height and width in pixels.")
    pixels: str = Field(description="Base64 of its bytes row by row, 0 paper to 255 ink.")


class AnswerMessage(Message):
    """What the bundle says of a picture."""

    label: str | None = Field(description="The likeliest class; null for a blank picture.")
    probability: float
    sure: bool = Field(
        description="Whether the label is given: the probability reaches the threshold, and the "
        "picture looks like one character."
    )
    flag: Flag | None = Field(
        description="Why the picture does not look like one character: blank, several, "
        "not writing, unlike; null where it does."
    )
    top: list[Likely] = Field(description="The likeliest classes, best first.")
    seen: Seen


class ClassesMessage(Message):
    """Class names in label order."""

    classes: tuple[str, ...]


class HealthMessage(Message):
    """Which bundle answers, and the version of Inkfold."""

    status: str
    bundle: str
    version: str


class Problem(BaseModel):
    """Why there is no answer."""

    detail: str


def answer_message(answer: Answer) -> AnswerMessage:
    """The message of an answer."""
    pairs = zip(answer.labels, answer.probabilities, strict=True)
    pixels = base64.b64encode(answer.seen.tobytes()).decode("ascii")
    return AnswerMessage(
        label=answer.labels[0] if answer.labels else None,
        probability=answer.probabilities[0] if answer.labels else 0.0,
        sure=answer.sure,
        flag=answer.flag,
        top=[Likely(label=label, probability=probability) for label, probability in pairs],
        seen=Seen(size=len(answer.seen), pixels=pixels),
    )
