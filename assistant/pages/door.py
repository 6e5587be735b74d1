"""In: what a browser sent, the closed set of a page's actions. Out: what it shows, or one sentence; no traceback.

class Switch(Action):
    do: Literal["switch"]
    tool: str = Field(max_length=64)
    on: bool

door: TypeAdapter[Show | Switch] = TypeAdapter(Annotated[Show | Switch, Field(discriminator="do")])

def answer(self, payload, say):
    return answered(door, payload, say, self._answer)
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from knowledge import KnowledgeError
from knowledge.pages.wording import Words

log = logging.getLogger(__name__)
A = TypeVar("A")


class Action(BaseModel):
    """What every action begins with: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Show(Action):
    """What is shown now; the stamp of what the browser has is answered with nothing."""

    do: Literal["show"]
    stamp: str = Field(default="", max_length=200)


def answered(
    door: TypeAdapter[A], payload: Any, say: Words, act: Callable[[A, Words], dict[str, Any]]
) -> dict[str, Any]:
    try:
        action = door.validate_python(payload)
    except ValidationError as wrong:
        log.info("A page was asked for what it does not know: %d problems", wrong.error_count())
        return {"error": say("bad_request")}
    try:
        return act(action, say)
    except KnowledgeError as error:  # the assistant's own are of that tree
        return {"error": error.said(say.language)}
    except Exception:
        log.exception("A page could not answer")
        return {"error": say("went_wrong")}
