"""In: a format's name. Out: its rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tuning.checking.limits import Provider
from tuning.checking.rows import afina, openai, sharegpt, trl, vertex
from tuning.checking.values import Note

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rules:
    provider: Provider
    row: Callable[[Row, Note], None]
    texts: Callable[[Row], tuple[list[str], list[str]]]  # what stands before the answer, and the answer
    label: str = ""  # a column of true and false of which a file needs both
    messages: bool = False  # OpenAI's chats: a few tokens go to each message besides its text


RULES: Mapping[str, Rules] = {
    "openai": Rules("openai", openai.conversation, openai.conversation_texts, messages=True),
    "openai-preference": Rules("openai", openai.preference, openai.preference_texts, messages=True),
    "prompt-completion": Rules("openai", openai.completion, openai.completion_texts),
    "vertex": Rules("vertex", vertex.conversation, vertex.conversation_texts),
    "vertex-preference": Rules("vertex", vertex.preference, vertex.preference_texts),
    "trl-messages": Rules("local", trl.messages, trl.messages_texts),
    "trl-prompt-completion": Rules("local", trl.completion, trl.completion_texts),
    "trl-preference": Rules("local", trl.preference, trl.preference_texts),
    "trl-kto": Rules("local", trl.kto, trl.completion_texts, label="label"),
    "trl-text": Rules("local", trl.plain, trl.plain_texts),
    "sharegpt": Rules("local", sharegpt.conversation, sharegpt.conversation_texts),
    "afina": Rules("local", afina.example, afina.example_texts),
}
