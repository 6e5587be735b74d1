"""In: a message. Out: its words, plain: lower case, without accents and marks. Knows no meaning."""

from __future__ import annotations

import re

from assistant.history.words import folded

_WORD = re.compile(r"\w+")


def plain(text: str) -> str:
    """ "¿Qué hora es, por favor?" → "que hora es por favor" """
    return " ".join(_WORD.findall(folded(text)))
