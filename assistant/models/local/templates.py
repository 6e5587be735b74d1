"""In: turns, a chat template (Jinja). Out: the one string the model reads. Knows nothing of weights.

The template is run in transformers' sandbox: it sees the messages and nothing else of this machine. Marks that a text
could use to end its turn (the tokenizer's special tokens, and what the template itself writes between turns) are broken
up inside the texts: "<|im_end|>" → "< |im_end|>".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from assistant.errors import ForOperator
from knowledge import Turn

# Of a template that writes its marks as plain text, or makes them of a role's name:
# <|user|>, <start_of_turn>, [INST], <<SYS>>, ### Instruction:
_WRITTEN = re.compile(r"<\|[^|<>]{1,40}\|>|<<?/?[A-Za-z_]{2,40}>>?|\[/?[A-Z_]{2,40}\]|#{2,4} ?[A-Z][A-Za-z]{2,20}:")


def marks(template: str, special: Collection[str] = ()) -> tuple[str, ...]:
    """The longest first: none must be broken by the breaking of another."""
    found = {mark for mark in special if len(mark) > 1 and not mark.isspace()} | set(_WRITTEN.findall(template))
    return tuple(sorted(found, key=len, reverse=True))


@lru_cache(maxsize=64)
def _shown(template: str, names: tuple[tuple[str, str], ...]) -> str:
    """What the template writes around texts: "<|{{ message.role }}|>" is a mark only when it is run."""
    for roles in (("system", "user", "assistant", "user"), ("user", "assistant", "user")):
        try:
            return _rendered([Turn(role, "-") for role in roles], template, dict(names))
        except Exception:  # the conversation itself will say what is wrong
            continue
    return ""


def plain(text: str, found: Collection[str]) -> str:
    for mark in found:
        text = text.replace(mark, f"{mark[0]} {mark[1:]}")
    return text


def rendered(
    turns: Sequence[Turn], template: str, special: Collection[str] = (), names: Mapping[str, str] | None = None
) -> str:
    """`names`: what a template may speak of, {"bos_token": "<s>", …}. ForOperator where it does not fit a chat."""
    known = names or {}
    found = all_marks(template, special, known)
    turns = [replace(turn, text=plain(turn.text, found)) for turn in turns]
    tries = [turns, _folded(turns)] if turns and turns[0].role == "system" else [turns]
    reason = ""
    for attempt in tries:  # Gemma's and Mistral's first have no role for the system's words
        try:
            return _rendered(attempt, template, known)
        except Exception as error:  # whatever a template raises
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    raise ForOperator(
        f"The model's chat template cannot write this conversation ({reason}). Choose another template or model.",
        spanish=f"La plantilla de chat del modelo no puede escribir esta conversación ({reason}). Elige otra "
        "plantilla u otro modelo.",
    )


def all_marks(template: str, special: Collection[str] = (), names: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """What is broken up inside a text for this template."""
    return marks(template + _shown(template, tuple(sorted((names or {}).items()))), special)


def render(
    messages: Sequence[Mapping[str, Any]], template: str, names: Mapping[str, str], *,
    tools: Sequence[Mapping[str, Any]] = (), asking: bool = True,
) -> str:  # fmt: skip
    """Messages as a template takes them, texts as they are. `asking`: with the head of the answer that is to come.
    Raises whatever a template raises."""
    from transformers.utils.chat_template_utils import render_jinja_template

    texts, _ = render_jinja_template(
        conversations=[list(messages)], tools=list(tools) or None, chat_template=template,
        add_generation_prompt=asking, **names,
    )  # fmt: skip
    return str(texts[0])


def _rendered(turns: Sequence[Turn], template: str, names: Mapping[str, str]) -> str:
    return render([{"role": turn.role, "content": turn.text} for turn in turns], template, names)


def _folded(turns: Sequence[Turn]) -> list[Turn]:
    """The system's words at the head of the first question."""
    system, first, *rest = [*turns, Turn("user", "")] if len(turns) == 1 else turns
    return [replace(first, text=f"{system.text}\n\n{first.text}"), *rest]
