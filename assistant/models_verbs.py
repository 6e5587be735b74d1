"""In: models, keys, a weights folder. Out: rows for `afina models` and the models page. Prints nothing.

A secret comes in by `models_keys_set` and never goes out: rows hold it masked.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from assistant.models import Models
from assistant.models.keys import Keys
from knowledge import weights as weight_files

Row = dict[str, Any]
LOOK = 1.5  # seconds a list waits for an Ollama on this machine to say what it has


def models_list(models: Models, *, language: str = "en") -> Iterator[Row]:
    """{name, title, kind, origin, state, capabilities, guidance, default, facts, removable, role: "model"}"""
    for card in models.listed(language, wait=LOOK):
        yield {**card.row(), "role": "model"}


def models_test(
    models: Models, *, name: str = "", language: str = "en", stop: threading.Event | None = None
) -> Iterator[Row]:
    """{step, ok, message, …}: assistant.models.catalogue.trial. The last one is "done", with what was found out."""
    for row in models.test(name, stop=stop, language=language):
        yield {key: value for key, value in row.items() if key != "said"}


def models_add(
    models: Models, *, name: str, title: str = "", facts: dict[str, Any] | None = None, language: str = "en"
) -> Iterator[Row]:
    """Its row, as `models_list` has it."""
    models.add(name, title, facts)
    yield next(card.row() for card in models.listed(language) if card.name == name.strip())


def models_remove(models: Models, *, name: str) -> Iterator[Row]:
    """{name, title, facts}: what brings it back with `models_add`."""
    was = models.remove(name)
    yield {"name": was.name, "title": was.title, "facts": dict(was.facts)}


def models_use(models: Models, *, name: str) -> Iterator[Row]:
    models.use(name)
    yield {"name": models.default}


def models_probe(models: Models, *, address: str) -> Iterator[Row]:
    """{name, id, context, tools, size} of each model at an address."""
    from assistant.models.remote.servers import address_of, probe

    for name, offered in probe(address, models.key(address_of(address))):
        yield {"name": name, **asdict(offered)}


def models_next(
    models: Models,
    *,
    text: str,
    name: str = "",
    temperature: float | None = None,
    top_k: int | None = None,
    top_p: float | None = None,
    top: int = 12,
    chat: bool = False,
    stop: threading.Event | None = None,
) -> Iterator[Row]:
    """{piece, before, tempered, after, kept, cut} of the likeliest next tokens, then {others, seconds, …}."""
    from assistant.models.inference import Inference
    from assistant.models.local.probabilities import next_tokens
    from knowledge import Turn

    inference = Inference(temperature=temperature, top_k=top_k, top_p=top_p)
    found = next_tokens(models, [Turn("user", text)] if chat else text, inference, top=top, name=name, stop=stop)
    for candidate in found.candidates:
        yield asdict(candidate)
    yield {name: value for name, value in asdict(found).items() if name != "candidates"}


def models_keys(keys: Keys) -> Iterator[Row]:
    """{provider, source, masked}"""
    yield from keys.listed()


def models_keys_set(keys: Keys, *, provider: str, secret: str) -> Iterator[Row]:
    keys.set(provider, secret)
    yield from (row for row in keys.listed() if row["provider"] == provider)


def models_keys_forget(keys: Keys, *, provider: str) -> Iterator[Row]:
    keys.forget(provider)
    yield {"provider": provider}


# ── weights: shared by all data folders, so that these need none ─────────────────────────────────────────────────────


def weights_list(weights: Path) -> Iterator[Row]:
    """{name, role, title, present, path, size, licence, source}"""
    for state in weight_files.states(weights):
        yield {**asdict(state), "path": str(state.path)}


def weights_fetch(weights: Path, names: Sequence[str] = (), *, stop: threading.Event | None = None) -> Iterator[Row]:
    """{name, done, total, source, message}, bytes; all models where none is named."""
    for name in names or [state.name for state in weight_files.states(weights)]:
        for step in weight_files.fetch(name, weights, stop=stop):
            yield asdict(step)
