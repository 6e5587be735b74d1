"""In: a folder of {en,es}.json and a language. Out: the sentences of a page, with their values filled in.

One flat JSON per package and language, so that a translator needs no code. Knows nothing of pages.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "es")
HERE = Path(__file__).parent / "static" / "words"


class Words:
    """`words("pages", n=3)` → "3 pages"; the key with `_one` is taken when `n == 1`. Unknown key: KeyError."""

    def __init__(self, language: str, sentences: Mapping[str, str]) -> None:
        self.language = language
        self.sentences = sentences

    def __call__(self, key: str, **values: object) -> str:
        if values.get("n") == 1 and f"{key}_one" in self.sentences:
            key = f"{key}_one"
        sentence = self.sentences[key]
        return sentence.format(**values) if values else sentence

    def number(self, value: float, digits: int = 0) -> str:
        """1,234.5 in English, 1.234,5 in Spanish."""
        text = f"{value:,.{digits}f}"
        return text.translate(str.maketrans(",.", ".,")) if self.language == "es" else text

    def size(self, size: int) -> str:
        """`size` in bytes → "2.4 MB"."""
        if size < 1_000_000:
            return f"{self.number(max(1, round(size / 1000)))} kB"
        return f"{self.number(size / 1_000_000, 1)} MB"


@cache
def words(language: str, *folders: Path) -> Words:
    """The sentences of `folders` (this package's own when none is given); later folders win."""
    merged: dict[str, str] = {}
    for folder in folders or (HERE,):
        merged |= json.loads((folder / f"{language}.json").read_text(encoding="utf-8"))
    return Words(language, merged)


def language_of(cookie: str | None, accept: str | None) -> str:
    """The person's choice (cookie `afina_language`), else the first of Accept-Language that is known, else English."""
    if cookie in LANGUAGES:
        return str(cookie)
    for part in (accept or "").split(","):
        tag = part.split(";")[0].strip().lower()[:2]
        if tag in LANGUAGES:
            return tag
    return "en"
