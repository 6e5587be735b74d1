"""In: a persona; or the bytes of a file from anywhere. Out: one readable JSON file; or a card, and what it lacks here.

    {"format": "afina-persona/1", "name": "Marv", "picture": "🙄", "voice": "Marv is …", "examples": [{"user": …}], …}

The file is the card itself, a picture inside it as a data URI. What does not fit is told in one sentence that names the
field, in English and Spanish (`Problem`). YAML is not read: it would be a second way to write the same thing.
Knows nothing of stores or pages.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from assistant.errors import AssistantError, ForPerson
from assistant.personas.card import Persona
from assistant.sentences import speaker

LONGEST = 1_000_000  # bytes of a file
ENDING = ".persona.json"
FORMAT = "afina-persona/1"
ADAPTER = ("adapter_config.json", "adapter_model.safetensors")  # what a folder with an adapter holds; never a pickle

say = speaker(
    {
        "too_big": (
            "The file is larger than {limit} MB, so it is no persona: choose another file.",
            "El archivo ocupa más de {limit} MB y no es un personaje: elige otro archivo.",
        ),
        "no_text": (
            "The file is no text in UTF-8, so it is no persona: choose a {ending} file.",
            "El archivo no es texto en UTF-8 y no es un personaje: elige un archivo {ending}.",
        ),
        "no_json": (
            "The file is not JSON (line {line}, column {column}): mend it there, or export it again.",
            "El archivo no es JSON (línea {line}, columna {column}): corrígelo ahí o expórtalo de nuevo.",
        ),
        "no_object": (
            "The file is JSON but no persona: it must be one object with a name. Export it again.",
            "El archivo es JSON pero no un personaje: debe ser un objeto con nombre. Expórtalo de nuevo.",
        ),
        "other_format": (
            "The file has the format {format!r} and this app reads {known}: update the app, or export it again.",
            "El archivo tiene el formato {format!r} y esta aplicación lee {known}: actualízala o expórtalo de nuevo.",
        ),
        "unknown": (
            "There is no field {field}: take it out{hint}.",
            "No existe el campo {field}: quítalo{hint}.",
        ),
        "hint": (", or write {near}", " o escribe {near}"),
        "missing": ("{field} is missing: add it.", "Falta {field}: añádelo."),
        "empty": ("{field} is empty: write something.", "{field} está vacío: escribe algo."),
        "long": (
            "{field} is too long (at most {limit}): shorten it.",
            "{field} es demasiado largo (como máximo {limit}): acórtalo.",
        ),
        "many": (
            "{field} has too many entries (at most {limit}): leave some out.",
            "{field} tiene demasiados elementos (como máximo {limit}): quita alguno.",
        ),
        "name": (
            "{field} begins with a letter or a digit and has at most 40 letters, digits, spaces and . ' -: change it.",
            "{field} empieza por letra o cifra y tiene como máximo 40 letras, cifras, espacios y . ' -: cámbialo.",
        ),
        "least": ("{field} must be at least {limit}.", "{field} debe ser {limit} como mínimo."),
        "most": ("{field} must be at most {limit}.", "{field} debe ser {limit} como máximo."),
        "above": ("{field} must be above {limit}.", "{field} debe ser mayor que {limit}."),
        "number": ("{field} must be a number.", "{field} debe ser un número."),
        "whole": ("{field} must be a whole number.", "{field} debe ser un número entero."),
        "truth": ("{field} must be true or false.", "{field} debe ser true o false."),
        "text": ("{field} must be text.", "{field} debe ser texto."),
        "list": ("{field} must be a list.", "{field} debe ser una lista."),
        "object": ("{field} must be an object.", "{field} debe ser un objeto."),
        "one_of": ("{field} must be one of: {known}.", "{field} debe ser uno de: {known}."),
        "picture": (
            "{field} must be an emoji, or a PNG, JPEG or WebP as a data URI of at most 200 kB.",
            "{field} debe ser un emoji, o un PNG, JPEG o WebP como data URI de 200 kB como máximo.",
        ),
        "else": (
            "{field} has a value that does not fit: change it.",
            "{field} tiene un valor que no encaja: cámbialo.",
        ),
        "model_missing": (
            "Its model {model} is not to be had here: {why}",
            "Su modelo {model} no está disponible aquí: {why}",
        ),
        "adapter_missing": (
            "The folder of its adapter is not on this machine ({folder}): it answers once one is chosen or left out.",
            "La carpeta de su adaptador no está en esta máquina ({folder}): responderá cuando elijas otra o la quites.",
        ),
        "adapter_wrong": (
            "The folder {folder} holds no adapter that may be loaded: it needs {files}.",
            "La carpeta {folder} no contiene un adaptador que se pueda cargar: necesita {files}.",
        ),
        "adapter_relative": (
            "The adapter's folder must be a whole path of this machine, not {folder}.",
            "La carpeta del adaptador debe ser una ruta completa de esta máquina, no {folder}.",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Problem:
    field: str  # "settings.temperature", "examples.2.user"; "" for the whole file
    english: str
    spanish: str

    def said(self, language: str) -> str:
        return self.spanish if language == "es" else self.english


class BadCard(ForPerson):
    """A card that does not fit; its message is the first problem's."""

    def __init__(self, *problems: Problem) -> None:
        first = problems[0]
        super().__init__(first.english, spanish=first.spanish)
        self.problems = problems


def write(card: Persona) -> bytes:
    return (json.dumps(card.plain(), ensure_ascii=False, indent=2) + "\n").encode()


