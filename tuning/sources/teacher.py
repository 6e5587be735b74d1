"""In: prompts or a topic, a larger model. Out: examples whose answers it wrote, for a small one to learn from.

Distillation by answers: the teacher is asked, the student learns what it said. All of it is a draft until a person has
approved it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from threading import Event
from typing import Literal

from knowledge.language import detect
from knowledge.values import Turn as Prompt
from tuning.values import Example, Role, Source, Turn, conversation

Write = Callable[[Sequence[Prompt]], str]
LONGEST = 400  # characters of an idea: longer ones are prose about ideas

_IDEAS = {
    "en": "Write {n} different things a person could ask or say about: {topic}. One a line, numbered, nothing else.",
    "es": "Escribe {n} cosas distintas que una persona podría preguntar o decir sobre: {topic}. Una por línea, "
    "numeradas, nada más.",
}
_LIKE = {"en": "In the manner of these:", "es": "Al estilo de estas:"}
_NUMBERED = re.compile(r"^\s*(?:\d{1,3}\s*[.)\-:]|[-*•])\s*(?P<idea>\S.*?)\s*$", re.MULTILINE)


def ideas(write: Write, topic: str, *, most: int, like: Sequence[str] = (), stop: Event | None = None) -> Iterator[str]:
    """Prompts about a topic, each one once. Ends early where the teacher has no new ones left."""
    language = detect(topic) or "en"
    seen = {prompt.casefold() for prompt in like}
    made = 0
    while made < most and not (stop and stop.is_set()):
        wanted = min(10, most - made)
        text = _IDEAS.get(language, _IDEAS["en"]).format(n=wanted, topic=topic)
        if like:
            text += f"\n\n{_LIKE.get(language, _LIKE['en'])}\n" + "\n".join(f"- {prompt}" for prompt in like[:8])
        fresh = [idea for idea in listed(write([Prompt("user", text)])) if idea.casefold() not in seen]
        for idea in dict.fromkeys(fresh[: most - made]):
            seen.add(idea.casefold())
            made += 1
            yield idea
        if not fresh:
            return


def listed(text: str) -> list[str]:
    """The lines of a numbered or bulleted list."""
    found = (match["idea"].strip("\"“”'") for match in _NUMBERED.finditer(text))
    return [idea for idea in found if 3 <= len(idea) <= LONGEST]


def answers(
    prompts: Iterable[str], write: Write, *, teacher: str, system: str = "", name: str = "", stop: Event | None = None
) -> Iterator[Example | Silence]:
    """Each prompt answered by the teacher. `system`: what both the teacher and the student hear."""
    for at, prompt in enumerate(prompts):
        if stop and stop.is_set():
            return
        asked = prompt.strip()
        if not asked:
            continue
        head = [Prompt("system", system)] if system else []
        said = write([*head, Prompt("user", asked)]).strip()
        if not said:
            yield Silence(asked)
            continue
        source = Source(
            "teacher", name or teacher, f"teacher:{teacher}:{at}", line=at + 1, how="distilled", model=teacher
        )
        turns = [Turn(Role.SYSTEM, system)] if system else []
        yield conversation(*turns, Turn(Role.USER, asked), Turn(Role.ASSISTANT, said), source=source)


class Silence:
    """A prompt that the teacher did not answer."""

    code: Literal["silent"] = "silent"

    def __init__(self, prompt: str) -> None:
        self.prompt = prompt

    def said(self, language: str = "en") -> str:
        shown = self.prompt if len(self.prompt) < 80 else f"{self.prompt[:80]}…"
        return f"Sin respuesta a: {shown}" if language == "es" else f"No answer to: {shown}"
