"""In: turns, a template. Out: segments, what the template writes and what was said; joined, the rendered text.

A Jinja template is run twice, once with the words and once with a mark in the place of each text: what stands between
the marks is the template's. Where a template changes what it is given (trims it, moves it), the texts are looked for in
order; what is not found there is the template's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from assistant.errors import ForOperator
from assistant.models.local.engine import SYSTEM
from assistant.models.local.templates import all_marks, plain, render
from tuning.counting.tokens import Template
from tuning.values import Call, Role, Turn

_HELD = re.compile("\ue000(\\d+)\ue001")  # of a private area: no text of a person holds it
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Segment:
    text: str
    turn: int | None  # the turn it is of; None: the template's alone
    role: str
    learn: bool
    template: bool
    mark: bool = False  # one token, whose number is not published


def written(turns: Sequence[Turn], tools: Sequence[Mapping[str, Any]], template: Template) -> list[Segment]:
    """ForOperator where a Jinja template cannot write this."""
    match template.kind:
        case "chatml":
            return list(_chatml(turns, template))
        case "jinja":
            return _jinja(turns, tools, template)
        case "counted":
            return list(_counted(turns))
        case "lines":
            return list(_lines(turns, template))
        case "bare":
            return [_said(at, turn, said(turn)) for at, turn in enumerate(turns)]


def said(turn: Turn) -> str:
    """A turn's words, and the tools it asked for as small models are taught to write them."""
    return "\n".join([*([turn.text] if turn.text else []), *(_call(call) for call in turn.calls)])


def _call(call: Call) -> str:
    asked = json.dumps({"name": call.name, "arguments": _arguments(call)}, ensure_ascii=False)
    return f"<tool_call>\n{asked}\n</tool_call>"


def _arguments(call: Call) -> Any:
    try:
        return json.loads(call.arguments)
    except ValueError:
        return call.arguments


def _said(at: int, turn: Turn, text: str) -> Segment:
    return Segment(text, at, turn.role.value, _learned(turn), False)


def _learned(turn: Turn) -> bool:
    return turn.role is Role.ASSISTANT and turn.learn


def _role(turn: Turn) -> str:
    """What small models know of: a tool's answer comes as a user's, as in the chat."""
    return "user" if turn.role is Role.TOOL else turn.role.value


def _chatml(turns: Sequence[Turn], template: Template) -> Iterator[Segment]:
    start, end = template.special[:2]
    if not turns or turns[0].role is not Role.SYSTEM:
        yield Segment(f"{start}system\n{SYSTEM}{end}\n", None, "system", False, True)
    for at, turn in enumerate(turns):
        yield Segment(f"{start}{_role(turn)}\n", None, turn.role.value, False, True)
        yield _said(at, turn, plain(said(turn), template.special))
        yield Segment(end, at, turn.role.value, _learned(turn), True)
        yield Segment("\n", None, turn.role.value, False, True)


def _counted(turns: Sequence[Turn]) -> Iterator[Segment]:
    """<|im_start|>user<|im_sep|>…<|im_end|>: three marks and a role for each message."""
    for at, turn in enumerate(turns):
        role = turn.role.value
        yield Segment("<|im_start|>", None, role, False, True, mark=True)
        yield Segment(role, None, role, False, True)
        yield Segment("<|im_sep|>", None, role, False, True, mark=True)
        yield _said(at, turn, said(turn))
        yield Segment("<|im_end|>", at, role, _learned(turn), True, mark=True)


def _lines(turns: Sequence[Turn], template: Template) -> Iterator[Segment]:
    for at, turn in enumerate(turns):
        yield Segment(f"{_role(turn).capitalize()}: ", None, turn.role.value, False, True)
        yield _said(at, turn, plain(said(turn), template.special))
        yield Segment("\n", None, turn.role.value, False, True)


# ── a Jinja template ─────────────────────────────────────────────────────────────────────────────────────────────────


def _jinja(turns: Sequence[Turn], tools: Sequence[Mapping[str, Any]], template: Template) -> list[Segment]:
    knows_calls = "tool_calls" in template.text
    if not turns or turns[0].role is not Role.SYSTEM:
        turns, added = [Turn(Role.SYSTEM, SYSTEM), *turns], 1
    else:
        added = 0
    found = all_marks(template.text, template.special, template.names)
    texts = [plain(turn.text if knows_calls else said(turn), found) for turn in turns]
    held = [f"\ue000{at}\ue001" if text else "" for at, text in enumerate(texts)]
    offered = tools if "tools" in template.text else ()
    page = _Page(turns, template, offered, knows_calls)
    frame, real = page.both(held, texts)
    laid = _laid(frame, texts, real) or _searched(texts, real)
    return [_shifted(part, added) for part in _ended(_learn(laid, turns, page, texts, real), turns, template)]


