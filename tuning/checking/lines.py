"""In: a file's bytes. Out: its lines, each as a row, or what is wrong with it as JSON. One line at a time in memory.

A clean line takes one decoding and one pass of the C scanner (2 µs for 430 bytes); only a line that fails there, or
repeats a key, is read again with care.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from tuning.checking import faults, texts
from tuning.checking.values import Note, is_a

Row = dict[str, Any]
LONGEST = 64 * 2**20  # bytes of a line; no model reads a hundredth of it
_ENDS = ("\n", "", "\r\n")


class Lines:
    """The lines of one file that is open, from where it stands."""

    def __init__(self, file: BinaryIO, note: Note) -> None:
        self._file, self._note = file, note
        self._odd = False
        decoder = json.JSONDecoder(object_pairs_hook=self._object, parse_constant=self._constant)
        self._scan: Callable[[str, int], tuple[Any, int]] = decoder.scan_once  # type: ignore[attr-defined]
        self._decode = decoder.raw_decode
        self._plain = json.JSONDecoder().raw_decode

    def __iter__(self) -> Iterator[bytes]:
        """Each line with its end. Of a line that is too long only the start."""
        while raw := self._file.readline(LONGEST):
            yield raw
            if len(raw) == LONGEST:
                while not raw.endswith(b"\n") and (raw := self._file.readline(LONGEST)):
                    pass

    def row(self, raw: bytes) -> Row | None:
        """The line's object, None where it holds none; what is wrong is noted."""
        self._odd = False
        try:
            text = raw.decode()
            row, end = self._scan(text, 0)
        except (ValueError, StopIteration, RecursionError):
            return self._with_care(raw)
        if self._odd or type(row) is not dict or text[end:] not in _ENDS:
            return self._with_care(raw)
        if texts.suspicious(text, row):
            texts.look(row, self._note)
        return row

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) == len(pairs):
            return made
        self._odd = True
        twice = texts.Twice(made)
        twice.keys_twice = tuple(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        return twice

    def _constant(self, name: str) -> float:
        self._odd = True
        return float(name)

    def _with_care(self, raw: bytes) -> Row | None:
        if not raw.strip():
            self._note("", "blank_line")
            return None
        if len(raw) == LONGEST and not raw.endswith(b"\n"):
            self._note("", "line_too_long", limit=LONGEST)
            return None
        text = self._text(raw).strip(" \t\r\n")
        self._odd = False
        row = self._parsed(text)
        if row is None:
            return None
        texts.look(row, self._note)
        if self._odd:
            texts.odd(row, self._note)
            row, _ = self._plain(text)
        if type(row) is dict:
            return row
        is_a(self._note, "", "not_object", row)
        return None

    def _text(self, raw: bytes) -> str:
        try:
            text = raw.decode()
        except UnicodeDecodeError as error:
            found = raw[error.start : error.start + 1].hex().upper()
            offset = self._file.tell() - len(raw) + error.start
            self._note("", "invalid_utf8", byte=error.start + 1, offset=offset, found=found)
            text = raw.decode(errors="replace")
        if text.startswith("\ufeff"):
            self._note("", "bom")
            text = text[1:]
        return text

    def _is_last(self) -> bool:
        here = self._file.tell()
        after = self._file.read(1)
        self._file.seek(here)
        return not after

    def _parsed(self, text: str) -> Any:
        """The first value of the line; None where there is none, or none that can be read on."""
        try:
            row, end = self._decode(text)
        except json.JSONDecodeError as error:
            faults.name(error, self._note, last=self._is_last())
            return None
        except RecursionError:
            self._note("", "too_deep")
            return None
        except ValueError:  # Python reads no number of more than 4,300 digits
            self._note("", "number_too_long")
            return None
        if rest := text[end:].strip(" \t"):
            faults.name(json.JSONDecodeError("Extra data", text, text.index(rest, end)), self._note, last=False)
            return row if type(row) in (dict, texts.Twice) else None
        if row is None:
            is_a(self._note, "", "not_object", row)
        return row
