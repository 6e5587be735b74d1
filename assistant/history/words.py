"""In: text. Out: what a search compares, and a title. Knows nothing of SQL."""

from __future__ import annotations

import unicodedata

TITLE_LENGTH = 60  # characters, the mark of what was left out among them


def folded(text: str) -> str:
    """Lower case, without accents, white space single: "¿Dónde está  LA CAÑA?" → "¿donde esta la cana?"."""
    if text.isascii():  # nothing to take apart: twenty times as quick
        return " ".join(text.casefold().split())
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(plain.casefold().split())


def whole(text: str) -> str:
    """Half a character (a lone surrogate, as a cut emoji leaves it) is no text that could be stored: it becomes a �."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def title_of(question: str) -> str:
    """The question on one line, cut at a word when it is long."""
    line = " ".join(question.split())
    if len(line) <= TITLE_LENGTH:
        return line
    cut = line[:TITLE_LENGTH]  # one more than fits, so that a word ending exactly there stays whole
    head = cut.rsplit(" ", 1)[0] if " " in cut else cut[:-1]
    return head.rstrip(" ,;:.-–—") + "…"
