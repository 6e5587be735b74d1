"""In: an answer, what would be right. Out: whether it is: to the letter, but for how it is written, contained, chosen.

    normalised("The  Moon is 384,400 km away!")  "moon is 384400 km away"
    normalised("¡Unos 384.400 kilómetros!")      "384400 kilometros"

Lower case, no accents (ñ is a letter of its own and stays), no punctuation, no articles, thousands without their
separators, a decimal comma as a point. Articles of both languages go whatever the text's language: it is the same for
both sides. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from knowledge.language import fold

_ARTICLES = frozenset(("a", "an", "the", "el", "la", "los", "las", "lo", "un", "una", "unos", "unas"))
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:([.,\s’'])\d{3})(?:\1\d{3})*(?!\d)")  # white space: also a narrow one
_WORD = re.compile(r"\d+(?:[.,]\d+)?|[^\W_]+")
_OPTION = re.compile(r"^[ \t]*\(?([A-Ha-h])[).:\]][ \t]+(\S.*?)[ \t]*$", re.MULTILINE)
_LETTER = re.compile(  # "Answer: C", "la respuesta es la (b)"; "B", "b)" at the start of a line
    r"\b(?i:answer|option|choice|respuesta|opci[oó]n|letra)(?i: correcta)?(?i: is| es)?(?: la)?:? *[(*]*"
    r"(?:([A-H])(?![\w'’])|([a-h])(?=[).:\]]|\s*$))"
    r"|^\W*(?:([A-H])(?![\w'’]| +\w)|([a-h])(?=[).:\]]|\W*$))",
    re.MULTILINE,
)


def exact(text: str, references: Sequence[str]) -> bool:
    """The very characters; white space at the ends does not count."""
    return text.strip() in {one.strip() for one in references}


def normalised(text: str) -> str:
    return " ".join(words(text))


def words(text: str) -> list[str]:
    """Of the normalised text. One that is nothing but articles keeps them: "A" is an answer."""
    plain = unicodedata.normalize("NFC", text).casefold()
    plain = _THOUSANDS.sub(lambda number: re.sub(r"\D", "", number[0]), plain)
    found = [fold(word).replace(",", ".") for word in _WORD.findall(plain)]
    return [word for word in found if word not in _ARTICLES] or found


def equal(text: str, references: Sequence[str]) -> bool:
    """But for how it is written. Nothing is equal to nothing."""
    said = words(text)
    return bool(said) and any(said == words(one) for one in references)


def contained(text: str, references: Sequence[str]) -> bool:
    """A reference stands in it, word by word: "The capital of France is Paris." holds "Paris", "Parisian" does not."""
    said = f" {normalised(text)} "
    return any(f" {right} " in said for one in references if (right := normalised(one)))


def options(prompt: str) -> tuple[str, ...]:
    """Of a question that lists them, one a line, from A on: "A) Mars", "(b) Venus", "C. Earth"."""
    found = _OPTION.findall(prompt)
    letters = "".join(letter.upper() for letter, _ in found)
    return tuple(text for _, text in found) if len(found) > 1 and "ABCDEFGH".startswith(letters) else ()


def chosen(text: str, offered: Sequence[str]) -> int | None:
    """Which option an answer takes, by its letter, else by its words where they are those of one option only."""
    found = _LETTER.search(text)
    if found:
        letter = next(group for group in found.groups() if group).upper()
        if ord(letter) - ord("A") < len(offered):
            return ord(letter) - ord("A")
    named = [at for at, option in enumerate(offered) if contained(text, (option,))]
    longest = [at for at in named if not any(_within(offered[at], offered[other]) for other in named)]
    return longest[0] if len(longest) == 1 else None


def choice(text: str, references: Sequence[str], prompt: str) -> bool | None:
    """Whether the right option is taken. None: the question lists none, or no reference is one of them."""
    offered = options(prompt)
    right = {at for one in references if (at := chosen(one, offered)) is not None} if offered else set()
    return chosen(text, offered) in right if right else None


def _within(short: str, long: str) -> bool:
    """ "Moon" in "Earth and Moon": whoever names the longer one means that."""
    return words(short) != words(long) and contained(long, (short,))
