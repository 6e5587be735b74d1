"""clock: what time it is here or elsewhere, the way between two zones, days between dates, a date and a span.

    Clock()                                             now, here
    Clock(place="Tokyo")                                now, there
    Clock(place="Madrid", to="New York")                now in both, and the difference
    Clock(place="Madrid", to="Tokyo", when="9:30")      9:30 in Madrid, over there
    Clock(when="12 October 1492")                       its weekday, and how far it is
    Clock(when="2024-01-15", until="Christmas")         days between two dates
    Clock(when="2024-01-15", add="90 days")             date and span; add="-3 weeks", "2 months ago"

Every field is text as a person writes it, in English or Spanish; "" means now, or here (this machine's zone).
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from fractions import Fraction

from pydantic import Field

from assistant.sentences import speaker
from assistant.tools import dates, numerals, places
from assistant.tools.tool import Arguments, Result, Tool, ToolError, Work

say = speaker(
    {
        "now_here": ("It is {time} on {date}.", "{son} {time} del {date}."),
        "now_there": (
            "In {place} it is {time} on {date} ({offset}).",
            "En {place} {son} {time} del {date} ({offset}).",
        ),
        "there": (
            "When it is {time} {place_in} on {date}, it is {other_time} on {other_date} {other_in}.",
            "Cuando {place_in} {son} {time} del {date}, {other_in} {other_son} {other_time} del {other_date}.",
        ),
        "there_same_day": (
            "When it is {time} {place_in} on {date}, it is {other_time} {other_in}.",
            "Cuando {place_in} {son} {time} del {date}, {other_in} {other_son} {other_time}.",
        ),
        "in": ("in {place}", "en {place}"),
        "ahead": ("{other} is {gap} ahead of {place}.", "{other} va {gap} por delante de {place}."),
        "behind": ("{other} is {gap} behind {place}.", "{other} va {gap} por detrás de {place}."),
        "same": ("{place} and {other} have the same time.", "{place} y {other} tienen la misma hora."),
        "here": ("here", "aquí"),
        "day_future": ("{date}: {days} from today.", "{date}: dentro de {days}."),
        "day_past": ("{date}: {days} ago.", "{date}: hace {days}."),
        "day_today": ("{date}: today.", "{date}: hoy."),
        "carried_back": (
            " That is today's calendar carried back; people then used the Julian one.",
            " Es el calendario de hoy llevado atrás; entonces se usaba el juliano.",
        ),
        "between": ("From {start} to {end}: {days}.", "Del {start} al {end}: {days}."),
        "weeks": ("{days} ({weeks} and {rest})", "{days} ({weeks} y {rest})"),
        "even_weeks": ("{days} ({weeks})", "{days} ({weeks})"),
        "sum": ("{start} {sign} {span}: {end}.", "{start} {sign} {span}: {end}."),
        "not_a_date": (
            "I cannot read {text!r} as a date or a time. Write it like 2024-02-29, 29 February 2024 or 9:30.",
            "No puedo leer {text!r} como fecha u hora. Escríbelo como 2024-02-29, 29 de febrero de 2024 o 9:30.",
        ),
        "not_a_span": (
            "I cannot read {text!r} as a span of time. Write it like 3 weeks, 90 days or 2 months ago.",
            "No puedo leer {text!r} como un plazo. Escríbelo como 3 semanas, 90 días o hace 2 meses.",
        ),
        "calendar": (
            "That date lies outside the calendar, which goes from year 1 to 9999.",
            "Esa fecha queda fuera del calendario, que va del año 1 al 9999.",
        ),
    }
)
GREGORIAN = date(1582, 10, 15)
Said = tuple[str, object]  # the sentence, and its value as plain JSON
_DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "es": ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
}
_MONTHS = {
    "en": (
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ),
    "es": (
        "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre",
        "diciembre",
    ),
}  # fmt: skip


class Clock(Arguments):
    place: str = Field(default="", description="City, country or zone (Tokyo, Spain, Europe/Madrid). Empty: here.")
    to: str = Field(default="", description="A second place, to compare with or to convert the time to.")
    when: str = Field(default="", description="A date, a time or both: 2024-02-29, tomorrow, 9:30. Empty: now.")
    until: str = Field(default="", description="A second date: how many days lie between `when` and it.")
    add: str = Field(default="", description="A span to add to `when`: '90 days', '3 weeks', '-2 months'.")


def now_in(place: str = "", *, now: datetime | None = None, language: str = "en") -> str:
    """The sentence for the time there. Raises ToolError for a place that is not known."""
    return run(Clock(place=place), Work(language=language, now=now)).text


def run(given: Clock, work: Work) -> Result:
    now = work.now or datetime.now().astimezone()
    try:
        said, value = _answer(given, now, work)
    except OverflowError:
        raise _error("calendar") from None
    return Result(text=said, spoken=said, value=value)


def _answer(given: Clock, now: datetime, work: Work) -> Said:
    language = work.language
    place = places.find(given.place) if given.place.strip() else None
    here = now.tzinfo
    now = now.astimezone(place.zone if place else here)
    at = _moment(given.when, now.date(), language) if given.when.strip() else dates.Moment(None, None)
    start = datetime.combine(at.day or now.date(), at.time or (time() if at.day else now.time()))
    start = _zoned(start, now, own_zone=work.now is None and place is None)
    if given.until.strip():
        return _between(start, _moment(given.until, now.date(), language, start.date()), language)
    if given.add.strip():
        return _added(start, given.add, at.time is not None or not given.when.strip(), language)
    if given.to.strip():
        return _elsewhere(start, place, places.find(given.to), here, language)
    if at.time is not None:
        return _elsewhere(start, place, None, here, language) if place else _now(start, None, language)
    return _day(start, now, language) if at.day else _now(start, place, language)


def _zoned(at: datetime, now: datetime, *, own_zone: bool) -> datetime:
    """In now's zone. This machine's own zone has a summer and a winter, which now's offset alone does not know."""
    if own_zone:
        with suppress(OverflowError, ValueError, OSError):  # outside what the system's calendar can hold
            return at.astimezone()
    return at.replace(tzinfo=now.tzinfo)


