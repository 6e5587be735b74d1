"""In: text as it is written. Out: the same text, up to where it begins to go round in circles. Knows no model.

Small models fall into loops ("Hola, ¿qué puedes hacer?" came back thirty times). Nobody reads the second round.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

SHORTEST = 12  # characters of a loop: "ha ha ha ha" and rows of dashes are left alone
ROUNDS = 3  # the same piece this often in a row is a loop
_LOOKED_AT = 1_200  # characters at the end of the text

# The shortest piece that ends the text ROUNDS times in a row; white space between rounds belongs to the piece.
_LOOP = re.compile(rf"(.{{{SHORTEST},400}}?)\1{{{ROUNDS - 1},}}$", re.S)


def until_repeating(pieces: Iterator[str]) -> Iterator[str]:
    """Ends the stream at the end of the first loop's third round. The caller closes what it gave."""
    text = ""
    for piece in pieces:
        yield piece
        text = (text + piece)[-_LOOKED_AT:]
        if _LOOP.search(text):
            return


def without_loop(text: str) -> str:
    """`text` with a loop at its end said once."""
    found = _LOOP.search(text[-_LOOKED_AT:])
    if found is None:
        return text
    return text[: len(text) - len(found[0])] + found[1].rstrip()
