"""In: nothing. Out: what the room of published models may be asked; the page's whole door, that of jobs beside it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from tuning.pages.training.doors import Doing, Number, OfJobs

Name = Annotated[str, Field(min_length=1, max_length=200)]
Way = Literal["adapter", "merged", "gguf:f16", "gguf:q8_0"]


class GoTo(Doing):
    do: Literal["go-to"]
    persona: Number
    version: Number


class Export(Doing):
    do: Literal["export"]
    persona: Number
    version: Number
    way: Way


class Import(Doing):
    """Of an upload `path`, as Gradio says it, and its `name`; else of a `folder` of this machine."""

    do: Literal["import"]
    persona: str = Field(max_length=200)
    folder: str = Field(default="", max_length=4_096)
    path: str = Field(default="", max_length=4_096)
    name: str = Field(default="", max_length=400)
    base: str = Field(default="", max_length=4_000)


class OnWork(Doing):
    do: Literal["end-work", "dismiss-work"]
    work: Number


class OnExport(Doing):
    """`pack`: into one file, to be fetched in pieces."""

    do: Literal["pack", "remove-export"]
    export: Name


class Piece(Doing):
    do: Literal["piece"]
    file: Name
    offset: Number = 0


AnyRoomAction = GoTo | Export | Import | OnWork | OnExport | Piece

door: TypeAdapter[Any] = TypeAdapter(Annotated[OfJobs | AnyRoomAction, Field(discriminator="do")])
