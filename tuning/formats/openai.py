"""In: examples. Out: the rows that OpenAI's fine-tuning takes, and back.

    openai              {"messages": [{"role": "user", "content": "…"},
                                      {"role": "assistant", "content": "…", "weight": 0}, …], "tools": […]}
    openai-preference   {"input": {"messages": […], "tools": […]},
                         "preferred_output": [{"role": "assistant", "content": "…"}], "non_preferred_output": […]}
    prompt-completion   {"prompt": "…", "completion": "…"}          the older form, for models without roles

As their OpenAPI document has them (FineTuneChatRequestInput, FineTunePreferenceRequestInput,
FineTuneCompletionRequestInput). `weight` is 0 or 1, on assistant messages alone; a preference has one message a side.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tuning.formats.form import BadRow, Format, Lose, Refused
from tuning.formats.messages import an_object, listed, openai_message, tools_of, turns_of, written
from tuning.formats.turns import CONVERSATIONS, PREFERENCES, compared, lose_ties, spoken, tied
from tuning.rows import Row
from tuning.values import Answer, Example, Kind, Role, Turn, preference


def _chat_rows(example: Example, lose: Lose) -> Iterator[Row]:
    turns = spoken(example, lose)
    messages = _messages(turns, lose)
    for turn, message in zip(turns, messages, strict=True):
        if turn.role is Role.ASSISTANT and not turn.learn:
            message["weight"] = 0
    yield {"messages": messages} | _tools(example)


def _chat_example(row: Row) -> Example:
    tools = tools_of(row.get("tools"), "tools")
    older = tools_of(row.get("functions"), "functions")
    tools += tuple({"type": "function", "function": function} for function in older)
    return Example(Kind.CONVERSATION, turns=turns_of(row.get("messages"), "messages"), tools=tools)


def _messages(turns: tuple[Turn, ...], lose: Lose) -> list[Row]:
    made = tied(turns)
    lose_ties(turns, made, lose, ids=True)
    return written(made, openai_message, lose)


def _tools(example: Example) -> Row:
    return {"tools": [dict(tool) for tool in example.tools]} if example.tools else {}


def _preference_rows(example: Example, lose: Lose) -> Iterator[Row]:
    for prompt, better, worse in compared(example, lose):
        for answer in (better, worse):
            if len(answer.turns) > 1:
                raise Refused("several_turns", format="openai-preference", turns=len(answer.turns))
        yield {
            "input": {"messages": _messages(prompt, lose)} | _tools(example),
            "preferred_output": _messages((*prompt, *better.turns), lose)[-1:],
            "non_preferred_output": _messages((*prompt, *worse.turns), lose)[-1:],
        }


def _preference_example(row: Row) -> Example:
    asked = an_object(row.get("input"), "input")
    sides = [_side(row, name) for name in ("preferred_output", "non_preferred_output")]
    prompt = turns_of(asked.get("messages"), "input.messages")
    return preference(prompt, *sides, tools=tools_of(asked.get("tools"), "input.tools"))


def _side(row: Row, name: str) -> Answer:
    if not listed(row.get(name), name):
        raise BadRow("empty_list", name)
    return Answer(turns_of(row[name], name))


_LABELS = {Role.SYSTEM: "", Role.USER: "User: ", Role.ASSISTANT: "Assistant: "}


def _completion_rows(example: Example, lose: Lose) -> Iterator[Row]:
    """One row for each answer that is learned; what came before is its prompt, as one text."""
    if example.kind is Kind.TEXT:
        if not example.text:
            raise Refused("empty_turn", field="text")
        yield {"prompt": "", "completion": example.text}
        return
    turns = spoken(example, lose)
    if example.tools or any(turn.calls or turn.role is Role.TOOL for turn in turns):
        raise Refused("tool_calls", format="prompt-completion")
    _lose_roles(turns, lose)
    for at, turn in enumerate(turns):
        if turn.role is not Role.ASSISTANT or not turn.learn:
            continue
        if at == 0:  # an empty prompt is how plain text is written
            lose("unprompted", "turns[0]")
            continue
        yield {"prompt": _transcript(turns[:at]), "completion": turn.text}


def _lose_roles(turns: Sequence[Turn], lose: Lose) -> None:
    if [turn.role for turn in turns] != [Role.USER, Role.ASSISTANT]:
        lose("roles", "turns")
        lose("split", "turns")
    for at, turn in enumerate(turns):
        if turn.name:
            lose("names", f"turns[{at}].name")


def _transcript(turns: Sequence[Turn]) -> str:
    if [turn.role for turn in turns] == [Role.USER]:
        return turns[0].text
    return "\n\n".join([*(_LABELS[turn.role] + turn.text for turn in turns), "Assistant:"])


def _completion_example(row: Row) -> Example:
    prompt, completion = row.get("prompt"), row.get("completion")
    for name, value in (("prompt", prompt), ("completion", completion)):
        if not isinstance(value, str):
            raise BadRow("missing" if value is None else "not_text", name)
    if not prompt:
        return Example(Kind.TEXT, text=str(completion))
    return Example(Kind.CONVERSATION, turns=(Turn(Role.USER, prompt), Turn(Role.ASSISTANT, str(completion))))


def _looks_like_chat(row: Row) -> bool:
    messages = row.get("messages")
    return isinstance(messages, list) and not any(map(_only_trl, messages))


def _only_trl(message: object) -> bool:
    """Arguments as an object, or an answer that names no call: TRL takes both, OpenAI neither."""
    if not isinstance(message, dict):
        return False
    if message.get("role") == "tool" and "tool_call_id" not in message:
        return True
    calls = message.get("tool_calls")
    functions = [call.get("function") for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    return any(isinstance(one, dict) and isinstance(one.get("arguments"), dict) for one in functions)


def _looks_like_preference(row: Row) -> bool:
    return "input" in row and "preferred_output" in row


def _looks_like_completion(row: Row) -> bool:
    return isinstance(row.get("prompt"), str) and isinstance(row.get("completion"), str) and "label" not in row


CHAT = Format("openai", CONVERSATIONS, _chat_rows, _chat_example, _looks_like_chat)
PREFERENCE = Format("openai-preference", PREFERENCES, _preference_rows, _preference_example, _looks_like_preference)
COMPLETION = Format(
    "prompt-completion", (*CONVERSATIONS, Kind.TEXT), _completion_rows, _completion_example, _looks_like_completion
)
