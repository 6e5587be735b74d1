"""In: a message, what was said before. Out: the tool it asks for, with its arguments. Knows nothing of documents.

"What's 15% of 80?"                 → calculator {"expression": "0.15 * 80"}
"¿y en millas?" after 5 km in feet  → convert {"value": 5, "unit": "kilometer", "to": "mile"}
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from assistant.routing import sums, units, web, when
from assistant.routing.sentences import say
from assistant.tools.calculator import typeset
from knowledge import Turn
from knowledge.language import detect

Arguments = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    tool: str
    arguments: Arguments = field(hash=False)
    confidence: float
    key: str  # of the reason
    what: str = ""

    def reason(self, language: str) -> str:
        shown = {**self.arguments, "what": self.what}
        if "expression" in shown:
            shown["expression"] = typeset(str(shown["expression"]), language)
        return say(self.key, language, **shown)


class Readings:
    """What the tools read in one message, each read once and only when asked for."""

    def __init__(self, message: str, language: str) -> None:
        """`language`: of the page, where the message does not show its own."""
        self.message = message
        self.language = detect(message) or language

    @cached_property
    def address(self) -> str:
        return web.address(self.message)

    @cached_property
    def searched(self) -> str:
        return web.searched(self.message)

    @cached_property
    def unit(self) -> Arguments | None:
        return units.read(self.message, self.language)

    @cached_property
    def sum(self) -> sums.Sum | None:
        return sums.read(self.message, self.language)

    @cached_property
    def clock(self) -> Arguments | None:
        return when.read(self.message, self.language)

    @cached_property
    def live(self) -> bool:
        return web.is_live(self.message)


def of(found: Readings) -> Call | None:
    if found.address:
        return Call("web_page", {"url": found.address}, 0.96, "web_page")
    if found.searched:
        return Call("web_search", {"query": found.searched}, 0.96, "web_search")
    if found.unit is not None:
        return Call("convert", dict(found.unit), 0.97, "convert")
    if found.sum is not None:
        sure = 0.97 if found.sum.clear else 0.92
        return Call("calculator", {"expression": found.sum.expression}, sure, "calculator")
    if found.clock is not None:
        return Call("clock", dict(found.clock), 0.96, "clock")
    return live(found.message, 0.93) if found.live else None


def live(message: str, confidence: float) -> Call:
    return Call("web_search", {"query": web.whole_query(message)}, round(min(0.95, confidence), 2), "live")


def after(message: str, language: str, history: Sequence[Turn]) -> Call | None:
    """What a follow-up does to the question before: "and divided by 3?", "and in Tokyo?", "¿y en millas?"."""
    if len(message) > 80 or len(history) < 2 or history[-1].role != "assistant":
        return None
    language = detect(message) or language
    asked, answered = history[-2].text, history[-1].text
    before = of(Readings(asked, language)) or after(asked, language, history[:-2])
    if before is None:
        return None
    if before.tool == "convert" and (again := units.again(message, before.arguments, language)) is not None:
        return Call("convert", again, 0.9, "continued", _line(asked))
    if before.tool == "clock" and (other := when.elsewhere(message, before.arguments, language)) is not None:
        return Call("clock", other, 0.9, "continued", _line(asked))
    if before.tool in ("calculator", "convert") and (result := _result(answered, language)):
        expression = sums.further(message, language, result)
        return Call("calculator", {"expression": expression}, 0.9, "continued", result) if expression else None
    return None


def read(tool: str, message: str, language: str) -> Arguments | None:
    """The arguments for a tool that was chosen already; None where the message holds none."""
    language = detect(message) or language
    readers: dict[str, Callable[[], Arguments | None]] = {
        "calculator": lambda: {"expression": one.expression} if (one := sums.read(message, language)) else None,
        "clock": lambda: when.read(message, language),
        "convert": lambda: units.read(message, language),
        "web_page": lambda: {"url": url} if (url := web.address(message)) else None,
        "web_search": lambda: {"query": web.searched(message) or web.whole_query(message)},
    }
    return readers[tool]() if tool in readers else None


def _result(answer: str, language: str) -> str:
    """The number that an answer ends with: "12 × 3 = 36" → "36"."""
    from assistant.routing.spelled import spelled

    last = re.split(r"[=≈]", answer)[-1]
    numbers = re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.]\d)", spelled(last, language)) if len(last) < 120 else []
    return numbers[0] if numbers else ""


def _line(text: str) -> str:
    return " ".join(text.split())[:60]
