"""In: LangChain messages. Out: a LangChain chat model that answers on this machine with one of the engines.

The engine is loaded when the first message is asked, or earlier by `Models.warm`. A message may name a LoRA adapter;
it then goes to the engine that can wear one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import ConfigDict

from assistant.errors import ForPerson
from assistant.models.asking import Asked
from assistant.models.catalogue import SETTINGS
from assistant.models.local.engine import Counts, Engine, Sampling
from knowledge import Turn

MAX_TOKENS = 512  # where nothing is said
_ROLES = {"human": "user", "ai": "assistant", "system": "system", "tool": "user"}


class LocalChat(BaseChatModel):
    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    model: str  # the name it goes by: "local:smollm2-135m", "hf:folder"
    engine: Callable[[Path | None], Engine]  # adapter → a loaded engine that can wear it
    here: bool = True  # so that `write` may hand it an adapter and a template

    @property
    def _llm_type(self) -> str:
        return "afina-local"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.model}

    def options(self, asked: Asked, stop: threading.Event) -> dict[str, Any]:
        """What `write` passes on to `stream`."""
        said = asked.inference.model_dump(exclude_defaults=True) | {"stop": list(asked.stop)}
        worn = {"adapter": asked.adapter, "template": asked.template}
        return {name: value for name, value in (said | worn).items() if value not in (None, "", [])} | {
            "cancelled": stop
        }

    def takes(self, language: str = "en") -> Mapping[str, str]:
        """Setting → "" where it is taken: here all of them are."""
        return dict.fromkeys(SETTINGS, "")

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        *,
        max_tokens: int = MAX_TOKENS,
        temperature: float = 0.0,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: int | None = None,
        repetition_penalty: float = 1.0,
        adapter: Path | None = None,
        template: str = "",
        cancelled: threading.Event | None = None,
        **_: Any,
    ) -> Iterator[ChatGenerationChunk]:
        engine = self.engine(adapter)
        turns = [Turn(_ROLES.get(message.type, "user"), str(message.text)) for message in messages]
        prompt = engine.prompt(turns, template)
        sampling = Sampling(max_tokens, temperature, top_p, top_k, seed, repetition_penalty, tuple(stop or ()))
        for piece in engine.generate(prompt, sampling, cancelled or threading.Event(), adapter):
            yield ChatGenerationChunk(message=_last(piece) if isinstance(piece, Counts) else _chunk(piece))

    def together(
        self, conversations: Sequence[Sequence[Turn]], asked: Asked, stop: threading.Event
    ) -> list[tuple[str, Counts] | ForPerson] | None:
        """Answers to all of them at once, or why there is none; [] once stopped. None where this model answers one by
        one: by an engine that knows no other way, or drawn by chance, where each answer has the seed for itself."""
        engine: Any = self.engine(asked.adapter)
        if asked.temperature or not hasattr(engine, "together"):
            return None
        prompts = [engine.prompt(turns, asked.template) for turns in conversations]
        sampling = Sampling(asked.max_tokens or MAX_TOKENS, stop=asked.stop)
        found: list[tuple[str, Counts] | ForPerson] = engine.together(prompts, sampling, stop, asked.adapter)
        return found

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))


def _chunk(text: str) -> AIMessageChunk:
    return AIMessageChunk(content=text)


def _last(counts: Counts) -> AIMessageChunk:
    total = counts.prompt + counts.completion
    usage = {"input_tokens": counts.prompt, "output_tokens": counts.completion, "total_tokens": total}
    return AIMessageChunk(content="", chunk_position="last", usage_metadata=usage)  # type: ignore[arg-type]
