"""In: a text and its language. Out: Span, … of people's names, where spaCy and a model for that language are installed.

Patterns cannot tell a name from any other word, and no model is shipped. `recogniser` says which one is there, so that
a page can say plainly that names were not looked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module, util
from typing import Any

from tuning.cleaning.personal.spans import Span

_PEOPLE = {"PERSON", "PER"}


@cache
def recogniser(language: str) -> str:
    """The name of the model that would find names in this language; "": none is installed."""
    if util.find_spec("spacy") is None:
        return ""
    installed = sorted(import_module("spacy.util").get_installed_models())
    return next((name for name in installed if name.startswith((f"{language}_", "xx_"))), "")


def names(text: str, language: str) -> Iterator[Span]:
    model = recogniser(language)
    if model:
        for found in _loaded(model)(text).ents:
            if found.label_ in _PEOPLE:
                yield Span("name", found.start_char, found.end_char, 0.8, model)


@cache
def _loaded(model: str) -> Any:
    return import_module("spacy").load(model)
