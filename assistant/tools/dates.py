"""In: a date, a time or a span as people write them, in English or Spanish. Out: the moment, the span.

    moment("29 de febrero de 2024 a las 9:30", today)  → date(2024, 2, 29), time(9, 30)
    span("3 weeks and 2 days ago")                      → Span(days=-23)

Knows nothing of zones.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from assistant.tools.places import fold

_MONTHS = (
    "january jan enero ene", "february feb febrero", "march mar marzo", "april apr abril abr", "may mayo",
    "june jun junio", "july jul julio", "august aug agosto ago", "september sep sept septiembre setiembre",
    "october oct octubre", "november nov noviembre", "december dec diciembre dic",
)  # fmt: skip
MONTHS = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split()}
_DAYS = (
    "monday mon lunes", "tuesday tue martes", "wednesday wed miercoles", "thursday thu jueves", "friday fri viernes",
    "saturday sat sabado", "sunday sun domingo",
)  # fmt: skip
DAYS = {name: number for number, names in enumerate(_DAYS) for name in names.split()}
_NAMED: dict[str, int | tuple[int, int]] = {  # days from today, or (month, day) of the next one
    "today": 0, "hoy": 0, "now": 0, "ahora": 0, "tomorrow": 1, "manana": 1, "yesterday": -1, "ayer": -1,
    "day after tomorrow": 2, "pasado manana": 2, "day before yesterday": -2, "anteayer": -2, "antier": -2,
    "christmas": (12, 25), "christmas day": (12, 25), "navidad": (12, 25), "christmas eve": (12, 24),
    "nochebuena": (12, 24), "new year": (1, 1), "new years": (1, 1), "new years day": (1, 1), "ano nuevo": (1, 1),
    "new years eve": (12, 31), "nochevieja": (12, 31), "fin de ano": (12, 31), "reyes": (1, 6),
    "valentines day": (2, 14), "san valentin": (2, 14), "halloween": (10, 31),
}  # fmt: skip
_PART = r"de la (?:manana|tarde|noche)"
_CLOCK = re.compile(
    r"(?:\b(?:at|a las?|las)\s+)?\b"
    r"(?:(?P<h>\d{1,2})[:.h](?P<m>\d{2})(?::(?P<s>\d{2}))?"
    rf"|(?P<h2>\d{{1,2}})(?=\s*(?:am|pm|h\b|{_PART}))|(?<=las )(?P<h3>\d{{1,2}})|(?<=la )(?P<h4>1))"
    rf"\s*(?P<half>am|pm|{_PART})?(?:h(?:rs?|oras?)?\b)?"
)
_NOON = {"noon": 12, "midday": 12, "mediodia": 12, "midnight": 0, "medianoche": 0}
_NUMBERS = (
    "un/una/a/an/one two/dos three/tres four/cuatro five/cinco six/seis seven/siete eight/ocho nine/nueve ten/diez "
    "eleven/once twelve/doce"
)
NUMBERS = {name: number for number, names in enumerate(_NUMBERS.split(), 1) for name in names.split("/")}
_UNITS = {
    "days": "day days dia dias d", "weeks": "week weeks semana semanas fortnight", "months": "month months mes meses",
    "years": "year years ano anos", "hours": "hour hours hora horas h hr hrs",
    "minutes": "minute minutes minuto minutos min mins", "seconds": "second seconds segundo segundos",
}  # fmt: skip
UNITS = {name: unit for unit, names in _UNITS.items() for name in names.split()}
MOST = 4_000_000  # of any unit; more leads out of the calendar


class NotADate(ValueError):  # noqa: N818 - the name says what it is
    pass


@dataclass(frozen=True, slots=True)
class Moment:
    day: date | None  # None: only a time was named
    time: time | None


@dataclass(frozen=True, slots=True)
class Span:
    months: int = 0
    days: int = 0
    seconds: int = 0

    def after(self, start: datetime) -> datetime:
        """The 31st of a month that has none is its last day. Raises OverflowError out of the calendar (1 to 9999)."""
        year, month = divmod(start.year * 12 + start.month - 1 + self.months, 12)
        if not 1 <= year <= 9999:
            raise OverflowError
        last = calendar.monthrange(year, month + 1)[1]
        moved = start.replace(year=year, month=month + 1, day=min(start.day, last))
        return moved + timedelta(days=self.days, seconds=self.seconds)


def moment(text: str, today: date, language: str = "en", after: date | None = None) -> Moment:
    """A day without a year is the next one from `after` on (today, where not given). Raises NotADate."""
    plain = _plain(text)
    if not plain or len(plain) > 100:
        raise NotADate(text)
    iso = re.fullmatch(r"(\d{4}-\d{1,2}-\d{1,2})[t ](\d{1,2}:\d{2}(?::\d{2})?)z?", plain)
    at, rest = _clock(iso[2] if iso else plain)
    rest = iso[1] if iso else rest
    try:
        return Moment(_day(rest, today, language, after or today) if rest else None, at)
    except (ValueError, OverflowError):
        raise NotADate(text) from None


def _plain(text: str) -> str:
    """Like a place's name, but the points of 29.02.2024 and of 9.30 stay."""
    text = re.sub(r"^(?=las? \d)", "a ", text.strip())  # "las 5" is a time, not an article
    kept = re.sub(r"(?<=\d)\.(?=\d)", "\x00", re.sub(r"(?<=\d)-(?=\d)", "\x01", text))
    return fold(kept).replace("\x00", ".").replace("\x01", "-")


