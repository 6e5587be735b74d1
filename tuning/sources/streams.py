"""In: text. Out: the JSON values in it, one at a time, with line and position; what is no JSON is named, not raised.

    [{…}, {…}]                       one long array, of any length
    {"conversations": [{…}, {…}]}    an array in an object
    {…}\n{…}\n                       JSON lines
    {\n  …\n}                        one object, or several after each other

Only the value at hand is in memory. A broken value costs itself: reading goes on at the next line, or, in an array, at
the next object that begins with the same keys. Measured on a ChatGPT export: 140 MB/s of processor time, where
ijson's C backend makes 120; and with ijson one bad byte or one NaN ends the import, and 100,000 opening brackets take
24 GB.
Knows nothing of conversations.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TextIO

CHUNK = 1 << 20  # characters read at a time
LONGEST = 64 << 20  # characters of one value
_HEAD = 1 << 16  # characters by which the shape is judged
_SAMPLE = 50  # lines by which JSON lines are told from an object over several lines


@dataclass(frozen=True, slots=True)
class Value:
    row: Any
    index: int  # from 1
    line: int | None = None  # from 1; None in an array
    replaced: bool = False  # some of its letters could not be decoded


@dataclass(frozen=True, slots=True)
class Broken:
    code: str  # of a Skipped
    index: int
    line: int | None = None


def values(text: TextIO) -> Iterator[Value | Broken]:
    head = text.read(_HEAD)
    start = _after(_SPACE, head, 0)
    if head.startswith("[", start):
        return _array(_Buffer(text, head, start + 1), wrapped=False)
    if (inside := _WRAPPED.match(head, start)) and not _first_of_several(head, start):
        return _array(_Buffer(text, head, inside.end()), wrapped=True)
    if not head.endswith("\n"):
        head += text.readline(LONGEST)
    return _lines(text, head) if _is_lines(head) else _objects(_Buffer(text, head, start))


def is_json(head: str) -> bool:
    return head.startswith(("[", "{"), _after(_SPACE, head, 0))


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


_SPACE = re.compile(r"[\s\ufeff]*")
_COMMA = re.compile(r"[\s,\ufeff]*")
# An object that holds the rows: `{"conversations": [{"title": …`, but not ShareGPT's `{"conversations": [{"from": …`.
_WRAPPED = re.compile(
    r'\{\s*(?:"[^"\\]*"\s*:\s*(?:"[^"\\]*"|[-\w.]+)\s*,\s*){0,20}"(?:conversations|chats|data|rows|examples|train|items)"'
    r'\s*:\s*\[(?=\s*(?:\]|\{(?!\s*"(?:from|value|role|content)")))'
)
_SCALAR = r'(?:"(?:[^"\\]|\\.)*"|[-+.\w]+)'
_KEYS = re.compile(rf'\{{\s*("[^"\\]*")\s*:(?:\s*{_SCALAR}\s*,\s*("[^"\\]*")\s*:)?')
_OBJECT = re.compile(r"\}\s*,\s*(?=\{)")
_SURROGATE = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")
_DECODER = json.JSONDecoder(strict=False)  # line breaks inside strings are forgiven


class _Buffer:
    """A window over the text: what was read and is not yet used up."""

    def __init__(self, text: TextIO, kept: str, at: int) -> None:
        self.text, self.kept, self.at = text, kept, at
        self.line = 1 + kept.count("\n", 0, at)

    def more(self) -> bool:
        """Read as much again as is waiting, so that a long value is tried only log(n) times."""
        got = self.text.read(max(CHUNK, len(self.kept) - self.at))
        self.kept, self.at = self.kept[self.at :] + got, 0
        return bool(got)

    def skip(self, pattern: re.Pattern[str]) -> str:
        """Past what the pattern matches, however long. Out: the next character, "" at the end."""
        while True:
            end = _after(pattern, self.kept, self.at)
            self.move(end)
            if end < len(self.kept):
                return self.kept[end]
            if not self.more():
                return ""

    def move(self, at: int) -> None:
        self.line += self.kept.count("\n", self.at, at)
        self.at = at

    def value(self) -> tuple[Any, bool] | str:
        """The next value, and whether letters of it were lost; or the code of what is wrong with it."""
        while True:
            try:
                found, end = _DECODER.raw_decode(self.kept, self.at)
            except json.JSONDecodeError as error:
                if not self._may_go_on(error):
                    return "broken"
                if len(self.kept) - self.at > LONGEST:
                    return "too_long"
                open_end = self._ends_open(error)
                if not self.more():
                    return "cut" if open_end else "broken"
            except RecursionError:
                return "too_deep"
            except ValueError:  # a number of thousands of digits
                return "broken"
            else:
                start = self.at
                self.move(end)
                return _checked(found, self.kept, start, end)

    def _may_go_on(self, error: json.JSONDecodeError) -> bool:
        """Whether the text only ended too soon. A word or an escape at the end may be half of one."""
        return error.msg.startswith("Unterminated string") or error.pos >= len(self.kept) - 10

    def _ends_open(self, error: json.JSONDecodeError) -> bool:
        end = self.kept.rstrip()
        return error.pos >= len(end) or not end.endswith(("]", "}"))

    def seek(self, pattern: re.Pattern[str]) -> bool:
        """On to where the pattern matches next, beyond the value at hand. False: nowhere."""
        self.move(min(self.at + 1, len(self.kept)))
        while True:
            if found := pattern.search(self.kept, self.at):
                self.move(found.end())
                return True
            self.move(max(self.at, len(self.kept) - 200))  # the pattern may lie across the edge
            if not self.more():
                return False


def _array(buffer: _Buffer, *, wrapped: bool) -> Iterator[Value | Broken]:
    index, again = 0, _OBJECT
    while following := buffer.skip(_COMMA):
        if following == "]":
            buffer.move(buffer.at + 1)
            following = buffer.skip(_COMMA)
            if wrapped or not following:
                return
            if following == "[":  # two files that were put one after the other
                buffer.move(buffer.at + 1)
            elif following == "{":
                yield from _objects(buffer, index)
                return
            elif not buffer.seek(again):
                yield Broken("broken_rest", index + 1)
                return
            continue
        index += 1
        again = _like(buffer) if index == 1 else again
        found = buffer.value()
        if not isinstance(found, str):
            yield Value(found[0], index, replaced=found[1])
            continue
        more = found != "cut" and buffer.seek(again)
        yield Broken("broken_rest" if found == "broken" and not more else found, index)
        if not more:
            return
    yield Broken("cut", index + 1)


def _like(buffer: _Buffer) -> re.Pattern[str]:
    """Where an object begins with the same two keys as the one at hand: another row, not something inside one."""
    keys = _KEYS.match(buffer.kept, buffer.at)
    if not keys:
        return _OBJECT
    first, second = (re.escape(key) if key else "" for key in keys.groups())
    return re.compile(rf",\s*(?=\{{\s*{first}\s*:" + (rf"\s*{_SCALAR}\s*,\s*{second}\s*:)" if second else ")"))


def _objects(buffer: _Buffer, index: int = 0) -> Iterator[Value | Broken]:
    while buffer.skip(_COMMA):
        index += 1
        line = buffer.line
        found = buffer.value()
        if not isinstance(found, str):
            yield Value(found[0], index, line, found[1])
        elif found == "cut":
            yield Broken("cut", index, line)
            return
        else:
            more = buffer.seek(re.compile(r"\n(?=\s*\{)"))
            yield Broken(found if more or found != "broken" else "broken_rest", index, line)
            if not more:
                return


def _lines(text: TextIO, head: str) -> Iterator[Value | Broken]:
    index = 0
    for number, line in enumerate(_each(text, head), 1):
        if not line.strip(_BLANK):
            continue
        for found in _on_line(line):
            index += 1
            if isinstance(found, str):
                yield Broken(found, index, number)
            else:
                yield Value(found[0], index, number, found[1])


def _each(text: TextIO, head: str) -> Iterator[str]:
    yield from re.findall(r"[^\n]*\n|[^\n]+", head)  # not splitlines(): it splits at more than a line's end
    while line := text.readline(LONGEST):
        yield line


def _on_line(line: str) -> Iterator[tuple[Any, bool] | str]:
    """Usually one value; two on a line are both read."""
    at, end = _after(_COMMA, line, 0), len(line.rstrip(_BLANK))
    if len(line) >= LONGEST and not line.endswith("\n"):
        yield "too_long"
        return
    while at < end:
        try:
            found, after = _DECODER.raw_decode(line, at)
        except RecursionError:
            yield "too_deep"
            return
        except ValueError:
            yield "broken" if line.endswith("\n") else "cut"
            return
        yield _checked(found, line, at, after)
        at = _after(_COMMA, line, after)


_BLANK = " \t\r\n,"


def _is_lines(head: str) -> bool:
    """Whether each line stands for itself: the first one does, or most of the first fifty."""
    lines = [line for line in head.split("\n") if line.strip()][:_SAMPLE]
    alone = [_is_object(line) for line in lines]
    return bool(alone) and (alone[0] or 2 * sum(alone) > len(alone))


def _first_of_several(head: str, start: int) -> bool:
    """Whether an object is a line by itself with another after it: a row, though it may look like what holds rows."""
    line, _, after = head[start:].partition("\n")
    return after.lstrip().startswith("{") and _is_object(line)


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line.strip(_BLANK + "\ufeff"), strict=False), dict)
    except (ValueError, RecursionError):
        return False


def _checked(found: Any, text: str, start: int, end: int) -> tuple[Any, bool] | str:
    """Half characters and zeros, which no database can store, are mended; they can only have come in as escapes."""
    replaced = text.find("\ufffd", start, end) >= 0
    if _SURROGATE.search(text, start, end) or text.find("\0", start, end) >= 0:
        try:
            found = _storable(found)
        except RecursionError:
            return "too_deep"
    return found, replaced


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        if value.isascii() and "\0" not in value:
            return value
        return value.replace("\0", "").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, dict):
        return {_storable(key): _storable(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_storable(one) for one in value]
    return value
