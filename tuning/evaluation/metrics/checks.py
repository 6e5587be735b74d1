"""In: an answer, the form it should have. Out: whether it has: JSON, a length, a pattern, a language. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from knowledge.language import detect
from tuning.errors import ForPerson

_FENCED = re.compile(r"\A\s*```(?:json)?[ \t]*\n(.*?)\n?```\s*\Z", re.DOTALL)
LONGEST = 20_000  # characters that a person's own pattern is run over

Check = Callable[[str], bool]


def is_json(text: str) -> bool:
    """All of it, or all of one fenced block that it is. NaN and Infinity are no JSON."""
    fenced = _FENCED.match(text)
    try:
        json.loads(fenced[1] if fenced else text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def at_most(number: int, unit: str) -> Check:
    """`unit`: "words" | "characters"."""
    return lambda text: (len(text.split()) if unit == "words" else len(text.strip())) <= number


def pattern(written: str) -> Check:
    """It stands somewhere in the answer; ^ and $ for all of it. ForPerson where it is no regular expression."""
    try:
        compiled = re.compile(written, re.DOTALL)
    except re.error as error:
        raise ForPerson(
            f"{written} is not a regular expression ({error}). Mend it, or leave that check out.",
            spanish=f"{written} no es una expresión regular ({error}). Corrígela o quita esa comprobación.",
        ) from None
    return lambda text: compiled.search(text[:LONGEST].strip()) is not None


def in_language(text: str, wanted: str) -> bool | None:
    """None where the text is too short, or `wanted` unknown, to say."""
    found = detect(text)
    return found == wanted if found and wanted else None


def _refuse(constant: str) -> object:
    raise ValueError(constant)
