"""In: a message, what was chosen for it and for its chat. Out: who speaks, by which model, with which settings.

Who: @name in the message, else the choice's persona, else the chat's, else Afina itself. Model: the choice's, else the
persona's, else the chat's, else the app's. Settings, word by word: the choice's over the chat's over the persona's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from assistant.agent.request import Who
from assistant.choice import Choice
from assistant.errors import ForPerson
from assistant.history import Conversation
from assistant.models.inference import UNSAID, Inference
from assistant.personas import Persona, UnknownPersona, handle

if TYPE_CHECKING:
    from assistant.personas import Personas

AFINA = "afina"  # as a persona's name: nobody but the assistant itself


def who(question: str, choice: Choice, conversation: Conversation | None, personas: Personas | None) -> tuple[Who, str]:
    """Also the message as that one should read it. Raises ForPerson for a chosen persona that is not there."""
    if personas is None:
        if choice.persona and handle(choice.persona) != AFINA:
            raise _nobody(choice.persona, "—")
        return speaking(None, choice, conversation), question
    mentioned, text = personas.mentioned(question)
    if mentioned is not None and text.strip():
        return speaking(mentioned.persona, choice, conversation, "mentioned_persona"), text
    if choice.persona:
        return speaking(_chosen(choice.persona, personas), choice, conversation, "chosen_persona"), question
    if conversation is not None and conversation.persona is not None:
        try:
            return speaking(personas.get(conversation.persona).persona, choice, conversation, "chats_persona"), question
        except UnknownPersona:  # removed since: the chat goes on without it
            pass
    return speaking(None, choice, conversation), question


def speaking(persona: Persona | None, choice: Choice, conversation: Conversation | None, reason: str = "") -> Who:
    model = choice.model or (persona.model if persona else "") or (conversation.model if conversation else "")
    settings = choice.settings.over(_settings(conversation)).over(persona.settings if persona else UNSAID)
    return Who(model, settings, persona, reason if persona else "")


def _chosen(name: str, personas: Personas) -> Persona | None:
    found = personas.named(name)
    if found is not None:
        return found.persona
    if handle(name) == AFINA:
        return None
    raise _nobody(name, ", ".join(one.name for one in personas.all()) or "—")


def _nobody(name: str, known: str) -> ForPerson:
    return ForPerson(
        f"There is no persona {name!r} here. There are: {known}.",
        spanish=f"Aquí no hay ningún personaje {name!r}. Hay: {known}.",
    )


def _settings(conversation: Conversation | None) -> Inference:
    try:
        return Inference.model_validate(dict(conversation.settings)) if conversation else UNSAID
    except ValidationError:  # of a newer release
        return UNSAID
