"""In: a message, what was said before. Out: the tool it asks for, with its arguments. Knows nothing of documents.

"What's 15% of 80?"                 → calculator {"expression": "0.15 * 80"}
"¿y en millas?" after 5 km in feet  → convert {"value": 5, "unit": "kilometer", "to": "mile"}
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from assistant.routing import sums, units, web, when
from assistant.routing.sentences import say
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
        return say(self.key, language, **{**self.arguments, "what": self.what})


def of(message: str, language: str) -> Call | None:
    """`language`: of the page, where the message does not show its own."""
    language = detect(message) or language
    if url := web.address(message):
        return Call("web_page", {"url": url}, 0.96, "web_page")
    if query := web.searched(message):
        return Call("web_search", {"query": query}, 0.96, "web_search")
    if (found := units.read(message, language)) is not None:
        return Call("convert", found, 0.97, "convert")
    if (sum_ := sums.read(message, language)) is not None:
        return Call("calculator", {"expression": sum_.expression}, 0.97 if sum_.clear else 0.92, "calculator")
    if (asked := when.read(message, language)) is not None:
        return Call("clock", asked, 0.96, "clock")
    if web.is_live(message):
        return live(message, 0.93)
    return None


def live(message: str, confidence: float) -> Call:
    return Call("web_search", {"query": web.whole_query(message)}, round(min(0.95, confidence), 2), "live")


def after(message: str, language: str, history: Sequence[Turn]) -> Call | None:
    """What a follow-up does to the question before: "and divided by 3?", "and in Tokyo?", "¿y en millas?"."""
    if len(message) > 80 or len(history) < 2 or history[-1].role != "assistant":
        return None
    language = detect(message) or language
    asked, answered = history[-2].text, history[-1].text
    before = of(asked, language) or after(asked, language, history[:-2])
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
