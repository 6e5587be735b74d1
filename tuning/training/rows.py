"""In: examples, a model's counter. Out: rows: token ids and which of them are learned, as `shown` has them.

conversation          one row, cut at `longest`
preference and such   the best answer, as a conversation
text                  as many rows as it takes; nothing of it is lost
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tuning import rows
from tuning.counting.shown import shown
from tuning.counting.tokens import Counter
from tuning.errors import ForOperator, ForPerson
from tuning.values import Example, Kind


@dataclass(frozen=True, slots=True)
class Row:
    """`learn[t]`: whether token t carries loss; the token before it is where it is predicted."""

    ids: tuple[int, ...]
    learn: tuple[bool, ...]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def learned(self) -> int:
        """Tokens that are predicted: the first of a row never is."""
        return sum(self.learn[1:])


@dataclass(frozen=True, slots=True)
class Read:
    """What became of a file. `cut`: rows that were too long; `empty`: examples of which nothing would be learned."""

    rows: tuple[Row, ...]
    examples: int
    cut: int
    empty: int


def of_example(example: Example, counter: Counter, *, longest: int, everything: bool = False) -> tuple[list[Row], bool]:
    """Its rows, and whether something was cut off. `everything`: each token is learned, not the answers' alone."""
    tokens = shown(example, counter)
    ids = tuple(token.id for token in tokens if token.id is not None)
    if len(ids) != len(tokens):
        raise ForOperator(
            f"The tokenizer of {counter.model} is not on this machine, so nothing can be learned with it. "
            f"{counter.note('en')}".strip(),
            spanish=f"El tokenizador de {counter.model} no está en esta máquina, así que no se puede entrenar con él. "
            f"{counter.note('es')}".strip(),
        )
    learn = tuple(everything or token.learn for token in tokens)
    cut = example.kind is not Kind.TEXT and len(ids) > longest
    many = range(0, len(ids), longest) if example.kind is Kind.TEXT else (0,)
    made = [Row(ids[at : at + longest], learn[at : at + longest]) for at in many]
    return [row for row in made if row.learned], cut


def read(file: Path, counter: Counter, *, longest: int, everything: bool = False) -> Read:
    """ForPerson where a line is no example."""
    made, examples, cut, empty = list[Row](), 0, 0, 0
    for example in _examples(file):
        found, was_cut = of_example(example, counter, longest=longest, everything=everything)
        made += found
        examples, cut, empty = examples + 1, cut + was_cut, empty + (not found)
    return Read(tuple(made), examples, cut, empty)


def _examples(file: Path) -> Iterator[Example]:
    try:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _example(line, f"{file.name}, line {number}", f"{file.name}, línea {number}")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ForPerson(
            f"{file.name} cannot be read ({why}). Make the job anew.",
            spanish=f"No se puede leer {file.name} ({why}). Crea el trabajo de nuevo.",
        ) from None


def _example(line: str, where: str, spanish: str) -> Example:
    try:
        return rows.from_row(json.loads(line))
    except (ValueError, TypeError, RecursionError) as error:
        why = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise ForPerson(
            f"{where} is no example ({why}). Make the job anew.",
            spanish=f"{spanish} no es un ejemplo ({why}). Crea el trabajo de nuevo.",
        ) from None
