"""In: a parsed row. Out: what is wrong with a text or a number anywhere in it: half characters, special tokens, NaN,
keys that stand twice. Looked for only in lines that can hold them.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from tuning.checking.values import Note, key, short

# Marks that chat templates and tokenizers give a meaning of their own, of the families in wide use.
_TOKENS = re.compile(
    r"<\|[a-zA-Z][\w.-]{0,40}\|>"  # <|endoftext|>, <|im_start|>, <|eot_id|> …
    r"|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>|<｜[^｜<>]{1,40}｜>"
)
_HALF = re.compile("[\ud800-\udfff]")


class Twice(dict[str, Any]):
    """An object whose JSON had a key more than once."""

    keys_twice: tuple[str, ...] = ()


def suspicious(text: str, row: dict[str, Any]) -> bool:
    """Whether a line, or the row it holds, has any of what is looked for here: scans for a letter, then for more."""
    if "\\u003" in text or (("<" in text or "INST]" in text) and _TOKENS.search(text)):
        return True
    if "\\ud" not in text and "\\uD" not in text:
        return False
    try:
        json.dumps(row, ensure_ascii=False).encode()  # whole pairs are letters again, and encode
    except (UnicodeEncodeError, RecursionError):
        return True
    return False


def look(row: Any, note: Note) -> None:
    for place, value in _strings(row):
        if half := _HALF.search(value):
            note(place, "lone_surrogate", found=f"U+{ord(half[0]):04X}")
        if token := _TOKENS.search(value):
            note(place, "special_token", found=short(token[0]))


def odd(row: Any, note: Note) -> None:
    """Keys that stand twice, numbers that are none."""
    for place, value in _all(row):
        if isinstance(value, Twice):
            for name in value.keys_twice:
                note(f"{place}.{key(name)}" if place else key(name), "duplicate_key", found=key(name))
        elif isinstance(value, float) and not math.isfinite(value):
            note(place, "not_a_number", found="NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity")


def _strings(value: Any) -> Iterator[tuple[str, str]]:
    for place, one in _all(value):
        if isinstance(one, str):
            yield place, one
        elif isinstance(one, dict):
            yield from ((place, name) for name in one if _HALF.search(name))


def _all(value: Any) -> Iterator[tuple[str, Any]]:
    """Every value with its place, in the order of the line; a row may be nested deeper than Python calls."""
    waiting = [("", value)]
    while waiting:
        place, one = waiting.pop()
        yield place, one
        if isinstance(one, dict):
            inner = [(f"{place}.{key(name)}" if place else key(name), below) for name, below in one.items()]
            waiting += reversed(inner)
        elif isinstance(one, list):
            waiting += reversed([(f"{place}[{at}]", below) for at, below in enumerate(one)])
