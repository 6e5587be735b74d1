"""In: "ollama:<model>". Out: a LangChain chat model that asks an Ollama by its own protocol; what that Ollama has.

Its own protocol (/api/chat) and not the one it shares with OpenAI, because only there a caller says how much the model
may read (`num_ctx`): otherwise it is 4,096 tokens on most machines, and what is longer loses its beginning, the system
message first, without a word. Here a prompt that does not fit is refused instead (`truncate: false`). top_k is only
there, too. Docs: docs.ollama.com/api and docs.ollama.com/context-length.

    → {"model": "llama3.2", "messages": [{"role": "user", "content": "Hi"}], "options": {"num_predict": 40}, …}
    ← {"message": {"role": "assistant", "content": "Hel"}, "done": false}
    ← {"message": {"content": ""}, "done": true, "done_reason": "stop", "prompt_eval_count": 11, "eval_count": 4}
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import httpx2
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict, Field

from assistant.errors import AssistantError, ForOperator
from assistant.models.asking import Asked
from assistant.models.remote import wire
from assistant.models.remote.faults import Trouble, Where, said_in
from assistant.models.remote.patience import Patience, Waiting
from assistant.models.remote.sending import client
from assistant.models.remote.wire import Offered

OLLAMA = "http://127.0.0.1:11434"
CONTEXT = 8192  # tokens a model reads and writes at most: some 1 GB of memory with an 8B model
# A model that is not in memory yet is loaded first, from a disk perhaps; who hangs up meanwhile ends the loading.
LOADING = 120.0  # seconds to the first word then
_ROLES = {"human": "user", "ai": "assistant", "system": "system", "tool": "tool"}
_OPTIONS = {"max_tokens": "num_predict"}  # ours → Ollama's; the others have one name


class OllamaChat(BaseChatModel):
    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    model: str  # the name it goes by: "ollama:llama3.2"
    where: Where = Field(repr=False)
    patience: Patience = Field(default_factory=Patience)
    loading: float = LOADING
    context: int = CONTEXT

    @property
    def _llm_type(self) -> str:
        return "afina-ollama"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.model}

    def options(self, asked: Asked, stop: threading.Event) -> dict[str, Any]:
        """What `write` passes on to `stream`."""
        return {**wire.given(asked), "cancelled": stop}

    def takes(self, language: str = "en") -> Mapping[str, str]:
        """Setting → "" where this model takes it, else why not: Ollama takes all."""
        return wire.takes_all(language, {})

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """`tool_choice` is not Ollama's: the model chooses."""
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        *,
        cancelled: threading.Event | None = None,
        tools: Sequence[dict[str, Any]] = (),
        **settings: Any,
    ) -> Iterator[ChatGenerationChunk]:
        """`cancelled`: once set, it ends within a tenth of a second, without an error."""
        options = {_OPTIONS.get(name, name): settings[name] for name in wire.SETTINGS if settings.get(name) is not None}
        options |= {"num_ctx": self.context} | ({"stop": stop} if stop else {})
        body = {"model": self.where.model, "messages": _messages(messages), "options": options, "truncate": False}
        body |= {"tools": list(tools)} if tools else {}
        waiting, end = Waiting(self._patience(cancelled), cancelled, "ndjson"), wire.End(self.where)
        chunks = waiting.over(self._chunks(body, waiting))
        try:
            with closing(chunks):
                for chunk in chunks:
                    if end.saw(chunk):
                        waiting.word()
                    yield chunk
            end.judge(complete=False)
        except AssistantError:
            raise
        except Trouble as trouble:
            if trouble.kind == "stopped":
                yield from end.spoiled()  # half an argument is none
                yield wire.nothing()
                return
            raise self.where.trouble(trouble, waiting.words) from trouble
        except UnicodeEncodeError as error:
            raise self.where.unsendable(error) from error
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise self.where.fault("garbled") from error

    def _generate(self, *args: Any, **kwargs: Any) -> ChatResult:
        return generate_from_stream(self._stream(*args, **kwargs))

    def _chunks(self, body: dict[str, Any], waiting: Waiting) -> Any:
        with client().stream(
            "POST", f"{self.where.address}/api/chat", json=body, headers=_headers(self.where)
        ) as answer:
            if answer.status_code >= 400:
                raise self._refusal(answer, waiting)
            calls = 0
            for line in answer.iter_lines():
                if not line.strip():
                    continue
                piece = json.loads(line)
                if error := piece.get("error"):
                    raise self.where.refusal(0, said_in(error)[0])
                yield _chunk(piece, calls)
                calls += len(piece.get("message", {}).get("tool_calls") or ())
                if piece.get("done"):
                    waiting.done = True

    def _refusal(self, answer: httpx2.Response, waiting: Waiting) -> AssistantError:
        try:
            said, code = said_in(answer.json())
        except ValueError:
            said, code = answer.text, ""
        if answer.status_code == 404 and "model" in said:
            return _not_pulled(self.where)
        return self.where.refusal(answer.status_code, said, code, waiting.retry_after)

    def _patience(self, stop: threading.Event | None) -> Patience:
        """A model in memory answers as any other; one that is not has to be loaded first."""
        quick = Patience(self.patience.connect, min(self.patience.first, 5.0), retries=self.patience.retries)
        try:
            answer = _get(self.where, "/api/ps", quick, stop)
            loaded = {_tagged(str(row.get("name", ""))) for row in answer.get("models") or ()}
        except (AssistantError, Trouble, AttributeError):
            return self.patience  # asking it for real says what is wrong
        if _tagged(self.where.model) in loaded:
            return self.patience
        now = self.patience
        return Patience(now.connect, max(now.first, self.loading), now.between, now.retries, now.retry_after)


