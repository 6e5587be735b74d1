"""In: a persona's name and a question, from a model that called ask_persona. Out: its answer, its steps nested.

A persona that speaks over facts has the documents searched first; that search is a step inside the call, and its
citations become passages of the turn, so that the model that asked can cite them too.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Protocol

from assistant.agent.acting import Acting, Halted
from assistant.agent.documents import answer_of, scope
from assistant.agent.plain import prompt
from assistant.agent.request import CHAT_TOKENS, HISTORY_CHARACTERS, ModelSource, Request
from assistant.agent.who import speaking
from assistant.agent.writing import Writing
from assistant.events import Event, PassagesFound, ToolFinished, ToolStarted
from assistant.repeats import until_repeating, without_loop
from assistant.tools import ToolError
from assistant.tools.tool import SHOWN
from knowledge import Answer, Basis, Passage, Usage

if TYPE_CHECKING:
    from assistant.personas import Personas
    from knowledge.library import Library

_MARK = re.compile(r"(?<!\\)\[(\d{1,3})\](?!\()")


class Turn(Protocol):
    @property
    def request(self) -> Request: ...

    @property
    def acting(self) -> Acting: ...

    def emit(self, event: Event | BaseException | None) -> None: ...

    def count(self, usage: Usage) -> None: ...


class Asking:
    def __init__(self, models: ModelSource, library: Library, personas: Personas, default: str, turn: Turn) -> None:
        self._models, self._library, self._personas, self._default = models, library, personas, default
        self._turn = turn

    def ask(self, call: str, name: str, question: str) -> str:
        request = self._request(name, question)
        persona = request.who.persona
        if persona is not None and persona.facts and (documents := scope(self._library, request)) != []:
            facts = self._facts(call, request, documents)
            if facts is not None and facts.basis is not Basis.NOTHING:
                return self._numbered(self._over(facts, request))
        self._turn.acting.meter.model_call()
        writing = Writing(self._models, request)
        text = "".join(until_repeating(writing.write(prompt(request, HISTORY_CHARACTERS), CHAT_TOKENS)))
        self._count(writing)
        return without_loop(text).strip()

    def _request(self, name: str, question: str) -> Request:
        found = self._personas.named(name)
        if found is None:
            known = ", ".join(one.name for one in self._personas.all()) or "—"
            raise ToolError(
                f"There is no persona {name!r}. There are: {known}.",
                spanish=f"No hay ningún personaje {name!r}. Hay: {known}.",
            )
        own = self._turn.request
        return own.changed(
            question=question,
            history=(),
            who=speaking(found.persona, own.choice, own.conversation),
            stop=self._turn.acting.halt,
        )

    def _facts(self, call: str, request: Request, documents: list[int] | None) -> Answer | None:
        inner, began, facts = f"{call}.1", time.perf_counter(), None
        self._turn.emit(ToolStarted(inner, "search_documents", {"query": request.question}, parent=call))
        self._turn.acting.meter.model_call()
        self._turn.acting.fed = True
        writing = Writing(self._models, request, plain=True)
        for step in answer_of(self._library, writing, documents, self._default, request):
            facts = step if isinstance(step, Answer) else facts
        self._count(writing)
        # Documents that hold nothing on it were searched all the same: that is an answer, and no failure.
        said, ok = (facts.text, True) if facts else ("", False)
        self._turn.emit(ToolFinished(inner, said[:SHOWN], ok, time.perf_counter() - began))
        return facts

    def _over(self, facts: Answer, request: Request) -> Answer:
        from assistant.personas import voice

        persona = request.who.persona
        assert persona is not None
        self._turn.acting.meter.model_call()
        writing = Writing(self._models, request)
        said = voice.speak_over(
            facts, persona, writing.write, request.question, request.language, request.stop, self._library
        )
        answers = [step for step in said if isinstance(step, Answer)]
        self._count(writing)
        if not answers:
            raise Halted
        return answers[-1]

    def _numbered(self, answer: Answer) -> str:
        """Its [n] as numbers of the turn's passages."""
        acting = self._turn.acting
        numbers = acting.number(
            Passage(c.document, c.title, c.page, 0, c.quote, c.start, c.end, 1.0, 1.0, 1.0) for c in answer.citations
        )
        by_n = {citation.n: number for citation, number in zip(answer.citations, numbers, strict=True)}
        self._turn.emit(PassagesFound(tuple(acting.passages), 0.0))
        return _MARK.sub(lambda mark: f"[{by_n[int(mark[1])]}]" if int(mark[1]) in by_n else "", answer.text)

    def _count(self, writing: Writing) -> None:
        if writing.usage is not None:
            self._turn.count(writing.usage)
