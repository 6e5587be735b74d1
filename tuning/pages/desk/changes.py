"""In: an example, what a person typed at one place of it. Out: the example in those words, or what is wrong, by field.

    turns.2 · answers.1.turns.0 · text        a place

A browser gives back other line ends than it was given (the HTML specification, "API value"): what was not touched stays
as it was, to the byte. Pure; knows nothing of SQL and HTML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tuning.values import Answer, Call, Example, Kind, Role, Turn, preference

PLACE = r"^(?:turns\.\d{1,5}|answers\.\d{1,3}\.turns\.\d{1,5}|text)$"
_TEXT = 5_000_000  # characters of one turn
_LINE_ENDS = re.compile("\r\n|\r")
_LONE = re.compile("(?<!\r)\n|\r(?!\n)")


class TypedCall(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(default="", max_length=200)
    arguments: str = Field(default="", max_length=_TEXT)
    id: str = Field(default="", max_length=200)
    was: int | None = Field(default=None, ge=0)  # which of the turn's calls it was; None: a new one


class Typed(BaseModel):
    """The fields of the editor."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Role = Role.ASSISTANT
    text: str = Field(default="", max_length=_TEXT)
    calls: tuple[TypedCall, ...] = Field(default=(), max_length=128)
    name: str = Field(default="", max_length=200)  # of a tool's turn
    call_id: str = Field(default="", max_length=200)


@dataclass(frozen=True, slots=True)
class Problem:
    field: str  # "role" | "text" | "calls.0.arguments" | "calls.0.name"; "": none of them
    key: str  # of words/*.json
    values: tuple[tuple[str, object], ...] = ()


class Wrong(Exception):  # noqa: N818 - it says what happened
    def __init__(self, *problems: Problem) -> None:
        super().__init__(", ".join(one.key for one in problems))
        self.problems = problems


def turn_at(example: Example, place: str) -> Turn | None:
    """None where there is none (any more), and of a text."""
    answer, at = _parsed(place)
    if answer is not None and answer >= len(example.answers):
        return None
    turns = example.turns if answer is None else example.answers[answer].turns
    return turns[at] if at is not None and at < len(turns) else None


def written(example: Example, place: str, typed: Typed) -> Example:
    """Other words at a place. Wrong: what cannot be so, every field at once."""
    if place == "text":
        if not typed.text.strip():
            raise Wrong(Problem("text", "desk_empty"))
        return replace(example, text=restored(example.text, typed.text))
    old = turn_at(example, place)
    if old is None:
        raise Wrong(Problem("", "desk_no_place"))
    answer, at = _parsed(place)
    assert at is not None
    turn = _turn(typed, old, _role_problem(example, answer, at, typed.role, old))
    return _put(example, answer, at, at + 1, (turn,))


def inserted(example: Example, at: int, typed: Typed) -> Example:
    """A new turn before the turn `at`."""
    if example.kind is Kind.TEXT or at > len(example.turns):
        raise Wrong(Problem("", "desk_no_place"))
    turn = _turn(typed, None, _role_problem(example, None, at, typed.role, None))
    return _put(example, None, at, at, (turn,))


def without(example: Example, place: str) -> Example:
    answer, at = _parsed(place)
    if at is None or turn_at(example, place) is None:
        raise Wrong(Problem("", "desk_no_place"))
    return _put(example, answer, at, at + 1, ())


def corrected(example: Example, place: str, typed: Typed) -> Example:
    """What a person made of an answer beats what stood there: a preference, the prompt being all before it."""
    old = turn_at(example, place)
    answer, at = _parsed(place)
    if example.kind is not Kind.CONVERSATION or answer is not None or not at or old is None:
        raise Wrong(Problem("", "desk_pair_where"))
    new = turn_at(written(example, place, typed), place)
    assert new is not None
    if old.role is not Role.ASSISTANT or new.role is not Role.ASSISTANT or not old.text.strip():
        raise Wrong(Problem("", "desk_pair_where"))
    if new.text.strip() == old.text.strip():
        raise Wrong(Problem("text", "desk_pair_same"))
    better, worse = (Answer((replace(one, learn=True),)) for one in (new, old))
    source = replace(example.source, how="edited")
    return preference(
        example.turns[:at], better, worse, tools=example.tools, tags=example.tags, source=source
    )  # fmt: skip


def ranks(order: Sequence[Sequence[int]], answers: int) -> list[int]:
    """Answers from the best to the worst, those in one group a tie → the rank of each: [[2], [0, 1]] → [2, 2, 1]."""
    if sorted(number for group in order for number in group) != list(range(answers)):
        raise Wrong(Problem("", "desk_rank_all", (("n", answers),)))
    place = {number: rank for rank, group in enumerate(filter(None, order), 1) for number in group}
    return [place[number] for number in range(answers)]


def scores(example: Example, dimension: str, value: str) -> dict[str, float]:
    """The scores with this dimension at this value, as it was typed: "0,5" too. "": without it."""
    given = dict(example.answers[0].scores) if example.answers else {}
    dimension = " ".join(dimension.split())
    if not value.strip():
        given.pop(dimension, None)
        return given
    try:
        number = float(value.strip().replace(",", "."))
    except ValueError:
        number = -1.0
    if not dimension or not 0 <= number <= 5:  # of nan too
        raise Wrong(Problem("", "desk_score_range"))
    return {**given, dimension: number}


