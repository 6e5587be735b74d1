"""In: nothing. Out: what the training page may be asked, checked by pydantic: unknown fields are refused."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.pages.door import Action

Number = Annotated[int, Field(ge=0, le=2**53)]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]


class At(BaseModel):
    """Where the person is; it is the page's address."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    room: Literal["", "published"] = ""  # beside the jobs: models that were published
    job: Number = 0  # 0: the list of all
    against: Number = 0  # that it is compared with
    new: bool = False  # the form of a new one
    data: str = Field(default="", max_length=60)  # that the form begins with: "3:1"
    part: str = Field(default="", max_length=20)  # of an evaluation, whose answers are shown
    by: str = Field(default="", max_length=400)  # the metric that sorts them
    page: Number = 0  # of them


class Form(BaseModel):
    """A job as a person asks for it; what is left out is the recipe's. Ranges are checked with the settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: str = Field(pattern=r"^[0-9]{1,15}:[0-9]{1,15}$")  # a dataset, its version; version 0: what is approved now
    recipe: str = Field(max_length=40)
    base: str = Field(default="", max_length=4_000)
    name: str = Field(default="", max_length=80)
    samples: str = Field(default="", max_length=20_000)  # one a line
    epochs: int | None = Field(default=None, ge=1, le=10_000)
    learning_rate: str = Field(default="", max_length=20)  # as it is written here: 0,001 too
    batch: Count | None = None
    max_steps: Count | None = None
    max_length: Count | None = None
    minutes: Count | None = None
    every: Count | None = None  # steps between two looks at the rows held out
    learn: Literal["answers", "all"] = "answers"
    seed: Number | None = None
    teacher: str = Field(default="", max_length=4_000)

    @property
    def dataset(self) -> int:
        return int(self.data.partition(":")[0])

    @property
    def version(self) -> int:
        return int(self.data.partition(":")[2])


class Show(Action):
    do: Literal["show"]
    stamp: str = Field(default="", max_length=200)
    at: At = At()


class Doing(Action):
    at: At = At()


class Asked(Doing):
    """`anyway`: although memory or disk may not suffice."""

    do: Literal["start", "estimate"]
    form: Form
    anyway: bool = False


class OnJob(Doing):
    """`halt`: of an estimate or an evaluation, by its own number."""

    do: Literal["cancel", "resume", "remove", "halt"]
    job: Number


class Evaluate(Doing):
    """What is asked and measured; ranges are checked with the plan. `go_on`: as it was asked before."""

    do: Literal["evaluate"]
    job: Number
    go_on: bool = False
    metrics: tuple[Annotated[str, Field(max_length=40)], ...] = Field(default=(), max_length=20)
    checks: str = Field(default="", max_length=400)  # "max_words:50, regex:^Q"
    trained: bool = False
    general: bool = False
    most: Count = 20
    tokens: Count = 80
    judge: str = Field(default="", max_length=4_000)


class Publish(Doing):
    do: Literal["publish"]
    job: Number
    persona: str = Field(max_length=200)
    anyway: bool = False


OfJobs = Show | Asked | OnJob | Evaluate | Publish  # the whole door, rooms and all, is in published_doors
