"""In: nothing. Out: what a format is: an example to rows and back, what is lost named, refusals with reasons.

    FORMATS["openai"].write(example) → Written(rows=({"messages": […]},), lost=(Loss("tags", "tags"),))
    FORMATS["openai"].read({"messages": […]}) → Example

`read(write(x))` is x again, but for what `lost` names. An example that cannot be written raises Refused, a row that
cannot be read raises BadRow; both say why in English and Spanish.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from tuning.errors import ForPerson
from tuning.formats import sentences
from tuning.rows import Row
from tuning.values import Example, Kind, Source

Lose = Callable[[str, str], None]  # lose(code, field)


@dataclass(frozen=True, slots=True)
class Loss:
    """What of an example is not in its rows. `code` is of `sentences.LOSSES`; `field` says where it stood."""

    code: str
    field: str

    def said(self, language: str = "en") -> str:
        return sentences.lost(self.code, language)


@dataclass(frozen=True, slots=True)
class Written:
    rows: tuple[Row, ...]
    lost: tuple[Loss, ...] = ()


class Refused(ForPerson):
    """An example that a format cannot hold."""

    def __init__(self, code: str, **values: object) -> None:
        say = sentences.reason
        super().__init__(say(code, "en", **values), spanish=say(code, "es", **values))
        self.code = code


class BadRow(ForPerson):
    """A row that is not of its format, or holds what an example cannot: `field` says where."""

    def __init__(self, code: str, field: str, **values: object) -> None:
        say = sentences.fault
        super().__init__(say(code, "en", field=field, **values), spanish=say(code, "es", field=field, **values))
        self.code, self.field = code, field


@dataclass(frozen=True, slots=True)
class Format:
    name: str
    kinds: tuple[Kind, ...]  # of examples that it takes
    rows: Callable[[Example, Lose], Iterable[Row]]
    example: Callable[[Row], Example]
    fits: Callable[[Row], bool]  # whether a row looks like one of it: only the first glance, `read` looks closer
    keeps: frozenset[str] = frozenset()  # of the losses common to all formats, those that are none here

    def write(self, example: Example) -> Written:
        if example.kind not in self.kinds:
            raise Refused("kind", format=self.name, kind=example.kind.value)
        lost: dict[Loss, None] = {}

        def lose(code: str, field: str) -> None:
            lost[Loss(code, field)] = None

        for loss in _only_ours(example):
            if loss.code not in self.keeps:
                lost[loss] = None
        rows = tuple(self.rows(example, lose))
        if not rows:
            raise Refused("no_rows", format=self.name)
        return Written(rows, tuple(lost))

    def read(self, row: Row) -> Example:
        if not isinstance(row, dict):
            raise BadRow("not_object", "row")
        return self.example(row)


def _only_ours(example: Example) -> Iterator[Loss]:
    """What no format but our own holds."""
    if example.tags:
        yield Loss("tags", "tags")
    if example.source != Source():
        yield Loss("provenance", "source")
    for at, answer in enumerate(example.answers):
        if answer.scores:
            yield Loss("scores", f"answers[{at}].scores")