class _Page:
    """A conversation, written by a template with these or those texts."""

    def __init__(
        self, turns: Sequence[Turn], template: Template, tools: Sequence[Mapping[str, Any]], knows_calls: bool
    ) -> None:
        self._turns, self._template, self._tools, self._knows = turns, template, tools, knows_calls
        self._folded = False

    def both(self, held: Sequence[str], texts: Sequence[str]) -> tuple[str, str]:
        reason = ""
        for self._folded in (False, True):  # Gemma's and Mistral's first have no role for the system's words
            try:
                return self.written(held), self.written(texts)
            except Exception as error:  # whatever a template raises
                reason = reason or (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise ForOperator(
            f"The model's chat template cannot write this example ({reason}). Choose another model, or mend the order "
            "of its turns.",
            spanish=f"La plantilla de chat del modelo no puede escribir este ejemplo ({reason}). Elige otro modelo o "
            "corrige el orden de sus turnos.",
        )

    def written(self, texts: Sequence[str], many: int | None = None, asking: bool = False) -> str:
        rows = [self._row(turn, text) for turn, text in zip(self._turns, texts, strict=True)][:many]
        if self._folded and len(rows) > 1:
            system, first, *rest = rows
            rows = [{**first, "content": f"{system['content']}\n\n{first['content']}"}, *rest]
        return render(rows, self._template.text, self._template.names, tools=self._tools, asking=asking)

    def _row(self, turn: Turn, text: str) -> Row:
        row: Row = {"role": turn.role.value if self._knows else _role(turn), "content": text}
        if self._knows and turn.calls:
            row["tool_calls"] = [
                {"type": "function", "function": {"name": call.name, "arguments": _arguments(call)}}
                for call in turn.calls
            ]
        if self._knows and turn.role is Role.TOOL:
            row |= {"tool_call_id": turn.call_id, "name": turn.name}
        return row


def _laid(frame: str, texts: Sequence[str], real: str) -> list[Segment]:
    """The frame with the texts in it, as they are or trimmed; empty where that is not the real thing."""
    for kept in (list(texts), [text.strip() for text in texts]):
        parts = _HELD.split(frame)  # glue, number, glue, number, …
        laid = [
            _glue(part) if at % 2 == 0 else Segment(kept[int(part)], int(part), "", False, False)
            for at, part in enumerate(parts)
        ]
        if "".join(part.text for part in laid) == real:
            return laid
    return []


def _searched(texts: Sequence[str], real: str) -> list[Segment]:
    laid, at = list[Segment](), 0
    for number, text in enumerate(texts):
        start = real.find(text.strip(), at) if text.strip() else -1
        if start >= 0:
            laid += [_glue(real[at:start]), Segment(text.strip(), number, "", False, False)]
            at = start + len(text.strip())
    return [*laid, _glue(real[at:])]


def _glue(text: str) -> Segment:
    return Segment(text, None, "", False, True)


def _learn(
    laid: Sequence[Segment], turns: Sequence[Turn], page: _Page, texts: Sequence[str], real: str
) -> Iterator[Segment]:
    """Roles, and what is learned. An answer that calls tools is learned as the template writes it, from where an
    answer begins to the end of its turn."""
    at, calling = 0, list(_calling(turns, page, texts, real))
    for part in laid:
        start, at = at, at + len(part.text)
        inside = next((span for span in calling if span[1] < at and start < span[2]), None)
        if inside is None:
            role = turns[part.turn].role.value if part.turn is not None else ""
            yield replace(part, role=role, learn=part.turn is not None and _learned(turns[part.turn]))
            continue
        turn, first, last = inside
        role = turns[turn].role.value
        for text, learn in (
            (real[start : max(start, first)], False),
            (real[max(start, first) : min(at, last)], True),
            (real[min(at, last) : at], False),
        ):
            if text:
                own = turn if learn else part.turn
                yield Segment(text, own, role if learn else "", learn, part.template)


def _calling(
    turns: Sequence[Turn], page: _Page, texts: Sequence[str], real: str
) -> Iterator[tuple[int, int, int]]:  # fmt: skip
    """(turn, start, end in `real`) of answers that call tools and are learned."""
    for at, turn in enumerate(turns):
        if not (_learned(turn) and turn.calls):
            continue
        try:
            before = page.written(texts, at, asking=True)
            after = page.written(texts, at + 1).rstrip()
        except Exception:  # a template that cannot write a part: then nothing of it is learned
            continue
        if real.startswith(before) and real.startswith(after) and len(before) < len(after):
            yield at, len(before), len(after)


def _ended(parts: Iterator[Segment], turns: Sequence[Turn], template: Template) -> Iterator[Segment]:
    """The mark that ends an answer is learned with it: it is what stops the model. Spaces before it too."""
    marks = [mark for mark in template.special if mark]
    ends = re.compile(rf"[ \n]*(?:{'|'.join(map(re.escape, marks))})") if marks else None
    opening, last = "", None
    for part in parts:
        found = ends.match(part.text) if ends and part.template and not part.learn else None
        if not opening and part.template and ends:
            opened = re.search("|".join(map(re.escape, marks)), part.text)
            opening = opened[0] if opened else " "
        if found and last is not None and last.learn and not last.template and found[0].strip() != opening:
            yield Segment(found[0], last.turn, last.role, True, True)
            part = replace(part, text=part.text[found.end() :])
        if part.text:
            yield part
            last = part


def _shifted(part: Segment, added: int) -> Segment:
    """Turns are counted as the example has them; the system's message that was added is the template's."""
    if not added or part.turn is None:
        return part
    return replace(part, turn=part.turn - 1) if part.turn else replace(part, turn=None, template=True)
