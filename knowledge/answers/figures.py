"""In: a claim and a text. Out: do the claim's figures stand in the text with the same unit, and beside the same things?

    "Sales were $5 million in 2020 and $7 million in 2021"
     →  Figure(5000000, {"$"})  beside {"year": {"2020"}, "measure": {"sale"}}
        Figure(7000000, {"$"})  beside {"year": {"2021"}, "measure": {"sale"}}

What a figure stands beside is read from the order of both: figures and years by turns pair with each other.
Knows nothing of passages, questions or models.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from knowledge.answers.sentences import is_row
from knowledge.language import fold, stems

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?", re.UNICODE)
_NUMBER = re.compile(r"\d+(?:[.,\u00a0\u202f’']\d+)*")
_MARK = re.compile(r"\s*\[\d{1,3}\]")
_NAMED_NUMBERS = (
    "zero/cero one two/dos three/tres four/cuatro five/cinco six/seis seven/siete eight/ocho nine/nueve ten/diez "
    "eleven/once twelve/doce thirteen/trece fourteen/catorce fifteen/quince sixteen/dieciséis seventeen/diecisiete "
    "eighteen/dieciocho nineteen/diecinueve twenty/veinte"
)
_SMALL = {name: str(i) for i, both in enumerate(_NAMED_NUMBERS.split()) for name in both.split("/")}
_SMALL |= {"thirty": "30", "treinta": "30", "forty": "40", "cuarenta": "40", "fifty": "50", "cincuenta": "50"}
del _SMALL["one"]  # a pronoun more often than a number
del _SMALL["once"]  # an English adverb

_SCALES = (
    (r"mil millones|billions?|bn|b(?=\b)", 10**9),
    (r"millions?|millón|millones|mm|mn|m(?=\b)", 10**6),
    (r"trillions?|billones", 10**12),
    (r"thousands?|mil|k(?=\b)", 10**3),
)
_UNITS = (
    ("$", r"us\$|\$|usd|dollars?|dólar(?:es)?"),
    ("€", r"€|eur|euros?"),
    ("£", r"£|gbp|pounds?|libras?"),
    ("¥", r"¥|jpy|yen(?:es)?"),
    ("%", r"%|percent|per cent|por ciento|porcentaje"),
    ("pp", r"percentage points?|basis points?|puntos (?:porcentuales|básicos)"),
)
_BEFORE = re.compile(r"(us\$|[$€£¥]|\busd|\beur|\bgbp)\s?\(?[-–−]?$", re.IGNORECASE)
_SCALE = re.compile(rf"\)?[\s-]?(?:{'|'.join(f'(?P<s{i}>{p})' for i, (p, _) in enumerate(_SCALES))})(?![^\W\d_])", re.I)
_UNIT = re.compile(
    r"\)?[\s-]?(?:(?:of|de|us|u\.s\.)\s)?(?:"
    + "|".join(f"(?P<u{i}>{p})" for i, (_, p) in sorted(enumerate(_UNITS), reverse=True))
    + r")(?![^\W\d_])",
    re.I,
)
_RANGE = re.compile(r"\s?(?:-|–|to|and|or|a|y|o)\s?[$€£¥]?", re.IGNORECASE)
UNIT_WORDS = frozenset(
    [
        "million",
        "millions",
        "billion",
        "billions",
        "trillion",
        "thousand",
        "mn",
        "bn",
        "mil",
        "millon",
        "millones",
        "billones",
        "dollar",
        "dollars",
        "dolar",
        "dolares",
        "usd",
        "us",
        "euro",
        "euros",
        "eur",
        "pound",
        "pounds",
        "libra",
        "libras",
        "percent",
        "percentage",
        "per",
        "cent",
        "ciento",
        "gbp",
        "yen",
    ]
)

_QUARTERS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "primer": 1, "segundo": 2, "tercer": 3, "cuarto": 4}
_MONTHS = (
    "january/enero february/febrero march/marzo april/abril may/mayo june/junio july/julio august/agosto "
    "september/septiembre october/octubre november/noviembre december/diciembre"
)
_MONTH = {name: str(i) for i, both in enumerate(_MONTHS.split(), 1) for name in both.split("/")}
_PERIOD = re.compile(
    rf"\b({'|'.join(_QUARTERS)})(?:\s(?:fiscal\s)?(?:quarter|half|trimestre|semestre))\b|\b[qt]([1-4])\b", re.IGNORECASE
)
_MEASURES = re.compile(
    r"\b(revenues?|sales|profits?|incomes?|earnings|losses|loss|costs?|expenses?|ebitda|margins?|assets?|liabilit\w+|"
    r"debts?|dividends?|cash|capex|expenditures?|taxe?s?|employees|staff|customers|"
    r"ingresos|ventas|beneficios?|ganancias?|pérdidas?|costes?|costos?|gastos?|márgen\w*|margen|activos?|pasivos?|deudas?|"
    r"dividendos?|impuestos?|emplead[oa]s|clientes)\b",
    re.IGNORECASE,
)
_UPS = r"increas\w+|rose|rises?|rising|grew|grow\w*|aument\w+|subi\w+|sube\w*|crec\w+"
_DOWNS = r"decreas\w+|fell|falls?|declin\w+|dropp?\w*|redu\w+|disminu\w+|baj[óaoe]\w*|ca[yí]\w+|descend\w+"
_MOVES = re.compile(rf"\b(?:(?P<up>{_UPS})|(?P<down>{_DOWNS}))\b", re.IGNORECASE)
_BREAK = re.compile(
    r"\b(?:compared|versus|vs|against|comparad[oa]s?|frente a|en comparación|from the|up from|down from|than|que en)\b",
    re.IGNORECASE,
)
_CAPITAL = re.compile(r"(?<![^\W_])[A-ZÁÉÍÓÚÑÜ][^\W_]+")


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a text. `value` has its scale multiplied in."""

    value: Decimal
    units: frozenset[str]  # of "$", "€", "£", "¥", "%", "pp"
    start: int
    end: int
    scaled: bool
    year: bool


