"""In: a request. Out: the words of its browser's language, the library's and the chat's together."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request

from knowledge.pages.wording import HERE, Words, language_of, words

FOLDER = Path(__file__).parent.parent / "words"


def words_in(language: str, *further: Path) -> Words:
    """`further`: folders of pages that live elsewhere."""
    return words(language, HERE, FOLDER, *further)


def words_for(request: Request) -> Words:
    return words_in(language_of(request.cookies.get("afina_language"), request.headers.get("accept-language")))
