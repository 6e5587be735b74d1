"""In: the models at hand. Out: one card per model for a page or a terminal: what it is, can do and costs.

default   the one that is always here          added   by a person, by name or address
found     an Ollama runs on this machine       offered a key for its provider is there
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from assistant.models.catalogue import Capabilities, Kind, guidance, kind_of, row_of, rows
from assistant.models.local.loading import DEFAULT, ModelState

if TYPE_CHECKING:
    from assistant.models import Models

Origin = Literal["default", "added", "found", "offered", "settings"]


@dataclass(frozen=True, slots=True)
class ModelCard:
    name: str
    title: str
    kind: Kind  # where it runs: here, on a server, hosted by a company
    origin: Origin
    state: ModelState
    capabilities: Capabilities
    guidance: str  # what a model of this size is good for
    default: bool  # what the app uses where nothing else is said
    facts: Mapping[str, Any] = field(default_factory=dict, hash=False)  # of the last test

    @property
    def removable(self) -> bool:
        return self.origin == "added"

    def row(self) -> dict[str, Any]:
        """As JSON; `removable` with it."""
        return {**asdict(self), "removable": self.removable}


def cards(models: Models, language: str = "en", wait: float = 0.0) -> list[ModelCard]:
    """`wait`: seconds for an Ollama to be found; nobody waits without it."""
    known = _names(models, wait)
    return [_card(models, name, title, origin, language) for name, (title, origin) in known.items()]


def _names(models: Models, wait: float) -> dict[str, tuple[str, Origin]]:
    """In the order of a list: what is here, what was added, what was found, what a key opens."""
    names: dict[str, tuple[str, Origin]] = {DEFAULT: ("", "default")}
    for one in models.added.all() if models.added else ():
        names[one.name] = (one.title, "added")
    names.setdefault(models.default, ("", "settings"))
    for offered in models.ollamas.models(wait):
        names.setdefault(f"ollama:{offered.id}", ("", "found"))
    for name, title in _offered(models):
        names.setdefault(name, (title, "offered"))
    return names


def _offered(models: Models) -> Iterator[tuple[str, str]]:
    for row in rows():
        if row.offer and models.key(row.name):
            yield row.name, row.title


def _card(models: Models, name: str, title: str, origin: Origin, language: str) -> ModelCard:
    row, added = row_of(name), models.added.get(name) if models.added else None
    capabilities = models.capabilities(name, language)
    return ModelCard(
        name=name,
        title=title or (row.title if row and row.title else "") or _short(name),
        kind=kind_of(name),
        origin=origin,
        state=models.state(name),
        capabilities=capabilities,
        guidance=guidance(capabilities.size, language),
        default=name == models.default,
        facts=dict(added.facts) if added else {},
    )


def _short(name: str) -> str:
    """ "http://host/v1#llama" → "llama"; "hf:/models/marv" → "marv"."""
    if "#" in name:
        return name.rpartition("#")[2]
    rest = name.partition(":")[2] or name
    return rest.rstrip("/").rpartition("/")[2] if rest.startswith(("/", "~", ".")) else rest
