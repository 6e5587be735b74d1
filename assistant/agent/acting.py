"""In: a tool's name and arguments, from a router or a model. Out: its events, and what the model reads of it.

    ToolStarted → (ApprovalNeeded → ApprovalGiven) → run → (PassagesFound) → ToolFinished

Nothing a model sends or a tool does gets past here as an exception: it becomes a sentence that goes back to the model.

Who is asked, and when:
- A tool that reaches out or writes asks, unless the person said "always" for it in this chat.
- That "always" does not hold in a turn that has read foreign text, the person's own documents among it, unless it was
  given in such a turn: they are asked once more and told why (`approvals`).
- Once a stranger's text entered the turn (a web page, search results, whatever an MCP server said), every tool asks,
  the calculator too: what it is called with may be that stranger's word.
- Text of the person's own documents is as untrusted, but the tools that could do harm with it ask anyway; those that
  only compute or read the same documents go on, or a search and a look at the next page would be two questions.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from assistant.agent.approvals import Approvals
from assistant.agent.limits import LimitReached, Meter
from assistant.agent.request import Request
from assistant.events import ApprovalGiven, ApprovalNeeded, Decision, Event, PassagesFound, ToolFinished, ToolStarted
from assistant.sentences import speaker
from assistant.tools.given import checked
from assistant.tools.tool import READ, SHOWN, Effect, Result, Tool, ToolError, Work
from knowledge import KnowledgeError, Passage

if TYPE_CHECKING:
    from knowledge.library import Library

_log = logging.getLogger(__name__)

say = speaker(
    {
        "reaches": (
            "{title} sends something out of this machine.",
            "{title} envía algo fuera de esta máquina.",
        ),
        "writes": ("{title} changes something.", "{title} cambia algo."),
        "strange": (
            "This answer has read text from outside, which may want something else than you do.",
            "Esta respuesta ha leído texto de fuera, que puede querer otra cosa que tú.",
        ),
        "again": (
            "{reason} You always allow it in this chat, but this answer has read documents or text from outside since "
            "then, and they may be what asks for it.",
            "{reason} En este chat lo permites siempre, pero esta respuesta ya ha leído documentos o texto de fuera, "
            "y puede que lo pidan ellos.",
        ),
        "denied": ("Not done: the person said no.", "No se hizo: la persona dijo que no."),
        "nobody": (
            "Not done: nobody said yes in time. Ask again and allow it.",
            "No se hizo: nadie lo permitió a tiempo. Vuelve a pedirlo y permítelo.",
        ),
        "unknown": (
            "There is no tool {name!r}. There are: {known}.",
            "No hay ninguna herramienta {name!r}. Hay: {known}.",
        ),
        "broken": (
            "The tool {name} failed; the log says why. Go on without it, or try other arguments.",
            "La herramienta {name} falló; el registro dice por qué. Sigue sin ella o prueba otros argumentos.",
        ),
        "stopped": ("Stopped.", "Detenido."),
    }
)


class Halted(Exception):  # noqa: N818 - no error: the turn was stopped
    pass


@dataclass(frozen=True, slots=True)
class Done:
    """`text` is what the model reads; `result` is None where nothing came of it."""

    text: str
    result: Result | None = None
    denied: bool = False  # by a person

    @property
    def ok(self) -> bool:
        return self.result is not None


@dataclass(eq=False)
class Acting:
    """What the calls of one turn share. Safe from any thread."""

    request: Request
    tools: Mapping[str, Tool]
    meter: Meter
    halt: threading.Event  # the turn's end, for whatever reason
    approvals: Approvals | None = None
    library: Library | None = None
    documents: tuple[int, ...] | None = None
    ask_persona: Callable[[str, str, str], str] | None = None  # (call, name, question) → answer
    passages: list[Passage] = field(default_factory=list)  # passages[n - 1] is [n] in what the model reads
    strange: bool = False  # a stranger's text entered the turn
    fed: bool = False  # foreign text did: a stranger's or a document's
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def call(self, name: str, arguments: Any, call: str) -> Generator[Event, None, Done]:
        """One call, from its start to its end."""
        language, shown = self.request.language, arguments if isinstance(arguments, dict) else {}
        yield ToolStarted(call, name, shown)
        tool = self.tools.get(name)
        if tool is None:
            known = ", ".join(self.tools) or "—"
            return (yield from self._refused(call, say("unknown", language, name=name[:100], known=known)))
        if over := self.meter.tool_call():
            return (yield from self._refused(call, over))
        try:
            given = checked(tool, arguments)
        except ToolError as wrong:
            return (yield from self._refused(call, wrong.said(language)))
        if no := (yield from self._approved(tool, call, shown)):
            done = yield from self._refused(call, no)
            return replace(done, denied=no == say("denied", language))
        return (yield from self._run(tool, given, call))

    def _run(self, tool: Tool, given: Any, call: str) -> Generator[Event, None, Done]:
        began = time.perf_counter()
        try:
            result = tool.run(given, self._work(call))
        except Exception as error:
            if self.halt.is_set():
                raise Halted from error
            return (yield from self._refused(call, self._sentence(tool, error), time.perf_counter() - began))
        finally:
            self.fed |= tool.untrusted
            if tool.untrusted and (tool.effect is not Effect.NONE or tool.source):
                self.strange = True  # also where it failed: a refusal is a stranger's text, too
        seconds = time.perf_counter() - began
        text, grew = self._read(tool, result)
        if grew:
            yield PassagesFound(tuple(self.passages), seconds)
        yield ToolFinished(call, _cut(result.text, SHOWN), True, seconds)
        return Done(text, result)

    def _refused(self, call: str, sentence: str, seconds: float = 0.0) -> Generator[Event, None, Done]:
        yield ToolFinished(call, sentence, False, seconds)
        return Done(sentence)

    def _approved(self, tool: Tool, call: str, shown: dict[str, Any]) -> Generator[Event, None, str]:
        """ "" where it may be done, else the sentence that says why not."""
        language = self.request.language
        reason = self._reason(tool)
        if not reason:
            return ""
        if self.approvals is None:
            return say("denied", language)
        fed = self.fed
        if tool.name in self.approvals.allowed(self.request.chat, fed=fed):
            return ""
        if tool.name in self.approvals.allowed(self.request.chat):
            reason = say("again", language, reason=reason)
        pending = self.approvals.expect(self.request.message, self.request.chat, call, tool.name, fed=fed)
        yield ApprovalNeeded(call, tool.name, shown, reason)
        with self.meter.waiting():
            decision = self.approvals.wait(pending, self.halt)
        if self.halt.is_set():
            raise Halted
        yield ApprovalGiven(call, decision or Decision.DENY)
        if decision is None:
            return say("nobody", language)
        return say("denied", language) if decision is Decision.DENY else ""

    def _reason(self, tool: Tool) -> str:
        """Why it asks; "": it need not."""
        language = self.request.language
        title = tool.title.get(language) or tool.title.get("en") or tool.name
        if tool.effect is not Effect.NONE:
            return say(tool.effect.value, language, title=title)
        return say("strange", language) if self.strange else ""

    def _work(self, call: str) -> Work:
        ask = self.ask_persona
        return Work(
            language=self.request.language,
            stop=self.halt,
            library=self.library,
            documents=self.documents,
            ask_persona=(lambda name, question: ask(call, name, question)) if ask else None,
        )

    def _sentence(self, tool: Tool, error: Exception) -> str:
        if isinstance(error, KnowledgeError):  # the assistant's own are of that tree
            return error.said(self.request.language)
        if isinstance(error, LimitReached):
            return str(error)
        _log.error("the tool %s failed", tool.name, exc_info=error)
        return say("broken", self.request.language, name=tool.name)

    def _read(self, tool: Tool, result: Result) -> tuple[str, bool]:
        """What the model reads, its passages numbered within the turn; and whether there are new ones."""
        if not result.passages:
            return (_fenced(result.text, tool.name) if tool.untrusted else _cut(result.text, READ)), False
        before = len(self.passages)
        numbers = self.number(result.passages)
        listed = "\n\n".join(
            f"[{n}] {p.title}, p. {p.page}:\n{p.text}" for n, p in zip(numbers, result.passages, strict=True)
        )
        return _fenced(listed, tool.name), len(self.passages) > before

    def number(self, passages: Iterable[Passage]) -> list[int]:
        """Of each passage within the turn; the same stretch keeps its number."""
        found = []
        with self._lock:
            known = {(p.document, p.page, p.start, p.end): n for n, p in enumerate(self.passages, 1)}
            for passage in passages:
                key = (passage.document, passage.page, passage.start, passage.end)
                if key not in known:
                    self.passages.append(passage)
                    known[key] = len(self.passages)
                found.append(known[key])
        return found


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _fenced(text: str, source: str) -> str:
    """A stranger's text as data: nothing in it can close the fence or open a chat turn."""
    text = re.sub(r"<(\s*/?\s*)data\b", r"(\1data", _cut(text, READ), flags=re.IGNORECASE)
    text = re.sub(r"<\s*\|", "< ", re.sub(r"\|\s*>", " >", text))
    return f'<data from="{source}">\n{text}\n</data>'