def asked_first(example: Example, after: int) -> Turn:
    """What a new turn after the turn `after` (-1: at the top) most likely is."""
    if after < 0:
        return Turn(Role.SYSTEM)
    before = example.turns[after]
    if before.role is Role.ASSISTANT and before.calls:
        done = {one.call_id for one in example.turns[after:] if one.role is Role.TOOL}
        call = next((one for one in before.calls if one.id not in done), before.calls[0])
        return Turn(Role.TOOL, call_id=call.id, name=call.name)
    return Turn(Role.ASSISTANT if before.role in (Role.USER, Role.TOOL) else Role.USER)


def as_typed(text: str) -> str:
    """What a text field gives back of it, untouched."""
    return _LINE_ENDS.sub("\n", text).replace("\0", "\ufffd")


def restored(old: str, typed: str) -> str:
    """The typed text with the line ends of the old one, where all of them were alike."""
    if typed == as_typed(old):
        return old
    return typed.replace("\n", "\r\n") if "\r\n" in old and not _LONE.search(old) else typed


def _parsed(place: str) -> tuple[int | None, int | None]:
    """(answer, turn)"""
    numbers = [int(part) for part in place.split(".") if part.isdecimal()]
    return (numbers[0] if len(numbers) > 1 else None), (numbers[-1] if numbers else None)


def _put(example: Example, answer: int | None, start: int, end: int, new: tuple[Turn, ...]) -> Example:
    def changed(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
        return (*turns[:start], *new, *turns[end:])

    if answer is None:
        return replace(example, turns=changed(example.turns))
    answers = [
        replace(one, turns=changed(one.turns)) if number == answer else one
        for number, one in enumerate(example.answers)
    ]
    return replace(example, answers=tuple(answers))


def _turn(typed: Typed, old: Turn | None, problems: list[Problem]) -> Turn:
    text = restored(old.text, typed.text) if old else typed.text
    calls, wrong = _calls(typed, old)
    problems = [*problems, *wrong]
    if typed.role is not Role.TOOL and not text.strip() and not calls:
        problems.append(Problem("text", "desk_empty"))
    if problems:
        raise Wrong(*problems)
    same = old is not None and old.role is typed.role
    tool = typed.role is Role.TOOL
    return Turn(
        typed.role,
        text,
        calls,
        call_id=_kept(old.call_id if old else "", typed.call_id) if tool else "",
        name=_kept(old.name if old else "", typed.name) if tool else old.name if old and same else "",
        learn=old.learn if old and same else True,
    )


def _calls(typed: Typed, old: Turn | None) -> tuple[tuple[Call, ...], list[Problem]]:
    """Arguments that a model wrote wrongly stay as they are until a person touches them."""
    calls, problems = list[Call](), list[Problem]()
    if typed.role is not Role.ASSISTANT:
        return (), []
    for number, one in enumerate(typed.calls):
        was = old.calls[one.was] if old and one.was is not None and one.was < len(old.calls) else None
        arguments = restored(was.arguments, one.arguments) if was else one.arguments.strip() or "{}"
        if not one.name.strip():
            problems.append(Problem(f"calls.{number}.name", "desk_call_name"))
        if was is None or arguments != was.arguments:
            problems += _json_problem(f"calls.{number}.arguments", arguments)
        id_ = _kept(was.id, one.id) if was else one.id.strip() or _fresh(calls, old)
        calls.append(Call(_kept(was.name if was else "", one.name), arguments, id_))
    return tuple(calls), problems


def _kept(old: str, typed: str) -> str:
    """A line field; blanks around what was not touched are not ours to take away."""
    return old if typed.strip() == old.strip() else typed.strip()


def _fresh(calls: Sequence[Call], old: Turn | None) -> str:
    taken = {one.id for one in (*calls, *(old.calls if old else ()))}
    return next(name for number in range(1, 1_000) if (name := f"call_{number}") not in taken)


def _json_problem(where: str, arguments: str) -> list[Problem]:
    try:
        value: Any = json.loads(arguments)
    except json.JSONDecodeError as error:
        return [Problem(where, "desk_json_wrong", (("line", error.lineno), ("column", error.colno)))]
    except RecursionError:
        return [Problem(where, "desk_json_deep")]
    return [] if isinstance(value, dict) else [Problem(where, "desk_json_object")]


def _role_problem(example: Example, answer: int | None, at: int, role: Role, old: Turn | None) -> list[Problem]:
    if old is not None and old.role is role:
        return []
    if answer is not None and role in (Role.SYSTEM, Role.USER):
        return [Problem("role", "desk_role_answer_only")]
    if role is not Role.SYSTEM:
        return []
    others = [one for number, one in enumerate(example.turns) if number != at or old is None]
    if at or any(one.role is Role.SYSTEM for one in others):
        return [Problem("role", "desk_role_system_first")]
    return []
