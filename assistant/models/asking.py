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
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from knowledge import Turn, Usage

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel


@dataclass(frozen=True, slots=True)
class Asked:
    """What a caller wants of one answer."""

    max_tokens: int
    temperature: float = 0.0
    top_k: int | None = None
    top_p: float | None = None
    seed: int | None = None


@runtime_checkable
class HasOptions(Protocol):
    def options(self, asked: Asked, stop: threading.Event) -> dict[str, Any]:
        """Keyword arguments for this model's `stream`. One that holds "cancelled" looks at `stop` itself."""


def write(
    model: BaseChatModel,
    turns: Sequence[Turn],
    *,
    max_tokens: int,
    temperature: float = 0.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int | None = None,
    stop: threading.Event,
) -> Iterator[str | Usage]:
    """Pieces of text, then one Usage, also after a stop. Ends within a second of `stop`; closing it stops as well."""
    asked = Asked(max_tokens, temperature, top_k, top_p, seed)
    options: dict[str, Any] = {"max_tokens": max_tokens, "temperature": temperature}
    if isinstance(model, HasOptions):
        options = model.options(asked, stop)
    stream: Iterator[Any] = model.stream([(turn.role, turn.text) for turn in turns], **options)
    if "cancelled" not in options:
        stream = _beside(stream, stop)
    began, first, counts = time.monotonic(), 0.0, (0, 0)
    try:
        for chunk in stream:
            if usage := chunk.usage_metadata:
                counts = counts[0] + usage["input_tokens"], counts[1] + usage["output_tokens"]
            if text := str(chunk.text):
                first = first or time.monotonic() - began
                yield text
    finally:
        stream.close()  # type: ignore[attr-defined]
    name = str(getattr(model, "model", None) or getattr(model, "model_name", None) or "")
    yield Usage(*counts, first, time.monotonic() - began, name)


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
