"""In: answers written beforehand. Out: a chat model that says them, at the pace it was given. Knows nothing of weights.

A stand-in for tests and demonstrations, yours as well as ours: a real LangChain chat model that streams word by word,
never leaves the machine and keeps every prompt it was given.

    Scripted(answers=["Hello.", "The second answer."])      # in turn, the last one again and again
    Scripted(answers=["one two three"], delay=0.1)          # seconds before each word
    Scripted(answers=[RuntimeError("out of memory")])       # an exception is raised instead
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import ConfigDict, Field

_WORD = re.compile(r"\S+\s*|\s+")


class Scripted(BaseChatModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    answers: list[str | Exception] = Field(min_length=1)
    delay: float = 0.0  # seconds before each word
    prompts: list[list[BaseMessage]] = Field(default_factory=list)  # what was asked, oldest first
    settings: list[dict[str, Any]] = Field(default_factory=list)  # and how: temperature, seed, …

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        pieces = _WORD.findall(self._next(messages, kwargs))
        for piece in pieces:
            time.sleep(self.delay)
            yield ChatGenerationChunk(message=AIMessageChunk(content=piece))
        last = AIMessageChunk(content="", chunk_position="last", usage_metadata=_usage(messages, len(pieces)))
        yield ChatGenerationChunk(message=last)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        text = self._next(messages, kwargs)
        pieces = len(_WORD.findall(text))
        time.sleep(self.delay * pieces)
        message = AIMessage(content=text, usage_metadata=_usage(messages, pieces))
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _next(self, messages: list[BaseMessage], settings: dict[str, Any]) -> str:
        answer = self.answers[min(len(self.prompts), len(self.answers) - 1)]
        self.prompts.append(list(messages))
        self.settings.append(settings)
        if isinstance(answer, Exception):
            raise answer
        return answer


class ScriptedModels:
    """In place of `Models`: whatever name is asked for, the one scripted model answers."""

    def __init__(self, model: Scripted) -> None:
        self.model = model

    def get(self, name: str = "") -> BaseChatModel:
        return self.model


def scripted(argument: str) -> Scripted:
    """What follows "scripted:" in a model's name: `Hello.` or, with seconds before each word, `0.1|Hello.`"""
    delay, bar, text = argument.partition("|")
    if bar and re.fullmatch(r"\d+(\.\d+)?", delay):
        return Scripted(answers=[text], delay=float(delay))
    return Scripted(answers=[argument])


def _usage(messages: list[BaseMessage], written: int) -> UsageMetadata:
    """Words stand in for tokens."""
    read = sum(len(str(message.content).split()) for message in messages)
    return UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)
