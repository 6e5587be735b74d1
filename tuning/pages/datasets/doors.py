"""In: nothing. Out: what the datasets page may be asked, checked by pydantic: unknown fields are refused.

Every action says where the person is (`at`), so that its answer draws just that.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from assistant.pages.door import Action
from tuning.datasets import EVERYTHING, Filter

Tab = Literal["", "gather", "examples", "statistics", "clean", "versions"]
Name = Annotated[str, Field(max_length=200)]
Number = Annotated[int, Field(ge=0, le=2**53)]


class At(BaseModel):
    """Where the person is; it is the page's address."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: Number = 0  # 0: the list of all
    tab: Tab = ""
    page: int = Field(default=1, ge=1, le=1_000_000)
    only: Filter = EVERYTHING
    version: Number = 0  # that is open
    against: Number = 0  # that it is compared with
    format: str = Field(default="", max_length=40)  # it is written in
    code: str = Field(default="", max_length=60)  # of the findings that are open


class Show(Action):
    do: Literal["show"]
    stamp: str = Field(default="", max_length=300)
    at: At = At()


class Doing(Action):
    at: At = At()


class Plain(Doing):
    """What needs nothing but the place."""

    do: Literal["liked", "begin-liked", "look", "undo", "again", "approve-all"]


class Keep(Doing):
    """A dataset's name: 0 makes a new one."""

    do: Literal["keep"]
    dataset: Number
    name: str = Field(max_length=200)
    note: str = Field(default="", max_length=2_000)
    licence: str = Field(default="", max_length=300)


class OnOne(Doing):
    do: Literal["remove", "restore"]
    dataset: Number


class Chats(BaseModel):
    """The form of the chats, as verbs take it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["conversation", "preference", "ranking", "score"] = "conversation"
    turns: Literal["conversation", "exchange"] = "conversation"
    grounding: Literal["passages", "plain"] = "passages"
    tools: bool = True
    since: date | None = None
    until: date | None = None
    persona: str = Field(default="", max_length=64)
    route: Literal["", "documents", "tool", "persona", "chat"] = ""
    rating: Literal["", "liked", "disliked", "rated", "unrated"] = ""
    reason: str = Field(default="", max_length=40)
    edited: Literal[True] | None = None
    language_is: str = Field(default="", max_length=8)
    search: str = Field(default="", max_length=200)
    shortest: Number | None = None
    longest: Number | None = None


class Gather(Doing):
    do: Literal["gather", "matching"]
    chats: Chats


class Import(Doing):
    do: Literal["import"]
    path: str = Field(max_length=4_000)
    name: str = Field(max_length=1_000)
    format: str = Field(default="auto", max_length=40)
    siblings: bool = False


class Take(Doing):
    """A file that becomes a dataset of its own: a version that was saved as a ZIP, or anything that can be imported."""

    do: Literal["take"]
    path: str = Field(max_length=4_000)
    name: str = Field(max_length=1_000)  # of the file


class UndoImport(Doing):
    do: Literal["undo-import"]
    number: Number


class Sample(Doing):
    do: Literal["sample", "begin-sample"]
    sample: str = Field(max_length=60)


class Documents(Doing):
    do: Literal["documents"]
    documents: tuple[Number, ...] = Field(default=(), max_length=10_000)


class Propose(Doing):
    do: Literal["propose"]
    documents: tuple[Number, ...] = Field(default=(), max_length=10_000)
    model: str = Field(default="", max_length=255)
    most: int = Field(default=20, ge=1, le=500)


class Distil(Doing):
    do: Literal["distil"]
    topic: str = Field(default="", max_length=300)
    prompts: str = Field(default="", max_length=20_000)  # one a line
    model: str = Field(default="", max_length=255)
    most: int = Field(default=20, ge=1, le=500)
    persona: str = Field(default="", max_length=64)


class Decide(Doing):
    """Of some, or, where none is named, of all that pass the filter."""

    do: Literal["approve", "drop", "reopen", "tag", "untag"]
    examples: tuple[Number, ...] = Field(default=(), max_length=10_000)
    tag: str = Field(default="", max_length=60)


class Clean(Doing):
    """One example, or all with findings of a code."""

    do: Literal["mend", "include", "drop-found"]
    code: str = Field(default="", max_length=60)
    example: Number = 0


class Freeze(Doing):
    do: Literal["freeze"]
    share: float | None = Field(default=None, ge=0, le=0.5)
    seed: int = Field(default=7, ge=0, le=2**31)


class Piece(Doing):
    do: Literal["piece"]
    file: str = Field(max_length=400)
    offset: Number = 0


class Estimate(Doing):
    do: Literal["estimate"]
    model: str = Field(default="", max_length=255)
    epochs: int = Field(default=4, ge=1, le=1_000)
    batch: int = Field(default=8, ge=1, le=100_000)
    price: str = Field(default="", max_length=20)


class OnJob(Doing):
    do: Literal["cancel", "dismiss"]
    job: Number


Door = Annotated[
    Show | Plain | Keep | OnOne | Gather | Import | Take | UndoImport | Sample | Documents | Propose | Distil | Decide
    | Clean | Freeze | Piece | Estimate | OnJob,
    Field(discriminator="do"),
]  # fmt: skip
door: TypeAdapter[Any] = TypeAdapter(Door)
