"""In: a model's name. Out: what its provider allows and asks for, from models.json and prices.json, dated, with source.

Names are those of assistant.models; without a provider ("gpt-4o-mini-2024-07-18", "text-bison@002") the provider is the
one that has such a model. Nothing is asked of anyone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

_HERE = Path(__file__).parent


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    match: str  # a regular expression over the whole name
    date: date  # on which it was true
    source: str  # the document it was read in


class Limits(_Row):
    """None: not published, or not known for sure."""

    tokens: int | None  # the most in one example, prompt and answer together
    input: int | None  # where they are limited apart
    output: int | None
    least: int | None  # examples
    most: int | None
    file: int | None  # bytes
    ends: date | None  # the model, and what was tuned from it, is shut down
    jobs: date | None  # the last day on which a job can be started

    def over(self, total: int, output: int) -> bool:
        """Whether an example is cut; `output`: of its tokens those that are learned."""
        limits = ((self.tokens, total), (self.input, total - output), (self.output, output))
        return any(limit is not None and tokens > limit for limit, tokens in limits)

    def kept(self, total: int, output: int) -> int:
        """Tokens that are left of it."""
        read = min(total - output, self.input or total)
        written = min(output, self.output or output)
        return min(read + written, self.tokens or total)


class Price(_Row):
    price: Decimal  # for a million tokens trained on
    currency: str


UNKNOWN = Limits.model_construct(
    match="", date=date.min, source="", tokens=None, input=None, output=None, least=None, most=None, file=None,
    ends=None, jobs=None,
)  # fmt: skip
R = TypeVar("R", bound=_Row)


def canonical(model: str) -> str:
    """ "gpt-4o" → "openai:gpt-4o"; "text-bison@002" → "vertex:text-bison@002"; a name with a provider stays."""
    if ":" in model and not model.startswith("ft:"):
        return model
    return f"vertex:{model}" if re.match(r"(text|chat)-bison|gemini", model) else f"openai:{model}"


def limits(model: str) -> Limits:
    """`UNKNOWN` of a model that no row is about."""
    return _first(_models(), model) or UNKNOWN


def price(model: str) -> Price | None:
    return _first(_prices(), model)


def _first(rows: Sequence[R], model: str) -> R | None:
    name = canonical(model) if model else ""
    return next((row for row in rows if re.fullmatch(row.match, name, re.IGNORECASE)), None)


@cache
def _models() -> tuple[Limits, ...]:
    return tuple(Limits.model_validate(row) for row in _rows("models.json"))


@cache
def _prices() -> tuple[Price, ...]:
    return tuple(Price.model_validate(row) for row in _rows("prices.json"))


def _rows(name: str) -> list[dict[str, object]]:
    return list(json.loads((_HERE / name).read_text(encoding="utf-8"))["rows"])
