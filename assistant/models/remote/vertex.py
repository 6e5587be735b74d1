"""In: "vertex:<model>", a key or a project. Out: a LangChain chat model that asks Gemini, on Vertex AI or by its own
API.

The one home of google-genai, wrapped here because the ready-made wrapper of LangChain does not work with version 3. Its
waiting, sending again and errors are ours, as everywhere. With a Gemini API key it is Gemini's own API. Else it is
Vertex AI in a project, by an access token, or without one by the credentials that Google's tools left on this machine.
A tuned model is named by its endpoint: vertex:projects/p/locations/l/endpoints/9.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from google import genai
from google.auth.exceptions import GoogleAuthError, TransportError
from google.genai import errors, types
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict, Field, PrivateAttr

from assistant.errors import AssistantError, ForOperator
from assistant.models.asking import Asked
from assistant.models.remote import wire
from assistant.models.remote.faults import Trouble, Where, said_in
from assistant.models.remote.patience import THINKING, Patience, Waiting
from assistant.models.remote.sending import client

GEMINI = "https://generativelanguage.googleapis.com"
TOKEN = "ya29."  # how an access token begins; any other key is one of the Gemini API
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
# Gemini refuses a tool's result without the signature it put on the call; it travels on the message, by the call's id.
SIGNATURES = "gemini_signatures"
_NAMES = {"max_tokens": "max_output_tokens", "stop": "stop_sequences"}  # ours → Gemini's; the others have one name
_OPTIONAL = ("temperature", "top_k", "top_p", "seed")
_CALLS = ("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MALFORMED_RESPONSE", "TOO_MANY_TOOL_CALLS", "OTHER")


class GeminiChat(BaseChatModel):
    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    model: str  # the name it goes by: "vertex:gemini-3.5-flash"
    where: Where = Field(repr=False)
    google: Callable[[], genai.Client] = Field(repr=False)  # made when first asked: credentials may take a while
    patience: Patience = THINKING
    _client: genai.Client | None = PrivateAttr(default=None)
    _lock: threading.Lock = PrivateAttr(default_factory=threading.Lock)
    _refused: set[str] = PrivateAttr(default_factory=set)  # settings this model was found to refuse

    @property
    def _llm_type(self) -> str:
        return "afina-gemini"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.model}

    def options(self, asked: Asked, stop: threading.Event) -> dict[str, Any]:
        """What `write` passes on to `stream`."""
        return {**wire.given(asked), "cancelled": stop}

    def takes(self, language: str = "en") -> Mapping[str, str]:
        """Setting → "" where this model takes it, else why not: from Gemini 3.6 on some refuse some."""
        return wire.takes_all(language, dict.fromkeys(self._refused, "refused"))

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], tool_choice=tool_choice, **kwargs)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        *,
        cancelled: threading.Event | None = None,
        tools: Sequence[dict[str, Any]] = (),
        tool_choice: str | None = None,
        **settings: Any,
    ) -> Iterator[ChatGenerationChunk]:
        """`cancelled`: once set, it ends within a tenth of a second, without an error."""
        said = {name: settings[name] for name in wire.SETTINGS if settings.get(name) is not None}
        said |= {"stop": stop} if stop else {}
        system, contents = _contents(messages)
        for _ in range(len(_OPTIONAL) + 1):
            config = _config({name: said[name] for name in said.keys() - self._refused}, system, tools, tool_choice)
            waiting = Waiting(self.patience, cancelled, "text/event-stream")
            try:
                yield from self._written(contents, config, waiting)
                return
            except errors.APIError as error:
                refused = {name for name in _OPTIONAL if name in said and _speaks_of(error, name)} - self._refused
                if waiting.words or error.code != 400 or not refused:
                    raise self._ours(error, waiting) from error
                self._refused |= refused  # refused before any work was done: asked again without it

    def _generate(self, *args: Any, **kwargs: Any) -> ChatResult:
        return generate_from_stream(self._stream(*args, **kwargs))

    def _written(
        self, contents: list[types.Content], config: types.GenerateContentConfig, waiting: Waiting
    ) -> Iterator[ChatGenerationChunk]:
        end, chunks = wire.End(self.where), waiting.over(self._chunks(contents, config))
        try:
            with closing(chunks):
                for chunk in chunks:
                    if end.saw(chunk):
                        waiting.word()
                    yield chunk
            end.judge(complete=False)
        except (AssistantError, errors.APIError):
            raise
        except Trouble as trouble:
            if trouble.kind == "stopped":
                yield from end.spoiled()  # half an argument is none
                yield wire.nothing()
                return
            raise self.where.trouble(trouble, waiting.words) from trouble
        except TransportError as error:  # of the credentials' own server
            raise self.where.fault("unreachable", reason="Google's sign-in did not answer") from error
        except UnicodeEncodeError as error:
            raise self.where.unsendable(error) from error
        except GoogleAuthError as error:
            raise self.where.fault("key") from error
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise self.where.fault("garbled") from error

    def _chunks(self, contents: list[types.Content], config: types.GenerateContentConfig) -> Any:
        pieces = self._google().models.generate_content_stream(model=self.where.model, contents=contents, config=config)
        calls, usage = 0, None
        for piece in pieces:
            usage = piece.usage_metadata or usage
            if piece.prompt_feedback and piece.prompt_feedback.block_reason:
                raise self.where.fault("filtered")
            chunk = _chunk(piece, calls)
            calls += len(chunk.message.tool_call_chunks)  # type: ignore[attr-defined]
            reason = (chunk.generation_info or {}).get("finish_reason")
            if reason == "failed":
                said = str((piece.candidates or [types.Candidate()])[0].finish_message or "it stopped without a reason")
                raise self.where.fault("failed", said=said.rstrip(".") + ".")
            yield chunk
        if usage:  # each piece tells the sum so far: only the last one counts
            yield ChatGenerationChunk(message=AIMessageChunk(content="", usage_metadata=_usage(usage)))

    def _google(self) -> genai.Client:
        with self._lock:
            if self._client is None:
                self._client = self.google()
            return self._client

    def _ours(self, error: errors.APIError, waiting: Waiting) -> AssistantError:
        said, code = said_in(error.details)
        if "API_KEY_INVALID" in str(error.details) or "API key not valid" in said:
            return self.where.fault("key")
        return self.where.refusal(error.code or 0, said, code, waiting.retry_after)


def chat(
    model: str,
    key: str | None = None,
    *,
    project: str = "",
    location: str = "",
    address: str = "",
    credentials: Any = None,
    patience: Patience = THINKING,
) -> GeminiChat:
    """`credentials`: google.auth's, for whoever has them already; `address`: another than Google's."""
    if not model or not (key or project or credentials):
        raise ForOperator(
            f"The model vertex:{model} needs a key or a project. Set GEMINI_API_KEY, or AFINA_VERTEX_PROJECT and "
            "`gcloud auth application-default login`, or choose a local model.",
            spanish=f"El modelo vertex:{model} necesita una clave o un proyecto. Define GEMINI_API_KEY, o "
            "AFINA_VERTEX_PROJECT y `gcloud auth application-default login`, o elige un modelo local.",
        )
    location = location or "global"
    vertex = bool(project or credentials) and (not key or key.startswith(TOKEN))
    home = f"https://{'' if location == 'global' else location + '-'}aiplatform.googleapis.com" if vertex else GEMINI
    address = (address or home).rstrip("/")
    where = Where(model, address, "its Google credentials" if vertex else "GEMINI_API_KEY", key or "")

    def google() -> genai.Client:
        options = types.HttpOptions(
            base_url=f"{address}/",
            api_version="v1beta1" if vertex else "v1beta",
            httpx_client=client(),
            retry_options=types.HttpRetryOptions(attempts=1),
        )
        if not vertex:
            return genai.Client(vertexai=False, api_key=key, http_options=options)
        found = credentials or _credentials(where, key)
        return genai.Client(vertexai=True, project=project, location=location, credentials=found, http_options=options)

    return GeminiChat(model=f"vertex:{model}", where=where, google=google, patience=patience)


def _credentials(where: Where, token: str | None) -> Any:
    if token:
        from google.oauth2.credentials import Credentials

        return Credentials(token)  # type: ignore[no-untyped-call]
    import google.auth

    try:
        return google.auth.default(scopes=[SCOPE])[0]
    except GoogleAuthError as error:
        raise ForOperator(
            f"The model {where.model} needs Google credentials, and none were found. Run `gcloud auth "
            "application-default login`, or enter an access token on the models page.",
            spanish=f"El modelo {where.model} necesita credenciales de Google y no se encontraron. Ejecuta `gcloud "
            "auth application-default login` o escribe un token de acceso en la página de modelos.",
        ) from error


# ── LangChain's messages as Gemini's, and back ───────────────────────────────────────────────────────────────────────


def _contents(messages: Sequence[BaseMessage]) -> tuple[str, list[types.Content]]:
    """The system's words apart; results of calls made together in one turn, as Gemini wants them."""
    system = "\n\n".join(str(message.text) for message in messages if message.type == "system")
    contents: list[types.Content] = []
    names: dict[str, str] = {}
    for message in messages:
        if message.type == "system":
            continue
        if isinstance(message, AIMessage):
            names |= {str(call["id"]): call["name"] for call in message.tool_calls}
        role = "model" if message.type == "ai" else "user"
        parts = _parts(message, names)
        before = contents[-1].parts if contents else None
        together = isinstance(message, ToolMessage) and before and before[-1].function_response
        if together and before is not None:
            before.extend(parts)
        elif parts:
            contents.append(types.Content(role=role, parts=parts))
    return system, contents


