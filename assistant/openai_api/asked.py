"""In: the body of a request for a chat completion. Out: Asked: what is honoured of it, and the names of what is not.

Fault where the answer could not be what was asked for. Knows nothing of personas or agents.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from assistant.models.inference import MAX_TOKENS, Inference
from assistant.openai_api.faults import Fault
from knowledge import Turn

_READ = {"model", "messages", "stream", "stream_options", "n"}
_SETTINGS = {"temperature", "top_p", "top_k", "seed", "stop", "max_tokens", "max_completion_tokens"}
_REFUSED = {  # param → the values that ask for nothing special
    "response_format": ({"type": "text"},),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "tool_choice": ("auto", "none"),
    "function_call": ("auto", "none"),
    "modalities": (["text"],),
    "audio": (),
    "prediction": (),
}


@dataclass(frozen=True, slots=True)
class Asked:
    model: str
    question: str
    history: tuple[Turn, ...]  # oldest first; a system message is the person's first words
    settings: Inference
    stream: bool
    include_usage: bool
    ignored: tuple[str, ...]  # names of what has no effect


def read(body: bytes) -> Asked:
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise Fault(400, "json")
    _refuse_half_characters(given)
    given = {name: value for name, value in given.items() if value is not None}
    model = given.get("model")
    if not isinstance(model, str) or not model:
        raise Fault(
            400,
            "value",
            param="model",
            problem="the name of a persona is needed",
            problema="hace falta el nombre de un personaje",
        )
    if given.get("n", 1) != 1 or given.get("n") is True:
        raise Fault(400, "one", param="n")
    for name, plain in _REFUSED.items():
        if name in given and given[name] not in plain:
            raise Fault(400, "unsupported", param=name)
    question, history = _messages(given.get("messages"))
    ignored = sorted(given.keys() - _READ - _SETTINGS - _REFUSED.keys())
    options = given.get("stream_options")
    usage = isinstance(options, dict) and options.get("include_usage") is True
    return Asked(model, question, history, _settings(given), _flag(given, "stream"), usage, tuple(ignored))


def _refuse_half_characters(given: dict[str, Any]) -> None:
    """No text of it could be sent on, stored or said back."""
    try:
        json.dumps(given, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Fault(400, "half") from None
    except RecursionError:
        raise Fault(400, "json") from None


def _flag(given: Mapping[str, Any], name: str) -> bool:
    value = given.get(name, False)
    if not isinstance(value, bool):
        raise Fault(400, "value", param=name, problem="true or false", problema="true o false")
    return value


def _settings(given: Mapping[str, Any]) -> Inference:
    values = {name: given[name] for name in ("temperature", "top_p", "top_k", "seed") if name in given}
    most = given.get("max_completion_tokens", given.get("max_tokens"))
    if most is not None:  # "at most": a larger number than is possible allows what is possible
        values["max_tokens"] = min(most, MAX_TOKENS) if isinstance(most, int) and most is not True else most
    if "stop" in given:
        values["stop"] = (given["stop"],) if isinstance(given["stop"], str) else given["stop"]
    # true is no number, though Python takes it for 1
    plain: dict[str, Any] = {name: str(one) if isinstance(one, bool) else one for name, one in values.items()}
    try:
        return Inference(**plain)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        limits = [value for name, value in problem.get("ctx", {}).items() if name in _LIMITS]
        english, spanish = (said.format(*limits) for said in _PROBLEMS.get(problem["type"], _PROBLEMS[""]))
        raise Fault(400, "value", param=str(problem["loc"][0]), problem=english, problema=spanish) from None


_LIMITS = ("ge", "gt", "le", "max_length", "min_length")
_WHOLE = ("a whole number is needed", "hace falta un número entero")
_TEXTS = ("a text is needed, or a list of texts", "hace falta un texto o una lista de textos")
_NUMBER = ("a number is needed", "hace falta un número")
_MOST, _LEAST = ("{:g} at most", "{:g} como máximo"), ("{:g} at least", "{:g} como mínimo")
_PROBLEMS: dict[str, tuple[str, str]] = {
    "greater_than_equal": _LEAST, "greater_than": ("more than {:g}", "más de {:g}"), "less_than_equal": _MOST,
    "too_long": _MOST, "string_too_long": ("{} characters at most", "{} caracteres como máximo"),
    "string_too_short": ("a text that is not empty is needed", "hace falta un texto que no esté vacío"),
    "int_type": _WHOLE, "int_parsing": _WHOLE, "int_from_float": _WHOLE, "float_type": _NUMBER,
    "float_parsing": _NUMBER, "finite_number": _NUMBER, "string_type": _TEXTS, "tuple_type": _TEXTS,
    "": ("this value cannot be used", "este valor no sirve"),
}  # fmt: skip


def _messages(messages: object) -> tuple[str, tuple[Turn, ...]]:
    if not isinstance(messages, list) or not messages or not all(isinstance(one, dict) for one in messages):
        raise Fault(400, "no_messages", param="messages")
    told: list[str] = []
    turns: list[Turn] = []
    for one in messages:
        role, text = one.get("role"), _text(one)
        if role in ("system", "developer"):
            told.append(text)
        elif role in ("user", "assistant"):
            turns.append(Turn(role, text))
        else:
            raise Fault(400, "role", param="messages", role=str(role)[:40])
    if not turns or turns[-1].role != "user" or not turns[-1].text.strip():
        raise Fault(400, "no_messages", param="messages")
    *history, question = turns
    instructions = "\n\n".join(text for text in told if text.strip())
    if instructions and history and history[0].role == "user":  # some chat templates want the roles to alternate
        history[0] = Turn("user", f"{instructions}\n\n{history[0].text}")
    elif instructions:
        history.insert(0, Turn("user", instructions))
    return question.text, tuple(history)


def _text(message: Mapping[str, Any]) -> str:
    """Of a text, or of parts that are all text."""
    if message.get("tool_calls") or message.get("function_call"):
        raise Fault(400, "part", param="messages", kind="tool_calls")
    content = message.get("content")
    if isinstance(content, str) or content is None:
        return content or ""
    if not isinstance(content, list):
        raise Fault(400, "part", param="messages", kind=type(content).__name__)
    texts = []
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        text = part.get("text" if kind == "text" else "refusal") if kind in ("text", "refusal") else None
        if not isinstance(text, str):
            raise Fault(400, "part", param="messages", kind=str(kind)[:40])
        texts.append(text)
    return "\n".join(texts)
