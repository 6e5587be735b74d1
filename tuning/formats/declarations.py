"""In: tools as OpenAI declares them. Out: Vertex AI's function declarations, and back.

    {"type": "function", "function": {"name": "clock", "parameters": {"type": "object", …}}}
    {"name": "clock", "parameters": {"type": "object", …}}

Their `parameters` is a part of JSON Schema (OpenAPI 3.0); a schema that uses more is written as `parametersJsonSchema`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tuning.formats.form import BadRow, Lose
from tuning.formats.messages import an_object, listed
from tuning.rows import Row

_OPENAPI = """type properties required items description enum format title default example nullable pattern minimum
    maximum minItems maxItems minLength maxLength minProperties maxProperties propertyOrdering anyOf
    additionalProperties"""
_KEYS = frozenset(_OPENAPI.split())
_TYPES = frozenset(("string", "number", "integer", "boolean", "array", "object", "null"))
_KEPT = ("name", "description", "parameters")


def write(tools: Iterable[Mapping[str, Any]], lose: Lose) -> list[Row]:
    return [_declaration(tool, f"tools[{at}]", lose) for at, tool in enumerate(tools)]


def _declaration(tool: Mapping[str, Any], field: str, lose: Lose) -> Row:
    function = tool.get("function")
    if not isinstance(function, Mapping) or not function.keys() <= set(_KEPT) or tool.keys() != {"type", "function"}:
        lose("tool_fields", field)
    function = function if isinstance(function, Mapping) else {}
    declared: Row = {name: function[name] for name in ("name", "description") if name in function}
    if "parameters" in function:
        schema = function["parameters"]
        declared["parameters" if _is_openapi(schema) else "parametersJsonSchema"] = schema
    return declared


def _is_openapi(schema: Any) -> bool:
    if not isinstance(schema, Mapping) or not schema.keys() <= _KEYS:
        return False
    if not isinstance(schema.get("type", "object"), str) or not _all_text(schema.get("enum", [])):
        return False
    return all(map(_is_openapi, _below(schema)))


def _below(schema: Mapping[str, Any]) -> Iterator[Any]:
    properties, choices = schema.get("properties", {}), schema.get("anyOf", [])
    yield from properties.values() if isinstance(properties, Mapping) else [properties]
    yield from choices if isinstance(choices, list) else [choices]
    if "items" in schema:
        yield schema["items"]


def _all_text(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def read(value: Any) -> tuple[Row, ...]:
    return tuple(_tools(value))


def _tools(value: Any) -> Iterator[Row]:
    for at, tool in enumerate(listed(value or [], "tools")):
        item = an_object(tool, f"tools[{at}]")
        declared = item.get("functionDeclarations", item.get("function_declarations"))
        for number, function in enumerate(listed(declared or [], f"tools[{at}].functionDeclarations")):
            yield {"type": "function", "function": _function(function, f"tools[{at}].functionDeclarations[{number}]")}


def _function(value: Any, field: str) -> Row:
    item = an_object(value, field)
    if not isinstance(item.get("name"), str):
        raise BadRow("missing", f"{field}.name")
    schema = next((item[name] for name in _SCHEMAS if name in item), None)
    function = {name: item[name] for name in ("name", "description") if name in item}
    return function | ({} if schema is None else {"parameters": _lower(schema)})


_SCHEMAS = ("parameters", "parametersJsonSchema", "parameters_json_schema")


def _lower(schema: Any) -> Any:
    """Types in capitals ("OBJECT") are JSON Schema's in small letters."""
    if isinstance(schema, list):
        return [_lower(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _lower(value) for name, value in schema.items()}
    kind = made.get("type")
    if isinstance(kind, str) and kind.lower() in _TYPES:
        made["type"] = kind.lower()
    return made
