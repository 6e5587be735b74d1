"""In: a message for the model alone. Out: its words; a persona's in its voice. No documents, no tools."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from assistant.agent.request import CHARACTERS_PER_TOKEN, CHAT_TOKENS, ModelSource, Request, room
from assistant.agent.writing import Writing, trimmed
from assistant.events import Answered, Event, Failed, TextDelta
from assistant.history import cited
from assistant.repeats import until_repeating, without_loop
from assistant.sentences import say
from assistant.small_talk import is_small_talk, kind_of
from knowledge import Turn, Usage


def too_long(request: Request, limit: int) -> Failed | None:
    if len(request.question) <= limit:
        return None
    length, most = f"{len(request.question):,}", f"{limit:,}"
    return Failed(say("too_long", request.language, length=length, limit=most), retryable=False)


def plain(models: ModelSource, request: Request) -> Iterator[Event]:
    can = models.capabilities(request.who.model)
    history, longest = room(can.context)
    if failure := too_long(request, longest):
        yield failure
        return
    persona = request.who.persona
    own = kind_of(request.question) if is_small_talk(request.question) else ""
    if request.attempt == 0 and persona is None and own:  # a small model would invent what it is
        yield Answered(say(own, request.language), (), None, Usage())
        return
    writing = Writing(models, request)
    pieces: list[str] = []
    with closing(writing.write(prompt(request, history, can.size), CHAT_TOKENS)) as written:
        for piece in until_repeating(written):
            pieces.append(piece)
            yield TextDelta(piece)
    if request.stop.is_set():
        return
    # No documents were asked: an [n] would lead nowhere.
    text = cited(without_loop("".join(pieces)).strip(), ())
    if text:
        yield Answered(text, (), None, writing.usage or Usage(), settings=writing.settings)


def prompt(request: Request, characters: int, size: str = "") -> list[Turn]:
    """`characters`: of earlier messages, at most. `size`: the model's class."""
    if request.who.persona is not None:
        from assistant.personas import voice

        # A small model goes on in the form in which others' words are told, instead of answering.
        history = voice.own(request.who.persona, request.history) if size == "1B" else request.history
        budget = int(characters / CHARACTERS_PER_TOKEN)
        return voice.turns(request.who.persona, history, request.question, request.language, budget)
    return [
        Turn("system", say("system", request.language)),
        *trimmed(request.history, characters),
        Turn("user", request.question),
    ]
