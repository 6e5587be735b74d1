"""In: a model's name, questions. Out: its answers one by one, kept in a file of lines as they come.

    {"format": "afina-answers/1", "model": "local:smollm2-135m", "adapter": "3f9a…", "template": "", "inference": {…}}
    {"key": "…", "prompt": "Capital of France?", "references": ["Paris, …"], "text": "…", "seconds": 0.8, "tokens": 21}

Started again with the same file it goes on where it was stopped or killed; a line that was half written is dropped. A
file of another model, adapter (by the weights' bytes), template or settings is refused, not mixed. Greedy unless told
otherwise. A model that runs here always reads a system's message, the same that it was trained with.

A question that a model cannot take (too long) is an answer with a problem; what would stop every question is raised.

A model that runs here by transformers is asked TOGETHER questions at once, greedy: the same answers as one by one in
float32; in the bf16 it runs in, sums come in another order, so where two tokens are as good as equally likely the other
may be taken. Compare answers that were given the same way. An answer's seconds are then its share of the batch's.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from assistant import errors as assistant
from assistant.models.asking import Asked, options, write
from assistant.models.inference import Inference
from assistant.models.local import hf
from assistant.models.local.engine import SYSTEM
from assistant.models.local.engine_transformers import safetensors
from knowledge import Turn as Sent
from knowledge import Usage
from knowledge import weights as weight_files
from tuning.counting.written import said
from tuning.errors import ForOperator, ForPerson
from tuning.evaluation.judge import Ask
from tuning.evaluation.values import Answered, AnsweredRow, Question
from tuning.values import Role, Turn

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from assistant.models import Models

TOGETHER = 16  # questions: what is not yet in the file when it is stopped or killed is asked again
GREEDY = Inference(temperature=0.0, max_tokens=256)
FORMAT: Literal["afina-answers/1"] = "afina-answers/1"


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who answers, and how."""

    model: str  # "local:smollm2-135m", "hf:<folder>", "openai:…": whatever `Models` knows
    adapter: Path | None = None  # a PEFT folder; the model then runs here
    template: str = ""  # a chat template (Jinja), as the adapter was trained with
    inference: Inference = GREEDY


@dataclass(frozen=True, slots=True)
class Step:
    done: int
    total: int | None  # None: not known beforehand
    seconds_left: float | None  # None: nothing to tell it by yet


