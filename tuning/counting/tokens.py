"""What counting speaks of: a piece of text that is one token, the rule it was counted by, a counter.

    "Olé 😀" for SmolLM2    "O" "lé" " 😀" ""    the picture's four bytes are two tokens: the first shows it, and
                                                 `part` says which bytes each is: "20 F0 9F 98", "80"

Joined, the texts of the pieces are the text. Knows nothing of any tokenizer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from typing import Literal, Protocol

from assistant.history.words import whole
from assistant.models.local.engine import MARKS
from assistant.sentences import speaker

Kind = Literal["chatml", "jinja", "lines", "counted", "bare"]

_say = speaker(
    {
        "own": ("the model's own tokenizer", "el tokenizador del propio modelo"),
        "words_times": ("words × 0.75 (the notes' rule)", "palabras × 0,75 (la regla de los apuntes)"),
        "words_over": ("words ÷ 0.75", "palabras ÷ 0,75"),
        "characters": ("characters ÷ 4", "caracteres ÷ 4"),
        "given": ("the number given", "el número indicado"),
    }
)


class Rule(StrEnum):
    """How tokens were counted. `OWN` is exact; the next three are rules of thumb; `GIVEN` was somebody's word."""

    OWN = "own"
    WORDS_TIMES = "words_times"
    WORDS_OVER = "words_over"
    CHARACTERS = "characters"
    GIVEN = "given"

    def said(self, language: str) -> str:
        return _say(self.value, language)


@dataclass(frozen=True, slots=True)
class Piece:
    """One token of a text. `text` is text[start:end]; a character spread over several tokens stands in its first."""

    id: int | None  # None: the tokenizer is not at hand, or its number is not published
    text: str
    start: int
    end: int
    part: str = ""  # of a token that is no whole character: its bytes, "F0 9F"


@dataclass(frozen=True, slots=True)
class Template:
    """What stands around the turns of a chat.

    chatml   as SmolLM2 was taught, with a system message always: assistant.models.local.engine
    jinja    `text`, run in a sandbox
    lines    of a model without a template: "User: …"
    counted  marks a provider writes but does not publish the numbers of (OpenAI)
    bare     nothing is known: the texts alone
    """

    kind: Kind = "chatml"
    text: str = ""
    special: tuple[str, ...] = MARKS  # the tokenizer's marks: broken up where they stand in a text
    names: Mapping[str, str] = field(  # what a template may speak of
        default_factory=lambda: {"bos_token": MARKS[0], "eos_token": MARKS[1]}, hash=False
    )


class Counter(Protocol):
    """Safe to use from several threads."""

    model: str
    rule: Rule
    template: Template

    def count(self, text: str) -> int: ...

    def pieces(self, text: str) -> list[Piece]:
        """Joined, their texts are `text` (half a character in it is a �). Of a rule of thumb: one, without a number."""

    def note(self, language: str) -> str:
        """Why it is counted by a rule of thumb, one sentence; "" where the model's own tokenizer is at hand."""


def by_rule(rule: Rule, words: int, characters: int = 0) -> Decimal:
    """Tokens: 1,084,170 words × 0.75 = 813,127.5."""
    if rule is Rule.CHARACTERS:
        return Decimal(characters) / 4
    factor = Decimal("0.75")
    return words * factor if rule is Rule.WORDS_TIMES else words / factor


class RuleCounter:
    """A counter where no tokenizer is at hand."""

    template = Template("bare", special=(), names={})

    def __init__(self, model: str, rule: Rule, notes: tuple[str, str] = ("", "")) -> None:
        """`notes`: why, in English and Spanish."""
        self.model, self.rule, self._notes = model, rule, notes

    def count(self, text: str) -> int:
        """Rounded up: never less than it may be."""
        tokens = by_rule(self.rule, len(text.split()), len(text))
        return int(tokens.to_integral_value(ROUND_CEILING))

    def pieces(self, text: str) -> list[Piece]:
        text = whole(text)
        return [Piece(None, text, 0, len(text))] if text else []

    def note(self, language: str) -> str:
        return self._notes[language == "es"]


def laid(text: str, ids: Sequence[int], raw: Sequence[bytes]) -> list[Piece]:
    """Tokens whose bytes, joined, are the text's: a character goes to the token that holds its first byte."""
    firsts = [0]  # byte at which each character begins, and the end
    for letter in text:
        firsts.append(firsts[-1] + len(letter.encode("utf-8", "surrogatepass")))
    pieces, at, byte = [], 0, 0
    for number, some in zip(ids, raw, strict=True):
        start, byte = at, byte + len(some)
        while at < len(text) and firsts[at] < byte:
            at += 1
        pieces.append(Piece(number, text[start:at], start, at, part_of(some)))
    return pieces


def part_of(raw: bytes) -> str:
    """The bytes of a token that is no whole character."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return raw.hex(" ").upper()
    return ""
