"""In: a claim and a text. Out: does the text use the claim's words, in the same direction and for the same reason?

Words are compared by stem, by a short list of synonyms and by one of opposites: "rose" is said by "increased" and
denied by "fell". Nothing here understands a sentence; where a word is not found the claim counts as not stated.
Knows nothing of figures' values, passages or models.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import takewhile

from knowledge.answers.figures import UNIT_WORDS, figures, normalised, numbers
from knowledge.language import fold, stems

# Sides of one axis; a word of one side denies the other's. Prefixes, accents folded; "=" is a whole word.
_AXES = (
    (
        "increas rose =rise =rises rising risen grew grow climb =up =higher jump expand aument subi =sube crec =alza",
        "decreas fell =fall =falls fallen falling declin =drop =drops dropp shrank =down =lower reduc reduj disminu "
        "=bajo =baja =bajaron =bajan bajad =cayo =cae caid descend decrec",
    ),
    (
        "=more =greater exceed =above =over =mas =mayor =mayores super",
        "=less =fewer =below =under =menos =menor =menores",
    ),
    ("=profit =profits profitab =gain =gains =gano beneficio ganancia", "=loss =losses =perdio perdida"),
    ("=before =prior =earlier =antes previ", "=after =later =following =despues =tras posterior"),
    ("=highest =largest =biggest =maximum =most maxim", "=lowest =smallest =minimum =least minim"),
    ("=best =mejor =mejores", "=worst =peor =peores"),
    ("=first =primer =primero =primera", "=last =ultimo =ultima"),
    ("=north norther =norte", "=south souther =sur"),
    ("=east easter =este", "=west wester =oeste"),
    ("=won =win =wins =gano =ganaron", "=lost =lose =loses =perdio =perdieron"),
    ("=opened =opens =open =opening =abrio abri", "=closed =closes =close =closing =cerro cerra cierr"),
    ("=began =begin =begins =started =starts empez comenz", "=ended =ends =finished termin acab"),
    ("=bought =buys =buy acquir compr", "=sold =sells =sell vend"),
    ("=accepted accept acept approv aprob", "reject rechaz"),
    ("includ inclu", "exclud exclu"),
    ("=allowed allow permit", "forbid forbad forbidd prohib"),
    ("=positive positiv", "=negative negativ"),
)
_MUST_STAND = frozenset(
    ["more", "less", "fewer", "mas", "menos", "mayor", "menor", "mayores", "menores"]
)  # stop words elsewhere
_SYNONYMS = (
    "founded established created started",
    "located situated lies stands",
    "operates runs",
    "employs employed employees staff workers",
    "directs leads heads runs directed led headed run",
    "built constructed",
    "begins began started starts",
    "bought acquired purchased",
    "revenue revenues",
    "wrote written author",
    "born birth",
    "fundó fundada fundado creada creó creado establecida",
    "situada situado ubicada ubicado está",
    "opera operada gestiona",
    "emplea empleados trabajadores plantilla",
    "dirige dirigido dirigida encabeza director directora",
    "construido construida construyó levantado",
    "abrió inauguró inaugurada abierta",
    "ingresos facturación",
    "escribió escrito autor autora",
)
_LIGHT = (
    "according report reported reports state states stated say says said mention mentioned total totaled amount "
    "amounted number company document passage text year years approximately located called named known consists "
    "exactly "
    "según informe informa afirma menciona total cifra número empresa compañía documento pasaje texto año años "
    "aproximadamente llamada llamado ascendió ascendieron"
)
_CAUSE = re.compile(
    r"\b(?:due to|because(?: of)?|owing to|thanks to|driven (?:primarily |mainly |largely )?by|caused by|"
    r"as a result of|result(?:s|ed|ing) from|attribut\w+ to|reflecting|"
    r"debid[oa]s? a(?:l)?|porque|ya que|gracias al?|a causa del?|impulsad[oa]s? por|atribuibles? al?|"
    r"como resultado del?)\b",
    re.IGNORECASE,
)
_HEDGES = frozenset(["primarily", "mainly", "largely", "partly", "principalmente", "sobre", "todo"])
_CLAUSE = re.compile(
    r"[.;:]\s|,\s(?!\d)|\s(?:and|but|while|whereas|which|who|that|y|e|pero|mientras|que|quien|cuyo|cuya)\s",
    re.IGNORECASE,
)
_POINTING = re.compile(
    r"^\W*(?:this|these|that|it|its|they|their|he|she|his|her|the (?:increase|decrease|change|growth|decline|company)|"
    r"esto|ello|este|esta|su|sus|el (?:aumento|descenso)|la (?:empresa|compañía))\b",
    re.IGNORECASE,
)
BORROWED = 2  # words of one clause, its subject mostly, that may stand in the neighbouring sentence


def lacking(claim: str, text: str, language: str, known: frozenset[str] = frozenset()) -> list[str]:
    """Stems of the claim's content words that `text` does not say; `known`: names that need not stand there."""
    there = set(stems(text, language)) | set(stems(" ".join(_apart(text)), language))
    light = _stemmed(_LIGHT, language) | known
    found = []
    for word in normalised(claim).split():
        if fold(word) in UNIT_WORDS or word in light or numbers(word) or fold(word) in _HEDGES:
            continue
        for stem in stems(word, language):
            if stem not in there and stem not in light and not _said_otherwise(word, stem, there, text, language):
                found.append(stem)
    return found


