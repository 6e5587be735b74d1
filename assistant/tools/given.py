"""In: a tool, the arguments that a model or a person gave it. Out: them as the tool takes them. Knows nothing of turns.

What is wrong with them is one ToolError in the reader's language: it goes back to the model, and stands in the step.
What an MCP server's own schema says, that server checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from assistant.sentences import speaker
from assistant.tools.tool import Tool, ToolError

SHOWN = 5  # problems told at once
_LIMITS = ("max_length", "min_length", "le", "ge", "lt", "gt", "expected")  # what pydantic says of a limit
_KINDS = {  # pydantic's type of an error → a sentence below
    "missing": "missing",
    "extra_forbidden": "extra",
    "string_type": "text",
    "int_type": "whole",
    "int_parsing": "whole",
    "int_from_float": "whole",
    "float_type": "number",
    "float_parsing": "number",
    "finite_number": "number",
    "bool_type": "yes_no",
    "bool_parsing": "yes_no",
    "string_too_long": "long",
    "string_too_short": "short",
    "less_than_equal": "most",
    "greater_than_equal": "least",
    "literal_error": "one_of",
}

say = speaker(
    {
        "wrong": (
            "The arguments of {name} are not right: {problems}. It takes {known}.",
            "Los argumentos de {name} no son correctos: {problems}. Admite {known}.",
        ),
        "no_json": (
            "The arguments of {name} are not a JSON object. It takes {known}.",
            "Los argumentos de {name} no son un objeto JSON. Admite {known}.",
        ),
        "missing": ("{field} is missing", "falta {field}"),
        "extra": ("{field} is not known", "{field} no se conoce"),
        "text": ("{field} has to be text", "{field} tiene que ser texto"),
        "whole": ("{field} has to be a whole number", "{field} tiene que ser un número entero"),
        "number": ("{field} has to be a number", "{field} tiene que ser un número"),
        "yes_no": ("{field} has to be true or false", "{field} tiene que ser true o false"),
        "long": ("{field} is longer than {limit} characters", "{field} pasa de {limit} caracteres"),
        "short": ("{field} is shorter than {limit} characters", "{field} no llega a {limit} caracteres"),
        "most": ("{field} is at most {limit}", "{field} es como máximo {limit}"),
        "least": ("{field} is at least {limit}", "{field} es como mínimo {limit}"),
        "one_of": ("{field} is one of {limit}", "{field} es uno de {limit}"),
        "else": ("{field} does not fit ({why})", "{field} no sirve ({why})"),
    }
)


def checked(tool: Tool, arguments: Any) -> Any:
    """A pydantic model for a tool of ours, a plain dict for a server's. Raises ToolError."""
    if not isinstance(arguments, Mapping):
        raise _error("no_json", tool)
    if isinstance(tool.arguments, Mapping):
        return dict(arguments)
    model: type[BaseModel] = tool.arguments
    try:
        return model.model_validate(arguments)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)[:SHOWN]
    told = {language: "; ".join(_told(one, tool, language) for one in found) for language in ("en", "es")}
    raise _error("wrong", tool, told)


def _told(error: ErrorDetails, tool: Tool, language: str) -> str:
    field = ".".join(map(str, error["loc"]))[:80] or tool.name
    context = error.get("ctx", {})
    limit = next((context[name] for name in _LIMITS if name in context), "")
    return say(_KINDS.get(error["type"], "else"), language, field=field, limit=limit, why=error["msg"])


def _error(key: str, tool: Tool, told: Mapping[str, str] | None = None) -> ToolError:
    fields = ", ".join(tool.schema().get("properties", {})) or "—"
    english, spanish = (
        say(key, language, name=tool.name, known=fields, problems=(told or {}).get(language, ""))
        for language in ("en", "es")
    )
    return ToolError(english, spanish=spanish)
