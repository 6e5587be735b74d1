"""In: numbers as people write them, in English or Spanish. Out: exact fractions, and back as text.

    read("1.234,56", "es") → Fraction(123456, 100)      shown(Fraction(123456, 100), "es") → "1.234,56"

A point or a comma is told apart by what surrounds it: the last of both kinds is the decimal one, "3,5" can only be a
decimal, "1,234,567" only groups; what is left ("1,234") is read the way the person's language writes.
Knows nothing of expressions or units.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal
from fractions import Fraction

# Digits in groups of three by a space, a point, a comma or an apostrophe; then perhaps a decimal part and a power.
NUMBER = re.compile(
    r"(?:\d{1,3}(?:[ \u00a0\u2009\u202f']\d{3})+(?![\d])|\d+(?:[.,]\d+)*|\.\d+)(?:[.,]\d+)?"
    r"(?:[eE][+-]?\d+(?![\w.]))?"
)
DIGITS = 12  # shown of what does not end
WHOLE = 30  # digits shown of a decimal that does end


class NotANumber(ValueError):  # noqa: N818 - the name says what it is
    pass


def read(text: str, language: str = "en", *, decimal: str = "") -> Fraction:
    """`decimal`: "." or "," where the rest of the text has shown which one it is. Raises NotANumber."""
    plain = re.sub(r"[ \u00a0\u2009\u202f']", "", text.strip())
    mantissa, _, power = plain.lower().partition("e")
    sign = -1 if mantissa.startswith(("-", "−")) else 1
    mantissa = mantissa.lstrip("+-−")
    if not re.fullmatch(r"[\d.,]*\d[\d.,]*", mantissa) or len(mantissa) > 400:
        raise NotANumber(text)
    point = style(mantissa) or decimal or ("," if language == "es" else ".")
    group = "." if point == "," else ","
    if group in mantissa and not re.fullmatch(rf"\d{{1,3}}(?:\{group}\d{{3}})+(?:\{point}\d*)?", mantissa):
        raise NotANumber(text)  # 1,2,3 is no number
    whole, _, part = mantissa.replace(group, "").partition(point)
    if point in part or (power and not re.fullmatch(r"[+-]?\d{1,4}", power)):
        raise NotANumber(text)
    return sign * Fraction(f"{whole or 0}.{part or 0}") * Fraction(10) ** int(power or 0)


def style(number: str) -> str:
    """Which sign is the decimal one: "." or ","; "" where this number alone cannot say."""
    points, commas = number.count("."), number.count(",")
    if points and commas:
        return "," if number.rfind(",") > number.rfind(".") else "."
    if points > 1:
        return ","
    if commas > 1:
        return "."
    if not points and not commas:
        return ""
    sign = "." if points else ","
    before, after = number.split(sign)
    groups = len(after) == 3 and 1 <= len(before) <= 3 and before.lstrip("0") == before
    return "" if groups else sign


def shown(value: Fraction | Decimal, language: str = "en", digits: int = DIGITS) -> str:
    """Grouped, and with the decimal sign of the language: 1,234.5 · 1.234,5. What does not end keeps `digits`."""
    ended = _ended(value) if isinstance(value, Fraction) else None
    number = _rounded(Fraction(value), digits) if ended is None else ended
    if number and (number.adjusted() < -9 or (ended is None and number.adjusted() > 20)):
        return _scientific(number, language)
    text = f"{number:f}"
    whole, _, part = text.lstrip("-").partition(".")
    part = part.rstrip("0")
    group, point = (".", ",") if language == "es" else (",", ".")
    whole = re.sub(r"(?<=\d)(?=(?:\d{3})+$)", group, whole)
    minus = "-" if text.startswith("-") and text.strip("-0.") else ""
    return f"{minus}{whole}{point}{part}" if part else f"{minus}{whole}"


def is_exact(value: Fraction | Decimal) -> bool:
    """Does `shown` show all of it?"""
    return isinstance(value, Fraction) and _ended(value) is not None


def _ended(value: Fraction) -> Decimal | None:
    """The whole decimal, where it ends within what is shown."""
    rest, twos, fives = value.denominator, 0, 0
    while rest % 2 == 0 and twos <= WHOLE:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0 and fives <= WHOLE:
        rest, fives = rest // 5, fives + 1
    places = max(twos, fives)
    if rest != 1 or places > WHOLE:
        return None
    return Decimal((0 if value >= 0 else 1, _digits(abs(value) * 10**places), -places))


def _digits(value: Fraction) -> tuple[int, ...]:
    return tuple(map(int, str(int(value))))


def _rounded(value: Fraction, digits: int) -> Decimal:
    context = Context(prec=digits)
    return context.divide(Decimal(value.numerator), Decimal(value.denominator))


def _scientific(value: Decimal, language: str) -> str:
    mantissa, _, power = f"{value.normalize():e}".lower().partition("e")
    mantissa = mantissa.replace(".", ",") if language == "es" else mantissa
    return f"{mantissa} × 10^{int(power)}"
