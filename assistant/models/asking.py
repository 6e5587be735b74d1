"""In: a chat model and turns. Out: text as it is written, then what it took. One synchronous stream for every model.

Knows nothing of which model it is: one that has `options` says itself how a call looks; any other is asked the way
LangChain's integrations agree on.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from assistant.errors import ForPerson
from assistant.models.inference import UNSAID, Inference
from assistant.models.stopping import Until
from knowledge import Turn, Usage

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel


@dataclass(frozen=True, slots=True)
class Asked:
    """What a caller wants of one answer."""

    inference: Inference = UNSAID
    adapter: Path | None = None  # a PEFT folder, for a model that runs here
    template: str = ""  # a chat template (Jinja) that replaces the model's own

    @property
    def max_tokens(self) -> int | None:
        return self.inference.max_tokens

    @property
    def temperature(self) -> float | None:
        return self.inference.temperature

    @property
    def top_k(self) -> int | None:
        return self.inference.top_k

    @property
    def top_p(self) -> float | None:
        return self.inference.top_p

    @property
    def seed(self) -> int | None:
        return self.inference.seed

    @property
    def stop(self) -> tuple[str, ...]:
        return self.inference.stop


@runtime_checkable
class HasOptions(Protocol):
    def options(self, asked: Asked, stop: threading.Event) -> dict[str, Any]:
        """Keyword arguments for this model's `stream`. One that holds "cancelled" looks at `stop` itself."""


def options(model: BaseChatModel, asked: Asked, stop: threading.Event) -> dict[str, Any]:
    """How to ask this model for that: keyword arguments of `stream`, `invoke` or `bind`.

    ForPerson where an adapter or a template is to be worn by a model that runs elsewhere."""
    if (asked.adapter or asked.template) and not getattr(model, "here", False):
        raise ForPerson(
            f"The model {_name(model)} does not run on this machine, so it cannot wear an adapter or another chat "
            "template. Choose a local model, or leave both out.",
            spanish=f"El modelo {_name(model)} no funciona en esta máquina, así que no puede llevar un adaptador ni "
            "otra plantilla de chat. Elige un modelo local o deja ambos vacíos.",
        )
    if isinstance(model, HasOptions):
        return model.options(asked, stop)
    said = asked.inference.model_dump(exclude_defaults=True)
    return said | ({"stop": list(asked.stop)} if asked.stop else {})


def write(
    model: BaseChatModel,
    turns: Sequence[Turn],
    *,
    inference: Inference = UNSAID,
    stop: threading.Event,
    adapter: Path | None = None,
    template: str = "",
) -> Iterator[str | Usage]:
    """Pieces of text, then one Usage, also after a stop. Ends within a second of `stop`; closing it stops as well.

    `inference.stop` holds for every model: what a provider does not cut is cut here."""
    given = options(model, Asked(inference, adapter, template), stop)
    stream: Iterator[Any] = model.stream([(turn.role, turn.text) for turn in turns], **given)
    if "cancelled" not in given:
        stream = _beside(stream, stop)
    began, first, counts, until = time.monotonic(), 0.0, (0, 0), Until(inference.stop)
    try:
        for chunk in stream:
            if usage := chunk.usage_metadata:
                counts = counts[0] + usage["input_tokens"], counts[1] + usage["output_tokens"]
            if text := until.take(str(chunk.text)):
                first = first or time.monotonic() - began
                yield text
            if until.met:
                break
        if text := until.take("", last=True):
            yield text
    finally:
        stream.close()  # type: ignore[attr-defined]
    yield Usage(*counts, first, time.monotonic() - began, _name(model))


def _name(model: BaseChatModel) -> str:
    return str(getattr(model, "model", None) or getattr(model, "model_name", None) or "")


def _beside(stream: Iterator[Any], stop: threading.Event) -> Iterator[Any]:
    """The same items, read in a thread of its own: a server that is silent for a minute does not delay a stop."""
    items: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    left = threading.Event()

    def read() -> None:
        try:
            for item in stream:
                items.put(("item", item))
                if left.is_set():
                    break
            items.put(("end", None))
        except BaseException as error:
            items.put(("error", error))
        finally:
            stream.close()  # type: ignore[attr-defined]

    threading.Thread(target=read, name="remote-model", daemon=True).start()
    try:
        while not stop.is_set():
            try:
                kind, item = items.get(timeout=0.1)
            except queue.Empty:
                continue
            if kind == "end":
                return
            if kind == "error":
                raise item
            yield item
    finally:
        left.set()