def _moment(text: str, today: date, language: str, after: date | None = None) -> dates.Moment:
    try:
        return dates.moment(text, today, language, after)
    except dates.NotADate:
        raise _error("not_a_date", text=text.strip()[:60]) from None


def _now(at: datetime, place: places.Place | None, language: str) -> Said:
    key = "now_there" if place else "now_here"
    said = say(key, language, place=place.name if place else "", offset=_offset(at), **_said(at, language))
    return _capital(said), at.isoformat(timespec="minutes")


def _elsewhere(
    at: datetime, place: places.Place | None, other: places.Place | None, here: tzinfo | None, language: str
) -> Said:
    """A place that is None is here."""
    there = at.astimezone(other.zone if other else here)
    names = {key: one.name if one else say("here", language) for key, one in (("place", place), ("other", other))}
    where = {f"{key}_in": say("in", language, place=name) for key, name in names.items()}
    where |= {f"{key}_in": names[key] for key, one in (("place", place), ("other", other)) if one is None}
    theirs = {f"other_{key}": value for key, value in _said(there, language).items()}
    key = "there_same_day" if there.date() == at.date() else "there"
    first = say(key, language, **where, **_said(at, language), **theirs)
    gap = (there.utcoffset() or timedelta()) - (at.utcoffset() or timedelta())
    key = "ahead" if gap > timedelta() else "behind" if gap else "same"
    second = say(key, language, gap=_gap(abs(gap), language), **names)
    return f"{first} {_capital(second)}", there.isoformat(timespec="minutes")


def _day(at: datetime, now: datetime, language: str) -> Said:
    days = (at.date() - now.date()).days
    key = "day_today" if days == 0 else "day_future" if days > 0 else "day_past"
    said = say(key, language, date=_date(at, language), days=_count(abs(days), "day", language))
    if at.date() < GREGORIAN:
        said += say("carried_back", language)
    return _capital(said), at.date().isoformat()


