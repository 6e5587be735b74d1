"""In: a model that judges, answers before and after. Out: which it prefers, asked twice with the places swapped.

A judge leans to the answer it reads first or last (Zheng et al. 2023, "Judging LLM-as-a-Judge"): only a word it stays
by in both orders counts, everything else is a tie. Equal answers are a tie without asking. Knows nothing of which model
it is: `ask` is handed in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from assistant.models.local.templates import plain
from tuning.evaluation.intervals import Interval, Sign, binomial, wilson
from tuning.evaluation.sentences import percent, say
from tuning.evaluation.values import Answered, by_key
from tuning.values import Role, Turn

Choice = Literal["first", "second", "tie", "unread"]  # unread: it said neither
Ask = Callable[[Sequence[Turn]], str]

_MARKS = tuple(f"<{end}{name}>" for name in ("question", "good_answer", "answer_a", "answer_b") for end in ("", "/"))
_CHOICE = re.compile(r"(?<![\w'’])(?:(A)|(B)|(?i:(tie|empate)))(?![\w'’])")


class Judge(Protocol):
    def prefers(self, prompt: str, reference: str, first: str, second: str) -> Choice: ...


@dataclass(frozen=True, slots=True)
class Judged:
    key: str
    winner: Literal["before", "after", "tie"]
    consistent: bool  # it said the same of both orders


@dataclass(frozen=True, slots=True)
class Outcome:
    sign: Sign  # better: the answer after won
    consistent: Interval  # how often it stayed by its word
    preferred: Interval  # the answer after, among those it decided

    def said(self, language: str) -> str:
        n = self.sign.better + self.sign.worse + self.sign.same
        return say(
            "judged", language, wins=self.sign.better, losses=self.sign.worse, ties=self.sign.same, n=n,
            consistent=percent(self.consistent.value, language),
        )  # fmt: skip


class ModelJudge:
    """One question to a chat model. It is to reply with a word; of more words, those that name one choice only count,
    all of them or the last line."""

    def __init__(self, ask: Ask, language: str = "en") -> None:
        self._ask, self._language = ask, language

    def prefers(self, prompt: str, reference: str, first: str, second: str) -> Choice:
        parts = [("question", prompt), ("good_answer", reference), ("answer_a", first), ("answer_b", second)]
        told = "\n\n".join(
            f"<{name}>\n{plain(text, _MARKS)}\n</{name}>" for name, text in parts if text or name.startswith("answer")
        )
        said = self._ask([Turn(Role.SYSTEM, say("judge", self._language)), Turn(Role.USER, told)])
        return _read(said)


def judged(
    judge: Judge,
    before: Iterable[Answered],
    after: Iterable[Answered],
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[Judged]:
    """As they come; two questions to the judge for each pair."""
    known, tuned = by_key(before), by_key(after)
    for key in (key for key in known if key in tuned):
        if stopped():
            return
        yield _judged(judge, known[key], tuned[key])


def outcome(found: Iterable[Judged]) -> Outcome:
    all_of = list(found)
    wins, losses = (sum(one.winner == side for one in all_of) for side in ("after", "before"))
    n = len(all_of)
    sign = Sign(wins, losses, n - wins - losses, binomial(wins, wins + losses))
    return Outcome(sign, wilson(sum(one.consistent for one in all_of), n), wilson(wins, wins + losses))


def _judged(judge: Judge, before: Answered, after: Answered) -> Judged:
    if before.text.strip() == after.text.strip():
        return Judged(before.key, "tie", True)
    there = judge.prefers(before.prompt, before.reference, before.text, after.text)
    back = judge.prefers(before.prompt, before.reference, after.text, before.text)
    if (there, back) == ("first", "second"):
        return Judged(before.key, "before", True)
    if (there, back) == ("second", "first"):
        return Judged(before.key, "after", True)
    return Judged(before.key, "tie", (there, back) == ("tie", "tie"))


def _read(said: str) -> Choice:
    names: tuple[Choice, ...] = ("first", "second", "tie")
    for part in (said, said.strip().rpartition("\n")[2]):
        named = {found.lastindex for found in _CHOICE.finditer(part)}
        if len(named) == 1:
            return names[(named.pop() or 1) - 1]
    return "unread"