def plain(text: str) -> str:
    """A model's sentence without its [n] and without Markdown's marks."""
    return re.sub(r"[*_`#>]+", "", _MARK.sub("", text)).strip()


def normalised(text: str) -> str:
    """Words only, lower case, one space between them: what two printings of one sentence have in common."""
    return " ".join(match.group().lower() for match in _WORD.finditer(unicodedata.normalize("NFKC", plain(text))))


def numbers(text: str) -> set[str]:
    """The numbers of a text, written one way: `1,577` and `1.577` are 1577, `3.50` is 3.5, `twelve` is 12.

    >>> sorted(numbers("twelve of 1,577 plants, 3.50 %"))
    ['12', '1577', '3.5']
    """
    found = {_plain_number(match.group()) for match in _NUMBER.finditer(text)}
    return found | {_SMALL[word] for word in normalised(text).split() if word in _SMALL}


def _plain_number(digits: str) -> str:
    groups = re.split(r"[.,\u00a0\u202f’']", digits)
    whole = (
        len(groups) > 1
        and 1 <= len(groups[0]) <= 3
        and groups[0] != "0"
        and all(len(group) == 3 for group in groups[1:])
    )
    if len(groups) == 1 or whole:
        return "".join(groups).lstrip("0") or "0"
    head, tail = "".join(groups[:-1]).lstrip("0") or "0", groups[-1].rstrip("0")
    return f"{head}.{tail}" if tail else head


