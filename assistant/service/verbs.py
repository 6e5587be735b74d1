"""In: a verb's name and plain JSON arguments. Out: the call, checked, ready to be iterated.

A verb is a plain function of `knowledge.verbs`, `assistant.verbs` or this package. Its positional parameters name the
parts it works on (attributes of Parts), its keyword-only ones are its JSON arguments, and `stop` is the caller's event:

    def docs_search(library: Library, *, query: str, k: int = 8) -> Iterator[dict]

The checks are made of that signature, so that a verb is written down once.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from assistant.errors import ForPerson
from assistant.service.parts import Parts

Row = dict[str, Any]


class BadArguments(ForPerson):
    """Like bad usage of the command line: exit code 2, wherever the verb was to run."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)

    @classmethod
    def of(cls, error: ValidationError) -> BadArguments:
        found = error.errors(include_url=False, include_input=False)
        return cls("; ".join(f"{'.'.join(map(str, at['loc']))}: {at['msg']}" for at in found) + ".")


class UnknownVerb(ForPerson):
    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"There is no verb {name!r}; there are {', '.join(known)}.")


def prepare(
    parts: Parts, name: str, arguments: Mapping[str, Any], stop: threading.Event, language: str = "en"
) -> Callable[[], Iterator[Row]]:
    """`language`: of what a person reads, for a verb that has words to choose.

    Checked now (BadArguments, UnknownVerb); run when called, parts and all.
    """
    if name not in parts.verbs:
        raise UnknownVerb(name, parts.verbs)
    function, model, needed, stoppable = _verb(parts.verbs[name])
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
def _verb(place: str) -> tuple[Callable[..., Any], type[BaseModel], tuple[str, ...], bool]:
    module, _, function_name = place.partition(":")
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