def _parts(message: BaseMessage, names: Mapping[str, str]) -> list[types.Part]:
    text = str(message.text)
    if isinstance(message, ToolMessage):
        name = message.name or names.get(message.tool_call_id, "tool")
        result = types.FunctionResponse(id=_id(message.tool_call_id), name=name, response={"result": text})
        return [types.Part(function_response=result)]
    parts = [types.Part(text=text)] if text else []
    if isinstance(message, AIMessage):
        signatures = message.additional_kwargs.get(SIGNATURES, {})
        for call in message.tool_calls:
            made = types.FunctionCall(id=_id(call["id"]), name=call["name"], args=call["args"])
            signature = signatures.get(str(call["id"]))
            parts.append(
                types.Part(function_call=made, thought_signature=base64.b64decode(signature) if signature else None)
            )
    return parts


def _id(call: str | None) -> str | None:
    """Only those that came from Gemini."""
    return None if wire.is_made_up(call) else call


def _config(
    said: Mapping[str, Any], system: str, tools: Sequence[dict[str, Any]], choice: str | None
) -> types.GenerateContentConfig:
    given: dict[str, Any] = {_NAMES.get(name, name): value for name, value in said.items()}
    if "top_k" in given:
        given["top_k"] = float(given["top_k"])
    if tools:
        given["tools"] = [types.Tool(function_declarations=[_declared(tool["function"]) for tool in tools])]
        given["automatic_function_calling"] = types.AutomaticFunctionCallingConfig(disable=True)
    if tools and choice and choice != "auto":
        one = choice not in ("any", "required", "none")
        calling = types.FunctionCallingConfig(
            mode=types.FunctionCallingConfigMode("NONE" if choice == "none" else "ANY"),
            allowed_function_names=[choice] if one else None,
        )
        given["tool_config"] = types.ToolConfig(function_calling_config=calling)
    return types.GenerateContentConfig(system_instruction=system or None, **given)


