"""In: "openai:<model>" or "http://host/v1#<model>". Out: a LangChain chat model that speaks chat completions to it.

One home for the vendor: OpenAI, and every server that speaks the same (vLLM, llama.cpp, LM Studio, …). The address is
always given, so that no environment variable sends the traffic elsewhere. Waiting and sending again are those of
`patience`, the client's own are off; its errors become ours here, once. What was written before an error is yielded
before the error is raised.
"""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import closing
from typing import Any

import openai
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_openai import ChatOpenAI
from pydantic import Field, PrivateAttr, SecretStr

from assistant.errors import AssistantError, ForOperator
from assistant.models.asking import Asked
from assistant.models.remote import wire
from assistant.models.remote.faults import Trouble, Where, said_in
from assistant.models.remote.patience import THINKING, Patience, Waiting
from assistant.models.remote.sending import client
from assistant.models.remote.wire import Offered, refuses, takes_all

OPENAI = "https://api.openai.com/v1"
KEYLESS = "none"  # a key is mandatory in the client; servers without keys ignore it
THINKS = re.compile(r"(o\d|gpt-[5-9])(?!.*chat)")  # names of models that think before they write
# A server's own word where OpenAI has a closed list (a finish_reason "eos") is nothing to tell a terminal of.
warnings.filterwarnings("ignore", "Pydantic serializer warnings", UserWarning)
_SETTINGS = ("temperature", "top_p", "top_k", "seed", "stop")  # those an answer can do without


