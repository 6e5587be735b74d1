"""In: a verb's name and plain JSON arguments. Out: the call, checked, ready to be iterated.

A verb is a plain function of `knowledge.verbs`, `assistant.verbs` or this package. Its positional parameters name the
parts it works on (attributes of Parts), its keyword-only ones are its JSON arguments, and `stop` is the caller's event:

    def docs_search(library: Library, *, query: str, k: int = 8) -> Iterator[dict]

The checks are made of that signature, so that a verb is written down once.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from assistant.errors import ForPerson
from assistant.service.parts import Parts

Row = dict[str, Any]

VERBS: Mapping[str, str] = {  # command line's words -> where the function lives
    "api.key": "assistant.openai_api.key:api_key",
    "approve": "assistant.verbs:approve",
    "ask": "assistant.verbs:ask",
    "chats.delete": "assistant.verbs:chats_delete",
    "chats.export": "assistant.verbs:chats_export",
    "chats.list": "assistant.verbs:chats_list",
    "chats.rename": "assistant.verbs:chats_rename",
    "chats.show": "assistant.verbs:chats_show",
    "docs.add": "knowledge.verbs:docs_add",
    "docs.check": "knowledge.verbs:docs_check",
    "docs.evaluate": "knowledge.verbs:docs_evaluate",
    "docs.list": "knowledge.verbs:docs_list",
    "docs.remove": "knowledge.verbs:docs_remove",
    "docs.search": "knowledge.verbs:docs_search",
    "docs.show": "knowledge.verbs:docs_show",
    "models.add": "assistant.models_verbs:models_add",
    "models.keys": "assistant.models_verbs:models_keys",
    "models.keys.forget": "assistant.models_verbs:models_keys_forget",
    "models.keys.set": "assistant.models_verbs:models_keys_set",
    "models.list": "assistant.models_verbs:models_list",
    "models.next": "assistant.models_verbs:models_next",
    "models.probe": "assistant.models_verbs:models_probe",
    "models.remove": "assistant.models_verbs:models_remove",
    "models.test": "assistant.models_verbs:models_test",
    "models.use": "assistant.models_verbs:models_use",
    "personas.add": "assistant.personas_verbs:personas_add",
    "personas.duplicate": "assistant.personas_verbs:personas_duplicate",
    "personas.edit": "assistant.personas_verbs:personas_edit",
    "personas.export": "assistant.personas_verbs:personas_export",
    "personas.list": "assistant.personas_verbs:personas_list",
    "personas.remove": "assistant.personas_verbs:personas_remove",
    "personas.restore": "assistant.personas_verbs:personas_restore",
    "personas.show": "assistant.personas_verbs:personas_show",
    "route": "assistant.routing_verbs:route",
    "route.corrections": "assistant.routing_verbs:route_corrections",
    "mcp.add": "assistant.tools_verbs:mcp_add",
    "mcp.list": "assistant.tools_verbs:mcp_list",
    "mcp.remove": "assistant.tools_verbs:mcp_remove",
    "mcp.test": "assistant.tools_verbs:mcp_test",
    "tools.list": "assistant.tools_verbs:tools_list",
    "tools.off": "assistant.tools_verbs:tools_off",
    "tools.on": "assistant.tools_verbs:tools_on",
    "tools.run": "assistant.tools_verbs:tools_run",
    "web.engines": "assistant.tools.engines.verbs:web_engines",
    "web.use": "assistant.tools.engines.verbs:web_use",
}


class BadArguments(ForPerson):
    """Like bad usage of the command line: exit code 2, wherever the verb was to run."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)

    @classmethod
    def of(cls, error: ValidationError) -> BadArguments:
        found = error.errors(include_url=False, include_input=False)
        return cls("; ".join(f"{'.'.join(map(str, at['loc']))}: {at['msg']}" for at in found) + ".")


class UnknownVerb(ForPerson):
    def __init__(self, name: str) -> None:
        super().__init__(f"There is no verb {name!r}; there are {', '.join(VERBS)}.")


def prepare(
    parts: Parts, name: str, arguments: Mapping[str, Any], stop: threading.Event, language: str = "en"
) -> Callable[[], Iterator[Row]]:
    """`language`: of what a person reads, for a verb that has words to choose.

    Checked now (BadArguments, UnknownVerb); run when called, parts and all.
    """
    function, model, needed, stoppable = _verb(name)
    try:
        checked = model.model_validate(arguments)
    except ValidationError as error:
        raise BadArguments.of(error) from None
    given = {field: getattr(checked, field) for field in checked.model_fields_set}
    if "language" in model.model_fields:
        given.setdefault("language", language)

    def run() -> Iterator[Row]:
        further = {"stop": stop} if stoppable else {}
        rows: Iterator[Row] = function(*(getattr(parts, part) for part in needed), **given, **further)
        return rows

    return run


@cache
def _verb(name: str) -> tuple[Callable[..., Any], type[BaseModel], tuple[str, ...], bool]:
    if name not in VERBS:
        raise UnknownVerb(name)
    module, _, function_name = VERBS[name].partition(":")
    function = getattr(import_module(module), function_name)
    parameters = inspect.signature(function).parameters
    hints = get_type_hints(function)
    fields: dict[str, Any] = {
        parameter.name: (hints[parameter.name], ... if parameter.default is parameter.empty else parameter.default)
        for parameter in parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.name != "stop"
    }
    needed = tuple(one.name for one in parameters.values() if one.kind is not one.KEYWORD_ONLY)
    model = create_model(function_name, __config__=ConfigDict(extra="forbid"), **fields)
    return function, model, needed, "stop" in parameters
