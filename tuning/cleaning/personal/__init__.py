"""In: a text, or an example. Out: the personal data and secrets in it; the example without them.

    find("Escríbeme a ana@example.com o al 612 345 678.")
    → [Span("email", 12, 27), Span("phone", 33, 44)]
    replace(example, {field: spans})
    → "Escríbeme a [EMAIL_1] o al [PHONE_1]."         the same value has the same number all through one example

    contact · phones · accounts · national · secrets      structured kinds: by shape, checksum and the words around
    names                                                  only where a recogniser is installed

Where two would take the same characters, the surer one does. Knows nothing of stores and pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from knowledge.language import detect
from tuning.cleaning.personal import accounts, contact, national, phones, secrets
from tuning.cleaning.personal.names import names, recogniser
from tuning.cleaning.personal.replacing import Placeholders, replace
from tuning.cleaning.personal.spans import KINDS, Span

__all__ = ["KINDS", "Placeholders", "Span", "find", "recogniser", "replace"]


_DIGIT = re.compile(r"\d")


def find(text: str, language: str | None = None) -> list[Span]:
    """In order, none overlapping. `language`: "en", "es", "" for both; None: found out."""
    if language is None:
        language = detect(text)
    taken, found = bytearray(len(text)), list[Span]()
    for span in _all(text, language):
        if not any(taken[span.start : span.end]):
            taken[span.start : span.end] = b"\1" * (span.end - span.start)
            found.append(span)
    return sorted(found, key=lambda span: span.start)


def _all(text: str, language: str) -> Iterator[Span]:
    """The surest first."""
    yield from secrets.known(text)
    yield from contact.emails(text)
    if _DIGIT.search(text):
        yield from accounts.ibans(text)
        yield from accounts.cards(text)
        yield from national.identities(text)
        yield from contact.addresses(text)
        yield from phones.phones(text, language)
    yield from secrets.said(text)
    yield from names(text, language)