def figures(text: str) -> list[Figure]:
    """Every number of `text` in order, years among them."""
    found: list[Figure] = []
    for match in re.finditer(rf"{_NUMBER.pattern}|[^\W\d_]+", text):
        word = match.group()
        if word[0].isdigit():
            found.append(_figure(text, match.start(), match.end(), _plain_number(word)))
        elif word.lower() in _SMALL:
            found.append(_figure(text, match.start(), match.end(), _SMALL[word.lower()]))
    for i in range(len(found) - 2, -1, -1):  # "between 5 and 7 million"
        this, after = found[i], found[i + 1]
        if this.scaled or this.year or this.units - after.units or not _RANGE.fullmatch(text[this.end : after.start]):
            continue
        value = this.value * (_scale(text, after.end)[0] if after.scaled else 1)
        found[i] = Figure(value, this.units | after.units, this.start, this.end, after.scaled, False)
    return found


def _scale(text: str, at: int) -> tuple[int, int]:
    match = _SCALE.match(text, at)
    if not match:
        return 1, at
    i = next(i for i in range(len(_SCALES)) if match.group(f"s{i}"))
    return _SCALES[i][1], match.end()


def _figure(text: str, start: int, end: int, digits: str) -> Figure:
    times, after = _scale(text, end)
    units = set()
    before = _BEFORE.search(text[max(0, start - 6) : start])
    if before:
        units |= {unit for unit, pattern in _UNITS if re.fullmatch(pattern, before.group(1), re.IGNORECASE)}
    match = _UNIT.match(text, after)
    if match:
        units |= {unit for i, (unit, _) in enumerate(_UNITS) if match.group(f"u{i}")}
    year = bool(re.fullmatch(r"1\d\d\d|20\d\d", text[start:end])) and not units and times == 1
    return Figure(Decimal(digits) * times, frozenset(units), start, end, times > 1, year)


def agree(claim: str, text: str, context: str) -> bool:
    """Does every figure of `claim` stand in `text`, with its unit, and beside what it stands beside there?

    `context`: what surrounds `text`; the row of a table has its unit and its years there.
    """
    said, shown = figures(plain(claim)), figures(text)
    row = is_row(text.strip().splitlines()[-1]) if text.strip() else False
    for figure in said:
        same = [other for other in shown if _same(figure, other, context if row else "")]
        if not same and not (row and figure.year and str(figure.value) in numbers(context)):
            return False
        if same and not any(_beside(plain(claim), figure, said, text, other, shown) for other in same):
            return False
    return True


def _same(figure: Figure, other: Figure, header: str) -> bool:
    if figure.value == other.value and figure.scaled is not other.scaled and figure.year is other.year:
        return figure.units <= other.units
    if figure.value != other.value:
        if not (header and not other.scaled and not other.units):
            return False
        times = [t for p, t in _SCALES if re.search(rf"\b(?:in )?(?:{p})\b", header, re.I)]
        return any(figure.value == other.value * t for t in times)
    percent = ("%" in figure.units) == ("%" in other.units)
    return percent and (figure.units <= other.units or bool(header and not other.units))


Marks = Sequence[tuple[int, str]]  # where in the text, what


def _beside(
    claim: str, figure: Figure, said: Sequence[Figure], text: str, other: Figure, shown: Sequence[Figure]
) -> bool:
    """Of what could be beside both, does nothing beside the one stand only beside another figure there?"""
    if figure.year and any(not f.year for f in said):
        return True  # what it belongs to is asked of the others
    for marks, strict in _KINDS:
        here, there = marks(claim), marks(text)
        mine = _paired(figure, said, here, claim)
        known = mine & {mark for _, mark in there} if not strict else mine
        theirs = _paired(other, shown, there, text)
        if known and theirs and not known & theirs:
            return False
        # "$4 million, compared to $6 million in 2019"
        others = [f for f in shown if f is not other] if strict and not theirs and _BREAK.search(text) else []
        if any(known & _paired(f, shown, there, text) for f in others):
            return False
    return _same_thing_counted(claim, figure, said, text, other, shown)


