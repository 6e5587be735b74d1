"""In: a dataset. Out: rows: what is wrong with its examples, alone and among each other, and what was mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from threading import Event
from typing import Any

from tuning.cleaning.contradictions import contradictions, preference_cycles
from tuning.cleaning.duplicates import near_duplicates
from tuning.cleaning.findings import CHECKS, Finding, Mend, title
from tuning.cleaning.review import check, mend
from tuning.cleaning.wording import compared
from tuning.counting.shown import of_example
from tuning.counting.tokens import Rule
from tuning.counting.vocabularies import Tokenizers
from tuning.datasets import Datasets, Filter, Status, Stored
from tuning.errors import ForPerson
from tuning.values import Example, Kind
from tuning.verbs.rows import Row

AMONG = frozenset(code for code, one in CHECKS.items() if one.many and code != "leak")  # told by comparing


def data_review(
    datasets: Datasets, tokenizers: Tokenizers, *, name: str, language: str = "en", stop: Event | None = None
) -> Iterator[Row]:
    """Look at every example that was not looked at since it changed, then at all of them together.

    {done, of} as it goes; last {name, examples, findings: [{code, title, examples, severity, excluded, mend}]}.
    """
    dataset, stop = datasets.get(name).id, stop or Event()
    for done, of in datasets.review(dataset, look, _counted(tokenizers)):
        yield {"done": done, "of": of}
        if stop.is_set():
            break
    else:
        datasets.mark(dataset, AMONG, _among(datasets, dataset))
    yield {"name": name, **_summary(datasets, dataset, language)}


def data_mend(
    datasets: Datasets,
    tokenizers: Tokenizers,
    *,
    name: str,
    codes: Sequence[str] = (),
    numbers: Sequence[int] = (),
) -> Iterator[Row]:
    """Put right what can be put right by itself: of these codes (else all that can), in these examples (else all).

    {changed}. One undo takes it all back.
    """
    mendable = {code for code, one in CHECKS.items() if one.mend is not Mend.NONE}
    if unknown := set(codes) - mendable:
        raise ForPerson(
            f"{', '.join(sorted(unknown))} cannot be mended by itself: {', '.join(sorted(mendable))} can.",
            spanish=f"{', '.join(sorted(unknown))} no se arregla solo: se arreglan {', '.join(sorted(mendable))}.",
        )
    dataset, wanted = datasets.get(name).id, set(codes) or mendable

    def how(one: Stored) -> Example:
        found = [Finding(**finding) for finding in one.findings or () if finding["code"] in wanted]
        return mend(one.example, found) if found else one.example

    done = datasets.mend(dataset, list(numbers) or Filter(finding="any"), how)
    for _ in datasets.review(dataset, look, _counted(tokenizers)):  # what was mended is looked at again
        pass
    yield {"changed": done.changed}


def look(example: Example) -> list[dict[str, Any]]:
    """Findings as they are kept beside an example: Finding's fields; what they say is said when they are read."""
    return [asdict(finding) for finding in check(example, frozenset(CHECKS) - AMONG)]


def _counted(tokenizers: Tokenizers) -> Callable[[Example], int | None] | None:
    counter = tokenizers.counter()
    if counter.rule is not Rule.OWN:
        return None
    return lambda example: of_example(example, counter, turns=False).total


def _among(datasets: Datasets, dataset: int) -> dict[int, list[dict[str, Any]]]:
    """Example → what comparing it with the others told; of duplicates all but the one to keep."""
    found = dict[int, list[dict[str, Any]]]()

    def note(number: int, code: str, shown: str) -> None:
        found.setdefault(number, []).append(asdict(Finding(code, shown=shown)))

    kept = {one.id: one for one in datasets.every(dataset) if one.status is not Status.DROPPED}
    for kind in Kind:  # one exchange as a conversation and as a score is not the same twice
        texts = ((number, compared(one.example)) for number, one in kept.items() if one.example.kind is kind)
        for group in near_duplicates(texts, prefer=lambda number, text: _worth(kept[number], text)):
            for number in group.keys[1:]:
                note(number, "near_duplicate", f"#{group.keys[0]}")
    examples = [(number, one.example) for number, one in kept.items() if number not in found]  # no word twice
    for conflict in (*contradictions(examples), *preference_cycles(examples)):
        for number in conflict.keys:
            note(number, conflict.code, conflict.shown)
    return found


def _worth(one: Stored, text: str) -> tuple[bool, bool, int]:
    """Of near-duplicates the approved one stays, then the liked or corrected one, then the longest."""
    return one.status is Status.APPROVED, one.example.source.how in ("edited", "liked"), len(text)


def _summary(datasets: Datasets, dataset: int, language: str) -> Row:
    statistics = datasets.statistics(dataset)
    findings = [
        {
            "code": code,
            "title": title(code, language),
            "examples": count,
            "severity": CHECKS[code].severity,
            "excluded": CHECKS[code].excluded,
            "mend": CHECKS[code].mend.value,
        }
        for code, count in statistics.findings.items()
    ]
    return {"examples": statistics.total, "findings": findings}


def said(finding: dict[str, Any], language: str) -> dict[str, Any]:
    """A kept finding with its sentence."""
    one = Finding(**finding)
    return {**finding, "severity": one.severity, "message": one.said(language), "title": title(one.code, language)}


__all__ = ["AMONG", "data_mend", "data_review", "look", "said"]
