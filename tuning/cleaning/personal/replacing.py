"""In: an example and what was found in its fields. Out: the example with a placeholder for each value.

    "ana@example.com … o ANA@example.com"  →  "[EMAIL_1] … o [EMAIL_1]"

The same value has the same placeholder in all fields of one example, counted from 1 in the order of reading; what the
example already has is not given again. In a tool's arguments a number becomes a string, so that JSON stays JSON.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tuning.cleaning.fields import Edit, Field, edited, fields, rewritten
from tuning.cleaning.personal.spans import Span
from tuning.values import Example

PLACEHOLDER = re.compile(r"\[(?P<kind>EMAIL|PHONE|CARD|IBAN|NATIONAL_ID|IP|KEY|PASSWORD|NAME)_(?P<number>\d{1,4})\]")
_SAME_END = 7  # digits: a number with and without its country's code


def replace(example: Example, spans: Mapping[str, Sequence[Span]]) -> Example:
    """`spans`: per field, as `find` gave them for its text."""
    names = Placeholders(example)
    texts = {}
    for field in fields(example):
        if found := sorted(spans.get(field.path, ()), key=lambda span: span.start):
            texts[field.path] = edited(field.text, [names.edit(field, span) for span in found])
    return rewritten(example, texts)


class Placeholders:
    """Which value is called what, in one example."""

    def __init__(self, example: Example) -> None:
        self._given: dict[tuple[str, str], str] = {}
        self._used: dict[str, int] = {}
        for field in fields(example):
            for match in PLACEHOLDER.finditer(field.text):
                kind = match["kind"]
                self._used[kind] = max(self._used.get(kind, 0), int(match["number"]))

    def of(self, kind: str, value: str) -> str:
        same = self._same(kind, _core(kind, value))
        if same not in self._given:
            name = kind.upper()
            self._used[name] = self._used.get(name, 0) + 1
            self._given[same] = f"[{name}_{self._used[name]}]"
        return self._given[same]

    def edit(self, field: Field, span: Span) -> Edit:
        placeholder = self.of(span.kind, field.text[span.start : span.end])
        if field.is_json and not _in_string(field.text, span.start):
            placeholder = f'"{placeholder}"'
        return span.start, span.end, placeholder

    def _same(self, kind: str, core: str) -> tuple[str, str]:
        if kind == "phone":
            for known, number in self._given:
                shorter = min(len(number), len(core))
                if known == kind and shorter >= _SAME_END and number[-shorter:] == core[-shorter:]:
                    return known, number
        return kind, core


def _core(kind: str, value: str) -> str:
    """What is the same however it is written."""
    if kind in {"key", "password"}:
        return value
    if kind == "email":
        return value.casefold()
    core = "".join(character for character in value.casefold() if character.isalnum())
    return core.lstrip("0") if kind == "phone" else core


def _in_string(text: str, at: int) -> bool:
    return len(re.findall(r'(?<!\\)(?:\\\\)*"', text[:at])) % 2 == 1