def _paired(figure: Figure, all_: Sequence[Figure], marks: Marks, text: str) -> set[str]:
    """The marks that go with `figure`: by turns with it, side by side in two runs, or the only ones."""
    if figure.year and any(at == figure.start for at, _ in marks):
        return set()
    at_marks = {at for at, _ in marks}
    line = [(f.start, "F", str(f.start)) for f in all_ if f.start not in at_marks and not f.year]
    line += [(at, "M", mark) for at, mark in marks]
    if figure.year:
        line.append((figure.start, "F", str(figure.start)))
    breaks = [match.start() for match in _BREAK.finditer(text)]
    runs: list[tuple[str, list[tuple[int, str]]]] = []
    last = -1
    for at, kind, what in sorted(line):
        if runs and runs[-1][0] == kind and not any(last < b < at for b in breaks):
            runs[-1][1].append((at, what))
        else:
            runs.append((kind, [(at, what)]))
        last = at
    here = next(
        (i for i, (kind, run) in enumerate(runs) if kind == "F" and (figure.start, str(figure.start)) in run), -1
    )
    if here < 0 or not marks:
        return set()
    if len({mark for _, mark in marks}) == 1 and not breaks:
        return {marks[0][1]}
    beside = [runs[i][1] if 0 <= i < len(runs) and runs[i][0] == "M" else None for i in (here - 1, here + 1)]
    # of two, not the one beyond "compared to"
    if all(beside) and any(runs[here][1][-1][0] < b < runs[here + 1][1][0][0] for b in breaks):
        beside[1] = None
    return _choice(figure, runs[here][1], beside, (runs[0][0], runs[-1][0]))


Run = list[tuple[int, str]]


def _choice(figure: Figure, own: Run, beside: Sequence[Run | None], ends: tuple[str, str]) -> set[str]:
    """Of the marks before and after a run of figures, those that go with this one; `ends`: of the whole line."""
    place = [at for at, _ in own].index(figure.start)
    for run in beside:
        if run and len(run) == len(own) > 1:
            return {run[place][1]}
    before, after = ({mark for _, mark in run} if run else set() for run in beside)
    if ends == ("M", "F"):
        return before or after
    if ends == ("F", "M"):
        return after or before
    return before | after


def _years(text: str) -> Marks:
    return [(f.start, str(f.value)) for f in figures(text) if f.year]


def _months(text: str) -> Marks:
    return [(m.start(), _MONTH[m.group().lower()]) for m in _WORD.finditer(text) if m.group().lower() in _MONTH]


def _quarters(text: str) -> Marks:
    return [
        (m.start(), str(_QUARTERS[m.group(1).lower()]) if m.group(1) else m.group(2)) for m in _PERIOD.finditer(text)
    ]


def _measures(text: str) -> Marks:
    return [(m.start(), fold(m.group().lower()).rstrip("s")) for m in _MEASURES.finditer(text)]


def _moves(text: str) -> Marks:
    return [(m.start(), "up" if m.group("up") else "down") for m in _MOVES.finditer(text)]


def _called(text: str) -> Marks:
    return [(m.start(), m.group().lower()) for m in _CAPITAL.finditer(text)]


# What may stand beside a figure, and whether it must (a year) or only where the text has it at all (a name).
_KINDS: tuple[tuple[Callable[[str], Marks], bool], ...] = (
    (_years, True),
    (_quarters, True),
    (_months, True),
    (_measures, False),
    (_moves, True),
    (_called, False),
)


def _same_thing_counted(
    claim: str, figure: Figure, said: Sequence[Figure], text: str, other: Figure, shown: Sequence[Figure]
) -> bool:
    """ "212 turbines" is not to be read out of "employs 212 people and operates 90 turbines"."""
    mine = _next_words(claim, figure, said)[:1]
    theirs = _next_words(text, other, shown)
    elsewhere = {word for f in shown if f is not other for word in _next_words(text, f, shown)}
    return not mine or mine[0] in theirs or mine[0] not in elsewhere


def _next_words(text: str, figure: Figure, all_: Sequence[Figure]) -> list[str]:
    end = min([f.start for f in all_ if f.start > figure.start], default=len(text))
    words = re.split(r"[,;:.()]", text[figure.end : end])[0]
    return [word for word in stems(words, "en")[:3] if word not in UNIT_WORDS]
