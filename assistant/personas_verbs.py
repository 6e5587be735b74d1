"""In: the parts, plain JSON arguments. Out: rows of plain JSON: what `afina personas` prints.

The positional parameters are parts (attributes of Parts), the keyword-only ones are JSON; see assistant.service.verbs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from assistant.errors import ForPerson
from assistant.models import Models
from assistant.personas import Personas, Stored, files
from assistant.personas.store import unknown_persona

Row = dict[str, Any]
_FIRST = 80  # characters of a voice in a list


def personas_list(personas: Personas) -> Iterator[Row]:
    """{persona, name, handle, model, facts, adapter, voice, updated_at}: the voice's first words."""
    for one in personas.all():
        yield _row(one)


def personas_show(personas: Personas, models: Models, *, name: str, language: str = "en") -> Iterator[Row]:
    """{persona, name, handle, …, card, missing}: the whole card, and what of it is not on this machine."""
    one = _named(personas, name)
    yield {**_row(one), "card": one.persona.plain(), "missing": _missing(one, models, language)}


def personas_add(personas: Personas, models: Models, *, path: str, language: str = "en") -> Iterator[Row]:
    """From a file: {persona, name, …, wanted, missing}; `wanted`: the file's name for it, where that was taken."""
    card = files.read(_bytes(Path(path)))
    stored = personas.bring_in(card)
    wanted = card.name if card.name != stored.name else ""
    yield {**_row(stored), "wanted": wanted, "missing": _missing(stored, models, language)}


def personas_export(personas: Personas, *, name: str) -> Iterator[Row]:
    """{name, file, text}: the file's proposed name and its whole text."""
    card = _named(personas, name).persona
    yield {"name": card.name, "file": files.file_name(card), "text": files.write(card).decode()}


def personas_duplicate(personas: Personas, *, name: str, new: str = "") -> Iterator[Row]:
    one = _named(personas, name)
    if new:
        files.checked({**one.persona.plain(), "name": new})
    yield _row(personas.duplicate(one.id, new))


def personas_edit(
    personas: Personas, models: Models, *, name: str, changes: Sequence[str], language: str = "en"
) -> Iterator[Row]:
    """`changes`: "field=value", "settings.temperature=0.2"; texts as they are, the rest as JSON; nothing: unsaid."""
    one = _named(personas, name)
    values = one.persona.plain()
    for change in changes:
        _set(values, change)
    stored = personas.change(one.id, files.checked(values))
    yield {**_row(stored), "missing": _missing(stored, models, language)}


def personas_remove(personas: Personas, *, name: str) -> Iterator[Row]:
    """Out of sight until `personas.restore`."""
    yield {**_row(personas.remove(_named(personas, name).id)), "removed": True}


def personas_restore(personas: Personas, *, name: str = "") -> Iterator[Row]:
    """The one that was removed last, of that name where one is given."""
    gone = personas.removed(name)
    if not gone:
        raise ForPerson(
            f"No persona{f' called {name}' if name else ''} was removed: there is nothing to bring back.",
            spanish=f"No se quitó ningún personaje{f' llamado {name}' if name else ''}: no hay nada que recuperar.",
        )
    yield _row(personas.restore(gone[0].id))


def _named(personas: Personas, name: str) -> Stored:
    found = personas.named(name)
    if found is None:
        raise unknown_persona(repr(name))
    return found


def _row(one: Stored) -> Row:
    card = one.persona
    voice = " ".join(card.voice.split())
    return {
        "persona": one.id,
        "name": one.name,
        "handle": one.handle,
        "model": card.model,
        "facts": card.facts,
        "adapter": card.adapter,
        "lineage": card.lineage.model_dump(mode="json") if card.lineage else None,
        "voice": voice if len(voice) <= _FIRST else f"{voice[:_FIRST].rsplit(' ', 1)[0]} …",
        "updated_at": one.updated_at.isoformat(),
    }


def _missing(one: Stored, models: Models, language: str) -> list[str]:
    return [problem.said(language) for problem in files.missing(one.persona, models.check)]


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(files.LONGEST + 1)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise ForPerson(
            f"{path} cannot be read ({why}): check the name.",
            spanish=f"No se puede leer {path} ({why}): comprueba el nombre.",
        ) from None


_TEXTS = {"name", "picture", "voice", "greeting", "language", "model", "adapter", "template"}


def _set(values: Row, change: str) -> None:
    field, equals, text = change.partition("=")
    *path, last = field.strip().split(".")
    if not equals or not last or len(path) > 1:
        raise ForPerson(
            f"{change!r} is no change: write field=value, like voice='Be brief.' or settings.temperature=0.2.",
            spanish=f"{change!r} no es un cambio: escribe campo=valor, como voice='Sé breve.' o "
            "settings.temperature=0.2.",
        )
    place = values
    for part in path:
        inner = place.setdefault(part, {})
        if not isinstance(inner, dict):
            raise ForPerson(
                f"{part} has no parts: set it as a whole.", spanish=f"{part} no tiene partes: cámbialo entero."
            )
        place = inner
    if not text and last != "name":
        place.pop(last, None)
    elif not path and last in _TEXTS:
        place[last] = text
    else:
        try:
            place[last] = json.loads(text)
        except ValueError:
            place[last] = text
