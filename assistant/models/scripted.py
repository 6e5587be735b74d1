"""In: answers written beforehand. Out: a chat model that says them, at the pace it was given. Knows nothing of weights.

A stand-in for tests and demonstrations, yours as well as ours: a real LangChain chat model that streams word by word,
never leaves the machine and keeps every prompt it was given.

    Scripted(answers=["Hello.", "The second answer."])      # in turn, the last one again and again
    Scripted(answers=["one two three"], delay=0.1)          # seconds before each word
    Scripted(answers=[RuntimeError("out of memory")])       # an exception is raised instead
    Scripted(answers=[ToolCalls(("calculator", {"expression": "1+1"})), "Two."])   # calls tools, then answers
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict, Field

from assistant.models.stopping import Until

if TYPE_CHECKING:
    from assistant.models.catalogue import Capabilities

_WORD = re.compile(r"\S+\s*|\s+")


@dataclass(frozen=True)
class ToolCalls:
    """An answer that calls tools, all at once: (name, arguments), … A string in place of arguments is sent as it is:
    what a careless model writes need not be JSON."""

    calls: tuple[tuple[str, Mapping[str, Any] | str], ...]
    text: str = field(default="")  # said before them

    def __init__(self, *calls: tuple[str, Mapping[str, Any] | str], text: str = "") -> None:
        object.__setattr__(self, "calls", calls)
        object.__setattr__(self, "text", text)

    def chunks(self, turn: int) -> Iterator[ToolCallChunk]:
        """Name and id first, then the arguments in two halves, as providers stream them."""
        for index, (name, arguments) in enumerate(self.calls):
            written = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
            yield tool_call_chunk(name=name, args="", id=f"call_{turn}_{index}", index=index)
            for half in (written[: len(written) // 2], written[len(written) // 2 :]):
                yield tool_call_chunk(name=None, args=half, id=None, index=index)


class Scripted(BaseChatModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    answers: list[str | ToolCalls | Exception] = Field(min_length=1)
    delay: float = 0.0  # seconds before each word
    prompts: list[list[BaseMessage]] = Field(default_factory=list)  # what was asked, oldest first
    settings: list[dict[str, Any]] = Field(default_factory=list)  # and how: temperature, seed, tools, …

    @property
    def _llm_type(self) -> str:
        return "scripted"

    @property
    def calls_tools(self) -> bool:
        return any(isinstance(answer, ToolCalls) for answer in self.answers)

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: str | None = None, **kwargs: Any
    ) -> Runnable[Any, AIMessage]:
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        answer = self._next(messages, stop, kwargs)
        turn, written = len(self.prompts), 0
        text = answer.text if isinstance(answer, ToolCalls) else answer
        until = Until(stop or ())
        for piece in _WORD.findall(until.take(text) + until.take("", last=True)):
            time.sleep(self.delay)
            written += 1
            yield ChatGenerationChunk(message=AIMessageChunk(content=piece))
        for call in answer.chunks(turn) if isinstance(answer, ToolCalls) else ():
            written += 1
            yield ChatGenerationChunk(message=AIMessageChunk(content="", tool_call_chunks=[call]))
        last = AIMessageChunk(content="", chunk_position="last", usage_metadata=_usage(messages, written))
        yield ChatGenerationChunk(message=last)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        first, *rest = [chunk.message for chunk in self._stream(messages, stop, run_manager, **kwargs)]
        for chunk in rest:
            first += chunk
        assert isinstance(first, AIMessageChunk)
        message = AIMessage(
            content=first.content,
            tool_calls=first.tool_calls,
            invalid_tool_calls=first.invalid_tool_calls,
            usage_metadata=first.usage_metadata,
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _next(self, messages: list[BaseMessage], stop: list[str] | None, settings: dict[str, Any]) -> str | ToolCalls:
        answer = self.answers[min(len(self.prompts), len(self.answers) - 1)]
        self.prompts.append(list(messages))
        self.settings.append(settings | ({"stop": stop} if stop else {}))
        if isinstance(answer, Exception):
            raise answer
        return answer


class ScriptedModels:
    """In place of `Models`: whatever name is asked for, the one scripted model answers."""

    default = "scripted:"

    def __init__(self, model: Scripted) -> None:
        self.model = model

    def get(self, name: str = "") -> BaseChatModel:
        return self.model

    def capabilities(self, name: str = "", language: str = "en") -> Capabilities:
        from assistant.models.catalogue import Capabilities

        return Capabilities(tools=self.model.calls_tools, source="scripted")


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
