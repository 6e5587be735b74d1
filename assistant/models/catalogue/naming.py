"""In: a model's name. Out: whether it is one; a sentence where it is not. Makes nothing, asks nobody."""

from __future__ import annotations

import re

from assistant.errors import ForPerson

LONGEST = 255
KNOWN = (
    "local:smollm2-135m", "hf:<folder or repository>", "openai:<model>", "ollama:<model>", "vertex:<model>",
    "http://host/v1#<model>", "scripted:<text>",
)  # fmt: skip
_SHAPES = {
    "local": re.compile(r"local:[\w.-]+"),
    "hf": re.compile(r"hf:\S.*"),
    "openai": re.compile(r"openai:\S+"),
    "ollama": re.compile(r"ollama:\S+"),
    "vertex": re.compile(r"vertex:\S+"),
    "http": re.compile(r"http://[^\s/#]+[^\s#]*#\S+"),
    "https": re.compile(r"https://[^\s/#]+[^\s#]*#\S+"),
    "scripted": re.compile(r"scripted:.+", re.DOTALL),
}


def checked(name: str) -> str:
    """The name without spaces around it, or ForPerson."""
    name = name.strip()
    provider = name.partition(":")[0]
    shape = _SHAPES.get(provider)
    if provider in ("http", "https") and "#" not in name:
        raise ForPerson(
            f"{name} names a server and no model. Write it as http://host/v1#model, or look up what it has with "
            f"`afina models probe {name}`.",
            spanish=f"{name} nombra un servidor, pero ningún modelo. Escríbelo como http://host/v1#modelo o mira los "
            f"que tiene con `afina models probe {name}`.",
        )
    if shape is None or len(name) > LONGEST or not shape.fullmatch(name):
        raise unknown(name)
    return name


def unknown(name: str) -> ForPerson:
    known = ", ".join(KNOWN)
    return ForPerson(
        f"There is no model called {name[:LONGEST]}. Known: {known}.",
        spanish=f"No hay ningún modelo que se llame {name[:LONGEST]}. Se conocen: {known}.",
    )
