"""In: cards of personas, an SQL engine. Out: the personas of one data folder, and how a model is asked to speak as one.

card       what a persona is; the same card is the exported file
store      kept, changed, removed and brought back; Marv is there from the first start
mentions   @name in a message
files      one persona as a file, and back
voice      the turns a persona's model is asked with; a checked answer in a persona's voice

Knows nothing of routes, tools or pages.
"""

from __future__ import annotations

from assistant.personas.card import Doubt, Example, Lineage, Persona, Source, handle
from assistant.personas.store import NameTaken, Personas, Stored, UnknownPersona

__all__ = [
    "Doubt",
    "Example",
    "Lineage",
    "NameTaken",
    "Persona",
    "Personas",
    "Source",
    "Stored",
    "UnknownPersona",
    "handle",
]
