"""In: keyed examples, as a stream. Out: Conflict, …: what teaches two things that do not go together.

    contradiction       the same prompt, whole with its system turn and all before, and another answer
    preference_cycle    a better than b here, b better than a there; also a > b > c > a

Prompts and answers are compared as `wording.plain` has them. Memory: two 16-byte sums and the key per answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from tuning.cleaning.findings import CHECKS, short
from tuning.cleaning.wording import plain
from tuning.values import Example, Kind, Role, Turn, pairs

K = TypeVar("K", bound=Hashable)
Sum = bytes


@dataclass(frozen=True, slots=True)
class Conflict(Generic[K]):
    code: str  # "contradiction" | "preference_cycle"
    keys: tuple[K, ...]  # as they came
    shown: str  # the prompt

    def said(self, language: str) -> str:
        return CHECKS[self.code].sentence[language == "es"].format(shown=self.shown)


def contradictions(examples: Iterable[tuple[K, Example]]) -> Iterator[Conflict[K]]:
    """Conversations of one prompt and several answers. Preferences, rankings and scores are meant to have several."""
    prompts: dict[Sum, _Prompt[K]] = {}
    for key, example in examples:
        if example.kind is Kind.CONVERSATION:
            for asked, shown, answer in _exchanges(example):
                prompts.setdefault(asked, _Prompt(shown, {})).answers.setdefault(answer, []).append(key)
    for prompt in prompts.values():
        if len(prompt.answers) > 1:
            keys = dict.fromkeys(key for same in prompt.answers.values() for key in same)
            if len(keys) > 1:
                yield Conflict("contradiction", tuple(keys), prompt.shown)


def preference_cycles(examples: Iterable[tuple[K, Example]]) -> Iterator[Conflict[K]]:
    """Preferences of one prompt that lead back to where they began; a ranking counts as the pairs it gives."""
    prompts: dict[Sum, _Preferences[K]] = {}
    for key, example in examples:
        if example.kind not in (Kind.PREFERENCE, Kind.RANKING):
            continue
        prompt = prompts.setdefault(_asked(example.turns), _Preferences(short(example.prompt), {}))
        for pair in pairs(example):
            better, worse = (_sum(plain(answer.text)) for answer in pair.answers)
            if better != worse:
                prompt.better.setdefault((better, worse), []).append(key)
    for prompt in prompts.values():
        if circle := _circle(set(prompt.better)):
            keys = dict.fromkeys(key for pair, keys in prompt.better.items() if pair in circle for key in keys)
            yield Conflict("preference_cycle", tuple(keys), prompt.shown)


@dataclass(slots=True)
class _Prompt(Generic[K]):
    shown: str
    answers: dict[Sum, list[K]]


@dataclass(slots=True)
class _Preferences(Generic[K]):
    shown: str
    better: dict[tuple[Sum, Sum], list[K]]


def _exchanges(example: Example) -> Iterator[tuple[Sum, str, Sum]]:
    """Every answer that is learned, with all that stands before it."""
    for at, turn in enumerate(example.turns):
        if turn.role is Role.ASSISTANT and turn.learn and (turn.text or turn.calls):
            asked = [before.text for before in example.turns[:at] if before.role is Role.USER]
            yield _asked(example.turns[:at]), short(asked[-1] if asked else ""), _asked((turn,))


def _asked(turns: tuple[Turn, ...]) -> Sum:
    parts = [
        (turn.role.value, plain(turn.text), *((call.name, call.arguments) for call in turn.calls)) for turn in turns
    ]
    return _sum(repr(parts))


def _circle(better: set[tuple[Sum, Sum]]) -> set[tuple[Sum, Sum]]:
    """Those that are part of a circle, or lie between two: what has no way in or no way out is taken away, in turn."""
    while True:
        lead, follow = {one for one, _ in better}, {other for _, other in better}
        kept = {(one, other) for one, other in better if one in follow and other in lead}
        if kept == better:
            return kept
        better = kept


def _sum(text: str) -> Sum:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
