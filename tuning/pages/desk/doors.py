"""In: what a browser sent. Out: one of the desk's actions, checked; anything else is refused."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from assistant.pages.door import Action, Show
from tuning.datasets import EVERYTHING, Filter
from tuning.pages.desk.changes import PLACE, Typed

Place = Annotated[str, Field(pattern=PLACE)]
Number = Annotated[int, Field(ge=0, lt=2**53)]


class Here(Action):
    """Where the person is. `example` 0: the first that passes. `seen`: shown as the model sees it."""

    dataset: Number
    example: Number = 0
    only: Filter = EVERYTHING
    seen: bool = False


class Open(Here):
    do: Literal["open"]
    dataset: Number | Annotated[str, Field(max_length=80)]  # type: ignore[assignment]  # in an address, by its name
    to: Literal["here", "before", "after"] = "here"
    whole: bool = False  # with the datasets, the filter bar and how far one is


class Beside(Here):
    do: Literal["ahead", "progress", "choices"]


class Choose(Action):
    do: Literal["choose"]


class Decide(Here):
    do: Literal["approve", "drop", "reopen"]


class Edit(Here):
    do: Literal["editor"]
    place: Place
    new: bool = False  # one that does not stand there yet


class Write(Here):
    do: Literal["write"]
    place: Place
    new: bool = False
    of: str = Field(max_length=64)  # the fingerprint of what was changed; "": whatever stands there now
    turn: Typed
    keep: bool = False  # the old words as the rejected answer


class Take(Here):
    do: Literal["take"]
    place: Place


class Mask(Here):
    do: Literal["mask"]
    turn: Number
    learn: bool


class Tag(Here):
    do: Literal["tag"]
    tag: str = Field(max_length=200)
    on: bool = True


class Rank(Here):
    do: Literal["rank"]
    order: tuple[tuple[Number, ...], ...] = Field(max_length=200)  # answers from the best on; one group, one rank


class Score(Here):
    do: Literal["score"]
    dimension: str = Field(min_length=1, max_length=40)
    value: str = Field(max_length=20)  # as it was typed; "": none of this any more


class Split(Here):
    do: Literal["split"]
    turn: Number


class Merge(Here):
    do: Literal["merge"]


class Mend(Here):
    do: Literal["mend"]
    of: str = Field(max_length=64)
    finding: Number


class Undo(Here):
    do: Literal["undo"]
    sure: bool = False


Every = (
    Show
    | Open
    | Beside
    | Choose
    | Decide
    | Edit
    | Write
    | Take
    | Mask
    | Tag
    | Rank
    | Score
    | Split
    | Merge
    | Mend
    | Undo
)
door: TypeAdapter[Any] = TypeAdapter(Annotated[Every, Field(discriminator="do")])
