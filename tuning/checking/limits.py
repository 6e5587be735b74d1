"""In: a provider's name. Out: how many examples, bytes and functions it takes, from a dated table (limits.json)."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict

Provider = Literal["openai", "vertex", "local"]


class Bounds(BaseModel):
    """Of one file. None: no limit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: str  # as people know it
    least: int = 0  # examples
    advised: int = 0
    most: int | None = None
    bytes: int | None = None
    functions: int | None = None  # of one example
    source: str
    date: str


@cache
def bounds(provider: Provider) -> Bounds:
    table = json.loads(files("tuning.checking").joinpath("limits.json").read_text(encoding="utf-8"))
    return Bounds.model_validate(table[provider])
