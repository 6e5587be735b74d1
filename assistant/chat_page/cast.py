"""In: personas, tools. Out: what a drawing needs to know of them: names, faces, titles, in one person's language.

A value, taken once per drawing; knows no store.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

from knowledge.pages.icons import icon

AFINA = "Afina"
FACES = "/afina/face/"  # where a browser gets a picture: once, not with every drawing
_LEFT = "\n\t\u200c\u200d"  # the last two join letters and emojis, and turn nothing


@dataclass(frozen=True, slots=True)
class Face:
    """Somebody who can speak."""

    id: int
    name: str
    handle: str = ""  # what follows the @
    picture: str = ""  # an emoji, or an address of ours
    greeting: str = ""
    model: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Ability:
    """A tool, as a person reads of it."""

    name: str
    title: str
    effect: str = "none"  # "none" | "reaches" | "writes"
    offered: bool = False  # a message can be sent to it by hand, now


@dataclass(frozen=True, slots=True)
class Cast:
    faces: tuple[Face, ...] = ()
    abilities: tuple[Ability, ...] = ()

    def face(self, name: str) -> Face | None:
        return next((face for face in self.faces if face.name == name), None)

    def by_id(self, id_: int | None) -> Face | None:
        return next((face for face in self.faces if face.id == id_), None)

    def ability(self, name: str) -> Ability:
        """Of a tool that is not there any more: its name, read aloud."""
        found = next((ability for ability in self.abilities if ability.name == name), None)
        return found or Ability(name, shown(name.replace("_", " ")))


NOBODY = Cast()


def portrait(name: str, picture: str) -> str:
    """A small picture: the persona's, else its first letter; Afina's own sign."""
    if not name or name == AFINA:
        return f'<span class="face own">{icon("spark")}</span>'
    if picture.startswith(FACES):
        return f'<span class="face"><img src="{escape(picture, quote=True)}" alt=""></span>'
    return f'<span class="face" aria-hidden="true">{escape(picture or name[0].upper())}</span>'


def shown(text: str) -> str:
    """What a model or a stranger wrote, with every sign that could hide or turn other signs made visible."""
    hidden = ("Cc", "Cf", "Co", "Cs")
    return "".join(
        f"⟨U+{ord(sign):04X}⟩" if unicodedata.category(sign) in hidden and sign not in _LEFT else sign for sign in text
    )
