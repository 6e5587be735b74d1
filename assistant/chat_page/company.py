"""In: the parts a chat turns to beside its documents. Out: who is there, what it can do, what this chat is set up with.

Draws nothing; the views are given its values.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pydantic import BaseModel, ConfigDict, Field

from assistant.chat_page.cast import FACES, Ability, Cast, Face
from assistant.chat_page.further import Further
from assistant.events import Decision, Route
from assistant.history import Conversation, Message
from assistant.models.inference import UNSAID, Inference
from assistant.personas.voice import greeting
from assistant.routing.corrections import Correction
from assistant.routing.router import TOOLS

if TYPE_CHECKING:
    from assistant.models import Models
    from assistant.personas import Personas, Stored
    from assistant.routing.corrections import Corrections
    from assistant.tools import Tool, Toolbox

HELD = 200  # newest corrections looked through for the note under an answer


class Consent(Protocol):
    """What a person allowed (assistant.agent.approvals)."""

    def give(self, message: int, call: str, decision: Decision) -> bool:
        """False: nobody waits for this any more."""

    def allowed(self, conversation: int) -> set[str]:
        """Tools that this chat asks about no more."""

    def withdraw(self, conversation: int, tool: str) -> None: ...


class SetUp(BaseModel):
    """Who answers in a chat, with which model and settings. Before its first message the browser keeps it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    persona: int | None = None  # None: Afina
    model: str = Field(default="", max_length=255)  # "": the persona's, else the app's
    settings: Inference = UNSAID

    @classmethod
    def of(cls, conversation: Conversation) -> SetUp:
        settings = Inference.model_validate(dict(conversation.settings))
        return cls(persona=conversation.persona, model=conversation.model, settings=settings)


@dataclass(frozen=True, slots=True)
class Offered:
    """A model that can be chosen."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class Company:
    personas: Personas
    toolbox: Toolbox
    corrections: Corrections
    approvals: Consent
    models: Models
    further: Sequence[Further] = ()  # what else can be done with an answer

    def cast(self, language: str) -> Cast:
        faces = tuple(
            Face(
                one.id,
                one.name,
                one.handle,
                _picture(one),
                greeting(one.persona, language),
                one.persona.model,
                one.persona.settings.model_dump(exclude_defaults=True),
            )
            for one in self.personas.all()
        )
        on = {tool.name for tool in self.toolbox.tools(language)}
        abilities = tuple(_ability(tool, language, tool.name in on) for tool in self.toolbox.all())
        return Cast(faces, abilities)

    @staticmethod
    def chosen(conversation: Conversation | None, new: SetUp, cast: Cast) -> SetUp:
        """What a chat is set up with; `new`: of one without a message. A persona that was removed is nobody's."""
        found = SetUp.of(conversation) if conversation else new
        return found if cast.by_id(found.persona) else found.model_copy(update={"persona": None})

    def further_by(self, name: str) -> Further | None:
        return next((one for one in self.further if one.name == name), None)

    def picture(self, persona: int) -> tuple[str, bytes] | None:
        """Kind and bytes of a persona's picture; None where it has none, or is not there."""
        found = next((one.persona.picture for one in self.personas.all() if one.id == persona), "")
        kind, _, data = found.removeprefix("data:").partition(";base64,")
        return (kind, base64.b64decode(data)) if data else None

    def model_of(self, chosen: SetUp, cast: Cast) -> str:
        """The one that would answer."""
        face = cast.by_id(chosen.persona)
        return chosen.model or (face.model if face else "") or self.models.default

    def takes(self, model: str, language: str) -> Mapping[str, str]:
        """Setting → "" where the model takes it, else why it does not."""
        return self.models.capabilities(model, language).takes

    def offered(self, language: str) -> list[Offered]:
        from assistant.models.catalogue.cards import cards

        return [Offered(card.name, card.title) for card in cards(self.models, language)]

    def noted(self, thread: Sequence[Message]) -> dict[int, int]:
        """Answer → the correction it follows: kept for next time, to be taken back."""
        known = self.corrections.all()[:HELD]
        found: dict[int, int] = {}
        for answer in thread:
            if answer.role == "assistant" and answer.route is not None:
                its = {answer.parent, *answer.siblings}
                mine = (one for one in known if one.message in its and one.message is not None)
                newest = next(mine, None)
                if newest and _follows(answer, newest):
                    found[answer.id] = newest.id
        return found


def _follows(answer: Message, correction: Correction) -> bool:
    if answer.route is not correction.route or (correction.tool and correction.tool != answer.tool):
        return False
    return answer.route is not Route.PERSONA or not correction.persona or correction.persona == answer.persona


def _picture(one: Stored) -> str:
    if not one.persona.picture.startswith("data:"):
        return one.persona.picture
    return f"{FACES}{one.id}?of={one.updated_at.timestamp():.6f}"  # another picture, another address


def _ability(tool: Tool, language: str, on: bool) -> Ability:
    title = tool.title.get(language) or tool.title.get("en") or tool.name
    return Ability(tool.name, title, tool.effect.value, on and tool.name in TOOLS)
