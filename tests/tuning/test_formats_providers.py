"""What is written is what providers and trainers say they take: their published types and schemas, not our reading."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from google.genai import types as google
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam
from pydantic import TypeAdapter

from tests.tuning.generated import TOOLS, example
from tests.tuning.test_formats import CALLED
from tuning.formats import FORMATS, Refused
from tuning.rows import Row
from tuning.values import Turn, conversation

SCHEMA = json.loads((Path(__file__).parent / "openai-fine-tuning.schema.json").read_text(encoding="utf-8"))
SCHEMAS = {"openai": "chat", "openai-preference": "preference", "prompt-completion": "completion"}


@cache
def rows(name: str) -> tuple[Row, ...]:
    """Of all made-up examples that the format takes."""
    made: list[Row] = []
    for seed in range(300):
        try:
            made += FORMATS[name].write(example(seed, *FORMATS[name].kinds)).rows
        except Refused:
            continue
    assert len(made) > 100
    return tuple(made)


def validator(part: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(SCHEMA | {"$ref": f"#/$defs/{part}"})


def read_to_the_end(value: Any) -> Any:
    """Their types hold iterables that pydantic checks only as they are read."""
    if isinstance(value, dict):
        return {name: read_to_the_end(one) for name, one in value.items()}
    if isinstance(value, str | int | float | None):
        return value
    return [read_to_the_end(one) for one in value] if isinstance(value, Iterable) else value


@pytest.mark.parametrize("name", SCHEMAS)
def test_openai_rows_fit_the_published_schema(name: str) -> None:
    checked = validator(SCHEMAS[name])
    for row in rows(name):
        checked.validate(json.loads(json.dumps(row)))


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [{"role": "user"}]},
        {"messages": [{"role": "user", "content": "a", "weight": 1}]},
        {"messages": [{"role": "assistant"}]},
        {"messages": [{"role": "assistant", "content": "a", "weight": 2}]},
        {"messages": [], "tools": []},
        {"messages": [{"role": "user", "content": "a"}], "tools": [{"type": "function", "function": {"name": "a b"}}]},
    ],
)
def test_the_schema_can_say_no(row: Row) -> None:
    assert not validator("chat").is_valid(row)


def messages_in(row: Row) -> Iterator[Any]:
    yield from row.get("messages", row.get("input", {}).get("messages", []))
    yield from row.get("preferred_output", [])
    yield from row.get("non_preferred_output", [])


@pytest.mark.parametrize("name", ["openai", "openai-preference"])
def test_openai_messages_and_tools_are_of_the_types_generated_from_their_document(name: str) -> None:
    message, tool = TypeAdapter[Any](ChatCompletionMessageParam), TypeAdapter[Any](ChatCompletionToolParam)
    for row in rows(name):
        for one in messages_in(row):
            assert read_to_the_end(message.validate_python(one, strict=False))
        for one in row.get("tools", row.get("input", {}).get("tools", [])):
            assert read_to_the_end(tool.validate_python(one))


@pytest.mark.parametrize("name", ["vertex", "vertex-preference"])
def test_vertex_rows_are_of_the_types_of_googles_own_client(name: str) -> None:
    for row in rows(name):
        system = row.get("systemInstruction", row.get("system_instruction"))
        answers = [one["completion"] for one in row.get("completions", [])]
        for content in [*([system] if system else []), *row["contents"], *answers]:
            parsed = google.Content.model_validate(content)
            assert all(len(part.model_dump(exclude_none=True)) == 1 for part in parsed.parts or [])
        for tool in row.get("tools", []):
            google.Tool.model_validate(tool)
        assert row.keys() <= {"systemInstruction", "system_instruction", "contents", "tools", "completions"}


def test_vertex_contents_start_with_a_person_alternate_and_end_with_the_model() -> None:
    some = [row for row in rows("vertex") if row["contents"][0]["role"] == "user"]
    assert len(some) > 50
    for row in some:
        roles = [content["role"] for content in row["contents"]]
        assert roles == [("user", "model")[at % 2] for at in range(len(roles))]
        assert roles[-1] == "model"


def test_vertex_preferences_have_one_answer_preferred_and_one_not_after_a_person() -> None:
    for row in rows("vertex-preference"):
        assert [one["score"] for one in row["completions"]] == [1, 0]
        assert row["contents"][-1]["role"] == "user"


COLUMNS: dict[str, dict[str, type]] = {  # of TRL's own page on dataset formats, the conversational ones
    "trl-messages": {"messages": list},
    "trl-prompt-completion": {"prompt": list, "completion": list},
    "trl-preference": {"prompt": list, "chosen": list, "rejected": list},
    "trl-kto": {"prompt": list, "completion": list, "label": bool},
    "trl-text": {"text": str},
}


@pytest.mark.parametrize("name", COLUMNS)
def test_trl_rows_have_the_documented_columns_of_the_documented_types(name: str) -> None:
    for row in rows(name):
        tools = row.get("tools", [])
        assert {column: type(value) for column, value in row.items() if column != "tools"} == COLUMNS[name]
        assert all(tool["type"] == "function" and tool["function"]["name"] for tool in tools)
        for column in row.keys() - {"tools", "label", "text"}:
            assert row[column]
            assert all(isinstance(message["role"], str) for message in row[column])
            assert all(isinstance(message["content"], str) for message in row[column])


def test_a_trl_call_is_as_their_page_has_it() -> None:
    (row,) = FORMATS["trl-messages"].write(conversation(*map(without_ids, CALLED), tools=TOOLS[:1])).rows
    assert row["messages"][1]["tool_calls"][0] == {
        "type": "function",
        "function": {"name": "clock", "arguments": {"zone": "UTC"}},
    }
    assert row["messages"][2] == {"role": "tool", "content": "12:00", "name": "clock"}


def without_ids(turn: Turn) -> Turn:
    return replace(turn, call_id="", calls=tuple(replace(call, id="") for call in turn.calls))
