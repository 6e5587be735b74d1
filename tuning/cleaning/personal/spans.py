"""In: a text and a place in it. Out: Span, what was found there; and what the words around say of a number.

A number is rarely personal by its digits alone. The nearest word decides: "pedido 612345678" is an order, "llámame al
612345678" a telephone. Knows nothing of what each kind looks like.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

KINDS = ("email", "phone", "card", "iban", "national_id", "ip", "key", "password", "name")

BEFORE = 60  # characters in which a word still speaks of the number after it
AFTER = 28


@dataclass(frozen=True, slots=True)
class Span:
    kind: str  # one of KINDS
    start: int
    end: int
    confidence: float = 1.0  # 0..1: 0.9 and more, shape and checksum or a word beside it; 0.6, by its shape alone
    detail: str = ""  # "es_dni", "github", "visa": which of its kind


# What makes a number an order, a part, an amount, whatever it looks like.
OTHER = re.compile(
    r"\b(?:pedidos?|facturas?|expedientes?|referenc(?:ia|e)|ref|lotes?|serie|serial(?: number)?|n/s|s/n|sku|"
    r"isbn(?:-1[03])?|issn|ean|upc|gtin|imei|part(?: (?:number|no))?|pieza|modelo|model|producto|product|"
    r"art[ií]culo|item|c[oó]digo(?: de barras)?|barcode|orders?(?: (?:number|no|id))?|invoices?|tickets?|caso|"
    r"case|tracking|seguimiento|gu[ií]a|env[ií]o|shipment|parcel|paquete|albar[aá]n|build|commit|revisi[oó]n|"
    r"revision|versi[oó]n|version|versiones|firmware|patentes?|patents?|doi|arxiv|pmid|poblaci[oó]n|"
    r"population|habitantes|visitas|visits|views|vistas|matr[ií]cula|plate|vuelo|flight|coordenadas|"
    r"coordinates|lat|lon|latitud|longitud|latitude|longitude|timestamp|epoch|unix|checksum|hash|"
    r"transacci[oó]n|transaction|registro|record|asset|inventario|inventory|contador|counter|importe|amount|"
    r"total|suma|sum|precio|price|factor|valor|value|semilla|seed|bytes?|p[aá]gina|page|norma|standard|"
    r"est[aá]ndar|cas|ros[es]|rise|fell|grew|grow[sn]?|cost|costs|sold|earned|produced|counted|"
    r"sub(?:e|en|i[oó]|ieron)|baj(?:a|an|[oó]|aron)|crec(?:e|en|i[oó]|ieron)|cuestan?|cost[oó]|costaron|"
    r"vend(?:e|en|i[oó]|ieron)|sumaron?|alcanz(?:a|[oó]|aron)|calls|llamadas)\b\W{0,6}"
    r"(?:(?:n[uú]mero|number|n\.?º|nº|no\.?|num\.?|id|is|es|was|fue|era|de|del|of|con|with|the|el|la|to|a)\b\W{0,4}){0,4}",
    re.IGNORECASE,
)
_AMOUNT_BEFORE = re.compile(
    r"(?:[$€£¥₿]|\b(?:usd|eur|gbp|mxn|ars|clp|cop|us\$|chf|brl|r\$|jpy)|\d\s?[*×^])\s?$", re.IGNORECASE
)
_AMOUNT_AFTER = re.compile(
    r"(?:[.,]\d{1,3})?\s?(?:[€$£¥%‰°]|(?:euros?|d[oó]lar(?:es)?|dollars?|pesos?|libras?|pounds?|soles|reales|yen|"
    r"usd|eur|gbp|mxn|ars|clp|cop|millones|million|mil|km|kg|mg|g|m|cm|mm|ms|s|kb|mb|gb|tb|bytes?|k?hz|mhz|ghz|k?w|v|l|"
    r"ml|px|dpi)\b)|,\d|\s?[*×^]\s?\d",
    re.IGNORECASE,
)
# A sentence begins: a capital after a stop, but not after C.I.F. and Tel.; what follows a question may be its answer.
_BEGINS = re.compile(
    r"(?:(?<=[a-záéíóúüñ\d)\]%\"'»”])|(?<=\w\w))(?<!\b[Tt]el)(?<!\b[Tt]elf)(?<!\b[Tt]fno)(?<!\b[Nn]o)(?<!\b[Nn][uú]m)[.!…][\"'»”)]*\s+"
    r"(?=[^\W\d_a-záéíóúüñ]|[¿¡\"«“(])|\n\s*\n"
)
_ENDS = re.compile(r"[.!?…]\s|\n")


def before(text: str, start: int, since: int = 0) -> str:
    """What stands before it in its sentence; nothing from before `since`."""
    first = max(since, start - BEFORE)
    begins = [match.end() for match in _BEGINS.finditer(text, first, start + 1) if match.end() <= start]
    return text[begins[-1] if begins else first : start]


def after(text: str, end: int) -> str:
    """What stands after it in its sentence."""
    return _ENDS.split(text[end : end + AFTER], maxsplit=1)[0]


def last(pattern: re.Pattern[str], text: str) -> int:
    """Where its last match ends; -1: none."""
    return max((match.end() for match in pattern.finditer(text)), default=-1)


def named(cue: re.Pattern[str], text: str, start: int, end: int, since: int = 0) -> bool:
    """Whether the words around name it so, none nearer naming it something else."""
    ahead = before(text, start, since)
    said = last(cue, ahead)
    if said >= 0:
        return said >= last(OTHER, ahead)
    return cue.search(after(text, end)) is not None and last(OTHER, ahead) < 0


def named_otherwise(text: str, start: int, near: int = 3) -> bool:
    """Whether the words right before it, or at most so many characters before, make it an order, a part, an amount."""
    ahead = before(text, start)
    said = last(OTHER, ahead)
    return said >= 0 and len(ahead) - said <= near


def amount(text: str, start: int, end: int) -> bool:
    return bool(_AMOUNT_BEFORE.search(text[max(0, start - 6) : start]) or _AMOUNT_AFTER.match(text, end))


def glued(text: str, start: int, end: int, cue: re.Pattern[str] | None = None) -> bool:
    """Part of something longer: a path, a UUID, AB-12345678Z-9; but not where the cue is glued to it: DNI-12345678Z."""
    if re.match(r"[-_/]\w|\.\d", text[end : end + 2]):
        return True
    if not re.search(r"\w[-_./]$", text[max(0, start - 2) : start]):
        return False
    ahead = before(text, start)
    return cue is None or len(ahead) - last(cue, ahead) > 1
