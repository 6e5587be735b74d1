"""In: a metric's name. Out: what it is called, and a number for each answer. One table.

    exact · normalised · contained · choice     right or wrong
    rouge1 · rouge2 · rougeL                    F1; rouge1_recall, rouge1_precision, … for its parts
    bleu · chrf                                 of a single answer; translation.py has those of a corpus
    json · max_words:N · max_characters:N · regex:PATTERN · language · language:es      the form

All from 0 to 1, higher is better, so that one table and one plot hold them. None: it does not apply to this answer (no
reference, no options, too short to tell its language), which then is not counted. An answer that failed is empty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from knowledge.language import detect
from tuning.errors import ForPerson
from tuning.evaluation.metrics import accuracy, checks, translation
from tuning.evaluation.metrics.rouge import KINDS, rouge
from tuning.evaluation.sentences import say
from tuning.evaluation.values import Answered

Of = Callable[[Answered], float | None]
DEFAULTS = ("normalised", "contained", "rouge1", "rouge2", "rougeL", "chrf")


@dataclass(frozen=True, slots=True)
class Metric:
    name: str
    of: Of
    share: bool = False  # of each answer 0 or 1, so that the mean is a share
    title_key: str = ""
    value: str = ""  # what stands after the colon

    def title(self, language: str) -> str:
        return say(self.title_key, language, value=self.value) if self.title_key else self.name


def metric(name: str) -> Metric:
    """ForPerson where there is none of this name, or what stands after its colon is no good."""
    if name in _TABLE:
        return _TABLE[name]
    kind, colon, value = name.partition(":")
    if colon and kind in _WITH_VALUE:
        return _WITH_VALUE[kind](name, value)
    known = ", ".join([*_TABLE, *(f"{one}:…" for one in _WITH_VALUE)])
    raise ForPerson(
        f"There is no metric {name!r}. Known: {known}.", spanish=f"No existe la métrica {name!r}. Las hay: {known}."
    )


def metrics(names: Sequence[str | Metric] = DEFAULTS) -> tuple[Metric, ...]:
    return tuple(metric(one) if isinstance(one, str) else one for one in names)


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _right(name: str, judged: Callable[[str, Sequence[str]], bool]) -> Metric:
    def of(answer: Answered) -> float | None:
        return float(judged(answer.text, answer.references)) if answer.references else None

    return Metric(name, of, True, name)


def _choice(answer: Answered) -> float | None:
    right = accuracy.choice(answer.text, answer.references, answer.prompt)
    return None if right is None else float(right)


def _rouge(kind: str, part: str) -> Metric:
    def of(answer: Answered) -> float | None:
        if not answer.references:
            return None
        found = rouge(kind, answer.text, answer.references)
        return float(getattr(found, part))

    name = kind if part == "f1" else f"{kind}_{part}"
    return Metric(name, of, title_key=part, value=f"ROUGE-{kind.removeprefix('rouge')}")


def _translation(kind: str) -> Metric:
    def of(answer: Answered) -> float | None:
        return translation.sentence(kind, answer.text, answer.references) / 100 if answer.references else None

    return Metric(kind, of, title_key=kind)


def _language(answer: Answered) -> float | None:
    """Of the reference, else of the question."""
    wanted = detect(answer.reference) or detect(answer.prompt)
    right = checks.in_language(answer.text, wanted)
    return None if right is None else float(right)


def _wanted_language(name: str, value: str) -> Metric:
    def of(answer: Answered) -> float | None:
        right = checks.in_language(answer.text, value)
        return None if right is None else float(right)

    if value not in ("en", "es"):
        raise ForPerson(
            f"The language of an answer is told for en and es only, not for {value!r}.",
            spanish=f"El idioma de una respuesta solo se distingue para en y es, no para {value!r}.",
        )
    return Metric(name, of, True, f"language_{value}")


def _length(unit: str) -> Callable[[str, str], Metric]:
    def made(name: str, value: str) -> Metric:
        if not value.isdecimal() or not int(value):
            raise ForPerson(
                f"{name!r} needs a number above 0 after the colon, as in max_{unit}:50.",
                spanish=f"{name!r} necesita un número mayor que 0 tras los dos puntos, como en max_{unit}:50.",
            )
        return _form(name, checks.at_most(int(value), unit), f"max_{unit}", value)

    return made


def _form(name: str, fits: checks.Check, title_key: str, value: str = "") -> Metric:
    return Metric(name, lambda answer: float(bool(answer.text.strip()) and fits(answer.text)), True, title_key, value)


_TABLE: Mapping[str, Metric] = {
    made.name: made
    for made in (
        _right("exact", accuracy.exact),
        _right("normalised", accuracy.equal),
        _right("contained", accuracy.contained),
        Metric("choice", _choice, True, "choice"),
        *(_rouge(kind, part) for kind in KINDS for part in ("f1", "recall", "precision")),
        _translation("bleu"),
        _translation("chrf"),
        _form("json", checks.is_json, "json"),
        Metric("language", _language, True, "language"),
    )
}
_WITH_VALUE: Mapping[str, Callable[[str, str], Metric]] = {
    "max_words": _length("words"),
    "max_characters": _length("characters"),
    "regex": lambda name, value: _form(name, checks.pattern(value), "regex", value),
    "language": _wanted_language,
}
