"""In: a message. Out: the same, plain, with every number as digits: "Doscientos más 1.250,50" → "200 mas 1250.50".

Lower case, without accents; signs of arithmetic stay. Spelled-out numbers are read in English and Spanish alike, so
that a message that mixes them is read too. Knows nothing of what is asked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

from assistant.history.words import folded
from assistant.tools import numerals

_UNITS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
    "cero": 0, "uno": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7, "ocho": 8, "nueve": 9,
    "diez": 10, "once": 11, "doce": 12, "trece": 13, "catorce": 14, "quince": 15, "dieciseis": 16, "diecisiete": 17,
    "dieciocho": 18, "diecinueve": 19, "veintiun": 21, "veintiuno": 21, "veintiuna": 21, "veintidos": 22,
    "veintitres": 23, "veinticuatro": 24, "veinticinco": 25, "veintiseis": 26, "veintisiete": 27, "veintiocho": 28,
    "veintinueve": 29,
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fourty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90,
    "veinte": 20, "treinta": 30, "cuarenta": 40, "cincuenta": 50, "sesenta": 60, "setenta": 70, "ochenta": 80,
    "noventa": 90,
}  # fmt: skip
_HUNDREDS = {
    "cien": 100, "ciento": 100, "doscientos": 200, "trescientos": 300, "cuatrocientos": 400, "quinientos": 500,
    "seiscientos": 600, "setecientos": 700, "ochocientos": 800, "novecientos": 900,
}  # fmt: skip
_HUNDREDS |= {name[:-2] + "as": value for name, value in _HUNDREDS.items() if name.endswith("os")}
_GREAT = {"thousand": 10**3, "mil": 10**3, "million": 10**6, "millon": 10**6, "millions": 10**6, "millones": 10**6}
_GREAT |= {"billion": 10**9, "trillion": 10**12, "billon": 10**12, "billones": 10**12}
_ARTICLES = {"a", "an", "un", "una"}
_DOZENS = {"dozen", "docena", "docenas"}
_MULTIPLIED = _DOZENS | set(_GREAT)
_STARTS = set(_UNITS) | set(_TENS) | set(_HUNDREDS) | {"hundred"} | _MULTIPLIED | _ARTICLES
_TOKEN = re.compile(r"\d[\d.]*|\w+|[^\w\s]|\s+")
_DIGITS = re.compile(r"\d+(?:\.\d+)?")
_THOUSANDS = re.compile(r"(\d+(?:\.\d+)?) ?k\b(?! ?m)")  # 20k; not "10 km", and "5 k" of kelvin is rare


@lru_cache(maxsize=32)  # sums, units and dates read one message one after the other
def spelled(text: str, language: str) -> str:
    """`language` decides "1.250": a thousand and more in Spanish, one and a quarter in English."""
    marked = re.sub(r"[−–—]", "-", text).replace("×", "*").replace("÷", "/").replace("·", "*").replace("²", "^2")
    marked = marked.replace("½", ".5" if re.search(r"\d½", marked) else "0.5").replace("³", "^3").replace("√", " sqrt ")
    digits = _THOUSANDS.sub(lambda found: _text(Fraction(found[1]) * 1000), _digits(folded(marked), language))
    plain = re.sub(r"\s+", " ", _words(_TOKEN.findall(digits))).strip()
    return re.sub(r"\b(\d+) (?:and a half|y medi[oa])\b", r"\1.5", plain)


def _digits(text: str, language: str) -> str:
    """Numbers as Python writes them: 1,250.50 and 1.250,50 → 1250.50."""
    found = [one[0] for one in numerals.NUMBER.finditer(text)]
    styles = {style for one in found if (style := numerals.style(one))}
    decimal = styles.pop() if len(styles) == 1 else ""

    def one(match: re.Match[str]) -> str:
        if match.start() > 1 and re.fullmatch(r"\d:", text[match.start() - 2 : match.start()]):
            return match[0]  # 18:00
        if re.fullmatch(r"\d+(?:\.\d+){2,}|\d+(?: \d{3})+", match[0]) and not re.fullmatch(
            r"\d{1,3}(?:[. ]\d{3})+", match[0]
        ):
            return match[0]  # 192.168.0.1, 2.4.1
        try:
            return _text(numerals.read(match[0], language, decimal=decimal))
        except numerals.NotANumber:
            return match[0]

    return numerals.NUMBER.sub(one, text)


def _text(value: Fraction) -> str:
    if value.denominator == 1:
        return str(value.numerator)
    return f"{float(value):.12f}".rstrip("0").rstrip(".")


def _words(tokens: Sequence[str]) -> str:
    out: list[str] = []
    at = 0
    while at < len(tokens):
        value, end = _number(tokens, at)
        hundredth = tokens[at] == "ciento" and "".join(out).endswith("por ")
        if end > at and not hundredth:
            out.append(_text(value))
            at = end
        else:
            out.append(tokens[at])
            at += 1
    return "".join(out)


class _Amount:
    """A number as its words come: what is whole thousands already, and the part below them."""

    def __init__(self) -> None:
        self.whole, self.group = Fraction(0), Fraction(0)
        self.last = 10**15  # a smaller word must follow: "five six" is two numbers

    @property
    def value(self) -> Fraction:
        return self.whole + self.group

    def takes(self, word: str, following: str) -> bool:
        first = self.last == 10**15 and not self.value
        if first and (word in _ARTICLES or _DIGITS.fullmatch(word)):
            self.group = Fraction(1) if word in _ARTICLES else Fraction(word)
            return following in _MULTIPLIED or (word in _ARTICLES and following == "hundred")
        if word in _DOZENS:
            self.group, self.last = (self.group or Fraction(1)) * 12, 0
            return True
        if word in _GREAT and (first or self.group > 0):
            self.whole, self.group = self.whole + (self.group or Fraction(1)) * _GREAT[word], Fraction(0)
            self.last = _GREAT[word]
            return True
        if word == "hundred" and (first or 0 < self.group < 100):
            self.group, self.last = (self.group or Fraction(1)) * 100, 100
            return True
        for table, size in ((_HUNDREDS, 100), (_TENS, 10), (_UNITS, 1)):
            if word in table and self.last > size and not (self.last == 10 and table[word] > 9):
                self.group, self.last = self.group + table[word], size
                return True
        return False


def _number(tokens: Sequence[str], start: int) -> tuple[Fraction, int]:
    """The number that is spelled from `start` on, and where it ends; `start` where none is."""
    amount, at, end = _Amount(), start, start
    if tokens[start] not in _STARTS and not _DIGITS.fullmatch(tokens[start]):
        return Fraction(0), start
    while at < len(tokens):
        word = tokens[at]
        joint = word == " " or (word in ("and", "y") and end > start and amount.last > 1)
        joint |= word == "-" and end == at and _next(tokens, at) == (tokens[at + 1] if at + 1 < len(tokens) else "")
        if not joint:
            if not amount.takes(word, _next(tokens, at)):
                break
            end = at + 1
        at += 1
    if end > start and _next(tokens, end - 1) in ("point", "coma") and (part := _decimals(tokens, end))[0]:
        return amount.value + Fraction("0." + part[0]), part[1]
    return amount.value, end


def _next(tokens: Sequence[str], at: int) -> str:
    """The word after the one at `at`."""
    return next((token for token in tokens[at + 1 : at + 4] if not token.isspace()), "")


def _decimals(tokens: Sequence[str], at: int) -> tuple[str, int]:
    """ "point two five" → "25" """
    digits, end, past = "", at, False
    for place in range(at, len(tokens)):
        word = tokens[place]
        if word.isspace():
            continue
        if not past:
            past = True
            continue
        if word in _UNITS and _UNITS[word] < 100:
            digits, end = digits + str(_UNITS[word]), place + 1
        elif word.isdecimal():
            digits, end = digits + word, place + 1
        else:
            break
    return digits, end
