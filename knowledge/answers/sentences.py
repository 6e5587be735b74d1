"""In: the text of a page or a passage. Out: the offsets of its sentences, so that `text[start:end]` is each one.

English and Spanish prose, lines broken by print, headings, bullets and table rows (a row is a sentence of its own).
Knows nothing of passages, questions or models.
"""

from __future__ import annotations

import re

Offsets = tuple[int, int]  # start, end (exclusive), Python string indices

# A full stop after these ends no sentence. Lower case, without the last stop.
_ENGLISH = (
    "mr mrs ms dr prof st sr jr gen col lt capt sgt rev hon vs etc e.g i.e cf inc ltd corp approx est dept mt ft u.s "
    "u.k u.n u.s.a a.m p.m d.c ph.d op cit"
)
_SPANISH = (
    "sra srta dra d dña ud uds vd vds ee uu ee.uu aa vv avda av s.a s.l ej p.ej a.c d.c admón dpto excmo ilmo lic ing "
    "arq gral tte cía"
)
# Words of their own as well ("por mar. El barco", "she said no. Then"): an abbreviation only before a number.
_NUMBERED = (
    "no nos fig figs vol vols pp p ch sec art arts para ed eds al pág págs pag núm num cap caps tel c "
    "jan feb mar apr jun jul aug sep sept oct nov dec"
)
_STARTING = "the a an in it this these he she they we el la los las un una en es este esta se no si"
_ABBREVIATIONS = frozenset(_ENGLISH.split() + _SPANISH.split())
_BEFORE_NUMBER = frozenset(_NUMBERED.split())
_STARTERS = frozenset(_STARTING.split())
_CLOSERS = "\"'”’»)]"
_OPENERS = "\"'“‘«([¿¡*_"
_STOP = re.compile(r"[.!?…]+[" + re.escape(_CLOSERS) + r"]*(?:\[\d{1,2}\]|\s\[\d{1,2}\](?=[\s,.;]|$))*(?=\s|$)")
_BULLET = re.compile(r"\s*(?:[•▪◦‣·*●–-]|\d{1,2}[.)]|\([a-z0-9ivx]{1,4}\)|#{1,6}|>)\s+\S")
_NUMBER = r"(?:[(]?[-–−]?[$€£¥]?\s?[(]?\d[\d.,]*\)?\s?%?\)?|[-–—]{1,2}|n/?a)"
# Two numbers or more at a line's end, or one that is plainly money or a share of something: a row of a table.
_ROW = re.compile(rf"(?:(?:^|\s)[$€£¥]?\s?{_NUMBER}[*†]?){{2,}}\s*$", re.IGNORECASE)
_MONEY = re.compile(
    r"[^\d\s].*\s(?:[$€£¥]\s?[(]?\d[\d.,]*[)]?|[(]?\d{1,3}(?:,\d{3})+[)]?|[(]?\d+(?:[.,]\d+)?\s?%[)]?)\s*$"
)
_SOFT_BREAK_SHARE = 0.72  # of the block's widest line: a line this full was broken by the margin, not by its writer


def split(text: str) -> list[Offsets]:
    """Sentences in reading order: no overlap, no surrounding space, never empty. `text[a:b]` for each."""
    found: list[Offsets] = []
    for start, end in blocks(text):
        found.extend(_sentences(text, start, end))
    return found


def blocks(text: str) -> list[Offsets]:
    """Stretches that no sentence crosses: paragraphs, headings, bullets, single table rows."""
    lines = _lines(text)
    widest = max((end - start for start, end in lines), default=0)
    found: list[list[int]] = []
    joinable = False  # may the next line go on with the last block?
    for start, end in lines:
        line = text[start:end]
        if not line.strip():
            joinable = False
            continue
        row = is_row(line)
        if joinable and not row and not _BULLET.match(line) and not _parted(text, found[-1], start, line, widest):
            found[-1][1] = end
        else:
            found.append([start, end])
        joinable = not row
    return [trimmed for a, b in found if (trimmed := _trim(text, a, b))[0] < trimmed[1]]


def is_row(line: str) -> bool:
    """Does this line look like a row of a table: a label, then figures?

    >>> is_row("Purchases of property, plant and equipment (1,577) (1,373) (1,420)")
    True
    """
    if line.rstrip().endswith((".", ";", ":")) or not any(c.isdigit() for c in line):
        return False
    if _ROW.search(line):
        return True
    return bool(_MONEY.match(line)) and line.lstrip()[:1].isupper() and len(line.split()) <= 12


def _lines(text: str) -> list[Offsets]:
    found, start = [], 0
    for match in re.finditer(r"\r\n|\n|\r|\f", text):
        found.append((start, match.start()))
        start = match.end()
    found.append((start, len(text)))
    return found


def _parted(text: str, block: list[int], start: int, line: str, widest: int) -> bool:
    """Was the break before `line` meant? A short line without a full stop before a capital is a heading or a list."""
    before = text[block[0] : block[1]].rstrip()
    last = before.splitlines()[-1]
    if last.lstrip().startswith("#"):
        return True
    first = line.lstrip()[0]
    return len(last) < _SOFT_BREAK_SHARE * widest and (first.isupper() or first.isdigit()) and last[-1] not in ",;-–"


def _sentences(text: str, start: int, end: int) -> list[Offsets]:
    found: list[Offsets] = []
    begin = start
    for match in _STOP.finditer(text, start, end):
        if not _ends(text, match.start(), match.end(), begin, end):
            continue
        found.append(_trim(text, begin, match.end()))
        begin = match.end()
    rest = _trim(text, begin, end)
    if rest[0] < rest[1]:
        found.append(rest)
    return found


def _ends(text: str, stop: int, after: int, begin: int, end: int) -> bool:
    """Does the stop at `stop` end a sentence? It does before what looks like a beginning, not after an abbreviation."""
    following = text[after:end].lstrip()
    if not following:
        return True
    first = following.lstrip(_OPENERS)[:1]
    if first.islower():
        return False
    if text[stop] != "." or (after - stop > 1 and text[stop : stop + 2] in ("..", '."', ".'", ".”", ".»", ".)")):
        return True
    words = text[begin:stop].split()
    if not words:
        return False
    word = words[-1].lstrip(_OPENERS)
    if word.lower() in _ABBREVIATIONS:
        return word.lower() in ("etc", "a.m", "p.m", "inc", "ltd", "corp") and first.isupper() and len(words) > 2
    if word.lower() in _BEFORE_NUMBER and first.isdigit():
        return False
    if len(word) == 1 and word.isupper():  # an initial: J. Robert, but not "vitamin C. The"
        return len(words) > 2 and not words[-2][:1].isupper() and following.split()[0].lower() in _STARTERS
    return not (word.isdigit() and len(words) == 1)  # "1. Scope" is numbering


def _trim(text: str, start: int, end: int) -> Offsets:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
