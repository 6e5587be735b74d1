"""In: a text. Out: Span, … of payment cards and IBANs, both with their checksum.

Cards: a known network's prefix and length, in its usual groups or in none, and Luhn's sum. A tenth of all numbers pass
Luhn, so that what the words before call an order or a part is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stdnum import iban, luhn

from tuning.cleaning.personal.spans import Span, glued, named, named_otherwise

_GAP = r"[ \-.\u00a0\u202f]"
_CARD = re.compile(
    rf"(?<![\w])(?:\d{{4}}(?P<gap>{_GAP})\d{{4}}(?P=gap)\d{{4}}(?P=gap)\d{{4}}(?:(?P=gap)\d{{3}})?"
    rf"|\d{{4}}{_GAP}\d{{6}}{_GAP}\d{{4,5}}|\d{{13,19}})(?![\w])"
)
_CARD_CUE = re.compile(
    r"\b(?:tarjetas?|cards?|visa|mastercard|amex|american express|d[ée]bito|cr[ée]dito|debit|credit|maestro|diners|jcb|"
    r"discover|unionpay|pago|pagar|payment|pay(?:ing)?|cobr\w+|charge\w*|carg\w+)\b",
    re.IGNORECASE,
)
_NETWORKS: tuple[tuple[str, re.Pattern[str], tuple[int, ...]], ...] = (
    ("visa", re.compile(r"4"), (16, 19)),
    ("mastercard", re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),
    ("amex", re.compile(r"3[47]"), (15,)),
    ("discover", re.compile(r"6011|64[4-9]|65"), (16, 19)),
    ("diners", re.compile(r"30[0-5]|3095|3[689]"), (14,)),
    ("jcb", re.compile(r"35(?:2[89]|[3-8])"), (16,)),
    ("mir", re.compile(r"220[0-4]"), (16,)),
    ("unionpay", re.compile(r"62"), (16, 17, 18, 19)),
    ("maestro", re.compile(r"50|5[6-9]|6[0-9]"), (16,)),
)
_ONLY_NAMED = {"visa": (13,), "maestro": (13, 14, 15, 17, 18, 19)}  # lengths that other numbers have too

_IBAN = re.compile(r"(?<![^\W_])[A-Za-z]{2}\d{2}(?:[ \-.\u00a0]?[A-Za-z0-9]){11,30}")


def cards(text: str) -> Iterator[Span]:
    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        if not luhn.is_valid(digits) or glued(text, *match.span()) or len(set(digits)) == 1:
            continue
        spoken = named(_CARD_CUE, text, *match.span())
        network = _network(digits, spoken=spoken)
        if network and (spoken or not named_otherwise(text, match.start())):
            yield Span("card", *match.span(), 0.99 if spoken else 0.9, network)


def ibans(text: str) -> Iterator[Span]:
    for match in _IBAN.finditer(text):
        ends = [match.end() - cut for cut in range(len(match[0]) - 14)]
        for end in ends:  # the longest first: the next word may have been taken along
            if not text[end - 1].isalnum() or (end < len(text) and text[end].isalnum()):
                continue
            number = re.sub(r"[^A-Za-z0-9]", "", text[match.start() : end])
            if iban.is_valid(number, check_country=False):
                yield Span("iban", match.start(), end, 1.0, number[:2].lower())
                break


def _network(digits: str, *, spoken: bool) -> str:
    for name, prefix, lengths in _NETWORKS:
        more = _ONLY_NAMED.get(name, ()) if spoken else ()
        if prefix.match(digits) and len(digits) in (*lengths, *more):
            return name
    return ""
