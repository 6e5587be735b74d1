"""In: a question for the documents. Out: passages, text, one answer whose citations were checked; in a persona's voice
where one speaks. Knows nothing of routes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from assistant.agent.plain import plain
from assistant.agent.request import ModelSource, Request
from assistant.agent.writing import Writing, added
from assistant.events import Answered, Event, Failed, PassagesFound, Route, RouteChosen, TextDelta
from assistant.sentences import say
from knowledge import Answer, Basis, Found, Wrote

if TYPE_CHECKING:
    from knowledge.library import Library

PASSAGE_TOKENS = 1_200  # of passages in the prompt
FEWER_PASSAGE_TOKENS = {"local:smollm2-135m": 400}  # model → … where more of them confuse more than they help


def scope(library: Library, request: Request) -> list[int] | None:
    """Where to look: the chat's own documents and the persona's collection, else everywhere (None). Empty: nowhere."""
    searchable = {document.id: document for document in library.documents() if document.status.searchable}
    attached = searchable.keys() & set(request.documents or ())  # one may have been removed since it was attached
    persona = request.who.persona
    if persona is not None and persona.collection is not None:
        own = {source.sha256 for source in persona.collection}
        attached |= {document.id for document in searchable.values() if document.sha256 in own}
        return sorted(attached)
    if not searchable:
        return []
    return sorted(attached) or None


def from_documents(library: Library, models: ModelSource, default: str, request: Request) -> Iterator[Event]:
    """`default`: the name of the app's model."""
    documents = scope(library, request)
    if documents == []:
        yield Failed(say("no_documents", request.language), retryable=False)
        return
    writing = Writing(models, request, plain=request.who.persona is not None)
    facts: Answer | None = None
    for step in answer_of(library, writing, documents, default, request):
        match step:
            case Found():
                yield PassagesFound(step.passages, step.seconds)
            case Wrote() if request.who.persona is None:
                yield TextDelta(step.text, step.citations)
            case Answer() if request.who.persona is None:
                yield _answered(step, writing)
            case Answer():
                facts = step
    if facts is None or request.stop.is_set():
        return
    if facts.basis is Basis.NOTHING and request.choice.route != Route.DOCUMENTS:
        # Nobody asked for the documents: a persona that is spoken to about something else may say what it knows.
        yield PassagesFound((), 0.0)
        yield RouteChosen(Route.PERSONA, say("nothing_found", request.language), 1.0, persona=request.who.name)
        yield from plain(models, request)
        return
    yield from _in_its_voice(library, models, facts, writing, request)


def answer_of(
    library: Library, writing: Writing, documents: list[int] | None, default: str, request: Request
) -> Iterator[Found | Wrote | Answer]:
    from knowledge.answers.answering import answer

    return answer(
        request.question,
        history=request.history,
        library=library,
        write=writing.write,
        documents=documents,
        language=request.language,
        stop=request.stop,
        budget=FEWER_PASSAGE_TOKENS.get(request.who.model or default, PASSAGE_TOKENS),
    )


def _in_its_voice(
    library: Library, models: ModelSource, facts: Answer, before: Writing, request: Request
) -> Iterator[Event]:
    from assistant.personas import voice

    persona = request.who.persona
    assert persona is not None
    writing = Writing(models, request)
    said = voice.speak_over(facts, persona, writing.write, request.question, request.language, request.stop, library)
    for step in said:
        if isinstance(step, Wrote):
            yield TextDelta(step.text, step.citations)
        else:
            if before.usage is not None:
                writing.usage = added(before.usage, writing.usage) if writing.usage else before.usage
            yield _answered(step, writing)


def _answered(answer: Answer, writing: Writing) -> Answered:
    usage = writing.counted(answer.usage)
    basis = answer.basis if isinstance(answer.basis, Basis) else None
    return Answered(answer.text, answer.citations, basis, usage, answer.draft, writing.settings)