class _Head(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["afina-answers/1"]
    model: str
    adapter: str  # SHA-256 of its weights; "": none
    template: str  # SHA-256; "": the model's own
    inference: Inference


def answers(
    models: Models,
    speaker: Speaker,
    questions: Iterable[Question],
    *,
    file: Path | None = None,
    stop: threading.Event | None = None,
    progress: Callable[[Step], None] | None = None,
    total: int | None = None,
) -> Iterator[Answered]:
    """In the order of the questions, each key once. Ends within a second of `stop`; what was being written then is
    not kept. ForPerson where `file` is another speaker's; otherwise what the model raises."""
    stop = stop or threading.Event()
    model = models.get(speaker.model)
    asked = Asked(speaker.inference, speaker.adapter, speaker.template)
    options(model, asked, stop)  # raises now what would stop every question
    clock = _Clock(total if total is not None else len(questions) if isinstance(questions, Sized) else None)
    seen: set[str] = set()
    with closing(_File(file, _head(speaker)) if file else _File(None, None)) as kept:
        for some in _windows(questions, kept, TOGETHER if hasattr(model, "together") else 1):
            missing = [one for one, known in some if known is None]
            new = _all_answered(model, asked, missing, stop, kept.add)
            for question, known in some:
                answer = known or next(new, None)
                if answer is None:
                    return
                if known is None:
                    clock.took(answer.seconds)
                seen.add(question.key)
                if progress:
                    progress(clock.step(len(seen)))
                yield answer


def _windows(questions: Iterable[Question], kept: _File, many: int) -> Iterator[list[tuple[Question, Answered | None]]]:
    """Each key once, with its answer where it is kept; at most `many` without one at a time."""
    seen, some, missing = set[str](), list[tuple[Question, Answered | None]](), 0
    for question in questions:
        if question.key in seen:
            continue
        seen.add(question.key)
        known = kept.find(question)
        some.append((question, known))
        missing += known is None
        if missing == many or (known is not None and not missing):
            yield some
            some, missing = [], 0
    if some:
        yield some


def _all_answered(
    model: BaseChatModel,
    asked: Asked,
    some: Sequence[Question],
    stop: threading.Event,
    keep: Callable[[Answered], None],
) -> Iterator[Answered]:
    """Fewer once stopped. What is answered is kept before it is told."""
    if stop.is_set() or not some:
        return
    together, began = getattr(model, "together", None), time.monotonic()
    found = together([_sent(model, one.turns) for one in some], asked, stop) if together and len(some) > 1 else None
    if found is None:  # this model answers one by one
        for question in some:
            if stop.is_set() or (answer := _answered(model, asked, question, stop)) is None:
                return
            keep(answer)
            yield answer
        return
    seconds = round((time.monotonic() - began) / len(some), 3)
    said = [_of_many(question, one, seconds) for question, one in zip(some, found, strict=False)]  # none once stopped
    for answer in said:
        keep(answer)
    yield from said


def _of_many(question: Question, said: tuple[str, Any] | assistant.ForPerson, seconds: float) -> Answered:
    if isinstance(said, assistant.ForPerson):
        return _told(question, "", seconds, 0, said)
    return _told(question, said[0], seconds, said[1].completion)


def _told(
    question: Question, text: str, seconds: float, tokens: int, problem: assistant.ForPerson | None = None
) -> Answered:  # fmt: skip
    why, spanish = (str(problem), problem.said("es")) if problem else ("", "")
    return Answered(question.key, question.prompt, question.references, text.strip(), seconds, tokens, why, spanish)


def bare(speaker: Speaker, weights: Path) -> Speaker:
    """The same without its adapter, by the engine that wears adapters: what a tuned model is compared with.

    The default model alone is run by a quicker engine that rounds otherwise: of 14 greedy answers none was the same."""
    kind, _, rest = speaker.model.partition(":")
    if kind not in ("local", "hf"):
        return replace(speaker, adapter=None)
    found = hf.find(rest, weights) if kind == "hf" else hf.Source()
    if found.missing:
        return replace(speaker, adapter=None)
    folder = found.base or safetensors(next(weight_files.path(hf.DEFAULT_WEIGHTS, weights).glob("*.gguf")))
    return replace(speaker, model=f"hf:{folder}", adapter=None)


def asking(models: Models, speaker: Speaker, stop: threading.Event) -> Ask:
    """The same model as one function, for a judge."""
    model = models.get(speaker.model)
    asked = Asked(speaker.inference, speaker.adapter, speaker.template)

    def ask(turns: Iterable[Turn]) -> str:
        return "".join(piece for piece in _write(model, asked, tuple(turns), stop) if isinstance(piece, str))

    return ask


def read(file: Path) -> Iterator[Answered]:
    """What a file of answers holds. ForPerson where it is none."""
    yield from _File(file, None).kept.values()


def _answered(model: BaseChatModel, asked: Asked, question: Question, stop: threading.Event) -> Answered | None:
    """None once stopped."""
    began, texts, tokens, problem = time.monotonic(), list[str](), 0, None
    try:
        for piece in _write(model, asked, question.turns, stop):
            if isinstance(piece, Usage):
                tokens = piece.completion_tokens
            else:
                texts.append(piece)
    except assistant.ForPerson as error:  # this question is at fault: the others may be answered
        texts, problem = [], error
    if stop.is_set():
        return None
    return _told(question, "".join(texts), round(time.monotonic() - began, 3), tokens, problem)


def _write(
    model: BaseChatModel, asked: Asked, turns: tuple[Turn, ...], stop: threading.Event
) -> Iterator[str | Usage]:  # fmt: skip
    sent = _sent(model, turns)
    return write(
        model, sent, inference=asked.inference, stop=stop, adapter=asked.adapter, template=asked.template
    )  # fmt: skip


def _sent(model: BaseChatModel, turns: tuple[Turn, ...]) -> list[Sent]:
    sent = [Sent("user" if turn.role is Role.TOOL else turn.role.value, said(turn)) for turn in turns]
    if getattr(model, "here", False) and not any(turn.role == "system" for turn in sent):
        sent = [Sent("system", SYSTEM), *sent]  # else a template may put words of its own there
    return sent


class _Clock:
    def __init__(self, total: int | None) -> None:
        self._total, self._seconds, self._answered = total, 0.0, 0

    def took(self, seconds: float) -> None:
        self._seconds, self._answered = self._seconds + seconds, self._answered + 1

    def step(self, done: int) -> Step:
        if self._total is None or not self._answered:
            return Step(done, self._total, None)
        left = max(0, self._total - done)
        return Step(done, self._total, left * self._seconds / self._answered)


# ── the file ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class _File:
    """`head` None: it is only read."""

    def __init__(self, file: Path | None, head: _Head | None) -> None:
        self.kept: dict[str, Answered] = {}
        self._out: Any = None
        if file is None:
            return
        try:
            whole = self._read(file, head) if file.exists() or head is None else 0
            if head is not None:
                file.parent.mkdir(parents=True, exist_ok=True)
                self._out = file.open("r+b" if file.exists() else "w+b")
                self._out.truncate(whole)
                self._out.seek(whole)
                if not whole:
                    self._line(head.model_dump(mode="json"))
        except OSError as error:
            raise _unusable(file, error) from None

    def find(self, question: Question) -> Answered | None:
        """Of a question that has been changed since: none. Its references are today's."""
        known = self.kept.get(question.key)
        if known is None or known.prompt != question.prompt:
            return None
        return AnsweredRow(**{**known.row(), "references": question.references}).value()

    def add(self, answer: Answered) -> None:
        if self._out:
            self._line(answer.row())

    def close(self) -> None:
        if self._out:
            self._out.close()

    def _line(self, row: Mapping[str, Any]) -> None:
        self._out.write(json.dumps(row, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        self._out.flush()
        os.fsync(self._out.fileno())

    def _read(self, file: Path, head: _Head | None) -> int:
        """How many bytes of it are whole lines."""
        lines = file.read_bytes().splitlines(keepends=True)
        if lines and not lines[-1].endswith(b"\n"):
            lines.pop()
        for number, line in enumerate(lines, start=1):
            try:
                if number == 1:
                    found = _Head.model_validate_json(line)
                    if head is not None and found != head:
                        raise _another(file, found)
                    continue
                answer = AnsweredRow.model_validate_json(line).value()
                self.kept[answer.key] = answer
            except ValidationError:
                raise _not_answers(file, number) from None
        return sum(map(len, lines))


def _head(speaker: Speaker) -> _Head:
    adapter = ""
    if speaker.adapter:
        weights = speaker.adapter / "adapter_model.safetensors"
        try:
            with weights.open("rb") as opened:
                adapter = hashlib.file_digest(opened, "sha256").hexdigest()
        except OSError as error:
            raise _unusable(weights, error) from None
    template = hashlib.sha256(speaker.template.encode()).hexdigest() if speaker.template else ""
    return _Head(
        format=FORMAT, model=speaker.model, adapter=adapter, template=template, inference=speaker.inference
    )  # fmt: skip


def _another(file: Path, found: _Head) -> ForPerson:
    return ForPerson(
        f"{file.name} holds answers of another run ({found.model}, with other settings or another adapter). Choose "
        "another file, or remove it.",
        spanish=f"{file.name} guarda respuestas de otra ejecución ({found.model}, con otros ajustes u otro adaptador). "
        "Elige otro archivo o bórralo.",
    )


def _not_answers(file: Path, line: int) -> ForPerson:
    return ForPerson(
        f"{file.name} is no file of answers: line {line} cannot be read. Choose another file, or remove it.",
        spanish=f"{file.name} no es un archivo de respuestas: la línea {line} no se puede leer. Elige otro o bórralo.",
    )


def _unusable(file: Path, error: OSError) -> ForOperator:
    reason = error.strerror or str(error)
    return ForOperator(
        f"{file} could not be used ({reason}). Check the folder, its permissions and the space on the disk.",
        spanish=f"No se pudo usar {file} ({reason}). Comprueba la carpeta, sus permisos y el espacio en el disco.",
    )
