"""In: nothing. Out: a problem of a file, what all of them come to, and what a model takes. Knows nothing of formats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as kept
from typing import Literal

from tuning.checking.sentences import SAYINGS

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where, and what to do. Errors stop, warnings explain."""

    line: int  # of the file, from 1; 0: the file as a whole
    field: str  # "messages[2].content"; "": the whole line
    code: str
    severity: Severity
    values: Mapping[str, object] = kept(default_factory=dict, hash=False)

    @property
    def message(self) -> str:
        return self.said("en")

    @property
    def mend(self) -> str:
        return self.mended("en")

    def said(self, language: str = "en") -> str:
        _, english, spanish, _, _ = SAYINGS[self.code]
        return (spanish if language == "es" else english).format(**self.values)

    def mended(self, language: str = "en") -> str:
        """What to do about it."""
        *_, english, spanish = SAYINGS[self.code]
        return (spanish if language == "es" else english).format(**self.values)

    def row(self, language: str = "en") -> dict[str, object]:
        """As `data check --json` prints it."""
        return {
            "line": self.line,
            "field": self.field,
            "code": self.code,
            "severity": self.severity,
            "message": self.said(language),
            "mend": self.mended(language),
        }


@dataclass(frozen=True, slots=True)
class Summary:
    rows: int  # lines that are not blank
    errors: int
    warnings: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What one model takes of one example, in its own tokens. None: no limit, or none known.

    gpt-3.5-turbo-0125: Limits(tokens=16_385); text-bison@002: Limits(asked=8_192, answered=1_024)
    """

    tokens: int | None = None  # all of it
    asked: int | None = None  # what stands before the answer
    answered: int | None = None  # the answer
    examples: int | None = None  # in one file; in place of what its provider takes at most

    @property
    def least(self) -> int | None:
        """A row of no more bytes than this is under every limit: no token is less than a byte."""
        return min((one for one in (self.tokens, self.asked, self.answered) if one is not None), default=None)


Note = Callable[..., None]  # note(field, code, **values for its sentences)


class Notes:
    """The problems of the line at hand, gathered by whoever finds one."""

    __slots__ = ("found", "line")

    def __init__(self) -> None:
        self.line = 0
        self.found: list[Problem] = []

    def __call__(self, field: str, code: str, **values: object) -> None:
        severity: Severity = "error" if SAYINGS[code][0] == "error" else "warning"
        self.found.append(Problem(self.line, field, code, severity, values))

    @property
    def errors(self) -> bool:
        return any(one.severity == "error" for one in self.found)

    def taken(self) -> list[Problem]:
        found, self.found = self.found, []
        return found


def short(value: object) -> str:
    """A value to show in a sentence: printable whatever it holds, and never long."""
    text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def key(name: object) -> str:
    """A key as part of a field's path."""
    return name if isinstance(name, str) and name.isidentifier() and len(name) <= 60 else short(name)


KINDS = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}
_SPANISH = {
    "an object": "un objeto",
    "a list": "una lista",
    "text": "texto",
    "true or false": "verdadero o falso",
    "a number": "un número",
    "null": "null",
}


def kind(value: object) -> str:
    """What a JSON value is, in English."""
    return KINDS.get(type(value), "null")


def is_a(note: Note, place: str, code: str, value: object, **values: object) -> None:
    """A problem whose sentence says what the value is."""
    found = kind(value)
    note(place, code, found=found, found_es=_SPANISH[found], **values)


def wrong_type(note: Note, place: str, value: object, wanted: str) -> None:
    is_a(note, place, "wrong_type", value, wanted=wanted, wanted_es=_SPANISH[wanted])
