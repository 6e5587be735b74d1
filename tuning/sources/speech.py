"""In: messages of a chat, who speaks and with which tools. Out: turns as a model reads and writes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from assistant.events import ToolFinished, ToolStarted
from assistant.history import Message, MessageStatus, cited
from assistant.personas.mentions import as_read
from assistant.sentences import say
from knowledge.answers.prompt import over
from knowledge.language import detect
from tuning.values import Call, Role, Turn

PASSAGES = 3  # stand before an answer from documents, or as many as it cites


@dataclass(frozen=True, slots=True)
class Cast:
    """Who may have spoken and what they had at hand."""

    voices: Mapping[str, str] = field(default_factory=dict, hash=False)  # persona's name → its system prompt
    schemas: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)  # tool → {"type": "function", …}
    strange: frozenset[str] = frozenset()  # tools whose results are strangers' text: the web's, MCP servers'

    def system(self, persona: str, answer: str) -> list[Turn]:
        """The voice of who answered; without a persona, what Afina itself is asked with."""
        text = self.voices.get(persona, "") if persona else say("system", detect(answer) or "en")
        return [Turn(Role.SYSTEM, text)] if text else []

    def tools(self, turns: Iterable[Turn]) -> tuple[Mapping[str, Any], ...]:
        """The declarations of those that are called in it."""
        called = dict.fromkeys(call.name for turn in turns for call in turn.calls)
        return tuple(self.schemas.get(name, _undeclared(name)) for name in called)

    def strangers(self, messages: Sequence[Message]) -> tuple[str, ...]:
        used = [step.tool for one in messages for step in one.steps if isinstance(step, ToolStarted)]
        return tuple(dict.fromkeys(name for name in used if name in self.strange or name not in self.schemas))


def asked(question: Message, answer: Message) -> Turn:
    """As who answered it read it: the @name that called a persona is no part of the question."""
    return Turn(Role.USER, as_read(question.text, answer.persona))


def context(path: Sequence[Message], learned: set[int], tools: bool) -> list[Turn]:
    """What was said before, question by answer. An answer that failed or was broken off goes, and its question too."""
    turns: list[Turn] = []
    for question, answer in zip(path[::2], path[1::2], strict=False):
        if answer.status is MessageStatus.COMPLETE and answer.text.strip():
            learn = answer.id in learned
            turns += [asked(question, answer), *answer_turns(answer, tools, learn=learn, plain=True)]
    return turns


def answer_turns(answer: Message, tools: bool, *, learn: bool = True, plain: bool = False) -> list[Turn]:
    """What was done and what was said. `plain`: without [n], which lead nowhere without their passages."""
    text = cited(answer.text, ()) if plain or not answer.citations else answer.text
    done = _calls(answer, learn) if tools else []
    return [*done, Turn(Role.ASSISTANT, text, learn=learn)]


def grounded(answer: Message, question: str) -> list[Turn]:
    """The rules and the question over the passages it cites, filled up with others that were found."""
    passages = dict[int, str]()
    others = list(answer.passages)
    for citation in answer.citations:
        at = next(
            (
                one
                for one in answer.passages
                if (one.document, one.page) == (citation.document, citation.page)
                and one.start <= citation.start < max(one.end, one.start + 1)
            ),
            None,
        )
        passages[citation.n] = at.text if at else citation.quote
        others = [one for one in others if one is not at]
    free = (n for n in range(1, 100) if n not in passages)
    for other, n in zip(others, free, strict=False):
        if len(passages) >= PASSAGES:
            break
        passages[n] = other.text
    system, user = over(passages, question, detect(question) or "en")
    return [Turn(Role.SYSTEM, system.text), Turn(Role.USER, user.text)]


def _calls(answer: Message, learn: bool) -> list[Turn]:
    """Each call and its result; those that a persona made when it was asked belong to it and are left out."""
    results = {step.call: step for step in answer.steps if isinstance(step, ToolFinished)}
    turns: list[Turn] = []
    for step in answer.steps:
        if isinstance(step, ToolStarted) and not step.parent and step.call in results:
            call = Call(step.tool, json.dumps(step.arguments, ensure_ascii=False), step.call)
            turns.append(Turn(Role.ASSISTANT, calls=(call,), learn=learn))
            turns.append(Turn(Role.TOOL, results[step.call].result, call_id=step.call, name=step.tool))
    return turns


def _undeclared(name: str) -> Mapping[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}
