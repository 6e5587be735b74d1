"""In: a sentence and the text it is said to rest on. Out: whether that text supports it, and how far.

Supported means stated there, not merely true: (a) a long enough stretch of the sentence stands there word for word, or
(b) every number stands there with its unit and beside the same things (`figures`), every name does, nothing is negated
or turned round on one side only, a reason is that reason (`senses`), and the content words are all there.
It reads words, it does not reason: who did what to whom can be swapped under its nose.
Knows nothing of models, prompts or search.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.answers.figures import agree, figures, normalised, numbers, plain
from knowledge.answers.senses import BORROWED, clauses, dated, explained, gives_reason, lacking, opposed, points_back
from knowledge.language import stems

__all__ = ["MIN_QUOTE_WORDS", "Support", "claim_of", "judge", "names", "negated", "normalised", "numbers", "plain"]

MIN_QUOTE_WORDS = 6  # shorter stretches are common enough to stand anywhere

_DENYING = (
    "not no never none neither nor nobody nothing without cannot "
    "nunca jamás ningún ninguna ninguno nadie nada tampoco sin ni"
)
_NEGATIONS = frozenset(_DENYING.split())


@dataclass(frozen=True, slots=True)
class Support:
    """How a text supports a sentence. `coverage`: share 0..1 of the sentence's content words that stand in the text."""

    quoted: bool
    facts: bool  # every number, with what it belongs to, every name and every reason of the sentence stands in the text
    negation: bool  # both deny, or neither does, and neither says the other's opposite
    coverage: float


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


def judge(claim: str, text: str | Sequence[str], context: str, language: str) -> Support:
    """`text`: the sentence said to state `claim`, or two of them; `context`: the passage with its title."""
    parts = [text] if isinstance(text, str) else list(text)
    whole = " ".join(parts)
    said, wanted = normalised(claim), stems(claim, language)
    known = set(normalised(f"{context} {whole}").split())
    called = _called(claim, context)
    spared = frozenset(stem for name in called & known for stem in stems(name, language))
    missing = lacking(claim, whole, language, spared)
    return Support(
        quoted=len(said.split()) >= MIN_QUOTE_WORDS and any(_stands(said, normalised(part)) for part in parts),
        facts=called <= known
        and _speaks_of(called, parts, context)
        and agree(claim, whole, context)
        and dated(claim, whole, language)
        and (_joined(claim, parts, language, spared) if len(parts) > 1 else explained(claim, whole, language, spared)),
        negation=negated(claim) == negated(_stretch(whole, set(wanted), language))
        and not opposed(claim, whole, language),
        coverage=1 - len(missing) / len(wanted) if wanted else 0.0,
    )


def _called(text: str, context: str) -> set[str]:
    """Its names; the first word's capital counts before another, or where the passage has it within a sentence."""
    pair = re.match(r"\W*([A-ZÁÉÍÓÚÑÜ][^\W\d_]+)\s+[A-ZÁÉÍÓÚÑÜ]", text)
    first = {pair.group(1).lower()} if pair else set()
    return names(text) | (names(f"x {text}") & (names(context) | first))


def _speaks_of(called: set[str], parts: Sequence[str], context: str) -> bool:
    """A name of the claim may stand before, where the sentences point back to it or name nothing else."""
    there = set(normalised(" ".join(parts)).split())
    before = set(normalised(context.partition(parts[0])[0]).split())
    if not called <= there:
        pointing = all(points_back(part) or _called(part, context) <= called for part in parts)
        return pointing and called <= there | before
    # "She won. Chopin was born there": who she is stands before, and is not Chopin
    return not points_back(parts[0]) or called <= before | set(normalised(parts[0]).split())


def _stands(said: str, shown: str) -> bool:
    """Word for word, and not in a sentence that denies it: "it is not true that …"."""
    before, found, _ = f" {shown} ".partition(f" {said} ")
    return bool(found) and (negated(said) or not negated(" ".join(before.split()[-4:])))


def _joined(claim: str, parts: Sequence[str], language: str, known: frozenset[str]) -> bool:
    """Each clause of the claim is said by one sentence alone but for a few words; a reason, by the one it explains."""
    if gives_reason(claim):
        if gives_reason(parts[0]) or not points_back(parts[-1]):
            return False
        return explained(claim, parts[-1], language, known)
    for clause in clauses(claim):
        own = [p for p in parts if agree(clause, p, "") or not figures(clause)]
        if not any(len(lacking(clause, part, language, known)) <= BORROWED for part in own):
            return False
    return True


def _stretch(text: str, wanted: set[str], language: str) -> str:
    """`text` from the first to the last word of the claim, and a few around: a "not" elsewhere is no denial."""
    words = normalised(text).split()
    hits = [i for i, word in enumerate(words) if wanted.intersection(stems(word, language))]
    return " ".join(words[max(0, hits[0] - 3) : hits[-1] + 2]) if hits else text