def _between(start: datetime, end: dates.Moment, language: str) -> Said:
    last = datetime.combine(end.day or start.date(), time(), start.tzinfo)
    days = (last.date() - start.date()).days
    weeks, rest = divmod(abs(days), 7)
    counted = _count(days, "day", language)
    if weeks:
        parts = {"weeks": _count(weeks, "week", language), "rest": _count(rest, "day", language)}
        counted = say("weeks" if rest else "even_weeks", language, days=counted, **parts)
    return say("between", language, start=_date(start, language), end=_date(last, language), days=counted), days


def _added(start: datetime, text: str, with_time: bool, language: str) -> Said:
    try:
        span = dates.span(text)
    except dates.NotADate:
        raise _error("not_a_span", text=text.strip()[:60]) from None
    # The clock on the wall moves on by days and months; by hours, time itself does.
    end = dates.Span(span.months, span.days).after(start)
    end = (end.astimezone(UTC) + timedelta(seconds=span.seconds)).astimezone(start.tzinfo) if span.seconds else end
    shown = with_time and bool(span.seconds)

    def said(at: datetime) -> str:
        return f"{_date(at, language)}, {at:%H:%M}" if shown else _date(at, language)

    plain = text.strip().lstrip("+-− ")
    back = span.months < 0 or span.days < 0 or span.seconds < 0
    words = {
        "start": said(start),
        "end": said(end),
        "sign": "−" if back else "+",
        "span": _spoken(span, language) or plain,
    }
    sentence = say("sum", language, **words)
    return _capital(sentence), end.isoformat(timespec="minutes") if shown else end.date().isoformat()


def _spoken(span: dates.Span, language: str) -> str:
    years, months = divmod(abs(span.months), 12)
    weeks, days = divmod(abs(span.days), 7)
    if days:  # 90 days are said as 90 days, 3 weeks as 3 weeks
        weeks, days = 0, abs(span.days)
    minutes, seconds = divmod(abs(span.seconds), 60)
    hours, minutes = divmod(minutes, 60)
    named = {
        "year": years,
        "month": months,
        "week": weeks,
        "day": days,
        "hour": hours,
        "minute": minutes,
        "second": seconds,
    }
    return ", ".join(_count(number, unit, language) for unit, number in named.items() if number)


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _said(at: datetime, language: str) -> dict[str, str]:
    return {"time": f"{at:%H:%M}", "date": _date(at, language), "son": "es la" if at.hour == 1 else "son las"}


def _date(at: datetime, language: str) -> str:
    day, month = _DAYS[language][at.weekday()], _MONTHS[language][at.month - 1]
    return f"{day} {at.day} de {month} de {at.year}" if language == "es" else f"{day}, {at.day} {month} {at.year}"


def _offset(at: datetime) -> str:
    minutes = int((at.utcoffset() or timedelta()).total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}{f':{rest:02}' if rest else ''}"


def _gap(gap: timedelta, language: str) -> str:
    hours, minutes = divmod(int(gap.total_seconds()) // 60, 60)
    parts = [_count(number, unit, language) for number, unit in ((hours, "hour"), (minutes, "minute")) if number]
    return (" y " if language == "es" else " and ").join(parts)


_UNITS = {
    "en": {unit: (unit, f"{unit}s") for unit in ("year", "month", "week", "day", "hour", "minute", "second")},
    "es": {
        "year": ("año", "años"), "month": ("mes", "meses"), "week": ("semana", "semanas"), "day": ("día", "días"),
        "hour": ("hora", "horas"), "minute": ("minuto", "minutos"), "second": ("segundo", "segundos"),
    },
}  # fmt: skip


def _count(number: int, unit: str, language: str) -> str:
    return f"{numerals.shown(Fraction(number), language)} {_UNITS[language][unit][abs(number) != 1]}"


def _error(key: str, **values: object) -> ToolError:
    return ToolError(say(key, "en", **values), spanish=say(key, "es", **values))


TOOL = Tool(
    name="clock",
    title={"en": "Date and time", "es": "Fecha y hora"},
    description="Date and time now, here or in a city; the same moment in another zone; the weekday of a date; days "
    "between two dates; a date plus or minus a span. Use it for every question about dates and times.",
    arguments=Clock,
    run=run,
)
