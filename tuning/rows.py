"""In: an Example, or JSON. Out: the other. Nothing is lost: this is how examples lie in SQL and in a dataset's folder.

    {"kind": "conversation", "turns": [{"role": "system", "text": "Marv is …"}, {"role": "user", "text": "…"},
     {"role": "assistant", "text": "Paris, as if …", "learn": false}], "tags": ["marv"], "source": {"origin": "sample"}}

What is at its default is left out. An unknown field is refused: ValueError says which.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from tuning.values import Answer, Call, Example, Source, Turn

Row = dict[str, Any]
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
    row = to_row(example)
    return {name: row[name] for name in _CONTENT if name in row}


def fingerprint(example: Example) -> str:
    """SHA-256 of the content, 64 hex digits: the same words, roles and masks are the same example."""
    return hashlib.sha256(canonical(content(example))).hexdigest()


def canonical(row: Any) -> bytes:
    return json.dumps(row, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()


@cache
def _door() -> TypeAdapter[Example]:
    for kind in (Call, Turn, Answer, Source, Example):
        setattr(kind, "__pydantic_config__", ConfigDict(extra="forbid"))  # noqa: B010 - a dataclass has no such field
    return TypeAdapter(Example)


def _plain(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        kept = {}
        for item in fields(value):
            given = getattr(value, item.name)
            default = item.default_factory() if item.default_factory is not MISSING else item.default
            if given != default:
                kept[item.name] = _plain(given)
        return kept
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
