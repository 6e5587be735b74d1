"""In: a text and its language. Out: Span, … of telephone numbers. phonenumbers says what a country could have given.

    +34 612 345 678           a country's code: enough
    llámame al 612345678      a word that says so: any number that one of REGIONS could have given
    (212) 555-0123            neither: only as such numbers are written where the text's language is spoken

Dates, times, amounts, ISBNs and whatever the words before call an order, a part or a version are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import phonenumbers
from phonenumbers import ValidationResult

from knowledge.language import stop_words
from tuning.cleaning.personal.spans import OTHER, Span, amount, glued, named, named_otherwise

REGIONS = ("ES", "US", "GB", "MX", "AR", "CO", "CL", "DE", "FR", "PE", "PT", "IT", "BR")  # asked in this order
SPOKEN = {"es": ("ES", "MX", "AR", "CO", "CL", "FR", "DE"), "en": ("US", "GB", "FR", "DE")}

_GAP = " \u00a0\u202f"
_MORE = r"\s?(?:x|ext\.?|extensi[oó]n)\s?\d{1,6}"
_RUN = re.compile(
    rf"(?<![\w$€£])(?<!\d[.,])(?:\+|\(\+?)?\d[\d{_GAP}().\-–/]{{4,40}}\d(?:{_MORE})?(?!\w)", re.IGNORECASE
)
_EXTENSION = re.compile(rf"{_MORE}$", re.IGNORECASE)

_CUE = re.compile(
    r"\b(?:tel[eé]fon\w+|tel[eé]f|tfno|tlfn?|tel|tf|fono|m[oó]vil(?:es)?|celular(?:es)?|cel|(?:tele)?phones?|mobile|"
    r"cell|fax|ph|whats ?app|wasap|bizum|sms|ll[aá]m(?!ad[ao]s?\b|amient)\w+|llamada (?:al?|del?|desde)|"
    r"m[aá]r(?:c[ao]\w*|quen?)(?= (?:al|el)\b)|call(?:ed|ing)?(?! (?:volume|centre|center))|dial\w*|rings?|rang|"
    r"ringing|hotline|text(?:ed)? (?:me|him|her|us|them)|reach\w*|contact[aeo]?\w*|localiz\w+|escr[ií]b[aeiou]\w*|"
    r"av[ií]sa\w*|atiend\w+|(?:my|his|her|our|their|your) number|(?:mi|su|tu|nuestro|vuestro) n[uú]mero|apunta\w*|"
    r"an[oó]ta\w*|emergenc\w+|(?:home|work|office|casa|oficina|trabajo)(?=:)|wa\.me/\+?|tel:)(?![^\W_])|[☎📞📱]",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"(?<!\d)(?<!\d[./-])(?:"
    r"(?:19|20)\d\d(?P<a>[-/.])\d{1,2}(?P=a)\d{1,2}(?:[T ]\d{1,2}:\d\d(?::\d\d)?)?"  # 2024-05-12T10:00
    r"|\d{1,2}(?P<b>[-/.])\d{1,2}(?P=b)(?:(?:19|20)\d\d|\d\d)"  # 12/05/2024
    r"|(?<!\d )(?:1[89]|20)\d\d\s?[-–/]\s?(?:1[89]|20)\d\d"  # 1999-2004
    r"|(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"  # 20240512
    r"|\d{1,2}:\d\d(?::\d\d)?"  # 10:30
    r")(?!\d)(?![./-]\d)"
)
_GOES_ON = re.compile(r"[\s,;/·|&•)–-]*(?:[^\W\d]+[\s,.:/·|&•()–-]*){0,2}")  # between two numbers of one list: " o al "
_THOUSANDS = re.compile(rf"\d{{1,3}}(?:(?P<gap>[.{_GAP}])\d{{3}})(?:(?P=gap)\d{{3}})*")
_BOOK = re.compile(r"97[89][ -]?(?:\d[ -]?){9}\d|\d{1,5}-\d{1,7}-\d{1,6}-\d")  # ISBN
_QUAD = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}")
_DECIMAL = re.compile(r"\d+\.\d+")
_APART = re.compile(rf"\n+|[{_GAP}]+[-–/][{_GAP}]+|[{_GAP}]{{2,}}|(?<=\d{{6}})/(?=\d{{6}})")  # between two numbers
_WORD = re.compile(rf"[{_GAP}]([^\W\d_]+)")

# How groups are cut where such numbers are written: digits per group, and with which signs between them.
_CUTS: dict[str, tuple[str, ...]] = {
    "ES": ("3 3 3", "3 2 2 2", "2 3 2 2", "2 3 4", "3 6", "2 7"),
    "US": ("3 3 4", "1 3 3 4"),
    "GB": ("5 6", "5 3 3", "4 3 4", "3 4 4", "4 6", "3 3 4", "4 7"),
    "MX": ("2 4 4", "3 3 4", "3 3 2 2", "2 8", "3 7"),
    "AR": ("2 4 4", "3 4 4", "3 3 4", "4 2 4", "4 6", "2 2 4 4"),
    "CO": ("3 3 4", "3 7", "3 3 2 2"),
    "CL": ("1 4 4", "2 3 4", "1 8", "2 2 3 4"),
    "DE": ("3 6", "3 7", "3 8", "4 7", "4 8", "4 6", "5 6", "2 7", "3 4 4", "4 3 4", "3 2 2 2 2"),
    "FR": ("2 2 2 2 2",),
}
_TRUNK = {"DE", "FR", "GB"}  # at home their numbers begin with 0
_SIGNS = re.compile(r"\(\d|\d \d+-\d")  # nothing but telephones is written with both
_HYPHENS = re.compile(r"\(?\d{3}\)?[ .\-]\d{3}[.\-]\d{4}")  # 555-123-4567: nothing else is cut so, given or not


def phones(text: str, language: str) -> Iterator[Span]:
    """`language`: "en", "es", or "" where both may be."""
    told = 0  # where the last number ends that a word named: "teléfonos: 912 345 678, 612 345 678"
    for match in _RUN.finditer(text):
        for start, end in _pieces(text, *match.span()):
            spoken = named(_CUE, text, start, end, told) or (told > 0 and _goes_on(text[told:start]))
            span = _best(text, list(_readings(text, start, end)), language, spoken=spoken)
            if span:
                yield span
                told = span.end if spoken else told


def _goes_on(between: str) -> bool:
    return _GOES_ON.fullmatch(between) is not None and not OTHER.search(between)


def _best(text: str, readings: list[tuple[int, int]], language: str, *, spoken: bool) -> Span | None:
    """Cut as somebody's number is cut; else, of what a word names, the whole of it."""
    whole = readings[0]
    for start, end in readings:
        written = text[start:end]
        if not _fits(text, start, end, spoken=spoken):
            continue
        if written.startswith(("+", "(+", "00")):
            confidence = _abroad(written, spoken=spoken)
        elif spoken:
            confidence = 0.99 * _usual(written, REGIONS, spoken=True)
        else:
            unclear = _THOUSANDS.fullmatch(written) and ((start, end) != whole or _counts(text, start, end))
            confidence = 0.0 if unclear else 0.7 * _usual(written, SPOKEN.get(language, REGIONS), spoken=False)
        if confidence:
            return Span("phone", start, end, confidence)
    if spoken and _fits(text, *whole, spoken=True) and (confidence := _asked(text[slice(*whole)])):
        return Span("phone", *whole, confidence)
    return None