def _clock(text: str) -> tuple[time | None, str]:
    """The time in it, and what is left without it."""
    for word, hour in _NOON.items():
        if re.search(rf"\b{word}\b", text):
            return time(hour), re.sub(rf"(?:\bat |\bal? |\ba la )?\b{word}\b", "", text).strip()
    if re.search(r"\d\.\d+\.\d|^\d{1,2}\.\d{1,2}$", text):  # 29.02.2024
        return None, text
    found = _CLOCK.search(text)
    if found is None:
        return None, text
    hour = int(found["h"] or found["h2"] or found["h3"] or found["h4"])
    half = found["half"] or ""
    if half and not (1 <= hour <= 12 or half.startswith("de")):
        raise NotADate(text)
    if half in ("pm", "de la tarde", "de la noche") and hour < 12:
        hour += 12
    elif half in ("am", "de la manana") and hour == 12:
        hour = 0
    if hour > 23 or int(found["m"] or 0) > 59 or int(found["s"] or 0) > 59:
        raise NotADate(text)
    rest = text[: found.start()] + text[found.end() :]
    return time(hour, int(found["m"] or 0), int(found["s"] or 0)), re.sub(r"\b(?:at|a las?)\s*$", "", rest).strip()


def _day(text: str, today: date, language: str, after: date) -> date:
    text = re.sub(r"^(?:on|el|de|dia|the)\s+", "", text)
    named = _NAMED.get(text)
    if isinstance(named, int):
        return today + timedelta(days=named)
    if isinstance(named, tuple):
        return _next(after, *named)
    weekday = re.fullmatch(
        r"(?:(next|last|this|proximo|pasado|este)\s+)?([a-z]+)(?:\s+(next|que viene|proximo|pasado))?", text
    )
    if weekday and weekday[2] in DAYS:
        back = "last" in (weekday[1], weekday[3]) or "pasado" in (weekday[1], weekday[3])
        ahead = (DAYS[weekday[2]] - today.weekday()) % 7
        return today + timedelta(days=ahead - 7 if back else ahead or 7)
    return _calendar(text, after, language)


def _calendar(text: str, after: date, language: str) -> date:
    if found := re.fullmatch(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", text):
        return date(int(found[1]), int(found[2]), int(found[3]))
    if found := re.fullmatch(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})", text):
        first, second, year = (int(part) for part in found.groups())
        year += 0 if len(found[3]) == 4 else 2000 if year < 70 else 1900
        month_first = language == "en" and "/" in text and first <= 12
        return date(year, first, second) if month_first or second > 12 else date(year, second, first)
    words = re.sub(r"(\d)(?:st|nd|rd|th)\b", r"\1", text)
    words = " ".join(word for word in words.split() if word not in ("of", "de", "del", "the", "el", "ano", "year"))
    day_first = re.fullmatch(r"(\d{1,2}) ([a-z]+)(?: (\d{1,4}))?", words)
    month_first_words = re.fullmatch(r"([a-z]+) (\d{1,2})(?: (\d{4}))?", words)
    if day_first:
        day, month, year_text = int(day_first[1]), MONTHS.get(day_first[2], 0), day_first[3]
    elif month_first_words:
        month, day, year_text = MONTHS.get(month_first_words[1], 0), int(month_first_words[2]), month_first_words[3]
    elif re.fullmatch(r"\d{4}", words):
        return date(int(words), 1, 1)
    else:
        raise NotADate(text)
    return date(int(year_text), month, day) if year_text else _next(after, month, day)


def _next(after: date, month: int, day: int) -> date:
    """The next such day, that one included; 29 February waits for its year."""
    for year in range(after.year, after.year + 9):
        try:
            found = date(year, month, day)
        except ValueError:
            if not (month == 2 and day == 29):
                raise
            continue
        if found >= after:
            return found
    raise NotADate(f"{month}-{day}")


_BACK = r"\b(?:ago|before|antes|atras|earlier)\b"
_AHEAD = r"\b(?:later|despues|from now)\b"
_SIGN = r"^(?:[-−+]|minus|menos|hace|in|en|dentro de|plus|mas)\s*"
_COUNTED = re.compile(r"(\d{1,9}|[a-z]+)\s*([a-z]+)")


def span(text: str) -> Span:
    """ "3 weeks", "-10 days", "2 meses y 3 días", "hace una hora", "90 days ago". Raises NotADate."""
    text = text.strip().casefold()
    sign = re.match(_SIGN, text)
    plain = fold(text[sign.end() :] if sign else text)
    back = bool(sign and sign[0].strip() in ("-", "−", "minus", "menos", "hace")) or bool(re.search(_BACK, plain))
    plain = re.sub(rf"{_BACK}|{_AHEAD}|\b(?:and|y|e)\b", " ", plain).strip()
    if len(plain) > 100 or not plain or _COUNTED.sub("", plain).strip():
        raise NotADate(text)
    totals = {"months": 0, "days": 0, "seconds": 0}
    for count, unit in _COUNTED.findall(plain):
        number = int(count) if count.isdecimal() else NUMBERS.get(count, -1)
        if unit not in UNITS or not 0 <= number <= MOST:
            raise NotADate(text)
        kind, times = _PARTS[UNITS[unit]]
        totals[kind] += number * times * (2 if unit == "fortnight" else 1) * (-1 if back else 1)
    return Span(**totals)


_PARTS = {
    "years": ("months", 12), "months": ("months", 1), "weeks": ("days", 7), "days": ("days", 1),
    "hours": ("seconds", 3600), "minutes": ("seconds", 60), "seconds": ("seconds", 1),
}  # fmt: skip
