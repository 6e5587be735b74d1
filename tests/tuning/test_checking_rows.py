"""What is wrong inside a row, by format: each kind by its code and field, and nothing else beside it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.tuning.test_checking_lines import found_in

Row = dict[str, Any]

USER = {"role": "user", "content": "¿Qué hora es? 🕰"}
SAID = {"role": "assistant", "content": "Las doce."}
CLOCK = {"type": "function", "function": {"name": "clock", "parameters": {"type": "object", "properties": {}}}}
CALL = {"id": "c1", "type": "function", "function": {"name": "clock", "arguments": "{}"}}
ANSWER = {"role": "tool", "tool_call_id": "c1", "content": "12:00"}
CALLS = {"role": "assistant", "tool_calls": [CALL]}
CHAT: Row = {"messages": [{"role": "system", "content": "Be brief."}, USER, SAID]}
TOOLS: Row = {"messages": [USER, CALLS, ANSWER, SAID], "tools": [CLOCK]}
PREFERENCE: Row = {
    "input": {"messages": [USER], "tools": [CLOCK], "parallel_tool_calls": True},
    "preferred_output": [SAID],
    "non_preferred_output": [{"role": "assistant", "content": "No idea."}],
}
COMPLETION: Row = {"prompt": "What time is it?", "completion": "Noon."}


def text(value: str) -> Row:
    return {"parts": [{"text": value}]}


SAID_V = {"role": "model", **text("Las doce.")}
USER_V = {"role": "user", **text("¿Qué hora es?")}
CALLS_V = {"role": "model", "parts": [{"functionCall": {"name": "clock", "args": {}}}]}
ANSWER_V = {"role": "user", "parts": [{"functionResponse": {"name": "clock", "response": {"output": "12:00"}}}]}
CLOCK_V = {"functionDeclarations": [{"name": "clock", "parameters": {"type": "OBJECT", "properties": {}}}]}
VERTEX: Row = {
    "systemInstruction": text("Be brief."),
    "contents": [USER_V, CALLS_V, ANSWER_V, SAID_V],
    "tools": [CLOCK_V],
}
PAIR: Row = {
    "contents": [USER_V],
    "completions": [
        {"score": 1, "completion": SAID_V},
        {"score": 0, "completion": {"role": "model", **text("No idea.")}},
    ],
}
TRL_CALL = {"type": "function", "function": {"name": "clock", "arguments": {"zone": "UTC"}}}
TRL: Row = {
    "messages": [
        USER,
        {"role": "assistant", "content": "", "tool_calls": [TRL_CALL]},
        {"role": "tool", "content": ""},
        SAID,
    ],
    "tools": [CLOCK],
}
TRL_PAIR: Row = {"prompt": [USER], "chosen": [SAID], "rejected": [{"role": "assistant", "content": "No idea."}]}
KTO: Row = {"prompt": [USER], "completion": [SAID], "label": True}
SHARE: Row = {"conversations": [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "yes"}]}
AFINA: Row = {"kind": "conversation", "turns": [{"role": "user", "text": "hi"}, {"role": "assistant", "text": "yes"}]}
GOOD = {
    "openai": CHAT,
    "openai-preference": PREFERENCE,
    "prompt-completion": COMPLETION,
    "vertex": VERTEX,
    "vertex-preference": PAIR,
    "trl-messages": TRL,
    "trl-prompt-completion": {"prompt": [USER], "completion": [SAID]},
    "trl-preference": TRL_PAIR,
    "trl-kto": KTO,
    "trl-text": {"text": "Una página."},
    "sharegpt": SHARE,
    "afina": AFINA,
}
AT = 57  # the line that is wrong


def problems(tmp_path: Path, name: str, row: Row) -> list[tuple[str, str]]:
    """Of one row among a hundred good ones: field and code of each, all of its line."""
    path = tmp_path / "train.jsonl"
    good = json.dumps(GOOD[name], ensure_ascii=False)
    lines = [good] * 100
    lines[AT - 1] = json.dumps(row, ensure_ascii=False)
    lines[0] = lines[0].replace('"label": true', '"label": false')
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    found, summary = found_in(path, name)
    assert summary.rows == 100
    assert {one.line for one in found} <= {AT}
    for one in found:
        assert one.said("en") != one.said("es")
        assert one.mended("en")
        assert one.mended("es")
    return [(one.field, one.code) for one in found]


def changed(row: Row, *path: Any, to: Any = ...) -> Row:
    """A row with one value changed, or deleted."""
    made = copy.deepcopy(row)
    inner: Any = made
    for step in path[:-1]:
        inner = inner[step]
    if to is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = to
    return made


M, SYSTEM_AT, USER_AT, SAID_AT = "messages", "messages[0]", "messages[1]", "messages[2]"
OPENAI: list[tuple[str, str, Row]] = [
    ("messages_missing", M, {}),
    ("messages_missing", M, {"messages": None}),
    ("messages_not_list", M, {"messages": "hi"}),
    ("messages_not_list", M, {"messages": {"role": "user"}}),
    ("messages_empty", M, {"messages": []}),
    ("unknown_key", "metadata", CHAT | {"metadata": {}}),
    ("unknown_key", f"{USER_AT}.text", changed(CHAT, M, 1, "text", to="hi")),
    ("unknown_key", f"{SAID_AT}.'audio file'", changed(CHAT, M, 2, "audio file", to={})),
    ("message_not_object", USER_AT, changed(CHAT, M, 1, to="hi")),
    ("message_not_object", USER_AT, changed(CHAT, M, 1, to=None)),
    ("message_not_object", USER_AT, changed(CHAT, M, 1, to=["user", "hi"])),
    ("role_missing", f"{USER_AT}.role", changed(CHAT, M, 1, "role")),
    ("role_unknown", f"{USER_AT}.role", changed(CHAT, M, 1, "role", to="human")),
    ("role_unknown", f"{USER_AT}.role", changed(CHAT, M, 1, "role", to="User")),
    ("role_unknown", f"{USER_AT}.role", changed(CHAT, M, 1, "role", to=["user"])),
    ("role_unknown", f"{USER_AT}.role", changed(CHAT, M, 1, "role", to=None)),
    ("developer_role", f"{SYSTEM_AT}.role", changed(CHAT, M, 0, "role", to="developer")),
    ("content_missing", f"{USER_AT}.content", changed(CHAT, M, 1, "content")),
    ("content_missing", f"{SAID_AT}.content", changed(CHAT, M, 2, "content")),
    ("content_null", f"{USER_AT}.content", changed(CHAT, M, 1, "content", to=None)),
    ("content_null", f"{SAID_AT}.content", changed(CHAT, M, 2, "content", to=None)),
    ("content_empty", f"{SYSTEM_AT}.content", changed(CHAT, M, 0, "content", to="")),
    ("content_empty", f"{SAID_AT}.content", changed(CHAT, M, 2, "content", to="")),
    ("content_empty", f"{USER_AT}.content", changed(CHAT, M, 1, "content", to=[])),
    ("blank_text", f"{SAID_AT}.content", changed(CHAT, M, 2, "content", to=" \n")),
    ("content_type", f"{USER_AT}.content", changed(CHAT, M, 1, "content", to=7)),
    ("content_type", f"{USER_AT}.content", changed(CHAT, M, 1, "content", to={"text": "hi"})),
    ("wrong_type", f"{USER_AT}.content[0]", changed(CHAT, M, 1, "content", to=["hi"])),
    ("part_kind", f"{USER_AT}.content[0].type", changed(CHAT, M, 1, "content", to=[{"type": "input_audio"}])),
    ("part_kind", f"{USER_AT}.content[0].type", changed(CHAT, M, 1, "content", to=[{"text": "hi"}])),
    ("part_kind", f"{SAID_AT}.content[0].type", changed(CHAT, M, 2, "content", to=[{"type": "image_url"}])),
    ("missing_key", f"{USER_AT}.content[0].text", changed(CHAT, M, 1, "content", to=[{"type": "text"}])),
    ("empty_text", f"{USER_AT}.content[0].text", changed(CHAT, M, 1, "content", to=[{"type": "text", "text": ""}])),
    (
        "missing_key",
        f"{USER_AT}.content[0].image_url.url",
        changed(CHAT, M, 1, "content", to=[{"type": "image_url", "image_url": "x"}]),
    ),
    ("wrong_type", f"{USER_AT}.name", changed(CHAT, M, 1, "name", to=3)),
    ("no_assistant", M, {"messages": [USER]}),
    ("last_not_assistant", "messages[3].role", {"messages": [*CHAT[M], USER]}),
    ("system_not_first", "messages[1].role", {"messages": [USER, CHAT[M][0], SAID]}),
    ("weight_value", f"{SAID_AT}.weight", changed(CHAT, M, 2, "weight", to=2)),
    ("weight_value", f"{SAID_AT}.weight", changed(CHAT, M, 2, "weight", to=0.5)),
    ("weight_value", f"{SAID_AT}.weight", changed(CHAT, M, 2, "weight", to="1")),
    ("weight_value", f"{SAID_AT}.weight", changed(CHAT, M, 2, "weight", to=True)),
    ("weight_value", f"{SAID_AT}.weight", changed(CHAT, M, 2, "weight", to=None)),
    ("weight_role", f"{USER_AT}.weight", changed(CHAT, M, 1, "weight", to=1)),
    ("weight_role", f"{SYSTEM_AT}.weight", changed(CHAT, M, 0, "weight", to=0)),
    ("weights_zero", M, changed(CHAT, M, 2, "weight", to=0)),
    ("wrong_type", "parallel_tool_calls", TOOLS | {"parallel_tool_calls": "yes"}),
    ("wrong_type", "tools", CHAT | {"tools": {"clock": {}}}),
    ("wrong_type", "tools[0]", CHAT | {"tools": ["clock"]}),
    ("tool_type", "tools[0].type", changed(TOOLS, "tools", 0, "type", to="retrieval")),
    ("missing_key", "tools[0].function", CHAT | {"tools": [{"type": "function"}]}),
    ("wrong_type", "tools[0].function", CHAT | {"tools": [{"type": "function", "function": "clock"}]}),
    ("unknown_key", "tools[0].name", changed(TOOLS, "tools", 0, "name", to="clock")),
    ("unknown_key", "tools[0].function.args", changed(TOOLS, "tools", 0, "function", "args", to={})),
    (
        "tool_name",
        "tools[0].function.name",
        changed(CHAT | {"tools": [CLOCK]}, "tools", 0, "function", "name", to="a b"),
    ),
    (
        "tool_name",
        "tools[0].function.name",
        changed(CHAT | {"tools": [CLOCK]}, "tools", 0, "function", "name", to="a" * 65),
    ),
    ("tool_name", "tools[0].function.name", changed(CHAT | {"tools": [CLOCK]}, "tools", 0, "function", "name")),
    ("tool_twice", "tools[1].function.name", TOOLS | {"tools": [CLOCK, CLOCK]}),
    ("wrong_type", "tools[0].function.description", changed(TOOLS, "tools", 0, "function", "description", to=3)),
    ("wrong_type", "tools[0].function.strict", changed(TOOLS, "tools", 0, "function", "strict", to="yes")),
    ("tool_schema", "tools[0].function.parameters", changed(TOOLS, "tools", 0, "function", "parameters", to=[])),
    (
        "tool_schema",
        "tools[0].function.parameters",
        changed(TOOLS, "tools", 0, "function", "parameters", to={"type": "string"}),
    ),
    (
        "tool_schema",
        "tools[0].function.parameters.properties",
        changed(TOOLS, "tools", 0, "function", "parameters", "properties", to=["zone"]),
    ),
    (
        "tool_schema",
        "tools[0].function.parameters.properties.zone.type",
        changed(TOOLS, "tools", 0, "function", "parameters", "properties", to={"zone": {"type": "str"}}),
    ),
    (
        "tool_schema",
        "tools[0].function.parameters.required",
        changed(TOOLS, "tools", 0, "function", "parameters", "required", to="zone"),
    ),
    (
        "tool_schema",
        "tools[0].function.parameters.properties.a.items.properties.b",
        changed(
            TOOLS,
            "tools",
            0,
            "function",
            "parameters",
            "properties",
            to={"a": {"type": "array", "items": {"type": "object", "properties": {"b": "text"}}}},
        ),
    ),
    (
        "too_many_tools",
        "tools",
        CHAT | {"tools": [changed(CLOCK, "function", "name", to=f"f{at}") for at in range(129)]},
    ),
    ("wrong_type", f"{USER_AT}.tool_calls", changed(TOOLS, M, 1, "tool_calls", to={})),
    ("call_malformed", f"{USER_AT}.tool_calls[0]", changed(TOOLS, M, 1, "tool_calls", 0, to="clock")),
    ("call_malformed", f"{USER_AT}.tool_calls[0].id", changed(TOOLS, M, 1, "tool_calls", 0, "id")),
    ("call_malformed", f"{USER_AT}.tool_calls[0].type", changed(TOOLS, M, 1, "tool_calls", 0, "type")),
    ("call_malformed", f"{USER_AT}.tool_calls[0].function", changed(TOOLS, M, 1, "tool_calls", 0, "function")),
    (
        "call_malformed",
        f"{USER_AT}.tool_calls[0].function.name",
        changed(TOOLS, M, 1, "tool_calls", 0, "function", "name"),
    ),
    ("call_id_twice", f"{USER_AT}.tool_calls[1].id", changed(TOOLS, M, 1, "tool_calls", to=[CALL, CALL])),
    (
        "tool_unknown",
        f"{USER_AT}.tool_calls[0].function.name",
        changed(TOOLS, M, 1, "tool_calls", 0, "function", "name", to="watch"),
    ),
    ("tool_unknown", f"{USER_AT}.tool_calls[0].function.name", TOOLS | {"tools": []}),
    ("tools_missing", M, changed(TOOLS, "tools")),
    (
        "missing_key",
        f"{USER_AT}.tool_calls[0].function.arguments",
        changed(TOOLS, M, 1, "tool_calls", 0, "function", "arguments"),
    ),
    (
        "arguments_not_text",
        f"{USER_AT}.tool_calls[0].function.arguments",
        changed(TOOLS, M, 1, "tool_calls", 0, "function", "arguments", to={"zone": "UTC"}),
    ),
    (
        "arguments_not_json",
        f"{USER_AT}.tool_calls[0].function.arguments",
        changed(TOOLS, M, 1, "tool_calls", 0, "function", "arguments", to="{zone: UTC}"),
    ),
    (
        "arguments_not_json",
        f"{USER_AT}.tool_calls[0].function.arguments",
        changed(TOOLS, M, 1, "tool_calls", 0, "function", "arguments", to=""),
    ),
    (
        "arguments_not_object",
        f"{USER_AT}.tool_calls[0].function.arguments",
        changed(TOOLS, M, 1, "tool_calls", 0, "function", "arguments", to='["UTC"]'),
    ),
    ("call_unanswered", f"{USER_AT}.tool_calls[0]", {"messages": [USER, CALLS, SAID], "tools": [CLOCK]}),
    ("missing_key", f"{SAID_AT}.tool_call_id", changed(TOOLS, M, 2, "tool_call_id")),
    ("answer_without_call", SAID_AT.replace("2", "1") + ".tool_call_id", {"messages": [USER, ANSWER, SAID]}),
    ("answer_without_call", "messages[3].tool_call_id", TOOLS | {"messages": [USER, CALLS, ANSWER, ANSWER, SAID]}),
]
OTHERS: list[tuple[str, str, str, Row]] = [
    ("openai-preference", "missing_key", "input", changed(PREFERENCE, "input")),
    ("openai-preference", "wrong_type", "input", changed(PREFERENCE, "input", to=[USER])),
    ("openai-preference", "messages_missing", "input.messages", changed(PREFERENCE, "input", "messages")),
    ("openai-preference", "unknown_key", "input.model", changed(PREFERENCE, "input", "model", to="gpt")),
    ("openai-preference", "unknown_key", "preferred_completion", PREFERENCE | {"preferred_completion": []}),
    ("openai-preference", "answer_missing", "preferred_output", changed(PREFERENCE, "preferred_output")),
    (
        "openai-preference",
        "answer_missing",
        "non_preferred_output",
        changed(PREFERENCE, "non_preferred_output", to=None),
    ),
    ("openai-preference", "answer_empty", "preferred_output", PREFERENCE | {"preferred_output": []}),
    ("openai-preference", "messages_not_list", "preferred_output", PREFERENCE | {"preferred_output": "Noon."}),
    ("openai-preference", "answers_several", "preferred_output", PREFERENCE | {"preferred_output": [SAID, SAID]}),
    ("openai-preference", "answers_equal", "non_preferred_output", PREFERENCE | {"non_preferred_output": [SAID]}),
    ("openai-preference", "answer_role", "preferred_output[0].role", PREFERENCE | {"preferred_output": [USER]}),
    (
        "openai-preference",
        "content_empty",
        "preferred_output[0].content",
        PREFERENCE | {"preferred_output": [{"role": "assistant", "content": ""}]},
    ),
    (
        "openai-preference",
        "unknown_key",
        "preferred_output[0].weight",
        PREFERENCE | {"preferred_output": [SAID | {"weight": 1}]},
    ),
    (
        "openai-preference",
        "prompt_end",
        "input.messages[1].role",
        changed(PREFERENCE, "input", "messages", to=[USER, SAID]),
    ),
    ("prompt-completion", "missing_key", "prompt", {"completion": "Noon."}),
    ("prompt-completion", "missing_key", "completion", {"prompt": "What time is it?"}),
    ("prompt-completion", "empty_text", "completion", COMPLETION | {"completion": ""}),
    ("prompt-completion", "blank_text", "completion", COMPLETION | {"completion": "\n"}),
    ("prompt-completion", "wrong_type", "prompt", COMPLETION | {"prompt": [USER]}),
    ("prompt-completion", "unknown_key", "label", COMPLETION | {"label": True}),
    ("vertex", "messages_missing", "contents", {"systemInstruction": text("a")}),
    ("vertex", "messages_empty", "contents", VERTEX | {"contents": []}),
    ("vertex", "messages_not_list", "contents", VERTEX | {"contents": USER_V}),
    ("vertex", "extra_key", "examples", VERTEX | {"examples": []}),
    ("vertex", "message_not_object", "contents[0]", changed(VERTEX, "contents", 0, to="hi")),
    ("vertex", "unknown_key", "contents[0].content", changed(VERTEX, "contents", 0, "content", to="hi")),
    ("vertex", "content_role_missing", "contents[0].role", changed(VERTEX, "contents", 0, "role")),
    ("vertex", "role_unknown", "contents[0].role", changed(VERTEX, "contents", 0, "role", to="person")),
    ("vertex", "content_missing", "contents[0].parts", changed(VERTEX, "contents", 0, "parts")),
    ("vertex", "wrong_type", "contents[0].parts", changed(VERTEX, "contents", 0, "parts", to="hi")),
    ("vertex", "content_empty", "contents[0].parts", changed(VERTEX, "contents", 0, "parts", to=[])),
    ("vertex", "wrong_type", "contents[0].parts[0]", changed(VERTEX, "contents", 0, "parts", 0, to="hi")),
    ("vertex", "part_empty", "contents[0].parts[0]", changed(VERTEX, "contents", 0, "parts", 0, to={})),
    (
        "vertex",
        "part_several",
        "contents[0].parts[0]",
        changed(VERTEX, "contents", 0, "parts", 0, to={"text": "a", "fileData": {}}),
    ),
    ("vertex", "content_empty", "contents[0].parts[0].text", changed(VERTEX, "contents", 0, "parts", 0, "text", to="")),
    ("vertex", "wrong_type", "contents[0].parts[0].text", changed(VERTEX, "contents", 0, "parts", 0, "text", to=None)),
    (
        "vertex",
        "part_kind",
        "contents[3].parts[0].fileData",
        changed(VERTEX, "contents", 3, "parts", 0, to={"fileData": {}}),
    ),
    (
        "vertex",
        "part_kind",
        "systemInstruction.parts[0].fileData",
        VERTEX | {"systemInstruction": {"parts": [{"fileData": {}}]}},
    ),
    ("vertex", "first_not_user", "contents[0].role", {"contents": [SAID_V]}),
    ("vertex", "no_assistant", "contents", {"contents": [USER_V]}),
    ("vertex", "last_not_assistant", "contents[2].role", {"contents": [USER_V, SAID_V, USER_V]}),
    ("vertex", "sides", "contents[1].role", {"contents": [USER_V, USER_V, SAID_V]}),
    (
        "vertex",
        "call_malformed",
        "contents[1].parts[0].functionCall.name",
        changed(VERTEX, "contents", 1, "parts", 0, "functionCall", "name"),
    ),
    (
        "vertex",
        "arguments_not_object",
        "contents[1].parts[0].functionCall.args",
        changed(VERTEX, "contents", 1, "parts", 0, "functionCall", "args", to="{}"),
    ),
    (
        "vertex",
        "missing_key",
        "contents[2].parts[0].functionResponse.response",
        changed(VERTEX, "contents", 2, "parts", 0, "functionResponse", "response"),
    ),
    (
        "vertex",
        "tool_unknown",
        "contents[1].parts[0].functionCall.name",
        changed(VERTEX, "contents", 1, "parts", 0, "functionCall", "name", to="watch"),
    ),
    ("vertex", "tools_missing", "contents", changed(VERTEX, "tools")),
    ("vertex", "call_unanswered", "contents[1].parts[0]", VERTEX | {"contents": [USER_V, CALLS_V, USER_V, SAID_V]}),
    ("vertex", "answer_without_call", "contents[2].parts[0]", {"contents": [USER_V, SAID_V, ANSWER_V, SAID_V]}),
    ("vertex", "wrong_type", "tools", VERTEX | {"tools": CLOCK_V}),
    (
        "vertex",
        "tool_name",
        "tools[0].functionDeclarations[0].name",
        {**PAIR, **VERTEX, "contents": [USER_V, SAID_V], "tools": [{"functionDeclarations": [{"name": "1"}]}]},
    ),
    (
        "vertex",
        "tool_schema",
        "tools[0].functionDeclarations[0].parameters.type",
        changed(VERTEX, "tools", 0, "functionDeclarations", 0, "parameters", "type", to="OBJ"),
    ),
    ("vertex-preference", "missing_key", "completions", changed(PAIR, "completions")),
    ("vertex-preference", "wrong_type", "completions", PAIR | {"completions": "Noon."}),
    ("vertex-preference", "completions", "completions", changed(PAIR, "completions", 1)),
    ("vertex-preference", "completions", "completions", PAIR | {"completions": []}),
    ("vertex-preference", "score_value", "completions[1].score", changed(PAIR, "completions", 1, "score", to=1)),
    ("vertex-preference", "score_value", "completions[0].score", changed(PAIR, "completions", 0, "score", to=0.7)),
    (
        "vertex-preference",
        "answers_equal",
        "completions[1].completion",
        changed(PAIR, "completions", 1, "completion", to=SAID_V),
    ),
    ("vertex-preference", "answer_missing", "completions[0].completion", changed(PAIR, "completions", 0, "completion")),
    (
        "vertex-preference",
        "answer_role",
        "completions[0].completion.role",
        changed(PAIR, "completions", 0, "completion", "role", to="user"),
    ),
    ("vertex-preference", "last_not_user", "contents[1].role", PAIR | {"contents": [USER_V, SAID_V]}),
    (
        "vertex-preference",
        "part_kind",
        "contents[0].parts[0].fileData",
        changed(PAIR, "contents", 0, "parts", 0, to={"fileData": {}}),
    ),
    ("trl-messages", "messages_missing", "messages", {"text": "hi"}),
    ("trl-messages", "role_unknown", "messages[0].role", changed(TRL, "messages", 0, "role", to="human")),
    ("trl-messages", "extra_key", "messages[3].weight", changed(TRL, "messages", 3, "weight", to=0)),
    ("trl-messages", "no_assistant", "messages", {"messages": [USER]}),
    (
        "trl-messages",
        "arguments_not_json",
        "messages[1].tool_calls[0].function.arguments",
        changed(TRL, "messages", 1, "tool_calls", 0, "function", "arguments", to="zone"),
    ),
    ("trl-messages", "call_unanswered", "messages[1].tool_calls[0]", changed(TRL, "messages", 2)),
    ("trl-prompt-completion", "missing_key", "completion", {"prompt": [USER]}),
    ("trl-prompt-completion", "messages_empty", "completion", {"prompt": [USER], "completion": []}),
    ("trl-prompt-completion", "empty_text", "completion", {"prompt": "q", "completion": ""}),
    ("trl-prompt-completion", "mixed_columns", "prompt", {"prompt": "q", "completion": [SAID]}),
    ("trl-prompt-completion", "answer_role", "completion", {"prompt": [USER], "completion": [USER]}),
    ("trl-preference", "missing_key", "rejected", {"prompt": [USER], "chosen": [SAID]}),
    ("trl-preference", "answers_equal", "rejected", TRL_PAIR | {"rejected": [SAID]}),
    ("trl-preference", "wrong_type", "chosen", TRL_PAIR | {"chosen": 7}),
    ("trl-kto", "missing_key", "label", changed(KTO, "label")),
    ("trl-kto", "label_value", "label", KTO | {"label": 1}),
    ("trl-kto", "label_value", "label", KTO | {"label": "true"}),
    ("trl-text", "missing_key", "text", {"content": "a"}),
    ("trl-text", "empty_text", "text", {"text": ""}),
    ("trl-text", "wrong_type", "text", {"text": ["a"]}),
    ("sharegpt", "messages_missing", "conversations", {"messages": []}),
    ("sharegpt", "role_unknown", "conversations[1].from", changed(SHARE, "conversations", 1, "from", to="robot")),
    ("sharegpt", "content_missing", "conversations[1].value", changed(SHARE, "conversations", 1, "value")),
    ("sharegpt", "content_empty", "conversations[1].value", changed(SHARE, "conversations", 1, "value", to="")),
    (
        "sharegpt",
        "arguments_not_json",
        "conversations[1].value",
        changed(SHARE, "conversations", 1, "from", to="function_call"),
    ),
    (
        "sharegpt",
        "last_not_assistant",
        "conversations[2].from",
        {"conversations": [*SHARE["conversations"], SHARE["conversations"][0]]},
    ),
    (
        "sharegpt",
        "sides",
        "conversations[2].from",
        {"conversations": [*SHARE["conversations"], SHARE["conversations"][1]]},
    ),
    ("sharegpt", "arguments_not_json", "tools", SHARE | {"tools": "clock"}),
    (
        "sharegpt",
        "answer_missing",
        "rejected",
        {"conversations": SHARE["conversations"][:1], "chosen": SHARE["conversations"][1]},
    ),
    ("afina", "not_an_example", "turns.0.weight", changed(AFINA, "turns", 0, "weight", to=1)),
    ("afina", "not_an_example", "kind", changed(AFINA, "kind")),
]


@pytest.mark.parametrize(("code", "field", "row"), OPENAI, ids=lambda value: value if isinstance(value, str) else None)
def test_an_openai_row_tells_what_is_wrong_and_where(tmp_path: Path, code: str, field: str, row: Row) -> None:
    found = problems(tmp_path, "openai", row)
    assert (field, code) in found
    assert len(found) <= 2  # a second may follow from it: a call without a name is of no known tool


@pytest.mark.parametrize(
    ("name", "code", "field", "row"), OTHERS, ids=lambda value: value if isinstance(value, str) else None
)
def test_a_row_of_another_format_tells_what_is_wrong_and_where(
    tmp_path: Path, name: str, code: str, field: str, row: Row
) -> None:
    assert (field, code) in problems(tmp_path, name, row)


@pytest.mark.parametrize("name", GOOD)
def test_the_rows_that_are_changed_here_are_good(tmp_path: Path, name: str) -> None:
    assert problems(tmp_path, name, GOOD[name]) == []


def test_every_problem_of_a_row_is_told_at_once(tmp_path: Path) -> None:
    row = {
        "messages": [{"role": "user", "content": ""}, {"role": "bot", "content": "x"}, SAID | {"weight": 3}, USER],
        "tools": [CLOCK, CLOCK],
        "model": "gpt",
    }
    assert set(problems(tmp_path, "openai", row)) == {
        ("model", "unknown_key"),
        ("tools[1].function.name", "tool_twice"),
        ("messages[0].content", "content_empty"),
        ("messages[1].role", "role_unknown"),
        ("messages[2].weight", "weight_value"),
        ("messages[3].role", "last_not_assistant"),
    }
