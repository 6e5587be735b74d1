"""In: the name of a city, a country or a time zone, in English or Spanish. Out: its zone.

places.json holds the names: {"zones": {"Europe/Madrid": ["Madrid", "España", …]}, "several": countries with more
than one zone and the cities to choose from}. What is not in it may still be a zone of the IANA table ("Asia/Omsk").
Knows nothing of what time it is.
"""

from __future__ import annotations

import difflib
import json
import unicodedata
from dataclasses import dataclass
from datetime import tzinfo
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from assistant.sentences import speaker
from assistant.tools.tool import ToolError

say = speaker(
    {
        "unknown": (
            "I do not know the time zone of {place!r}. Name a large city near it, or a zone such as Europe/Madrid.",
            "No conozco la zona horaria de {place!r}. Di una ciudad grande cercana, o una zona como Europe/Madrid.",
        ),
        "like": (
            "I do not know the time zone of {place!r}. Did you mean {near}?",
            "No conozco la zona horaria de {place!r}. ¿Quisiste decir {near}?",
        ),
        "several": (
            "{place} has more than one time zone: name a city, such as {near}.",
            "{place} tiene más de una zona horaria: di una ciudad, como {near}.",
        ),
        "or": (" or ", " o "),
    }
)


@dataclass(frozen=True, slots=True)
class Place:
    name: str  # as it is written: "Tokio" for "tokio"
    zone: tzinfo


def find(place: str) -> Place:
    """Raises ToolError: a place that is not known, with those that sound alike; a country with several zones."""
    wanted = fold(place)
    zones, several = _known()
    if wanted in zones:
        name, zone = zones[wanted]
        return Place(name, ZoneInfo(zone))
    if wanted in several:
        raise _error("several", place.strip(), several[wanted])
    found = _iana(place.strip())
    if found is not None:
        return found
    near = difflib.get_close_matches(wanted[:60], [*zones, *several], n=3, cutoff=0.75)
    shown = list(dict.fromkeys(zones[one][0] if one in zones else one.title() for one in near))
    raise _error("like" if shown else "unknown", place.strip()[:60], shown)


def _iana(name: str) -> Place | None:
    """By the table's own name, as it is written there or nearly so: "asia/omsk", "America/New York"."""
    wanted = name.replace(" ", "_").casefold()
    exact = _iana_names().get(wanted)
    try:
        return Place(exact.rpartition("/")[2].replace("_", " "), ZoneInfo(exact)) if exact else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@cache
def _iana_names() -> dict[str, str]:
    """Whole names, and cities alone: "omsk"."""
    from zoneinfo import available_timezones

    every = sorted(available_timezones())
    cities = {name.rpartition("/")[2].casefold(): name for name in every if "/" in name and not name.startswith("Etc")}
    return cities | {name.casefold(): name for name in every}


def fold(name: str) -> str:
    """Without case, accents, points and a leading article: "El Cairo" → "cairo"."""
    letters = unicodedata.normalize("NFD", name.casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter) and letter not in ".'’,?¿!¡")
    words = plain.replace("-", " ").split()
    return " ".join(words[1:] if len(words) > 1 and words[0] in ("the", "el", "la", "los", "las") else words)


@cache
def _known() -> tuple[dict[str, tuple[str, str]], dict[str, list[str]]]:
    data = json.loads((Path(__file__).parent / "places.json").read_text(encoding="utf-8"))
    zones = {fold(name): (name, zone) for zone, names in data["zones"].items() for name in names}
    several = {fold(name): one["choose"] for one in data["several"] for name in one["names"]}
    return zones, several


def _error(key: str, place: str, near: list[str]) -> ToolError:
    def listed(language: str) -> str:
        return say("or", language).join(filter(None, (", ".join(near[:-1]), near[-1]))) if near else ""

    english, spanish = (say(key, language, place=place, near=listed(language)) for language in ("en", "es"))
    return ToolError(english, spanish=spanish)
