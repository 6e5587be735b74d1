"""In: a model's name, and what is known of it. Out: its capabilities and card. Asks nobody: a file and stored facts.

    catalogue  capabilities.json, one row per known model or family, each with a date and a source
    facts      what a test found out, or the server said when it was added: they win over the file
    name       "llama-3.2-3b" says 3 billion parameters: a size class with the guidance of the notes

Knows nothing of pages or of how a model is made.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from assistant.sentences import speaker

Kind = Literal["here", "server", "hosted"]
SETTINGS = ("max_tokens", "temperature", "top_k", "top_p", "seed", "stop")
_HERE = ("local", "hf", "scripted")
_HOSTED = ("openai", "vertex")
_PARAMETERS = re.compile(r"(?<![\d.a-z])(?:(\d+)x)?(\d+(?:\.\d+)?)\s?([bm])(?![a-z])", re.IGNORECASE)

say = speaker(
    {
        "1B": (
            "Up to some 1B parameters: pattern matching, basic world knowledge (the mood of a restaurant review).",
            "Hasta unos 1000 millones de parámetros (1B): reconoce patrones y tiene un conocimiento básico del mundo; "
            "por ejemplo, para saber si la reseña de un restaurante es buena o mala.",
        ),
        "10B": (
            "About 10B parameters: more knowledge and basic instructions, such as a bot that takes food orders.",
            "Unos 10 000 millones de parámetros (10B): más conocimiento e instrucciones básicas, por ejemplo, un bot "
            "que toma pedidos de comida.",
        ),
        "100B+": (
            "100B parameters or more: rich knowledge and complex reasoning, such as a partner for brainstorming.",
            "100 000 millones de parámetros o más (100B+): conocimiento amplio y razonamiento complejo, por ejemplo, "
            "para una lluvia de ideas.",
        ),
        "": ("Its size is not known.", "No se sabe su tamaño."),
    }
)


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens, true on that date."""

    input: float
    output: float
    date: str = ""
    source: str = ""
    currency: str = "USD"

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        return (prompt_tokens * self.input + completion_tokens * self.output) / 1e6


@dataclass(frozen=True, slots=True)
class Capabilities:
    """`takes`: setting → "" where the model takes it, else why not. `source`: where this is known from."""

    tools: bool = False
    streaming: bool = True
    context: int | None = None  # tokens of prompt and answer together
    price: Price | None = None
    size: str = ""  # "1B" | "10B" | "100B+" | "": unknown
    takes: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(SETTINGS, ""), hash=False)
    source: str = ""
    ends: str = ""  # date on which the provider shuts it down


class _Prices(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    input: float
    output: float


class Row(BaseModel):
    """One line of capabilities.json."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    match: str  # a regular expression over the whole name
    title: str = ""
    offer: bool = False  # shown to whoever has a key for its provider
    tools: bool
    context: int | None
    price: _Prices | None
    date: str
    source: str
    ends: str = ""

    @property
    def name(self) -> str:
        """Of an offered one: the pattern without what may follow."""
        return re.sub(r"\(.*|\.\*", "", self.match).replace("\\", "")


@cache
def rows() -> tuple[Row, ...]:
    content = json.loads((Path(__file__).parent / "capabilities.json").read_text(encoding="utf-8"))
    return tuple(Row.model_validate(row) for row in content["rows"])


def row_of(name: str) -> Row | None:
    return next((row for row in rows() if re.fullmatch(row.match, name, re.IGNORECASE)), None)


def kind_of(name: str) -> Kind:
    provider = name.partition(":")[0]
    return "here" if provider in _HERE else "hosted" if provider in _HOSTED else "server"


def parameters(name: str) -> float | None:
    """Billions, as the name tells: "llama-3.2-3b" → 3.0, "smollm2-135m" → 0.135, "mixtral-8x7b" → 56.0."""
    tail = name.rpartition("#")[2].rpartition("/")[2] if "/" in name or "#" in name else name.partition(":")[2] or name
    found = [
        int(many or 1) * float(number) / (1000 if unit in "mM" else 1)
        for many, number, unit in _PARAMETERS.findall(tail.replace("_", "-").replace(":", "-"))
    ]
    return found[0] if found else None


def size_class(billions: float | None) -> str:
    """The nearest of the three on a scale of factors: √10 and 10·√10 are the borders."""
    if billions is None:
        return ""
    return "1B" if billions < 3.16 else "10B" if billions < 31.6 else "100B+"


def capabilities(
    name: str, *, facts: Mapping[str, Any] | None = None, takes: Mapping[str, str] | None = None
) -> Capabilities:
    """Facts win over the row. Of a model that nobody knows: no tools, until a test has seen one called."""
    facts, row = facts or {}, row_of(name)
    price = row.price if row else None
    tools = facts.get("tools")
    return Capabilities(
        tools=bool(row and row.tools) if tools is None else bool(tools),
        streaming=bool(facts.get("streams", True)),
        context=facts.get("context") or (row.context if row else None),
        price=Price(price.input, price.output, row.date, row.source) if row and price else None,
        size=size_class(parameters(str(facts.get("size") or "")) or parameters(name)),
        takes=dict(takes) if takes else dict.fromkeys(SETTINGS, ""),
        source="test" if tools is not None else row.source if row else "",
        ends=row.ends if row else "",
    )


def guidance(size: str, language: str) -> str:
    """What a model of this size is good for."""
    return say(size, language)