def _fits(text: str, start: int, end: int, *, spoken: bool) -> bool:
    """Seven to fifteen digits, and no sign of anything else."""
    written = text[start:end]
    if not 7 <= sum(character.isdigit() for character in _EXTENSION.sub("", written)) <= 15 or _BOOK.fullmatch(written):
        return False
    if glued(text, start, end, _CUE) or _QUAD.fullmatch(written) or (not spoken and named_otherwise(text, start)):
        return False
    if written.startswith(("+", "(+")):
        return True
    return not (amount(text, start, end) or _DECIMAL.fullmatch(written))


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A run of digits and signs without the dates and times in it, cut where two numbers follow each other."""
    run, at = _DATE.sub(lambda match: "\n" * len(match[0]), text[start:end]), 0
    for piece in _APART.split(run):
        at = run.index(piece, at)
        written = piece.strip(f"\n{_GAP}-–./")
        if written.count("(") != written.count(")"):
            written = written.strip("()")
        if sum(character.isdigit() for character in written) >= 7:
            first = start + at + piece.index(written)
            yield first, first + len(written)
        at += len(piece)


def _readings(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The whole of it, then without a group or two at either end: "612 345 678 24 horas"."""
    yield start, end
    groups = [match.span() for match in re.finditer(r"[+(]*\d+\)?", text[start:end])]
    for first, beyond in ((0, -1), (0, -2), (1, 0), (2, 0)):
        kept = groups[first : len(groups) + beyond]
        if len(kept) >= 2:
            yield start + kept[0][0], start + kept[-1][1]


def _abroad(written: str, *, spoken: bool) -> float:
    number = _parsed(written, "ES")
    if number is None or phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return 0.9 if spoken and number is not None and written.startswith("+52") else 0.0
    if phonenumbers.is_valid_number(number):
        return 0.99
    return 0.8 if spoken or not _THOUSANDS.fullmatch(written.lstrip("+")) else 0.0


def _asked(written: str) -> float:
    """A word beside it says that it is one: could anybody have it?"""
    local = False
    for region in REGIONS:
        number = _parsed(written, region)
        reason = phonenumbers.is_possible_number_with_reason(number) if number else None
        if reason == ValidationResult.IS_POSSIBLE:
            return 0.95
        local |= reason == ValidationResult.IS_POSSIBLE_LOCAL_ONLY
    return 0.8 if local else 0.0


def _usual(written: str, regions: tuple[str, ...], *, spoken: bool) -> bool:
    """Written as telephones are in one of the regions, and somebody there could have been given it."""
    number = _EXTENSION.sub("", written)
    if _HYPHENS.fullmatch(number):
        return True
    groups = re.findall(r"\d+", number)
    if not spoken and len(groups) < 3 and not number.startswith(("0", "(")):
        return False
    cut = " ".join(str(len(group)) for group in groups)
    for region in regions:
        if cut in _CUTS.get(region, ()) and (spoken or region not in _TRUNK or number.startswith(("0", "("))):
            parsed = _parsed(number, region)
            if parsed and phonenumbers.is_valid_number_for_region(parsed, region):
                return True
            if parsed and _SIGNS.search(number) and phonenumbers.is_possible_number(parsed):
                return True
    return False


def _counts(text: str, start: int, end: int) -> bool:
    """Cut in thousands, it counts something: with dots, or a word beside it that says what."""
    follows = _WORD.match(text[end : end + 24])
    unit = follows and follows[1].islower() and not any(follows[1] in stop_words(language) for language in ("en", "es"))
    return "." in text[start:end] or bool(unit) or named_otherwise(text, start, near=30)


def _parsed(written: str, region: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return None