def _declared(function: Mapping[str, Any]) -> types.FunctionDeclaration:
    schema = function.get("parameters") or None
    if schema and not schema.get("properties"):
        schema = None  # Gemini refuses an object without properties
    return types.FunctionDeclaration(
        name=function["name"], description=function.get("description") or "", parameters_json_schema=schema
    )


def _chunk(piece: types.GenerateContentResponse, calls: int) -> ChatGenerationChunk:
    """`calls`: how many came before; older models give none an id."""
    candidate = (piece.candidates or [types.Candidate()])[0]
    text, thought, made, signatures = "", "", list[ToolCallChunk](), dict[str, str]()
    for part in (candidate.content and candidate.content.parts) or ():
        if part.function_call:
            call = part.function_call
            index = calls + len(made)
            name = call.id or wire.made_up_id()
            arguments = json.dumps(call.args or {}, ensure_ascii=False)
            made.append(tool_call_chunk(name=call.name, args=arguments, id=name, index=index))
            if part.thought_signature:
                signatures[name] = base64.b64encode(part.thought_signature).decode()
        elif part.text and part.thought:
            thought += part.text
        elif part.text:
            text += part.text
    extra: dict[str, Any] = {"reasoning_content": thought} if thought else {}
    extra |= {SIGNATURES: signatures} if signatures else {}
    reason = _reason(candidate, bool(made or calls))
    return ChatGenerationChunk(
        message=AIMessageChunk(content=text, tool_call_chunks=made, additional_kwargs=extra),
        generation_info={"finish_reason": reason} if reason else None,
    )


def _reason(candidate: types.Candidate, calls: bool) -> str:
    """Gemini's reason in the words the others use."""
    name = candidate.finish_reason.name if candidate.finish_reason else ""
    match name:
        case "" | "FINISH_REASON_UNSPECIFIED":
            return ""
        case "STOP":
            return "tool_calls" if calls else "stop"
        case "MAX_TOKENS":
            return "length"
        case _ if name in _CALLS:
            return "failed"
        case _:  # SAFETY, RECITATION, BLOCKLIST, PROHIBITED_CONTENT, SPII, LANGUAGE, MODEL_ARMOR, …
            return "content_filter"


def _usage(counted: types.GenerateContentResponseUsageMetadata) -> UsageMetadata:
    read = (counted.prompt_token_count or 0) + (counted.tool_use_prompt_token_count or 0)
    written = (counted.candidates_token_count or 0) + (counted.thoughts_token_count or 0)
    return UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)


def _speaks_of(error: errors.APIError, name: str) -> bool:
    """Gemini writes `topK` or `top_k`."""
    head, *rest = name.split("_")
    return any(wire.refuses(str(error.details), spelt) for spelt in (name, head + "".join(map(str.title, rest))))
