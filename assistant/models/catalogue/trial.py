"""In: a chat model and its name. Out: what a short talk with it shows, step by step. Stores nothing.

    {"step": "answer", "ok": true, "said": {"en": "It answers: Paris.", "es": "Responde: Paris."}}
    {"step": "speed",  "ok": true, "said": {…}, "seconds_to_first": 0.21, "tokens_per_second": 48.0}
    {"step": "tools",  "ok": false, "said": {"en": "It calls no tools: …", "es": …}}
    {"step": "done",   "ok": true, "said": {…}, "facts": {"tools": false, "streams": true, …}}

A failure is one row with one sentence, and the last one. Every sentence is there in both languages: what is kept may be
read in another one than it was asked in. Costs two short requests.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from assistant.models.asking import write
from assistant.models.inference import Inference
from assistant.sentences import speaker
from knowledge import KnowledgeError, Turn, Usage

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

Row = dict[str, Any]
Said = dict[str, str]  # language → sentence
LANGUAGES = ("en", "es")
QUESTION = {"en": "What is the capital of France? Answer in one short sentence.",
            "es": "¿Cuál es la capital de Francia? Responde con una frase corta."}  # fmt: skip
TOKENS = 256  # of the answer; one that thinks first needs some
TOKENS_HERE = 48
SCHEMA = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Add two whole numbers and return their sum.",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
            "required": ["a", "b"],
        },
    },
}

say = speaker(
    {
        "answers": ("It answers: {text}", "Responde: {text}"),
        "silent": (
            "It is there, but gave no text. Try again, or choose another model.",
            "Está ahí, pero no dio texto. Inténtalo otra vez o elige otro modelo.",
        ),
        "speed": (
            "First words after {first:.2f} s, then about {rate:.0f} tokens per second, in {pieces} pieces.",
            "Primeras palabras a los {first:.2f} s y luego unos {rate:.0f} tokens por segundo, en {pieces} trozos.",
        ),
        "at_once": (
            "It writes its answer in one piece, after {first:.2f} s.",
            "Da la respuesta de una sola vez, a los {first:.2f} s.",
        ),
        "tools": ("It calls tools.", "Usa herramientas."),
        "no_tools": (
            "It did not call the tool it was offered: the app chooses tools for it.",
            "No usó la herramienta que se le ofreció: la aplicación elige por él.",
        ),
        "never_tools": (
            "Models that run here do not call tools themselves: the app chooses tools for them.",
            "Los modelos que funcionan aquí no llaman a herramientas: la aplicación las elige por ellos.",
        ),
        "refused_tools": (
            "It refused a request with tools: {reason}",
            "Rechazó una petición con herramientas: {reason}",
        ),
        "context": ("It reads at most {context:,} tokens.", "Lee como máximo {context} tokens."),
        "done": ("It is ready to use.", "Listo para usar."),
    }
)


def trial(name: str, model: BaseChatModel, context: int | None, stop: threading.Event, language: str) -> Iterator[Row]:
    facts: Row = {"tested_at": datetime.now(UTC).isoformat(timespec="seconds"), "ok": False}
    try:
        few = Inference(max_tokens=TOKENS_HERE if getattr(model, "here", False) else TOKENS)
        pieces = list(write(model, [Turn("user", QUESTION[language])], inference=few, stop=stop))
    except KnowledgeError as error:
        yield _row("done", False, _told(error), facts=facts | {"problem": _told(error)})
        return
    if stop.is_set():
        return
    texts = [piece for piece in pieces if isinstance(piece, str)]
    usage = next(piece for piece in pieces if isinstance(piece, Usage))
    text = " ".join("".join(texts).split())
    if not text:
        yield _row("done", False, _said("silent"), facts=facts | {"problem": _said("silent")})
        return
    yield _row("answer", True, _said("answers", text=text[:200]))
    speed = _speed(usage, len(texts))
    key = "speed" if len(texts) > 1 and speed["tokens_per_second"] else "at_once"
    first, rate = usage.seconds_to_first, speed["tokens_per_second"] or 0.0
    yield _row("speed", True, _said(key, first=first, rate=rate, pieces=len(texts)), **speed)
    tools, sentence = calls_tools(model, stop)
    if stop.is_set():
        return
    yield _row("tools", tools, sentence)
    if context:
        yield _row("context", True, _said("context", context=context), context=context)
        facts["context"] = context
    yield _row("done", True, _said("done"), facts=facts | speed | {"ok": True, "tools": tools, "problem": ""})


def calls_tools(model: BaseChatModel, stop: threading.Event) -> tuple[bool, Said]:
    """Whether it called the one it was offered, and the sentence for it."""
    if getattr(model, "here", False):
        return False, _said("never_tools")
    try:
        bound: Any = model.bind_tools([SCHEMA])
        ask = "Use the add tool to add 17 and 25."
        called = False
        for chunk in bound.stream([("user", ask)]):
            called = called or any(call.get("name") == "add" for call in getattr(chunk, "tool_call_chunks", ()))
            if called or stop.is_set():
                break
    except NotImplementedError:
        return False, _said("no_tools")
    except KnowledgeError as error:
        return False, {language: say("refused_tools", language, reason=error.said(language)) for language in LANGUAGES}
    return called, _said("tools" if called else "no_tools")


def _speed(usage: Usage, pieces: int) -> Row:
    writing = usage.seconds - usage.seconds_to_first
    rate = (usage.completion_tokens - 1) / writing if writing > 0.01 and usage.completion_tokens > 1 else None
    return {
        "streams": pieces > 1,
        "seconds_to_first": round(usage.seconds_to_first, 3),
        "tokens_per_second": round(rate, 1) if rate else None,
    }


def _said(key: str, **values: object) -> Said:
    return {language: say(key, language, **values) for language in LANGUAGES}


def _told(error: KnowledgeError) -> Said:
    return {language: error.said(language) for language in LANGUAGES}


def _row(step: str, ok: bool, said: Said, **more: Any) -> Row:
    return {"step": step, "ok": ok, "said": said, **more}
