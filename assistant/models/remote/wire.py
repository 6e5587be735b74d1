"""In: what remote providers have in common. Out: one way to ask for JSON, to judge how a stream ended, to say which
settings a model takes, to describe what an address offers. Knows no provider.
"""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import ToolCallChunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.utils.json import parse_partial_json

from assistant.errors import AssistantError
from assistant.models.asking import Asked
from assistant.models.remote.faults import Trouble, Where, said_in
from assistant.models.remote.patience import Patience, Waiting
from assistant.models.remote.sending import client
from assistant.sentences import speaker

SETTINGS = ("max_tokens", "temperature", "top_k", "top_p", "seed", "stop")
PROBE = Patience(connect=3.0, first=10.0, retries=0)  # of questions that are no message: lists, capabilities

say = speaker(
    {
        "openai_top_k": ("OpenAI has no top-k.", "OpenAI no tiene top-k."),
        "thinks": (
            "This model thinks before it writes and does not take it.",
            "Este modelo piensa antes de escribir y no lo admite.",
        ),
        "refused": ("This model refused it when asked.", "Este modelo lo rechazó al pedírselo."),
    }
)


@dataclass(frozen=True, slots=True)
class Offered:
    """A model at an address. None: the server does not say."""

    id: str
    context: int | None = None  # tokens it reads and writes at most
    tools: bool | None = None
    size: str = ""  # "8.0B"


def takes_all(language: str, refused: Mapping[str, str]) -> Mapping[str, str]:
    """Setting → "" or why not; `refused`: setting → key of a sentence."""
    return {name: say(refused[name], language) if name in refused else "" for name in SETTINGS}


def given(asked: Asked) -> dict[str, Any]:
    """The settings that were said. Greedy is temperature 0."""
    values = {name: getattr(asked, name, None) for name in SETTINGS}
    values["stop"] = list(values["stop"] or ())
    return {name: value for name, value in values.items() if value is not None and value != []}


def refuses(said: str, name: str) -> bool:
    """Whether a refusal speaks of this setting."""
    return bool(re.search(rf"(?<![\w]){name}(?![\w])", said))


def nothing() -> ChatGenerationChunk:
    """A last chunk: a stream without any would be an error to LangChain."""
    return ChatGenerationChunk(message=AIMessageChunk(content="", chunk_position="last"))


def spoil(arguments: str) -> str:
    """What to put behind arguments that are no JSON object, so that they stay invalid: LangChain mends them silently
    (`{"path": "/tm` becomes "/tm"), and a tool would run with half of what was meant. "" where all is well."""
    try:
        if not arguments or isinstance(json.loads(arguments, strict=False), dict):
            return ""
    except ValueError:
        pass
    ends = ("]", "}", '"]', '"}', '\\"]', '\\"}')  # a bracket that closes nothing, out of a string and in one
    return next((end for end in ends if not _mended(arguments + end)), "")


def _mended(arguments: str) -> bool:
    try:
        return isinstance(parse_partial_json(arguments), dict)
    except ValueError:
        return False


def made_up_id() -> str:
    """For a call that came without an id: nothing else tells which result belongs to it."""
    return f"made_{uuid.uuid4().hex[:12]}"


def is_made_up(call: str | None) -> bool:
    return not call or call.startswith("made_")


class End:
    """Looks at every chunk, and judges at the end whether it was one."""

    def __init__(self, where: Where) -> None:
        self._where = where
        self._written = False
        self._chunks = 0
        self._reason = ""
        self._arguments: dict[int, str] = {}  # of the calls so far, by index

    def saw(self, chunk: ChatGenerationChunk) -> bool:
        """Whether it is a sign that the model writes: words, a tool call, a thought, an end."""
        message = chunk.message
        reason = (chunk.generation_info or {}).get("finish_reason")
        self._reason = str(reason or self._reason)
        self._chunks += 1
        calls = isinstance(message, AIMessageChunk) and bool(message.tool_call_chunks)
        self._written = self._written or bool(message.content) or calls
        for call in message.tool_call_chunks if isinstance(message, AIMessageChunk) else ():
            if (index := call.get("index")) is not None:
                self._arguments[index] = self._arguments.get(index, "") + (call.get("args") or "")
        return bool(message.content or calls or reason or message.additional_kwargs.get("reasoning_content"))

    def spoiled(self) -> Iterator[ChatGenerationChunk]:
        """A chunk for every call whose arguments are no JSON, which keeps it from being mended."""
        for index, arguments in self._arguments.items():
            if end := spoil(arguments):
                call = ToolCallChunk(name=None, args=end, id=None, index=index)
                yield ChatGenerationChunk(message=AIMessageChunk(content="", tool_call_chunks=[call]))

    def judge(self, *, complete: bool) -> None:
        """`complete`: the stream itself said that it ended. Raises our error where the answer is not whole."""
        if self._reason == "content_filter":
            raise self._where.fault("filtered")
        if not self._reason and not complete:
            raise self._where.trouble(Trouble("cut"), self._written)
        if self._written:
            return
        if self._reason == "length":
            raise self._where.fault("spent")
        if not self._reason or not self._chunks:
            raise self._where.fault("empty")


def fetch(
    method: str,
    url: str,
    where: Where,
    *,
    headers: Mapping[str, str] | None = None,
    body: Mapping[str, Any] | None = None,
    patience: Patience | None = None,
    stop: threading.Event | None = None,
) -> Any:
    """One JSON answer, or our error."""
    waiting = Waiting(patience or PROBE, stop)

    def ask() -> Any:
        response = client().request(method, url, headers=dict(headers or {}), json=body)
        yield response.status_code, response.text

    try:
        status, text = next(waiting.over(ask()))
    except AssistantError:
        raise
    except Trouble as trouble:
        raise where.trouble(trouble) from trouble
    except UnicodeEncodeError as error:
        raise where.unsendable(error) from error
    try:
        answer = json.loads(text)
    except ValueError:
        answer = text
    if status >= 400:
        said, code = said_in(answer)
        raise where.refusal(status, said, code, waiting.retry_after)
    if isinstance(answer, str):
        raise where.fault("garbled")
    return answer
