"""In: a message, the handles there are. Out: who is named with @, and the message as that persona should read it.

    "@Marv what is the capital of France?"      → marv · "what is the capital of France?"
    "What is the capital of France, @marv?"     → marv · "What is the capital of France?"
    "Is @marv right?"                           → marv · "Is Marv right?"       taken out, it would make no sense
    '@"Doña Marta", hola' · "@dona-marta hola"  → dona-marta · "hola"
    "write to ana@marv.com" · "@nobody hello"   → nobody

Case and accents do not matter; of several handles that fit, the longest; of several mentions, the first.
Knows nothing of stores.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from assistant.personas.card import handle

_AT = re.compile(r"(?<![\w@./+\-=#&%`~])@")  # not in an address of any kind, nor in code
_QUOTED = re.compile(r"[\"“«]\s*([^\"”»\n]{1,60}?)\s*[\"”»]")
_WORD = re.compile(r"\w+")
_LONGEST = 60  # characters after the @; a name has at most 40
# What joins the words of a name. After a space only a word may follow: "@marv 2 and 2?" is a question to Marv.
_JOINT = re.compile(r"\.? (?=[^\W\d_])|[-_.'’]")
_GOES_ON = re.compile(r"[-_.@'’:/]?\w|@")  # "marv.com", "marv-3", "marv@host" are not Marv …
_POSSESSIVE = re.compile(r"['’]s\b|['’](?=\s|$)")  # … but "Marv's" is
# Words that want a name after them: "a story about @marv".
_WANTS_A_NAME = re.compile(
    r"\b(?:of|to|with|from|by|about|for|like|than|and|or|is|are|was|as|call(?:ed)?|named|ask|tell|meet|"
    r"de|a|al|con|por|para|sobre|como|y|e|o|u|es|era|según|que|llama(?:do|da)?|pregunta|dile)\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Mention:
    handle: str
    text: str  # without the mention


def find(text: str, names: Mapping[str, str]) -> Mention | None:
    """`names`: handle → the name as its owner writes it."""
    text = unicodedata.normalize("NFC", text)
    for at in _AT.finditer(text):
        end, who = _who(text, at.end(), names)
        if who:
            return Mention(who, _without(text, at.start(), end, names[who]))
    return None


def as_read(text: str, name: str) -> str:
    """The message as the persona of that name read it when it answered; "": nobody's."""
    found = find(text, {handle(name): name}) if name and "@" in text else None
    return found.text if found and found.text else text


def _who(text: str, start: int, names: Mapping[str, str]) -> tuple[int, str]:
    """The longest handle that begins at `start`, and where it ends; "" where none does."""
    quoted = _QUOTED.match(text, start)
    if quoted:
        who = handle(quoted.group(1))
        return (quoted.end(), who) if who in names else (start, "")
    found, at = (start, ""), start
    while word := _WORD.match(text, at, start + _LONGEST):
        end = word.end()
        who = handle(text[start:end])
        if who in names and (not _GOES_ON.match(text, end) or _POSSESSIVE.match(text, end)):
            found = end, who
        joint = _JOINT.match(text, end)
        if not joint:
            break
        at = joint.end()
    return found


def _without(text: str, start: int, end: int, name: str) -> str:
    """Who is called at the beginning, at the end or between commas is left out; who is spoken of keeps a name."""
    before, after = text[:start].rstrip(" \t"), text[end:].lstrip(" \t")
    if before.endswith("(") and after.startswith(")"):
        before, after = before[:-1], after[1:].lstrip(" \t")
    called_first = not before.strip("¿¡(\"'“« \n") and not _POSSESSIVE.match(text, end)
    called_last = not re.search(r"\w", after) and not _WANTS_A_NAME.search(before)
    between = before.endswith(",") and after[:1] in (",", ".", "?", "!", ":", ";")
    if called_first:
        rest = re.sub(r"^[\s,:;.!–—-]+(?=\S)", "", after)
        kept = f"{before}{rest}"
    elif called_last or between:
        kept = before.rstrip(" ,:–—") + (after if not after or not after[0].isalnum() else f" {after}")
    else:
        kept = f"{text[:start]}{name}{text[end:]}"
    return kept.strip()
