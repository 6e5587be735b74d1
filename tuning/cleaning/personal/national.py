"""In: a text. Out: Span, … of national identity, tax and social security numbers, as python-stdnum checks them.

Each rule says what the number looks like, which check it must pass, which words name it, and whether one way of writing
it is enough without the word. A check that one number in ten or in a hundred passes by chance needs the word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from stdnum import luhn
from stdnum.ar import cuit
from stdnum.br import cpf
from stdnum.cl import rut
from stdnum.co import nit
from stdnum.de import idnr
from stdnum.es import cif, dni, nie
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.it import codicefiscale
from stdnum.mx import curp, rfc
from stdnum.pt import nif
from stdnum.us import ssn

from tuning.cleaning.personal.spans import Span, amount, glued, named, named_otherwise

Check = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    detail: str
    shape: re.Pattern[str]
    check: Check | None  # None: there is no checksum
    cue: re.Pattern[str]
    alone: re.Pattern[str] | None  # written so and checked, it needs no word
    forgiving: bool  # with the word, a failed check is taken for a typing error, which is as personal


def _rule(detail: str, shape: str, check: Check | None, cue: str, alone: str = "", *, forgiving: bool = False) -> Rule:
    return Rule(
        detail,
        re.compile(rf"(?<!\w)(?:{shape})(?!\w)"),
        check,
        re.compile(rf"(?<!\w)(?:{cue})(?!\w)", re.IGNORECASE),
        re.compile(alone) if alone else None,
        forgiving,
    )


def _bare(number: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "", number).upper()


def _identity(number: str) -> bool:
    return dni.is_valid(number.zfill(9))


def _social_security(number: str) -> bool:
    """Spain: province, serial, then both modulo 97; a serial below ten million is written there without its zero."""
    province, serial, check = number[:2], number[2:10], number[10:]
    return int(province + (serial[1:] if serial[0] == "0" else serial)) % 97 == int(check)


def _insurance(number: str) -> bool:
    """United Kingdom: these prefixes were never given."""
    return number[:2] not in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}


def _tax_mexico(number: str) -> bool:
    return rfc.is_valid(number, validate_check_digits=True)


_ID = r"documento(?: nacional)?(?: de identidad)?|identidad|identificaci[oó]n|id(?:entity)?(?: card)?"

RULES: tuple[Rule, ...] = (
    _rule("mx_curp", r"[A-Za-z]{4}\d{6}[HMXhmx][A-Za-z]{5}[A-Za-z\d]\d", curp.is_valid, "curp",
          r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z\d]\d", forgiving=True),
    _rule("it_codicefiscale", r"[A-Za-z]{6} ?\d\d ?[A-Za-z]\d\d ?[A-Za-z]\d{3}[A-Za-z]",
          codicefiscale.is_valid, r"codice fiscale|c[oó]digo fiscal|c\.?f\.?|tax code",
          r"[A-Z]{6} ?\d\d ?[A-Z]\d\d ?[A-Z]\d{3}[A-Z]"),
    _rule("mx_rfc", r"[A-ZÑ&]{3,4}[ -]?\d{6}[ -]?[A-Z\d]{3}|[a-zñ&]{3,4}\d{6}[a-z\d]{3}",
          _tax_mexico, r"r\.?f\.?c\.?|contribuyentes?|sat", r"[A-ZÑ&]{3,4}-?\d{6}-?[A-Z\d]{3}", forgiving=True),
    _rule("es_dni", r"\d{1,2}\.?\d{3}\.?\d{3}(?:-?[A-Za-z]| [A-Z])", _identity, rf"d\.?n\.?i\.?|n\.?i\.?f\.?|{_ID}",
          r"\d{8}-?[A-Z]|\d{2}\.\d{3}\.\d{3}-?[A-Z]", forgiving=True),
    _rule("es_nie", r"[XYZxyz][- ]?\d{7}(?:-?[A-Za-z]| [A-Z])", nie.is_valid,
          rf"n\.?i\.?e\.?|n\.?i\.?f\.?|extranjer[oa]s?|{_ID}", r"[XYZ]-?\d{7}-?[A-Z]", forgiving=True),
    _rule("es_cif", r"[ABCDEFGHJNPQRSUVW][- ]?\d{2}\.?\d{3}\.?\d{2}[0-9A-J]|[ABCDEFGHJNPQRSUVW][- ]?\d{7}[- ]?[0-9A-J]",
          cif.is_valid, r"c\.?i\.?f\.?|n\.?i\.?f\.?|vat|iva|fiscal|tax id"),
    _rule("es_nss", r"\d{2}[-/ ]?\d{8}[-/ ]?\d{2}", _social_security,
          r"seguridad social|n\.?s\.?s\.?|n\.?u\.?s\.?s\.?|n\.?a\.?f\.?|afiliaci[oó]n|social security",
          r"\d{2}[-/]\d{8}[-/]\d{2}"),
    _rule("us_ssn", r"\d{3}[- ]?\d{2}[- ]?\d{4}", lambda number: ssn.is_valid(ssn.format(number)),
          r"ssn|s\.s\.n\.?|social security|social|seguro social|seguridad social|itin|taxpayer", r"\d{3}-\d{2}-\d{4}",
          forgiving=True),
    _rule("ar_cuit", r"\d{2}[-. ]?\d{2}\.?\d{3}\.?\d{3}[-. ]?\d", cuit.is_valid,
          r"cuit|cuil|c\.u\.i\.[tl]\.?|afip|clave [uú]nica", r"\d{2}-\d{8}-\d|\d{2}-\d{2}\.\d{3}\.\d{3}-\d"),
    _rule("cl_rut", r"\d{1,2}\.\d{3}\.\d{3}-?[\dkK]|\d{7,8}-[\dkK]|\d{7,8}[\dkK]", rut.is_valid,
          rf"r\.?u\.?t\.?|r\.?u\.?n\.?|rol [uú]nico|{_ID}", r"\d{1,2}\.\d{3}\.\d{3}-[\dkK]"),
    _rule("fr_nir", r"[1-478] ?\d{2} ?\d{2} ?(?:\d{2}|2[ABab]) ?\d{3} ?\d{3} ?\d{2}", nir.is_valid,
          r"nir|s[eé]cu(?:rit[eé] sociale)?|insee|social security|seguridad social",
          r"[12] \d{2} \d{2} (?:\d{2}|2[AB]) \d{3} \d{3} \d{2}"),
    _rule("br_cpf", r"\d{3}\.?\d{3}\.?\d{3}[-. ]?\d{2}", cpf.is_valid, r"c\.?p\.?f\.?|cadastro",
          r"\d{3}\.\d{3}\.\d{3}-\d{2}"),
    _rule("gb_nino", r"(?i:[a-ceghj-pr-tw-z][a-ceghj-npr-tw-z]) ?\d{2} ?\d{2} ?\d{2} ?[A-Da-d]", _insurance,
          r"national insurance|nino|n\.?i\.? (?:number|no)|nin|seguro nacional|seguridad social",
          r"[A-Z]{2} \d{2} \d{2} \d{2} [A-D]"),
    _rule("co_nit", r"\d{1,3}(?:\.?\d{3}){2,3}-?\d", nit.is_valid, r"n\.?i\.?t\.?"),
    _rule("co_cc", r"\d{1,3}(?:\.\d{3}){2,3}|\d{6,10}", None,
          r"c[eé]dulas?(?: de (?:ciudadan[ií]a|identidad))?|c\.c\.?|cc"),
    _rule("dni", r"\d{1,2}\.\d{3}\.\d{3}|\d{7,8}", None, r"d\.?n\.?i\.?|documento(?: nacional)?(?: de identidad)?"),
    _rule("pt_nif", r"\d{3} ?\d{3} ?\d{3}", nif.is_valid, r"n\.?i\.?f\.?|contribuinte|fiscal|vat"),
    _rule("gb_nhs", r"\d{3}[- ]?\d{3}[- ]?\d{4}", nhs.is_valid, r"nhs"),
    _rule("ca_sin", r"\d{3}[- ]?\d{3}[- ]?\d{3}", luhn.is_valid, r"sin|social insurance"),
    _rule("de_idnr", r"\d{2} ?\d{3} ?\d{3} ?\d{3}", idnr.is_valid, r"steuer-?id\w*|idnr|steuernummer|tax id"),
    _rule("passport", r"[A-Z]{0,3}\d{6,9}[A-Z]?|[A-Z]{1,2}\d{1,2}[A-Z]{1,2}\d{4,6}", None, r"pasaportes?|passports?"),
)  # fmt: skip

# Six digits, or those of a codice fiscale; what a shape has before and after them is letters, and few.
_DIGITS = re.compile(r"\d(?:[ .\-/]?\d){5}|\d\d ?[A-Za-z]\d\d ?[A-Za-z]\d{3}")
_AROUND = 24


def identities(text: str) -> Iterator[Span]:
    windows = list(_windows(text))
    for rule in RULES if windows else ():
        since = 0  # a word names one number
        for first, beyond in windows:
            for match in rule.shape.finditer(text, first, beyond):
                if confidence := _confidence(rule, text, match, since):
                    since = match.end()
                    yield Span("national_id", *match.span(), confidence, rule.detail)


def _windows(text: str) -> Iterator[tuple[int, int]]:
    """Where to look, none overlapping."""
    first, beyond = 0, -1
    for match in _DIGITS.finditer(text):
        if match.start() - _AROUND > beyond:
            if beyond > 0:
                yield first, beyond
            first = max(0, match.start() - _AROUND)
        beyond = match.end() + _AROUND
    if beyond > 0:
        yield first, beyond


def _confidence(rule: Rule, text: str, match: re.Match[str], since: int) -> float:
    if glued(text, *match.span(), rule.cue):
        return 0.0
    spoken = named(rule.cue, text, *match.span(), since) and not amount(text, *match.span())
    valid = rule.check is None or rule.check(_bare(match[0]))
    if spoken:
        return 0.99 if valid else 0.6 * rule.forgiving
    alone = valid and rule.alone is not None and rule.alone.fullmatch(match[0]) is not None
    if not alone or named_otherwise(text, match.start()):
        return 0.0
    return 0.9
