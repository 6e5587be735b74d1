"""In: examples. Out: the columns that TRL's trainers read, and back. Their own names for them are in `dataset_formats`.

    trl-messages            {"messages": […], "tools": […]}            loss on all, or on every assistant turn
    trl-prompt-completion   {"prompt": [messages], "completion": [message]}    loss on the completion alone
    trl-preference          {"prompt": [messages], "chosen": [messages], "rejected": [messages]}
    trl-kto                 {"prompt": [messages], "completion": [messages], "label": true}
    trl-text                {"text": "…"}

Masks: a conversation becomes one prompt-completion row for each turn that is learned, so exactly those turns carry
loss. Reading also takes the plain-text columns ("prompt": "…") and a prompt that is only the answers' common start.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import takewhile
from typing import Any

from tuning.formats.form import BadRow, Format, Lose, Refused
from tuning.formats.messages import text_of, tools_of, trl_message, turns_of, written
from tuning.formats.turns import CONVERSATIONS, PREFERENCES, answered, compared, full, lose_masks, ranked, spoken
from tuning.rows import Row
from tuning.values import Answer, Example, Kind, Role, Turn, preference


def _tools(example: Example) -> Row:
    return {"tools": [dict(tool) for tool in example.tools]} if example.tools else {}


def _conversation(row: Row, turns: Iterable[Turn]) -> Example:
    return Example(Kind.CONVERSATION, turns=tuple(turns), tools=tools_of(row.get("tools"), "tools"))


def _message_rows(example: Example, lose: Lose) -> Iterator[Row]:
    turns = spoken(example, lose)
    lose_masks(example, lose)
    yield {"messages": written(turns, trl_message, lose)} | _tools(example)


def _message_example(row: Row) -> Example:
    return _conversation(row, turns_of(row.get("messages"), "messages"))


def _completion_rows(example: Example, lose: Lose) -> Iterator[Row]:
    turns = spoken(example, lose)
    messages = written(turns, trl_message, lose)
    learned = [at for at, turn in enumerate(turns) if turn.role is Role.ASSISTANT and turn.learn]
    if learned != [len(turns) - 1]:
        lose("split", "turns")
    for at in learned:
        if at == 0:
            lose("unprompted", "turns[0]")
        else:
            yield {"prompt": messages[:at], "completion": messages[at : at + 1]} | _tools(example)


def _completion_example(row: Row) -> Example:
    prompt = tuple(replace(turn, learn=turn.role is not Role.ASSISTANT) for turn in _side(row, "prompt", Role.USER))
    return _conversation(row, (*prompt, *_side(row, "completion", Role.ASSISTANT)))


def _side(row: Row, name: str, role: Role) -> tuple[Turn, ...]:
    """A column: messages, or plain text, which is one turn of that role."""
    value = row.get(name)
    if isinstance(value, str):
        return (Turn(role, value),)
    return turns_of(value, name)


def _preference_rows(example: Example, lose: Lose) -> Iterator[Row]:
    for prompt, better, worse in compared(example, lose):
        yield {
            "prompt": written(prompt, trl_message, lose),
            "chosen": written(better.turns, trl_message, lose, "answers"),
            "rejected": written(worse.turns, trl_message, lose, "answers"),
        } | _tools(example)


def _preference_example(row: Row) -> Example:
    sides = [_side(row, name, Role.ASSISTANT) for name in ("chosen", "rejected")]
    if "prompt" in row:
        prompt = _side(row, "prompt", Role.USER)
        if all(side[: len(prompt)] == prompt and len(side) > len(prompt) for side in sides):
            sides = [side[len(prompt) :] for side in sides]  # as UltraFeedback has it: the answers repeat the prompt
    else:
        prompt = tuple(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], zip(*sides, strict=False)))
        sides = [side[len(prompt) :] for side in sides]
    if not all(sides):
        raise BadRow("empty_list", "chosen" if not sides[0] else "rejected")
    return preference(prompt, *map(Answer, sides), tools=tools_of(row.get("tools"), "tools"))


def liked(answer: Answer) -> bool | None:
    """Yes or no, None where the scores do not say: a "like" decides, else the mean of all, each from 0 to 1."""
    scores = [answer.scores["like"]] if "like" in answer.scores else list(answer.scores.values())
    if not scores or not all(0 <= score <= 1 for score in scores):
        return None
    mean = sum(scores) / len(scores)
    return None if mean == 0.5 else mean > 0.5


def _kto_rows(example: Example, lose: Lose) -> Iterator[Row]:
    full(example.turns, "turns")
    if not example.turns:
        raise Refused("prompt_end")
    lose_masks(example, lose)
    prompt = written(example.turns, trl_message, lose)
    for answer, label in _labelled(example, lose):
        answered(answer)
        completion = written(answer.turns, trl_message, lose, "answers")
        yield {"prompt": prompt, "completion": completion, "label": label} | _tools(example)


def _labelled(example: Example, lose: Lose) -> Iterator[tuple[Answer, bool]]:
    if example.kind is Kind.SCORE:
        for at, answer in enumerate(example.answers):
            label = liked(answer)
            if label is None:
                raise Refused("unclear")
            if answer.scores != {"like": float(label)}:
                lose("scores", f"answers[{at}].scores")
            yield answer, label
        return
    ranks = {answer.rank for answer in ranked(example, lose)}
    if len(ranks) < 2:
        raise Refused("no_pairs")
    lose("likes", "answers")
    for at, answer in enumerate(example.answers):
        if answer.scores:
            lose("scores", f"answers[{at}].scores")
        if answer.rank in (min(ranks), max(ranks)):
            yield answer, answer.rank == min(ranks)
        elif answer.rank:
            lose("middle", f"answers[{at}]")


def _kto_example(row: Row) -> Example:
    label = row.get("label")
    if not isinstance(label, bool):
        raise BadRow("missing" if label is None else "label", "label")
    answer = Answer(_side(row, "completion", Role.ASSISTANT), scores={"like": float(label)})
    tools = tools_of(row.get("tools"), "tools")
    return Example(Kind.SCORE, turns=_side(row, "prompt", Role.USER), answers=(answer,), tools=tools)


def _text_rows(example: Example, lose: Lose) -> Iterator[Row]:
    if not example.text:
        raise Refused("empty_turn", field="text")
    yield {"text": example.text}


def _text_example(row: Row) -> Example:
    if not isinstance(row.get("text"), str):
        raise BadRow("missing" if row.get("text") is None else "not_text", "text")
    return Example(Kind.TEXT, text=text_of(row["text"], "text"))


def _columns(*names: str, of: type | tuple[type, ...] = (list, str)) -> Any:
    def fits(row: Row) -> bool:
        return all(isinstance(row.get(name), of) for name in names)

    return fits


def _looks_like_kto(row: Row) -> bool:
    return "label" in row and "prompt" in row and "completion" in row


MESSAGES = Format("trl-messages", CONVERSATIONS, _message_rows, _message_example, _columns("messages", of=list))
COMPLETION = Format(
    "trl-prompt-completion",
    CONVERSATIONS,
    _completion_rows,
    _completion_example,
    _columns("prompt", "completion", of=list),
)
PREFERENCE = Format(
    "trl-preference", PREFERENCES, _preference_rows, _preference_example, _columns("chosen", "rejected")
)
KTO = Format(
    "trl-kto",
    (Kind.SCORE, *PREFERENCES),
    _kto_rows,
    _kto_example,
    _looks_like_kto,
    keeps=frozenset({"scores"}),
)
TEXT = Format("trl-text", (Kind.TEXT,), _text_rows, _text_example, _columns("text", of=str))
