"""In: keyed examples, as a stream. Out: (key, Finding), … of all that is wrong with each; an example put right.

    for key, finding in review(examples): …        nothing but one example at a time is in memory
    mend(example, findings)                        what can be mended without a person: see CHECKS[code].mend

Findings are of the very example they are given with: an edited one is reviewed again first.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Iterable, Iterator
from typing import TypeVar, assert_never

from knowledge.language import detect
from tuning.cleaning import answers
from tuning.cleaning.fields import Edit, Field, edited, fields, rewritten
from tuning.cleaning.findings import CHECKS, Finding, Mend, short
from tuning.cleaning.personal import KINDS, Placeholders, Span, find
from tuning.values import Example

K = TypeVar("K", bound=Hashable)

_SAMPLE = 600  # characters by which an example's language is told
_SECRET = {"key", "password"}
_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{4}|.)")
_STOP = re.compile(r"[.!?…][\"'»”)]*(?=\s|$)")


def review(
    examples: Iterable[tuple[K, Example]], codes: Collection[str] = frozenset(CHECKS)
) -> Iterator[tuple[K, Finding]]:
    """`codes`: which checks to run; those between examples are told elsewhere (duplicates, contradictions, leakage)."""
    wanted = frozenset(codes)
    for key, example in examples:
        for finding in check(example, wanted):
            yield key, finding


def check(example: Example, codes: Collection[str] = frozenset(CHECKS)) -> Iterator[Finding]:
    if not set(KINDS).isdisjoint(codes):
        yield from (finding for finding in personal_data(example) if finding.code in codes)
    yield from (finding for finding in answers.check(example) if finding.code in codes)


def personal_data(example: Example) -> Iterator[Finding]:
    language = detect("\n".join(example.texts)[:_SAMPLE])
    for field in fields(example):
        for span in find(_readable(field), language):
            yield Finding(span.kind, field.path, span.start, span.end, _masked(span, field.text))


def mend(example: Example, findings: Iterable[Finding]) -> Example:
    """What each code's mend says, and nothing where that is a person's to decide."""
    told: dict[str, list[Finding]] = {}
    for finding in findings:
        told.setdefault(finding.field, []).append(finding)
    names = Placeholders(example)
    texts = {}
    for field in fields(example):
        edits = [edit for finding in told.get(field.path, ()) for edit in _edits(field, finding, names)]
        if edits:
            texts[field.path] = edited(field.text, edits)
    return rewritten(example, texts)


def _edits(field: Field, finding: Finding, names: Placeholders) -> Iterator[Edit]:
    match CHECKS[finding.code].mend:
        case Mend.REPLACE:
            yield names.edit(field, Span(finding.code, finding.start, finding.end))
        case Mend.BREAK_UP:
            yield finding.start + 1, finding.start + 1, " "
        case Mend.STRIP:
            yield finding.start, finding.end, ""
        case Mend.CUT:
            start = finding.start if finding.code == "loop" else _last_whole(field.text)
            if field.text[:start].strip():
                yield start, len(field.text), ""
        case Mend.NONE:
            pass
        case _ as unknown:
            assert_never(unknown)


def _last_whole(text: str) -> int:
    """Where the last whole sentence ends, before code left open and a list's empty item; 0: there is none."""
    fences = [match.start() for match in re.finditer(r"^\s*```", text, re.MULTILINE)]
    written = text[: fences[-1]] if len(fences) % 2 else text
    hanging = answers.HANGING.search(written)
    written = written[: hanging.start()] if hanging else written
    stops = [match.end() for match in _STOP.finditer(written.rstrip())]
    return stops[-1] if stops else 0


def _readable(field: Field) -> str:
    """Of JSON, its escapes blanked, so that "\\nana@example.com" does not begin with an n."""
    return _ESCAPE.sub(lambda match: " " * len(match[0]), field.text) if field.is_json else field.text


def _masked(span: Span, text: str) -> str:
    value = text[span.start : span.end]
    if span.kind not in _SECRET:
        return short(value)
    return f"{value[:4]}…{value[-2:]}" if len(value) > 16 else "…"
