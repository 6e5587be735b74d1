"""What else can be done with an answer: buttons that a package above this one brings. The chat knows only this much.

button → `form` (HTML fields of a dialog) → the person's choice → `act` → a sentence
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from knowledge.pages.wording import Words


class Further(Protocol):
    """Neither method raises anything but a KnowledgeError for what a person can meet."""

    @property
    def name(self) -> str: ...

    @property
    def icon(self) -> str:
        """Of knowledge.pages.icons."""

    @property
    def words(self) -> Path:
        """The folder of its sentences, {en,es}.json."""

    def title(self, say: Words) -> str: ...

    def stamp(self) -> object:
        """Another one when `held` may have changed."""

    def held(self, messages: Sequence[int]) -> frozenset[int]:
        """Answers on which it was done: their button looks pressed."""

    def form(self, message: int, say: Words) -> str:
        """The dialog's title and fields, HTML; its buttons are the chat's."""

    def act(self, message: int, given: Mapping[str, str], say: Words) -> str:
        """Do it with what stands in the form, by the fields' names. What was done, in a sentence."""


@dataclass(frozen=True, slots=True)
class Button:
    name: str
    icon: str
    title: str
    held: frozenset[int]


def buttons(further: Sequence[Further], messages: Sequence[int], say: Words) -> tuple[Button, ...]:
    return tuple(Button(one.name, one.icon, one.title(say), one.held(messages)) for one in further)
