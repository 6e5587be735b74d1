"""In: nothing. Out: what a browser may ask of the chat page: a closed set, checked at this door."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from assistant.chat_page.company import SetUp
from assistant.events import Decision, Route
from assistant.models.inference import UNSAID, Inference

Name = Annotated[str, Field(max_length=128)]
Reason = Annotated[str, Field(max_length=40, pattern=r"^[a-z_]+$")]


class _Action(BaseModel):
    """`conversation`: the one the browser shows, None before the first message; `new`: what it is then set up with.
    `search`: narrows its list."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    conversation: int | None = None
    new: SetUp = SetUp()
    search: str = Field(default="", max_length=200)


class Show(_Action):
    do: Literal["show"]
    stamp: str = Field(default="", max_length=200)  # of what is shown; the same one is answered with nothing


class Send(_Action):
    do: Literal["send"]
    text: str = Field(min_length=1, max_length=20_000)
    model: str = Field(default="", max_length=255)  # of this message alone, as are these settings
    settings: Inference = UNSAID


class AnswerNow(_Action):
    do: Literal["answer-now"]


class OnMessage(_Action):
    do: Literal["stop", "choose"]
    message: int


class Retry(_Action):
    do: Literal["retry"]
    message: int
    route: Route | None = None
    tool: Name = ""
    persona: Name = ""


class Approve(_Action):
    do: Literal["approve"]
    message: int
    call: str = Field(min_length=1, max_length=200)
    decision: Decision


class Forget(_Action):
    do: Literal["forget"]
    correction: int


class Settings(_Action):
    """`chosen`: what stands in the panel, where it is drawn again for another model; None: what is stored."""

    do: Literal["settings"]
    chosen: SetUp | None = None


class Choose(_Action):
    """`next`: for one message only; nothing is stored, the browser sends it along."""

    do: Literal["set-up", "next"]
    chosen: SetUp


class Withdraw(_Action):
    do: Literal["withdraw"]
    tool: str = Field(min_length=1, max_length=128)


class Edit(_Action):
    do: Literal["edit"]
    message: int
    text: str = Field(min_length=1, max_length=20_000)


class Further(_Action):
    """Something a package above this one brings; without `given`, its form."""

    do: Literal["further"]
    message: int
    name: Name
    given: dict[Name, Annotated[str, Field(max_length=2000)]] | None = None


class Rate(_Action):
    do: Literal["rate"]
    message: int
    liked: bool | None
    reasons: tuple[Reason, ...] = Field(default=(), max_length=12)
    note: str = Field(default="", max_length=1000)


class Rename(_Action):
    do: Literal["rename"]
    target: int
    title: str = Field(max_length=200)


class OnConversation(_Action):
    do: Literal["delete", "restore"]
    target: int


class Add(_Action):
    do: Literal["add"]
    path: str = Field(max_length=4096)  # of Gradio's own upload; checked again before it is opened
    name: str = Field(max_length=1000)


class OnArrival(_Action):
    do: Literal["cancel", "dismiss"]
    arrival: int


class Password(_Action):
    do: Literal["password"]
    arrival: int
    password: str = Field(max_length=1000, repr=False)


class OnDocument(_Action):
    do: Literal["attach", "detach"]
    document: int


class Cite(_Action):
    do: Literal["cite"]
    message: int
    n: int = Field(ge=1)


Action = Annotated[
    Show
    | Send
    | AnswerNow
    | OnMessage
    | Retry
    | Approve
    | Forget
    | Settings
    | Choose
    | Withdraw
    | Edit
    | Further
    | Rate
    | Rename
    | OnConversation
    | Add
    | OnArrival
    | Password
    | OnDocument
    | Cite,
    Field(discriminator="do"),
]
door: TypeAdapter[Action] = TypeAdapter(Action)
