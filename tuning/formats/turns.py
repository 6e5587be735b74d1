"""In: turns of an example. Out: the same, fit for a format: the answer at the end, calls tied to what answers them.

Shared by all formats that hold conversations. Knows nothing of any format's keys.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count, groupby
from typing import Any

from tuning.formats.form import Lose, Refused
from tuning.values import Answer, Call, Example, Kind, Role, Turn, pairs

CONVERSATIONS = (Kind.CONVERSATION, Kind.PREFERENCE, Kind.RANKING)  # the best answer is a conversation too
PREFERENCES = (Kind.PREFERENCE, Kind.RANKING)


def spoken(example: Example, lose: Lose) -> tuple[Turn, ...]:
    """The conversation to imitate: of a preference or ranking, the prompt and its best answer."""
    turns = example.turns
    if example.kind is not Kind.CONVERSATION:
        best = min(ranked(example, lose), key=lambda answer: answer.rank)
        turns += best.turns
        lose("other_answers", "answers")
    full(turns, "turns")
    if not turns or turns[-1].role is not Role.ASSISTANT:
        raise Refused("no_answer")
    if not any(turn.learn for turn in turns if turn.role is Role.ASSISTANT):
        raise Refused("nothing_learned")
    return turns


def compared(example: Example, lose: Lose) -> Iterator[tuple[tuple[Turn, ...], Answer, Answer]]:
    """Each pair of a preference or ranking: the prompt, the preferred answer, the other one."""
    full(example.turns, "turns")
    if not example.turns or example.turns[-1].role not in (Role.USER, Role.TOOL):
        raise Refused("prompt_end")
    lose_masks(example, lose)
    if example.kind is Kind.RANKING:
        lose("ranking", "answers")
    found = list(pairs(replace(example, answers=ranked(example, lose))))
    if not found:
        raise Refused("no_pairs")
    for pair in found:
        better, worse = pair.answers
        answered(better)
        answered(worse)
        if better.turns == worse.turns:
            raise Refused("same_answers")
        yield pair.turns, better, worse


def ranked(example: Example, lose: Lose) -> tuple[Answer, ...]:
    """The answers that have a rank: of the others nobody has said whether they are good."""
    for at, answer in enumerate(example.answers):
        if not answer.rank:
            lose("unranked", f"answers[{at}]")
    some = tuple(answer for answer in example.answers if answer.rank)
    if not some:
        raise Refused("no_pairs")
    return some


def answered(answer: Answer) -> None:
    full(answer.turns, "answers")
    if not answer.turns or answer.turns[-1].role is not Role.ASSISTANT:
        raise Refused("no_answer")


def full(turns: Iterable[Turn], field: str) -> None:
    """No turn is empty: a tool may answer with nothing, an assistant may only call."""
    for at, turn in enumerate(turns):
        if not turn.text and not turn.calls and turn.role is not Role.TOOL:
            raise Refused("empty_turn", field=f"{field}[{at}]")


def lose_masks(example: Example, lose: Lose) -> None:
    """For formats whose rows cannot say which turns carry loss."""
    for at, turn in enumerate(example.turns):
        if turn.role is Role.ASSISTANT and not turn.learn:
            lose("masks", f"turns[{at}].learn")
    for at, answer in enumerate(example.answers):
        if not all(turn.learn for turn in answer.turns):
            lose("masks", f"answers[{at}].turns")


def tied(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """Each call with an id, each tool's answer with the id and name of the call it answers.

    Answers find their call by id, else by name, else by order. One that finds none is left without an id.
    """
    taken = {call.id for turn in turns for call in turn.calls}
    fresh = (name for name in map("call_{}".format, count(1)) if name not in taken)
    open_calls: list[Call] = []
    made = []
    for turn in turns:
        if turn.calls:
            turn = replace(turn, calls=tuple(call if call.id else replace(call, id=next(fresh)) for call in turn.calls))
            open_calls += turn.calls
        elif turn.role is Role.TOOL and (call := _called(turn, open_calls)):
            open_calls.remove(call)
            turn = replace(turn, call_id=call.id, name=call.name)
        elif turn.call_id:
            turn = replace(turn, call_id="")
        made.append(turn)
    return tuple(made)


def _called(turn: Turn, calls: list[Call]) -> Call | None:
    if turn.call_id:
        return next((call for call in calls if call.id == turn.call_id), None)
    named = next((call for call in calls if call.name == turn.name), None)
    return named or next(iter(calls), None)


def by_order(turns: tuple[Turn, ...], lose: Lose) -> tuple[Turn, ...]:
    """For formats without ids: tied calls, and the answers to them in the order in which they were asked."""
    made = tied(turns)
    lose_ties(turns, made, lose, ids=False)
    order = {call.id: at for at, call in enumerate(call for turn in made for call in turn.calls)}
    sorted_turns: list[Turn] = []
    for role, group in groupby(made, key=lambda turn: turn.role):
        some = list(group)
        if role is Role.TOOL and (asked := sorted(some, key=lambda turn: order.get(turn.call_id, -1))) != some:
            lose("tool_order", f"turns[{len(sorted_turns)}]")
            some = asked
        sorted_turns += some
    return tuple(sorted_turns)


def lose_ties(before: tuple[Turn, ...], after: tuple[Turn, ...], lose: Lose, *, ids: bool) -> None:
    """What `tied` changed. `ids`: the format keeps ids, so only those it made up differ; else every id is lost."""
    for at, (old, new) in enumerate(zip(before, after, strict=True)):
        differ = [call.id for call in old.calls] != [call.id for call in new.calls] or old.call_id != new.call_id
        if differ if ids else old.call_id or any(call.id for call in old.calls):
            lose("call_ids", f"turns[{at}]")
        if old.role is Role.TOOL and old.name != new.name:
            lose("tool_names", f"turns[{at}].name")


def json_object(text: str) -> dict[str, Any] | None:
    """The object that a text spells, else None."""
    found = json_value(text)
    return found if isinstance(found, dict) else None


def json_value(text: str) -> Any:
    """What a text spells as JSON, None where it spells nothing. NaN and Infinity are no JSON."""
    try:
        found = json.loads(text, parse_constant=_refuse)
        json.dumps(found, allow_nan=False)  # 1e999 is read as infinity
    except (ValueError, RecursionError):
        return None
    return found


def _refuse(name: str) -> None:
    raise ValueError(name)


def spelled(value: Any) -> str:
    """JSON as we write it inside a text: arguments that came as an object."""
    return json.dumps(value, ensure_ascii=False)
