"""In: a file and the format it should have. Out: every problem of every row, then what they come to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tuning.checking import files, overlap
from tuning.checking.limits import bounds
from tuning.checking.lines import Lines
from tuning.checking.rows.table import RULES, Rules
from tuning.checking.values import Limits, Note, Notes, Problem, Summary
from tuning.errors import ForPerson
from tuning.formats import detect

Count = Callable[[str], int]  # tokens of a text
_CHARACTERS = 4  # of a token, where no tokenizer is at hand
_SNIFFED = 20  # rows that say which of TRL's formats it is
_AS_TRL = {"openai": "trl-messages", "prompt-completion": "trl-prompt-completion"}


def check(
    path: Path,
    format: str,  # noqa: A002 - the word people use
    *,
    model: str = "",  # its name, for sentences
    validation: Path | None = None,
    count: Count | None = None,
    limits: Limits | None = None,
) -> Iterator[Problem | Summary]:
    """Problems in the order of the lines, those of the whole file first or last; the last thing is a Summary.

    `format` is a name of `tuning.formats.FORMATS`, or "trl" for whichever of TRL's the rows look like. Whatever the
    file holds, nothing is raised but for a format that is not known (ForPerson). One line is in memory at a time.
    """
    if format != "trl" and format not in RULES:
        known = ", ".join((*RULES, "trl"))
        raise ForPerson(
            f"There is no format {format!r} to check: choose one of {known}.",
            spanish=f"No hay ningún formato {format!r} que comprobar: elige uno de {known}.",
        )
    return _Check(path, format, model, validation, count, limits or Limits()).run()


class _Check:
    def __init__(
        self, path: Path, name: str, model: str, validation: Path | None, count: Count | None, limits: Limits
    ) -> None:
        self._path, self._name, self._validation = path, name, validation
        self._size = _Size(model, count, limits)
        self._most = limits.examples
        self._note = Notes()
        self._rows = 0
        self._labels: set[bool] = set()

    def run(self) -> Iterator[Problem | Summary]:
        errors = warnings = 0
        for problem in self._readable():
            errors += problem.severity == "error"
            warnings += problem.severity == "warning"
            yield problem
        yield Summary(self._rows, errors, warnings)

    def _readable(self) -> Iterator[Problem]:
        try:
            yield from self._problems()
        except OSError as error:  # a disk that fails half way, a share that goes away
            self._note.line = 0
            files.unreadable(self._path, error, self._note)
            yield from self._note.taken()

    def _problems(self) -> Iterator[Problem]:
        note = self._note
        file = files.opened(self._path, note)
        if file is None:
            yield from note.taken()
            return
        with file:
            rules = RULES[_of_trl(self._path) if self._name == "trl" else self._name]
            _not_too_large(self._path, rules, note)
            known = overlap.read(self._validation, self._path, note) if self._validation else None
            yield from note.taken()
            note.line = 1
            if files.begins_well(file, note):
                yield from note.taken()
                yield from self._lines(Lines(file, note), rules, known)
                note.line = 0
                self._in_all(rules)
                if known and known.is_training:
                    note("", "same_as_validation")
            yield from note.taken()

    def _lines(self, lines: Lines, rules: Rules, known: overlap.Validation | None) -> Iterator[Problem]:
        note, examine, sized = self._note, rules.row, self._size.least
        for number, raw in enumerate(lines, 1):
            note.line = number
            row = lines.row(raw)
            if row is not None:
                self._rows += 1
                examine(row, note)
                if sized is not None and len(raw) > sized and not note.errors:
                    self._size.measure(row, rules, note)
                if known and (other := known.line_of(row)):
                    note("", "in_validation", other=other)
                if rules.label and type(row.get(rules.label)) is bool:
                    self._labels.add(row[rules.label])
            elif raw.strip():
                self._rows += 1
            if note.found:
                yield from note.taken()

    def _in_all(self, rules: Rules) -> None:
        """What only the number of examples, or all of them together, can say."""
        note, rows, limit = self._note, self._rows, bounds(rules.provider)
        provider = limit.provider
        if rows < limit.least:
            note("", "few_examples", rows=rows, limit=limit.least, missing=limit.least - rows, provider=provider)
        elif rows < limit.advised:
            note("", "few_advised", rows=rows, limit=limit.advised)
        most = limit.most if self._most is None else self._most
        if most is not None and rows > most:
            note("", "many_examples", rows=rows, limit=most, extra=rows - most, provider=provider)
        if rules.label and len(self._labels) == 1 and rows > 1:
            note(rules.label, "labels_one_sided", found=str(self._labels.pop()).lower())


class _Size:
    """How long an example is, against what the model takes."""

    def __init__(self, model: str, count: Count | None, limits: Limits) -> None:
        self._count, self._limits = count, limits
        self._names = {"model": model or "the model", "model_es": model or "el modelo"}
        self.least = limits.least

    def measure(self, row: dict[str, Any], rules: Rules, note: Note) -> None:
        asked, answered = rules.texts(row)
        extra = 4 if rules.messages else 0  # tokens that OpenAI puts around each message, by its cookbook
        sizes = [sum(map(self._tokens, texts)) + extra * len(texts) for texts in (asked, answered)]
        for tokens, limit, part, part_es in (
            (sum(sizes), self._limits.tokens, "The example", "El ejemplo"),
            (sizes[0], self._limits.asked, "The prompt", "El contexto"),
            (sizes[1], self._limits.answered, "The answer", "La respuesta"),
        ):
            if limit is not None and tokens > limit:
                code = "too_long" if self._count else "maybe_too_long"
                note("", code, tokens=tokens, limit=limit, part=part, part_es=part_es, **self._names)

    def _tokens(self, text: str) -> int:
        return self._count(text) if self._count else -(-len(text) // _CHARACTERS)


def _not_too_large(path: Path, rules: Rules, note: Note) -> None:
    limit, size = bounds(rules.provider), path.stat().st_size
    if limit.bytes is not None and size > limit.bytes:
        note("", "file_too_large", bytes=size, limit=limit.bytes, provider=limit.provider)


def _of_trl(path: Path) -> str:
    """Which of TRL's formats the first rows look like."""
    some: list[dict[str, Any]] = []
    file = files.opened(path, Notes())
    if file:
        with file:
            lines = Lines(file, Notes())
            for raw in lines:
                row = lines.row(raw)
                some += [row] if row else []
                if len(some) == _SNIFFED:
                    break
    name = detect(some) or ""
    name = _AS_TRL.get(name, name)
    return name if name.startswith("trl-") else "trl-messages"
