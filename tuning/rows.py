"""In: an Example, or JSON. Out: the other. Nothing is lost: this is how examples lie in SQL and in a dataset's folder.

    {"kind": "conversation", "turns": [{"role": "system", "text": "Marv is …"}, {"role": "user", "text": "…"},
     {"role": "assistant", "text": "Paris, as if …", "learn": false}], "tags": ["marv"], "source": {"origin": "sample"}}

What is at its default is left out. An unknown field is refused: ValueError says which.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from enum import StrEnum
from functools import cache
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from tuning.values import Answer, Call, Example, Source, Turn

Row = dict[str, Any]
_KINDS = (Call, Turn, Answer, Source, Example)
_ATOMS = (str, int, float, bool, type(None))
_FIELDS = {  # of each kind: its fields' names, and what is left out
    kind: tuple(
        (item.name, item.default_factory() if item.default_factory is not MISSING else item.default)
        for item in fields(kind)
    )
    for kind in _KINDS
}
_CONTENT = ("kind", "turns", "answers", "text", "tools")


def to_row(example: Example) -> Row:
    row: Row = _plain(example)
    return row


def from_row(row: Mapping[str, Any]) -> Example:
    try:
        return _door().validate_python(dict(row))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def content(example: Example) -> Row:
    """What a model would learn from: without tags and provenance."""
    return content_of(to_row(example))


def content_of(row: Row) -> Row:
    """`content` of what `to_row` made."""
    return {name: row[name] for name in _CONTENT if name in row}


def fingerprint(example: Example) -> str:
    """SHA-256 of the content, 64 hex digits: the same words, roles and masks are the same example."""
    return fingerprint_of(to_row(example))


def fingerprint_of(row: Row) -> str:
    return hashlib.sha256(canonical(content_of(row))).hexdigest()


def canonical(row: Any) -> bytes:
    return json.dumps(row, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()


@cache
def _door() -> TypeAdapter[Example]:
    for kind in _KINDS:
        setattr(kind, "__pydantic_config__", ConfigDict(extra="forbid"))  # noqa: B010 - a dataclass has no such field
    return TypeAdapter(Example)


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind in _ATOMS:
        return value
    if kind in _FIELDS:
        kept = {}
        for name, default in _FIELDS[kind]:
            given = getattr(value, name)
            if given is not default and given != default:
                kept[name] = _plain(given)
        return kept
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
