"""In: a row whose names say what is question and what is answer, in English or Spanish. Out: an example.

    {"question": "…", "answer": "…"}                                    {"pregunta": "…", "respuesta": "…"}
    {"instruction": "…", "input": "…", "output": "…", "system": "…", "history": [["…", "…"]]}          Alpaca
    {"prompt": "…", "chosen": "…", "rejected": "…"}                     a preference
    {"text": "…"}                                                       text as it stands

The same for an object of a JSON file and for a line of a table.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tuning.sources.origin import Origin
from tuning.sources.readers.fields import items, text
from tuning.sources.skipped import Place, Skipped
from tuning.values import Answer, Example, Kind, Role, Turn, conversation, preference


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of a row that matter, as they are spelled in it; "": there is none."""

    question: str = ""
    answer: str = ""
    more: str = ""  # what the question is about
    system: str = ""
    chosen: str = ""
    rejected: str = ""
    text: str = ""
    history: str = ""

    @property
    def enough(self) -> bool:
        return bool(self.text or (self.question and (self.answer or (self.chosen and self.rejected))))


@lru_cache(maxsize=256)
def columns(names: tuple[str, ...]) -> Columns:
    spelled = {fold(one): one for one in reversed(names) if one}

    def first(known: str) -> str:
        return next((spelled[one] for one in known.split("|") if one in spelled), "")

    question, answer = first(_QUESTION), first(_ANSWER)
    more = first(_MORE)
    pair = bool(question and answer)
    return Columns(
        question,
        answer,
        more if more not in {question, answer} else "",
        first("system|system prompt|sistema"),
        first("chosen|preferred|elegida|elegido|preferida|mejor"),
        first("rejected|rechazada|rechazado|peor"),
        "" if pair else first("text|texto"),
        first("history|historial"),
    )


def fold(name: str) -> str:
    """ "Instrucción_1 " → "instruccion 1": letters without marks, small, and single spaces."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", name) if not unicodedata.combining(one))
    return re.sub(r"[\W_]+", " ", plain.casefold()).strip()


def alpaca(row: Mapping[str, Any]) -> bool:
    """Its own name, since it may carry a "text" besides, which is the whole of it again."""
    return isinstance(row.get("instruction"), str) and bool({"output", "response", "chosen"} & row.keys())


def fits(row: Mapping[str, Any]) -> bool:
    return columns(tuple(row)).enough


def read(row: Mapping[str, Any], place: Place, origin: Origin) -> Iterator[Example | Skipped]:
    yield from read_as(columns(tuple(row)), row, place, origin)


def read_as(names: Columns, row: Mapping[str, Any], place: Place, origin: Origin) -> Iterator[Example | Skipped]:
    source = origin.source(place)
    if names.text and not names.question:
        whole = _cell(row, names.text)
        yield Example(Kind.TEXT, text=whole, source=source) if whole else place.skipped("cell", column=names.text)
        return
    asked = "\n\n".join(part for part in (_cell(row, names.question), _cell(row, names.more)) if part)
    wanted = [names.chosen, names.rejected] if names.chosen and names.rejected else [names.answer]
    answers = [_cell(row, name) for name in wanted]
    missing = [name for name, found in zip([names.question, *wanted], [asked, *answers], strict=True) if not found]
    if missing:
        yield place.skipped("cell", column=missing[0])
        return
    system = _cell(row, names.system)
    prompt = (*((Turn(Role.SYSTEM, system),) if system else ()), *_history(row, names), Turn(Role.USER, asked))
    if len(answers) == 1:
        yield conversation(*prompt, Turn(Role.ASSISTANT, answers[0]), source=source)
    elif answers[0] == answers[1]:
        yield place.skipped("same")
    else:
        sides = [Answer((Turn(Role.ASSISTANT, one),)) for one in answers]
        yield preference(prompt, *sides, source=source)


_QUESTION = (
    "question|questions|q|instruction|instructions|prompt|prompts|query|user|user message|human|input|"
    "pregunta|preguntas|p|instruccion|instrucciones|consulta|usuario|usuaria|entrada"
)
_ANSWER = (
    "answer|answers|a|output|completion|completions|response|responses|reply|assistant|assistant message|gpt|bot|ideal|"
    "respuesta|respuestas|r|salida|asistente|contestacion"
)
_MORE = "input|context|entrada|contexto"


def _cell(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name) if name else ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return text(value).strip()


def _history(row: Mapping[str, Any], names: Columns) -> Iterator[Turn]:
    """Alpaca's earlier turns: pairs of what was asked and answered. One that is no such pair ends them."""
    for pair in items(row.get(names.history)) if names.history else []:
        asked, answered = (text(one) for one in (*items(pair), "", "")[:2])
        if not asked or not answered:
            return
        yield Turn(Role.USER, asked)
        yield Turn(Role.ASSISTANT, answered, learn=False)
