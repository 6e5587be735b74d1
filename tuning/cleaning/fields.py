"""In: an example. Out: its texts one by one, each with where it stands; and the example again, some of them changed.

    turns.1.text · turns.1.calls.0.arguments · answers.0.turns.0.text · text · source.name

`source.name` is no text that a model learns, but it travels in a dataset's folder and may repeat what was asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from tuning.values import Example, Role, Turn

NAME = "source.name"
Edit = tuple[int, int, str]  # from, to, what stands there instead


@dataclass(frozen=True, slots=True)
class Field:
    path: str
    text: str
    role: Role | None = None  # of the turn
    learn: bool = False  # an assistant's words that carry loss

    @property
    def is_json(self) -> bool:
        return self.path.endswith(".arguments")


def fields(example: Example) -> Iterator[Field]:
    """Those that hold anything, in the order in which they are read."""
    yield from _of_turns("turns", example.turns)
    for at, answer in enumerate(example.answers):
        yield from _of_turns(f"answers.{at}.turns", answer.turns)
    if example.text:
        yield Field("text", example.text)
    if example.source.name:
        yield Field(NAME, example.source.name)


def rewritten(example: Example, texts: Mapping[str, str]) -> Example:
    """The example with these fields' texts in place of its own."""
    if not texts:
        return example
    answers = tuple(
        replace(answer, turns=_changed(f"answers.{at}.turns", answer.turns, texts))
        for at, answer in enumerate(example.answers)
    )
    return replace(
        example,
        turns=_changed("turns", example.turns, texts),
        answers=answers,
        text=texts.get("text", example.text),
        source=replace(example.source, name=texts.get(NAME, example.source.name)),
    )


def edited(text: str, edits: Iterable[Edit]) -> str:
    """In their order; one that overlaps an earlier one is left out."""
    pieces, at = [], 0
    for start, end, instead in sorted(edits):
        if at <= start <= end <= len(text):
            pieces += [text[at:start], instead]
            at = end
    return "".join([*pieces, text[at:]])


def answers(example: Example) -> Iterator[tuple[str, Turn]]:
    """The assistant's turns that a model would learn, each with its path: "turns.2", "answers.0.turns.0"."""
    for at, turn in enumerate(example.turns):
        if turn.role is Role.ASSISTANT and turn.learn and not example.answers:
            yield f"turns.{at}", turn
    for number, answer in enumerate(example.answers):
        for at, turn in enumerate(answer.turns):
            if turn.role is Role.ASSISTANT and turn.learn:
                yield f"answers.{number}.turns.{at}", turn


def _of_turns(path: str, turns: tuple[Turn, ...]) -> Iterator[Field]:
    for at, turn in enumerate(turns):
        if turn.text:
            learn = turn.role is Role.ASSISTANT and turn.learn
            yield Field(f"{path}.{at}.text", turn.text, turn.role, learn)
        for number, call in enumerate(turn.calls):
            yield Field(f"{path}.{at}.calls.{number}.arguments", call.arguments, turn.role)


def _changed(path: str, turns: tuple[Turn, ...], texts: Mapping[str, str]) -> tuple[Turn, ...]:
    return tuple(
        replace(
            turn,
            text=texts.get(f"{path}.{at}.text", turn.text),
            calls=tuple(
                replace(call, arguments=texts.get(f"{path}.{at}.calls.{number}.arguments", call.arguments))
                for number, call in enumerate(turn.calls)
            ),
        )
        for at, turn in enumerate(turns)
    )
