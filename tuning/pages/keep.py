"""In: an answer in the chat, a dataset to keep it in. Out: the button below an answer: "add to dataset".

See assistant.chat_page.further; what it does is the verb data_build with that one message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.history import History, Message
from assistant.personas import Personas
from assistant.tools import Toolbox
from knowledge.pages.wording import Words
from tuning.datasets import Datasets, Status
from tuning.errors import ForPerson
from tuning.pages import WORDS
from tuning.pages.keep_view import form
from tuning.verbs.gather import data_build


class Given(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    dataset: str = Field(default="", max_length=80)  # a name; "": a new one
    name: str = Field(default="", max_length=80)  # of the new one
    turns: str = Field(default="conversation", pattern="^(conversation|exchange|preference|ranking)$")
    approve: str = Field(default="", max_length=8)


class Keep:
    name = "dataset"
    icon = "dataset"
    words = WORDS

    def __init__(self, datasets: Datasets, history: History, personas: Personas, toolbox: Toolbox) -> None:
        self._datasets, self._history, self._personas, self._toolbox = datasets, history, personas, toolbox

    def title(self, say: Words) -> str:
        return say("keep")

    def stamp(self) -> object:
        return self._datasets.version()

    def held(self, messages: Sequence[int]) -> frozenset[int]:
        if not messages:
            return frozenset()
        conversation = self._history.message(messages[-1]).conversation
        return self._datasets.kept(conversation) & frozenset(messages)

    def form(self, message: int, say: Words) -> str:
        found = self._history.message(message)
        known = self._datasets.all()
        newest = max(known, key=lambda one: one.updated_at).name if known else ""
        return form([one.name for one in known], newest, self._shapes(found), say)

    def act(self, message: int, given: Mapping[str, str], say: Words) -> str:
        try:
            chosen = Given.model_validate(dict(given))
        except ValidationError:
            raise ForPerson(say("bad_request")) from None
        name = chosen.dataset or chosen.name
        if not name:
            raise ForPerson(say("keep_no_name"))
        done = self._kept(self._history.message(message), name, chosen)
        if not done["found"]:
            raise ForPerson(say("keep_nothing"))
        if done["added"] and chosen.approve and chosen.turns != "ranking":
            newest = self._datasets.ids(done["dataset"])[-done["added"] :]
            self._datasets.set_status(done["dataset"], newest, Status.APPROVED)
        return say("keep_done" if done["added"] else "keep_known", name=done["name"], n=done["added"])

    def _kept(self, message: Message, name: str, chosen: Given) -> dict[str, Any]:
        compared = chosen.turns in ("preference", "ranking")
        wanted = [message.id] if not compared else list(message.siblings)
        rows = data_build(
            self._datasets,
            self._history,
            self._personas,
            self._toolbox,
            name=name,
            kind=chosen.turns if compared else "conversation",  # type: ignore[arg-type]  # one of Kinds
            turns="exchange" if chosen.turns == "exchange" else "conversation",
            conversations=[message.conversation],
            messages=wanted,
        )
        return list(rows)[-1]

    @staticmethod
    def _shapes(message: Message) -> list[str]:
        """Answers can be compared where there are several."""
        several = ["preference", "ranking"] if len(message.siblings) > 1 else []
        return ["conversation", "exchange", *several]