def file_name(card: Persona) -> str:
    return f"{card.handle}{ENDING}"


def read(data: bytes) -> Persona:
    """Raises BadCard."""
    if len(data) > LONGEST:
        raise BadCard(_problem("", "too_big", limit=LONGEST // 1_000_000))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadCard(_problem("", "no_text", ending=ENDING)) from None
    try:
        values = json.loads(text)
    except json.JSONDecodeError as wrong:
        raise BadCard(_problem("", "no_json", line=wrong.lineno, column=wrong.colno)) from None
    except (RecursionError, ValueError):  # nested too deep; a number of 5,000 digits
        raise BadCard(_problem("", "no_object")) from None
    return checked(values)


def checked(values: Any) -> Persona:
    """Plain JSON → the card. Raises BadCard with every problem, the file's own order kept."""
    if not isinstance(values, Mapping):
        raise BadCard(_problem("", "no_object"))
    if "format" in values and values["format"] != FORMAT:
        raise BadCard(_problem("format", "other_format", format=str(values["format"])[:40], known=FORMAT))
    try:
        return Persona.model_validate(values)
    except ValidationError as wrong:
        found = wrong.errors(include_url=False)
        raise BadCard(*(_told(error) for error in found)) from None


def missing(card: Persona, get: Callable[[str], object]) -> list[Problem]:
    """What the card names and this machine has not. `get`: gives a model by its name or raises (`Models.check`)."""
    found = []
    if card.model:
        try:
            get(card.model)
        except AssistantError as error:
            english, spanish = (
                say("model_missing", language, model=card.model, why=error.said(language)) for language in ("en", "es")
            )
            found.append(Problem("model", english, spanish))
    wrong = adapter_problem(card.adapter)
    return [*found, wrong] if wrong else found


def adapter(card: Persona) -> Path | None:
    """The folder to load, checked at this moment: a card may come from anywhere. Raises BadCard."""
    problem = adapter_problem(card.adapter)
    if problem:
        raise BadCard(problem)
    return Path(card.adapter) if card.adapter else None


def adapter_problem(folder: str) -> Problem | None:
    """Only a whole path of this machine, never a share of a network; only weights that hold no code."""
    if not folder:
        return None
    path = Path(folder)
    if folder.startswith(("\\\\", "//")) or "\0" in folder or not path.is_absolute():
        return _problem("adapter", "adapter_relative", folder=folder)
    try:
        if not path.is_dir():
            return _problem("adapter", "adapter_missing", folder=folder)
        if not all((path / name).is_file() for name in ADAPTER):
            return _problem("adapter", "adapter_wrong", folder=folder, files=", ".join(ADAPTER))
    except OSError:
        return _problem("adapter", "adapter_missing", folder=folder)
    return None


# pydantic's kind of error → a sentence, and what of its context that sentence holds
_KINDS = {
    "missing": ("missing", ""),
    "string_too_short": ("empty", ""),
    "string_too_long": ("long", "max_length"),
    "too_long": ("many", "max_length"),
    "greater_than_equal": ("least", "ge"),
    "less_than_equal": ("most", "le"),
    "greater_than": ("above", "gt"),
    "finite_number": ("number", ""),
    "float_type": ("number", ""),
    "float_parsing": ("number", ""),
    "int_type": ("whole", ""),
    "int_parsing": ("whole", ""),
    "int_from_float": ("whole", ""),
    "int_parsing_size": ("whole", ""),
    "bool_type": ("truth", ""),
    "bool_parsing": ("truth", ""),
    "string_type": ("text", ""),
    "tuple_type": ("list", ""),
    "model_type": ("object", ""),
    "model_attributes_type": ("object", ""),
    "dict_type": ("object", ""),
    "literal_error": ("one_of", "expected"),
}


def _told(error: ErrorDetails) -> Problem:
    where = ".".join(str(part + 1) if isinstance(part, int) else part for part in error["loc"])
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        name = str(error["loc"][-1])
        near = difflib.get_close_matches(name, _siblings(error["loc"]), 1)
        hints = [say("hint", language, near=near[0]) if near else "" for language in ("en", "es")]
        english, spanish = (
            say("unknown", language, field=where[:80], hint=hint)
            for language, hint in zip(("en", "es"), hints, strict=True)
        )
        return Problem(where, english, spanish)
    if where == "picture":
        return _problem(where, "picture", field=where)
    if where == "name" and kind in ("string_pattern_mismatch", "string_too_long"):
        return _problem(where, "name", field=where)
    key, wanted = _KINDS.get(kind, ("else", ""))
    if key == "one_of":
        return _problem(where, key, field=where, known=context.get("expected", ""))
    limit = context.get(wanted, "")
    return _problem(where, key, field=where, limit=f"{limit:g}" if isinstance(limit, float) else limit)


def _siblings(place: tuple[int | str, ...]) -> list[str]:
    """The fields that there are where an unknown one stood."""
    from assistant.models.inference import Inference
    from assistant.personas.card import Example, Lineage, Source

    inner: dict[str, type[BaseModel]] = {
        "settings": Inference,
        "examples": Example,
        "lineage": Lineage,
        "collection": Source,
    }
    model: type[BaseModel] = inner.get(str(place[0]), Persona) if len(place) > 1 else Persona
    return list(model.model_fields)


def _problem(where: str, key: str, **values: object) -> Problem:
    return Problem(where, say(key, "en", **values), say(key, "es", **values))