def _apart(text: str) -> list[str]:
    """ "mid-1990s", "Brenmoor's": their parts count as well."""
    return re.findall(r"[^\W\d_]+", text)


def _said_otherwise(word: str, stem: str, there: set[str], text: str, language: str) -> bool:
    if any(min(len(stem), len(other)) >= 5 and (stem.startswith(other) or other.startswith(stem)) for other in there):
        return True
    if any(stem in group and group & there for group in _groups(language)):
        return True
    return any(side in _sides(text) for side in _sides(word))


@cache
def _groups(language: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(stems(group, language)) for group in _SYNONYMS)


@cache
def _stemmed(words: str, language: str) -> frozenset[str]:
    return frozenset(stems(words, language))


def _sides(text: str) -> set[tuple[int, int]]:
    """(axis, side) of every word of `text` that has an opposite."""
    return {side for word in normalised(text).split() for side in _side(fold(word))}


@cache
def _side(word: str) -> frozenset[tuple[int, int]]:
    return frozenset(
        (i, j)
        for i, axis in enumerate(_AXES)
        for j, words in enumerate(axis)
        for known in words.split()
        if (word == known[1:] if known[0] == "=" else word.startswith(known))
    )


def clauses(text: str) -> list[str]:
    """The parts of a sentence between commas, conjunctions and relative pronouns; never empty."""
    return [part for part in _CLAUSE.split(text) if any(map(str.isalnum, part))] or [text]


def opposed(claim: str, text: str, language: str) -> bool:
    """Does the part of `text` that speaks of the same say the opposite of some part of the claim?"""
    parts = clauses(text)
    for clause in clauses(claim):
        said = _sides(clause)
        if not said:
            continue
        words = set(stems(clause, language)) | numbers(clause)
        scores = [len(words & (set(stems(part, language)) | numbers(part))) for part in parts]
        best = [_sides(part) for part, score in zip(parts, scores, strict=True) if score == max(scores)]
        if max(scores) == 0:
            best = [_sides(text)]
        if all(any((i, 1 - j) in there and (i, j) not in there for i, j in said) for there in best):
            return True
        must = {fold(w) for w in normalised(clause).split()} & _MUST_STAND
        if any(not _side(w) & _sides(text) for w in must):
            return True
    return False


def dated(claim: str, text: str, language: str) -> bool:
    """Does what each part of the claim says stand in a part of `text` with its year, not only beside another year?"""
    parts = [(set(stems(part, language)), _years(part)) for part in clauses(text)]
    for clause in clauses(claim):
        years = _years(clause)
        if not years or not all(f.year for f in figures(clause)):  # other figures: see `figures.agree`
            continue
        # A name, or the subject both begin with, may stand in another part: "The plant opened in 2016, closed in 2020."
        common = " ".join(word for word in _apart(clause) if not word[0].isupper())
        beside = {stem: [there for words, there in parts if stem in words] for stem in stems(common, language)}
        right = sum(any(there & years for there in found) for found in beside.values())
        wrong = {s for s, found in beside.items() if found and all(there and not there & years for there in found)}
        if len(wrong - _beginning(claim, text, language) if right else wrong) > right:
            return False
    return True


def _beginning(claim: str, text: str, language: str) -> set[str]:
    """The words both begin with."""
    same = takewhile(lambda pair: pair[0] == pair[1], zip(stems(claim, language), stems(text, language), strict=False))
    return {stem for stem, _ in same}


def _years(text: str) -> set[str]:
    return {str(figure.value) for figure in figures(text) if figure.year}


def explained(claim: str, text: str, language: str, known: frozenset[str] = frozenset()) -> bool:
    """A claim that gives a reason: does `text` give that reason, and for that? True where the claim gives none."""
    said = _CAUSE.search(claim)
    if not said:
        return True
    for match in _CAUSE.finditer(text):
        after = _CAUSE.search(text, match.end())
        reason = text[match.end() : after.start() if after else len(text)]
        if match.start() <= 2:  # "Due to X, sales fell"
            reason = reason.split(",")[0]
        mine = claim[said.end() :]
        if not claim[: said.start()].strip():
            mine = mine.split(",")[0]
        if not lacking(mine, reason, language, known):
            return True
    return False


def gives_reason(text: str) -> bool:
    return bool(_CAUSE.search(text))


def points_back(text: str) -> bool:
    """Does a sentence begin with what stands for the one before it: "This was due to …"?"""
    return bool(_POINTING.match(text))
