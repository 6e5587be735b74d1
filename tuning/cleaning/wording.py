"""In: text. Out: the same text as it is compared, in which case, white space and marks around words do not count."""

from __future__ import annotations

import unicodedata

from tuning.values import Example, Role, Turn

# Only at the edges of a word: 3.5, f(x), c'est and snake_case keep theirs, and so do signs (-5, +2, 50%).
_EDGES = ".,;:!?¡¿…\"'“”‘’«»()[]{}*_`#>|~"


def plain(text: str) -> str:
    """ "¡Paris,  as if…!" → "paris as if". Accents stay: "esta" and "está" are two words. A text of nothing but marks
    stays as it is, so that "?" and "!" do not become the same."""
    words = unicodedata.normalize("NFKC", text).casefold().split()
    return " ".join(word for word in (word.strip(_EDGES) for word in words) if word) or text.strip()


def compared(example: Example) -> str:
    """What two examples are compared by: all that was said in order, without the system's turn, which a whole dataset
    may share and which would make all its short examples alike."""
    said: list[Turn] = [turn for turn in example.turns if turn.role is not Role.SYSTEM]
    said += [turn for answer in example.answers for turn in answer.turns]
    parts = [part for turn in said for part in (turn.text, *(f"{call.name} {call.arguments}" for call in turn.calls))]
    return "\n".join(part for part in (*map(plain, parts), plain(example.text)) if part)
