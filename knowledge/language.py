"""In: text. Out: its language ("en", "es" or "") and its stems, ready for lexical search. Knows nothing of documents.

The language is voted by stop words: a question of six words has two or three of them, which is more than a trained
detector of letters gets from it; it needs no model, and the reason can be shown (the words that voted).

Stems are Snowball's. Accents are folded *before* stemming, so that who types "accion" and who types "acción" or
"acciones" search for the same thing; ñ is a letter of its own and stays.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path

import Stemmer

LANGUAGES = ("en", "es")
_SNOWBALL = {"en": "english", "es": "spanish"}
_FOLDER = Path(__file__).parent / "stop_words"

# A number with its separators is one word ("1,577.00" = "1577.00" = "1.577,00"); a word may hold one apostrophe.
_WORD = re.compile(r"\d{1,3}(?:[.,]\d{3})+(?:[.,]\d+)?|\d+[.,]\d+|[^\W_]+(?:'[^\W\d_]+)?")
_LETTERS_AND_DIGITS = re.compile(r"[^\W\d_]+|\d+")
_SAMPLE = 20_000  # characters; the vote of the first pages does not change after that
_LONG = 30  # words from which on a text must look like the language, not only contain a word of it
_SHARE = 0.12  # of the words of a long text vote, in the languages we know: 0.25-0.4 (the lists' overlap does not vote)


def detect(text: str) -> str:
    """ "en", "es", or "" when neither wins clearly."""
    words = [fold(word) for word in _WORD.findall(_plain(text[:_SAMPLE]))]
    votes = {language: sum(map(_telling(language).__contains__, words)) for language in LANGUAGES}
    votes["es"] += sum(text[:_SAMPLE].count(mark) for mark in "¿¡")
    winner, other = sorted(LANGUAGES, key=lambda language: -votes[language])
    if votes[winner] == 0 or votes[winner] < 1.5 * votes[other]:
        return ""
    return "" if len(words) >= _LONG and votes[winner] < _SHARE * len(words) else winner


@cache
def _telling(language: str) -> frozenset[str]:
    """Stop words of this language that the other one does not have."""
    (other,) = (one for one in LANGUAGES if one != language)
    return frozenset(_folded(language) - _folded(other))


def stems(text: str, language: str) -> list[str]:
    """The stems of the text's words, in order, stop words left out. "" stands for English."""
    language = language if language in _SNOWBALL else "en"
    stopped, known = _folded(language), _stem_cache(language)
    found: list[str] = []
    for word in _WORD.findall(_plain(text)):
        stem = known.get(word)
        if stem is None:
            stem = "" if fold(word) in stopped else _stem(word, language)
            if len(known) < 500_000:  # about 60 MB; the vocabulary of 100,000 chunks of filings is 40,000 words
                known[word] = stem
        if stem:
            found.extend(stem.split(" "))
    return found


def fold(word: str) -> str:
    """Without accents, ñ kept."""
    if word.isascii():
        return word
    return "".join(_fold_character(character) for character in word)


def stop_words(language: str) -> frozenset[str]:
    """Grammar and question words, as they are written."""
    return _read(language) | question_words(language)


def question_words(language: str) -> frozenset[str]:
    return _read(f"{language}_question")


@cache
def _read(name: str) -> frozenset[str]:
    return frozenset((_FOLDER / f"{name}.txt").read_text("utf-8").split())


@cache
def _folded(language: str) -> frozenset[str]:
    return frozenset(fold(word) for word in stop_words(language))


@cache
def _fold_character(character: str) -> str:
    if character == "ñ":
        return character
    return "".join(c for c in unicodedata.normalize("NFD", character) if not unicodedata.combining(c)) or character


@cache
def _stem_cache(_language: str) -> dict[str, str]:
    return {}


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).replace("’", "'").lower()


def _stem(word: str, language: str) -> str:
    """One word's stem; a word of letters and digits ("fy2018") also gives its parts, since both ways are written."""
    if word[0].isdigit() and not word.isalnum():
        return word.replace(",", "").replace(".", "")
    word = fold(word)
    # A stemmer object keeps its own buffers and is not to be shared by threads: a new one costs 2 microseconds.
    stem: str = Stemmer.Stemmer(_SNOWBALL[language], 0).stemWord(word)
    if language == "es" and len(stem) > 3:
        stem = stem.removesuffix("s")  # Snowball leaves "años" beside "año"
    stem = stem.replace("'", "")
    if any(c.isdigit() for c in word) and not word.isdigit():
        parts = [part for part in _LETTERS_AND_DIGITS.findall(word) if len(part) > 1]
        return " ".join(dict.fromkeys([stem, *parts]))
    return stem
