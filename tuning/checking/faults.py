"""In: a line that JSON's parser refused. Out: what is wrong with it, by name: a comma, quotes, a line that was cut."""

from __future__ import annotations

import json

from tuning.checking.values import Note, short

_PYTHON = ("True", "False", "None")


def name(error: json.JSONDecodeError, note: Note, *, last: bool) -> None:
    """`last`: it is the last line of the file, where a cut is likely."""
    text, at = error.doc, error.pos
    column = at + 1
    if error.msg.startswith("Extra data"):
        _after(text, at, note)
    elif _is_cut(error):
        note("", "truncated" if last else "unfinished")
    elif _after_comma(text, at) or error.msg.startswith("Illegal trailing comma"):
        note("", "trailing_comma", column=column)
    elif text[at : at + 1] == "'":
        note("", "single_quotes", column=column)
    elif text.startswith(_PYTHON, at):
        found = next(word for word in _PYTHON if text.startswith(word, at))
        note("", "python_word", column=column, found=found)
    elif error.msg.startswith("Invalid control character"):
        note("", "control_character", column=column, found=f"U+{ord(text[at]):04X}")
    elif "escape" in error.msg:
        note("", "bad_escape", column=column)
    else:
        note("", "not_json", column=column, found=short(text[at : at + 20]))


def _is_cut(error: json.JSONDecodeError) -> bool:
    """The text ends before the value does: inside a text, an escape, or where something is still due."""
    rest = error.doc[error.pos :]
    inside_escape = "escape" in error.msg and len(rest) < 6
    return error.msg.startswith("Unterminated string") or not rest or inside_escape


def _after(text: str, at: int, note: Note) -> None:
    rest = text[at:]
    following = rest.lstrip(" ,\t\r")
    if following.startswith("{"):
        note("", "two_objects", column=len(text) - len(following) + 1)
    elif not following:
        note("", "trailing_comma", column=len(text) + 1)
    else:
        note("", "extra_data", column=at + 1, found=short(rest[:20]))


def _after_comma(text: str, at: int) -> bool:
    return text[at : at + 1] in ("}", "]") and text[:at].rstrip().endswith(",")
