"""In: the lines of a page as they were printed. Out: one text whose lines can be cut out of it again.

Knows nothing of PDF, of the child process or of any vendor; it runs in both processes, so it imports the standard
library only. Law: for every row (start, end) of `join()`, `text[start:end]` is that line's repaired text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence

_LIGATURES = {0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "st", 0xFB06: "st"}
_LIGATURES |= {0x0132: "IJ", 0x0133: "ij"}
# Symbol and Wingdings keep their glyphs in the private use area; these are the ones that forms and lists use.
_SYMBOLS = {0xF0B7: "•", 0xF0A7: "▪", 0xF0D8: "➢", 0xF0FC: "✓", 0xF06F: "☐", 0xF0A8: "☐", 0xF078: "☒", 0xF0FE: "☒"}
_DROPPED = (
    *range(0x09),
    *range(0x0E, 0x1C),  # 0x09-0x0d and 0x1c-0x1f are white space to `str.split`
    *range(0x7F, 0x85),
    *range(0x86, 0xA0),
    0xAD,  # soft hyphen: where it broke a line, `broken()` has seen it before this table is used
    0x200B,  # zero width space
    *range(0x202A, 0x202F),  # marks that change the direction of what follows can make text read as another
    0x2060,
    *range(0x2066, 0x206A),
    *range(0xD800, 0xE000),  # half a surrogate pair cannot be stored
    0xFEFF,
    0xFFFE,
    0xFFFF,
)
_TABLE: dict[int, str | None] = {**dict.fromkeys(_DROPPED), **_LIGATURES, **_SYMBOLS}
_TO_REPAIR = re.compile("[" + "".join(map(re.escape, map(chr, _TABLE))) + "]")

# Whole words only: the halves of a broken word prove nothing about it.
_WORD = re.compile("(?<![\\w\ufffe-])[^\\W\\d_]+(?:-[^\\W\\d_]+)*(?![\\w\u00ad\u2010\ufffe-])")
HYPHENS = "-\u00ad\u2010\ufffe"  # U+FFFE is how PDFium marks a hyphen that ended a line
# First halves that are words of their own and hardly ever a first syllable: "well-known", "long-term", "twenty-five".
_KEEPS = set(
    """cross eight fifty first five forty four full half high left long low nine ninety non one right second self seven
    seventy short six sixty third thirty three twenty two well year""".split()  # noqa: SIM905
)
_ENDINGS = set("ed en er est ful ing ish ity less ly ness s ty".split())  # noqa: SIM905 - "long-" + "er" is one word
# "long- and short-term": the hyphen stands for a second half that comes later.
_HANGING = set("and or to but nor y o e u ni et ou und oder bis".split())  # noqa: SIM905


def clean(raw: str) -> str:
    """One line: white space single, ligatures opened, control characters gone, NFC."""
    line = " ".join(raw.split())
    if line.isascii() and line.isprintable():
        return line
    if _TO_REPAIR.search(line):
        line = " ".join(line.translate(_TABLE).split())
    return line if line.isascii() else unicodedata.normalize("NFC", line)


def broken(raw: str) -> bool:
    """True where the line ends inside a word: a letter, then a hyphen."""
    end = raw.rstrip()
    return len(end) > 1 and end[-1] in HYPHENS and (end[-1] == "\ufffe" or end[-2].isalpha())


def words(text: str) -> set[str]:
    """The words of `text` in lower case; a compound is one word."""
    return set(_WORD.findall(text.lower()))


def hyphen(left: str, right: str, seen: Collection[str] = ()) -> str:
    """What stands between two halves of a word: "" (it was one word), "-" (it was a compound), "-\\n" (it hangs).

    `left` is the line without its hyphen, `right` the line after it, `seen` the document's words so far. Filings hardly
    ever break words, so there most hyphens are real; books break them, and there one half at least is no word.
    """
    first, second = _last_word(left), _first_word(right)
    if not first or not second or not second[0].isalnum():
        return "-\n"
    if not second[0].islower():
        number = second[0].isdigit() and not (first.isupper() or first[-1].isdigit())  # a page number below the text
        return "-\n" if number else "-"
    if second.lower() in _HANGING:
        return "-\n"
    # `year-over-` + `year`, `well-` + `thought-out`, `e-` + `mail`, `US-` + `based`
    if "-" in first or "-" in second or len(first) < 2 or not first.isalpha() or first.isupper():
        return "-"
    low, after = first.lower(), second.lower()
    if f"{low}-{after}" in seen:
        return "-"
    if f"{low}{after}" in seen:
        return ""
    if low in seen and after in seen:
        return "-"
    return "-" if low in _KEEPS and after not in _ENDINGS else ""


def _last_word(line: str) -> str:
    return line[line.rfind(" ") + 1 :].lstrip("(\"'“‘[")


def _first_word(line: str) -> str:
    return line.split(" ", 1)[0].rstrip(".,;:)]\"'”’!?")


def join(
    lines: Sequence[str], spaced: Sequence[bool] | None = None, seen: Collection[str] = ()
) -> tuple[str, list[tuple[int, int, int]]]:
    """Join printed lines, hyphens mended. `spaced[i]`: an empty line goes before line i.

    Returns the text and one (index of the line, start, end) for each line that left any text.
    """
    cleaned = [clean(raw) for raw in lines]
    kept = [index for index, text in enumerate(cleaned) if text]
    parts: list[str] = []
    rows: list[tuple[int, int, int]] = []
    position = 0
    for order, index in enumerate(kept):
        following = kept[order + 1] if order + 1 < len(kept) else None
        text, after = cleaned[index], ""
        if following is not None:
            after = "\n\n" if spaced and spaced[following] else "\n"
            if broken(lines[index]):
                text, after = _mended(text, cleaned[following], after, seen)
        elif lines[index].rstrip().endswith("\ufffe"):
            text += "-"
        rows.append((index, position, position + len(text)))
        parts += (text, after)
        position += len(text) + len(after)
    return "".join(parts), rows


def _mended(text: str, following: str, after: str, seen: Collection[str]) -> tuple[str, str]:
    left = text[:-1] if text[-1] in HYPHENS else text
    mark = hyphen(left, following, seen)
    if mark == "-\n" or not left:
        return left + "-", after
    end = mark or left[-1]
    if unicodedata.normalize("NFC", end + following[0]) != end + following[0]:
        return left + "-", after  # the halves would melt into one character, and the offsets with them
    return left + mark, ""