class RemoteChat(ChatOpenAI):
    """ChatOpenAI with our waiting and errors and, for servers other than OpenAI, the parameters they know."""

    hosted: bool = True  # OpenAI itself: max_completion_tokens, no top_k
    patience: Patience = Field(default_factory=Patience)
    where: Where = Field(default_factory=lambda: Where("", ""), repr=False)
    _refused: set[str] = PrivateAttr(default_factory=set)  # settings this model was found to refuse

    def options(self, asked: Asked, stop: threading.Event) -> dict[str, Any]:
        """What `write` passes on to `stream`."""
        given = wire.given(asked)
        options: dict[str, Any] = {
            name: given[name] for name in ("temperature", "top_p", "seed", "stop") if name in given
        }
        tokens = given.get("max_tokens")
        if self.hosted:
            options |= {"max_tokens": tokens} if tokens else {}
        else:  # ChatOpenAI would rename max_tokens, which older servers do not know
            extra: dict[str, Any] = {name: given[name] for name in ("max_tokens", "top_k") if name in given}
            options |= {"extra_body": extra} if extra else {}
        left_out = {name for name, reason in self.takes().items() if reason}
        return {name: value for name, value in options.items() if name not in left_out} | {"cancelled": stop}

    def takes(self, language: str = "en") -> Mapping[str, str]:
        """Setting → "" where this model takes it, else why not."""
        refused = dict.fromkeys(self._refused, "refused")
        if self.hosted:
            refused |= {"top_k": "openai_top_k"}
            if THINKS.match(self.model_name):
                refused |= dict.fromkeys(("temperature", "top_p", "stop"), "thinks")
        return takes_all(language, refused)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        *,
        cancelled: threading.Event | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        """`cancelled`: once set, it ends within a tenth of a second, without an error."""
        for _ in _SETTINGS:
            try:
                yield from self._written(messages, stop, run_manager, cancelled, **self._without(kwargs))
                return
            except _Refused as refused:  # before any work was done: nothing is paid twice
                self._refused |= refused.settings
                stop = None if "stop" in self._refused else stop

    def _written(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None,
        run_manager: CallbackManagerForLLMRun | None,
        cancelled: threading.Event | None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        waiting, end = Waiting(self.patience, cancelled, "text/event-stream"), wire.End(self.where)
        chunks = waiting.over(_generator(super()._stream(messages, stop, run_manager, **kwargs)))
        try:
            with closing(chunks):
                for chunk in chunks:
                    if end.saw(chunk):
                        waiting.word()
                    yield chunk
            yield from end.spoiled()
            end.judge(complete=waiting.done)
        except AssistantError:
            raise
        except Exception as error:
            if isinstance(error, Trouble) and error.kind == "stopped":
                yield from end.spoiled()  # half an argument is none
                yield wire.nothing()
                return
            if not waiting.words and (settings := _refused_settings(error, kwargs, stop)):
                raise _Refused(settings) from error
            raise self._ours(error, waiting) from error

    def _without(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        kept = {name: value for name, value in kwargs.items() if name not in self._refused}
        if extra := kept.get("extra_body"):
            kept["extra_body"] = {name: value for name, value in extra.items() if name not in self._refused}
        return kept

    def _generate(self, *args: Any, **kwargs: Any) -> ChatResult:
        """Streamed underneath: the deadline is for the first word, not for the whole answer."""
        return generate_from_stream(self._stream(*args, **kwargs))

    async def _agenerate(self, *args: Any, **kwargs: Any) -> ChatResult:
        return await BaseChatModel._agenerate(self, *args, **kwargs)

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        async for chunk in BaseChatModel._astream(self, *args, **kwargs):
            yield chunk

    def _convert_chunk_to_generation_chunk(
        self, chunk: dict[str, Any], default_chunk_class: type, base_generation_info: dict[str, Any] | None
    ) -> ChatGenerationChunk | None:
        delta = ((chunk.get("choices") or [{}])[0] or {}).get("delta") or {}
        for call in delta.get("tool_calls") or []:
            call.setdefault("index", None)  # some servers send whole calls without one; LangChain would drop them
            call.setdefault("id", None)
            function = call.setdefault("function", {})
            function["arguments"] = function.get("arguments") or ""
            if call["index"] is None:  # whole, nothing of it follows
                call["id"] = call["id"] or wire.made_up_id()
                function["arguments"] += wire.spoil(function["arguments"])
            function.setdefault("name", None)
        made = super()._convert_chunk_to_generation_chunk(chunk, default_chunk_class, base_generation_info)
        if made is not None and (thought := delta.get("reasoning_content") or delta.get("reasoning")):
            made.message.additional_kwargs["reasoning_content"] = thought  # a sign of life, and not the answer
        return made

    def _ours(self, error: Exception, waiting: Waiting) -> AssistantError:
        match error:
            case Trouble():
                return self.where.trouble(error, waiting.words)
            case openai.APIStatusError():
                said, code = said_in(error.body if error.body is not None else error.response.text)
                return self.where.refusal(error.status_code, said, code, waiting.retry_after)
            case openai.APITimeoutError() | openai.APIConnectionError():
                return self.where.fault("hung_up")
            case openai.APIError():
                said, code = said_in(error.body or error.message)
                return self.where.refusal(_status(code), said, code)
            case UnicodeEncodeError():
                return self.where.unsendable(error)
            case ValueError() | LookupError() | TypeError() | AttributeError():
                return self.where.fault("garbled")
            case _:
                raise error


class _Refused(Exception):  # noqa: N818
    def __init__(self, settings: set[str]) -> None:
        super().__init__(settings)
        self.settings = settings


def hosted(model: str, key: str | None, *, address: str = OPENAI, patience: Patience | None = None) -> RemoteChat:
    if not key:
        raise ForOperator(
            f"The model openai:{model} needs a key. Set OPENAI_API_KEY, enter it on the models page, or choose a local "
            "model.",
            spanish=f"El modelo openai:{model} necesita una clave. Define OPENAI_API_KEY, escríbela en la página de "
            "modelos o elige un modelo local.",
        )
    patience = patience or (THINKING if THINKS.match(model) else Patience())
    return _chat(model, Where(model, address, "OPENAI_API_KEY", key), hosted=True, patience=patience)


def served(address: str, key: str | None, *, patience: Patience | None = None) -> RemoteChat:
    url, _, model = address.partition("#")
    if not model:
        raise ForOperator(
            f"The model {address} names no model. Write it as http://host/v1#model.",
            spanish=f"En {address} falta el nombre del modelo. Escríbelo como http://host/v1#modelo.",
        )
    return _chat(model, Where(model, url, "its key", key or ""), hosted=False, patience=patience or Patience())


def listed(address: str, key: str | None = None, *, patience: Patience | None = None) -> list[Offered]:
    """The models at an address that speaks chat completions, with what the server says of each."""
    url = address.partition("#")[0].rstrip("/")
    where = Where("", url, "its key", key or "")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    body = wire.fetch("GET", f"{url}/models", where, headers=headers, patience=patience)
    rows = body.get("data") if isinstance(body, dict) else body
    if not isinstance(rows, list):
        raise where.fault("garbled")
    return [_offered(row) for row in rows if isinstance(row, dict) and row.get("id")]


def _offered(row: dict[str, Any]) -> Offered:
    meta: dict[str, Any] = row["meta"] if isinstance(row.get("meta"), dict) else {}
    places = (  # vLLM, OpenRouter, Mistral and LM Studio, llama.cpp
        row.get("max_model_len"), row.get("context_length"), row.get("max_context_length"),
        meta.get("n_ctx"), meta.get("n_ctx_train"),
    )  # fmt: skip
    context = next((value for value in places if isinstance(value, int) and value > 0), None)
    tools: bool | None = None
    if isinstance(row.get("supported_parameters"), list):
        tools = "tools" in row["supported_parameters"]
    elif isinstance(row.get("capabilities"), dict):
        tools = row["capabilities"].get("function_calling")
    return Offered(str(row["id"]), context, tools)


def _chat(model: str, where: Where, *, hosted: bool, patience: Patience) -> RemoteChat:
    return RemoteChat(
        model=model,
        base_url=where.address,
        api_key=SecretStr(where.secret or KEYLESS),
        hosted=hosted,
        where=where,
        patience=patience,
        use_responses_api=False,  # else some names silently switch to another endpoint that servers lack
        stream_usage=True,  # off by default beside a base_url
        http_client=client(),
        max_retries=0,
    )


def _generator(items: Iterator[ChatGenerationChunk]) -> Any:
    return items


def _refused_settings(error: Exception, kwargs: dict[str, Any], stop: list[str] | None) -> set[str]:
    """Settings of this request that the server says it does not take: by name, in a refusal."""
    if not isinstance(error, openai.BadRequestError | openai.UnprocessableEntityError):
        return set()
    sent = {*kwargs, *(kwargs.get("extra_body") or {}), *(["stop"] if stop else [])}
    said = f"{error.param} {error.body}"
    return {name for name in _SETTINGS if name in sent and refuses(said, name)}


def _status(code: str) -> int:
    """Of an error inside a stream, which has no status of its own: some servers put one in its code."""
    if code.isdigit():
        return int(code)
    return {"rate_limit_exceeded": 429, "invalid_request_error": 400, "BadRequestError": 400}.get(code, 500)
