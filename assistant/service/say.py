"""In: a key and values. Out: the sentence in English or Spanish, from words/*.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "es")


HERE = Path(__file__).parent / "words"


@cache
def _words(language: str, folders: tuple[Path, ...]) -> dict[str, str]:
    words: dict[str, str] = {}
    for folder in (HERE, *folders):
        words |= json.loads((folder / f"{language}.json").read_text(encoding="utf-8"))
    return words


@dataclass(frozen=True, slots=True)
class Say:
    language: str = "en"
    further: tuple[Path, ...] = ()  # folders of packages above this one; their words win

    def __call__(self, key: str, **values: object) -> str:
        return _words(self.language, self.further)[key].format(**values)

    def knows(self, key: str) -> bool:
        return key in _words(self.language, self.further)


def preferred(cookies: Mapping[str, str], accept_language: str) -> str:
    """Of a browser: the page's own switch first, then what the browser asks for."""
    if (chosen := cookies.get("afina_language")) in LANGUAGES:
        return chosen
    for wanted in accept_language.lower().split(","):  # browsers list the dearest first
        name = wanted.split(";")[0].split("-")[0].strip()
        if name in LANGUAGES:
            return name
    return "en"


def of_locale(environment: Mapping[str, str]) -> str:
    """Of a terminal: the first of LC_ALL, LC_MESSAGES, LANG that is set."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(name):
            return "es" if value.lower().startswith("es") else "en"
    return "en"
