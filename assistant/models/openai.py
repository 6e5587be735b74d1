"""In: "openai:<model>" or "http://host/v1#<model>". Out: a LangChain chat model that speaks chat completions to it.

One home for the vendor: OpenAI, and every server that speaks the same (vLLM, llama.cpp, LM Studio, Ollama). Its errors
become ours here, once. The address is always given, so that no environment variable sends the traffic elsewhere.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import openai
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from assistant.errors import AssistantError, ForOperator, ForPerson, TryAgain
from assistant.models.asking import Asked

OPENAI = "https://api.openai.com/v1"
TIMEOUT = 60.0  # seconds without a byte
KEYLESS = "none"  # a key is mandatory in the client; servers without keys ignore it


class RemoteChat(ChatOpenAI):
    """ChatOpenAI with our errors and, for servers other than OpenAI, the parameters they know."""

    hosted: bool = True  # OpenAI itself: max_completion_tokens, no top_k

    def options(self, asked: Asked, stop: threading.Event) -> dict[str, Any]:
        options: dict[str, Any] = {"temperature": asked.temperature}
        for name, value in (("top_p", asked.top_p), ("seed", asked.seed)):
            if value is not None:
                options[name] = value
        if self.hosted:
            return options | {"max_tokens": asked.max_tokens}
        extra = {"max_tokens": asked.max_tokens} | ({"top_k": asked.top_k} if asked.top_k else {})
        return options | {"extra_body": extra}

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        try:
            yield from super()._stream(*args, **kwargs)
        except openai.OpenAIError as error:
            raise self._ours(error) from error

    def _generate(self, *args: Any, **kwargs: Any) -> ChatResult:
        try:
            return super()._generate(*args, **kwargs)
        except openai.OpenAIError as error:
            raise self._ours(error) from error

    def _ours(self, error: openai.OpenAIError) -> AssistantError:
        where = f"The model {self.model_name} at {self.openai_api_base}"
        match error:
            case openai.AuthenticationError() | openai.PermissionDeniedError():
                return ForOperator(f"{where} refused the key. Check OPENAI_API_KEY and what it may use.")
            case openai.NotFoundError():
                return ForOperator(f"{where} does not exist there. Check the address and the model's name.")
            case openai.RateLimitError():
                return TryAgain(f"{where} is over its limit. Wait a moment, or check the account's quota.")
            case openai.BadRequestError() | openai.UnprocessableEntityError():
                return ForPerson(f"{where} refused the request: {_said(error)}")
            case openai.APITimeoutError():
                return TryAgain(f"{where} did not answer within {TIMEOUT:.0f} seconds. Try again.")
            case openai.APIConnectionError():
                return ForOperator(f"{where} cannot be reached. Check the address and that the server runs.")
            case _:
                return TryAgain(f"{where} failed: {_said(error)} Try again.")


def hosted(model: str, key: str | None) -> RemoteChat:
    if not key:
        raise ForOperator(f"The model openai:{model} needs a key. Set OPENAI_API_KEY, or choose a local model.")
    return _chat(model, OPENAI, key, hosted=True)


def served(address: str, key: str | None) -> RemoteChat:
    url, _, model = address.partition("#")
    if not model:
        raise ForOperator(f"The model {address} names no model. Write it as http://host/v1#model.")
    return _chat(model, url, key or KEYLESS, hosted=False)


def _chat(model: str, url: str, key: str, *, hosted: bool) -> RemoteChat:
    return RemoteChat(
        model=model,
        base_url=url,
        api_key=SecretStr(key),
        hosted=hosted,
        use_responses_api=False,  # else some names silently switch to another endpoint that servers lack
        stream_usage=True,  # off by default beside a base_url
        timeout=TIMEOUT,
        max_retries=1,
    )


def _said(error: Exception) -> str:
    """The server's own sentence, at most a line of it."""
    body = getattr(error, "body", None)
    message = body.get("message") if isinstance(body, dict) else None
    return (str(message or error).strip().splitlines() or ["no reason given"])[0][:300].rstrip(".") + "."
