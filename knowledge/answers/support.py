"""In: a sentence and the text it is said to rest on. Out: whether that text supports it, and how far.

Supported means stated there, not merely true: (a) a long enough stretch of the sentence stands there word for word, or
(b) every number and every name of the sentence stands there, nothing is negated on one side only, and enough of its
content words do too. It reads words, it does not reason: who did what to whom can be swapped under its nose.
Knows nothing of models, prompts or search.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from knowledge.language import stems

MIN_QUOTE_WORDS = 6  # shorter stretches are common enough to stand anywhere

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?", re.UNICODE)
_NUMBER = re.compile(r"\d+(?:[.,\u00a0\u202f’']\d+)*")
_MARK = re.compile(r"\s*\[\d{1,3}\]")
_DENYING = (
    "not no never none neither nor nobody nothing without cannot "
    "nunca jamás ningún ninguna ninguno nadie nada tampoco sin ni"
)
_NEGATIONS = frozenset(_DENYING.split())
_NAMED_NUMBERS = (
    "zero/cero one two/dos three/tres four/cuatro five/cinco six/seis seven/siete eight/ocho nine/nueve ten/diez "
    "eleven/once twelve/doce thirteen/trece fourteen/catorce fifteen/quince sixteen/dieciséis seventeen/diecisiete "
    "eighteen/dieciocho nineteen/diecinueve twenty/veinte"
)
_SMALL = {name: str(i) for i, both in enumerate(_NAMED_NUMBERS.split()) for name in both.split("/")}
_SMALL |= {"thirty": "30", "treinta": "30", "forty": "40", "cuarenta": "40", "fifty": "50", "cincuenta": "50"}
del _SMALL["one"]  # a pronoun more often than a number
del _SMALL["once"]  # an English adverb


@dataclass(frozen=True, slots=True)
class Support:
    """How a text supports a sentence. `coverage`: share 0..1 of the sentence's content words that stand in the text."""

    quoted: bool
    facts: bool  # every number and name of the sentence stands in the text
    negation: bool  # both deny, or neither does
    coverage: float


def normalised(text: str) -> str:
    """Words only, lower case, one space between them: what two printings of one sentence have in common."""
    return " ".join(match.group().lower() for match in _WORD.finditer(unicodedata.normalize("NFKC", plain(text))))


def plain(text: str) -> str:
    """A model's sentence without its [n] and without Markdown's marks."""
    return re.sub(r"[*_`#>]+", "", _MARK.sub("", text)).strip()


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


def names(text: str) -> set[str]:
    """Words written with a capital or in capitals where grammar asks for none: people, places, products. Lower case."""
    found: set[str] = set()
    fresh = True  # at the beginning of a sentence a capital says nothing
    for match in re.finditer(r"[^\W_]+(?:['’][^\W_]+)?|[.!?:;¿¡\n]", plain(text)):
        word = match.group()
        if not word[0].isalnum():
            fresh = word not in ";"
            continue
        if word[0].isupper() and (not fresh or (len(word) > 1 and word.isupper())):
            found.add(re.sub(r"['’]s?$", "", word.lower()))
        fresh = False
    return {name for name in found if len(name) > 1 and stems(name, "en") and stems(name, "es")}


def negated(text: str) -> bool:
    return any(word in _NEGATIONS or word.endswith(("n't", "n’t")) for word in normalised(text).split())


_YES = re.compile(r"^\W*(?:yes|no|sí|si)\b\s*,\s*", re.IGNORECASE)
_LIST_MARK = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+")


def claim_of(sentence: str) -> str:
    """What a sentence says, without list mark, [n], Markdown and a leading yes or no."""
    return _YES.sub("", plain(_LIST_MARK.sub("", sentence)))


def judge(claim: str, text: str, context: str, language: str) -> Support:
    """`text`: the sentence (or two) said to state `claim`; `context`: the passage with its title, for the names."""
    said, shown = normalised(claim), normalised(text)
    wanted, there = stems(claim, language), set(stems(text, language))
    known = set(normalised(f"{context} {text}").split())
    return Support(
        quoted=len(said.split()) >= MIN_QUOTE_WORDS and f" {said} " in f" {shown} ",
        facts=numbers(claim) <= numbers(text) and all(name in known for name in names(claim)),
        negation=negated(claim) == negated(_stretch(text, set(wanted), language)),
        coverage=sum(word in there for word in wanted) / len(wanted) if wanted else 0.0,
    )


def _stretch(text: str, wanted: set[str], language: str) -> str:
    """`text` from the first to the last word of the claim, and a few around: a "not" elsewhere is no denial."""
    words = normalised(text).split()
    hits = [i for i, word in enumerate(words) if wanted.intersection(stems(word, language))]
    return " ".join(words[max(0, hits[0] - 3) : hits[-1] + 2]) if hits else text