def chat(
    model: str,
    address: str = OLLAMA,
    *,
    key: str | None = None,
    patience: Patience | None = None,
    loading: float = LOADING,
    context: int = CONTEXT,
) -> OllamaChat:
    """`address`: as OLLAMA_HOST has it ("host", "host:port", "http://host:port"), "" for this machine."""
    if not model:
        raise ForOperator(
            "The name ollama: names no model. Write it as ollama:llama3.2.",
            spanish="En ollama: falta el nombre del modelo. Escríbelo como ollama:llama3.2.",
        )
    where = Where(model, place(address), "its key", key or "")
    return OllamaChat(
        model=f"ollama:{model}", where=where, patience=patience or Patience(), loading=loading, context=context
    )


def listed(address: str = OLLAMA, *, key: str | None = None, patience: Patience | None = None) -> list[Offered]:
    """The models an Ollama has, with how much each can read and whether it calls tools."""
    where = Where("", place(address), "its key", key or "")
    answer = _get(where, "/api/tags", patience)
    rows = answer.get("models") if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        raise where.fault("garbled")
    names = [str(row.get("model") or row.get("name") or "") for row in rows if isinstance(row, dict)]
    return [shown(name, address, key=key, patience=patience) for name in names if name]


def shown(model: str, address: str = OLLAMA, *, key: str | None = None, patience: Patience | None = None) -> Offered:
    """One model, as its Ollama describes it."""
    where = Where(model, place(address), "its key", key or "")
    try:
        body = {"model": model}
        answer = wire.fetch(
            "POST", f"{where.address}/api/show", where, headers=_headers(where), body=body, patience=patience
        )
    except ForOperator as error:
        raise _not_pulled(where) if "does not exist there" in str(error) else error from None
    if not isinstance(answer, dict):
        raise where.fault("garbled")
    info = answer.get("model_info") or {}
    context = next((value for name, value in info.items() if name.endswith(".context_length")), None)
    able = answer.get("capabilities")
    return Offered(
        model,
        context if isinstance(context, int) else None,
        "tools" in able if isinstance(able, list) else None,
        str((answer.get("details") or {}).get("parameter_size") or ""),
    )


def place(address: str) -> str:
    """ "box", "box:11434", "http://box:11434/" → "http://box:11434". 0.0.0.0 is where it listens, not where it is."""
    address = address.strip().rstrip("/") or OLLAMA
    if "://" not in address:
        address = f"http://{address}"
    scheme, _, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    if not host.rpartition("]")[2].count(":") and scheme == "http":
        host = f"{host}:11434"
    return f"{scheme}://{host.replace('0.0.0.0', '127.0.0.1')}{slash}{path}"


def _get(where: Where, path: str, patience: Patience | None, stop: threading.Event | None = None) -> Any:
    return wire.fetch("GET", where.address + path, where, headers=_headers(where), patience=patience, stop=stop)


def _headers(where: Where) -> dict[str, str]:
    return {"Authorization": f"Bearer {where.secret}"} if where.secret else {}


def _tagged(name: str) -> str:
    return name if ":" in name else f"{name}:latest"


def _not_pulled(where: Where) -> ForOperator:
    return ForOperator(
        f"The model {where.model} is not in the Ollama at {where.address}. Fetch it there: ollama pull {where.model}",
        spanish=f"El modelo {where.model} no está en el Ollama de {where.address}. Descárgalo allí: "
        f"ollama pull {where.model}",
    )


def _messages(messages: Sequence[BaseMessage]) -> list[dict[str, Any]]:
    return [_message(message) for message in messages]


def _message(message: BaseMessage) -> dict[str, Any]:
    made: dict[str, Any] = {"role": _ROLES.get(message.type, "user"), "content": str(message.text)}
    if isinstance(message, AIMessage) and message.tool_calls:
        made["tool_calls"] = [
            {"id": call["id"], "function": {"name": call["name"], "arguments": call["args"]}}
            for call in message.tool_calls
        ]
    if isinstance(message, ToolMessage):
        made |= {"tool_name": message.name or "", "tool_call_id": message.tool_call_id}
    return made


def _chunk(piece: dict[str, Any], calls: int) -> ChatGenerationChunk:
    """`calls`: how many came before."""
    said = piece.get("message") or {}
    chunk = AIMessageChunk(
        content=said.get("content") or "",
        tool_call_chunks=[
            tool_call_chunk(
                name=call["function"]["name"],
                args=_arguments(call["function"].get("arguments")),
                id=call.get("id") or wire.made_up_id(),
                index=index,
            )
            for index, call in enumerate(said.get("tool_calls") or (), calls)
        ],
        additional_kwargs={"reasoning_content": said["thinking"]} if said.get("thinking") else {},
    )
    if not piece.get("done"):
        return ChatGenerationChunk(message=chunk)
    read, written = piece.get("prompt_eval_count") or 0, piece.get("eval_count") or 0
    chunk.usage_metadata = UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)
    reason = {"finish_reason": piece.get("done_reason") or "stop"}
    return ChatGenerationChunk(message=chunk, generation_info=reason)


def _arguments(given: Any) -> str:
    text = given if isinstance(given, str) else json.dumps(given or {}, ensure_ascii=False)
    return text + wire.spoil(text)
