"""In: turns, what was found in them. Out: their HTML, marks in the text, tool calls as cards, results folded. Pure.

Whatever a chat, a file or a person wrote is escaped here. An element with data-stop is a place the keyboard goes to;
data-place is where it stands in the example (tuning.pages.desk.changes).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from knowledge.pages.icons import icon
from knowledge.pages.wording import Words
from tuning.values import Call, Example, Kind, Role, Turn

_SHORT = 400  # characters of a tool's result that stand open
_TOOLS = {  # what can be done with a turn → (icon, key)
    "mask": ("mask", "m"),
    "edit": ("edit", "e"),
    "split": ("split", "s"),
    "insert": ("plus", "o"),
    "take": ("trash", "Del"),
}


@dataclass(frozen=True, slots=True)
class Found:
    """A finding, ready to be said."""

    code: str
    said: str
    field: str = ""  # "turns.1.text"; "": of the whole example
    start: int = 0
    end: int = 0  # at `start`: of the whole field
    mends: bool = False  # whether a button mends it
    other: int | None = None  # the example it is like


def attr(text: object) -> str:
    """Also of half a line end: a bare CR would come back as LF."""
    return escape(str(text), quote=True).replace("\r", "&#13;")


def text(value: str) -> str:
    return escape(value).replace("\r", "&#13;")


def marked(value: str, field: str, found: Sequence[Found]) -> str:
    """The text with what was found in it marked; marks that overlap are cut where they do."""
    spans = [
        (max(0, one.start), min(len(value), one.end), number)
        for number, one in enumerate(found)
        if one.field == field and one.start < one.end
    ]
    cuts = sorted({0, len(value), *(edge for span in spans for edge in span[:2] if 0 <= edge <= len(value))})
    html = ""
    for start, end in pairwise(cuts):
        over = [number for first, last, number in spans if first <= start and end <= last]
        piece = text(value[start:end])
        if over:
            title = attr(" ".join(found[n].said for n in over))
            piece = f'<mark data-findings="{" ".join(map(str, over))}" title="{title}">{piece}</mark>'
        html += piece
    return html


def turn(one: Example, at: int, found: Sequence[Found], say: Words) -> str:
    this, place = one.turns[at], f"turns.{at}"
    learned = this.role is Role.ASSISTANT and one.kind is Kind.CONVERSATION
    masked = learned and not this.learn
    does = ["edit", "insert", "take"]
    does[:0] = ["mask"] if learned else []
    does[:0] = ["split"] if this.role is Role.USER and one.kind is Kind.CONVERSATION and at > 1 else []
    role = say(f"desk_role_{this.role}")
    label = say("desk_turn", role=role, n=at + 1, of=len(one.turns)) + (f", {say('desk_masked')}" if masked else "")
    note = f'<span class="tag">{icon("mask")}{escape(say("desk_masked"))}</span>' if masked else ""
    pressed = {"mask": masked} if learned else {}
    return f"""<section class="desk-turn" data-key="t{at}" data-stop data-place="{place}" data-turn="{at}" data-role="{this.role}"{' data-masked=""' if masked else ""} tabindex="0" role="group"
aria-label="{attr(label)}"><header><b>{escape(role)}</b>{_named(this)}{note}{tools(does, place, say, pressed)}</header>{said(this, place, found, say)}</section>"""


def _named(turn: Turn) -> str:
    return f'<span class="muted">{escape(turn.name)}</span>' if turn.name else ""


def tools(does: Sequence[str], place: str, say: Words, pressed: Mapping[str, bool] | None = None) -> str:
    """Within a turn the keyboard needs no stops of its own: its keys act on the turn."""
    buttons = ""
    for do in does:
        picture, key = _TOOLS[do]
        label = attr(f"{say(f'desk_do_{do}')} ({key})")
        state = f' aria-pressed="{str(pressed[do]).lower()}"' if pressed and do in pressed else ""
        buttons += f'<button type="button" class="tool" tabindex="-1" data-do="{do}" data-place="{place}"{state} aria-label="{label}" title="{label}">{icon(picture)}</button>'
    return f'<span class="desk-tools">{buttons}</span>'


def said(turn: Turn, place: str, found: Sequence[Found], say: Words) -> str:
    shown = marked(turn.text, f"{place}.text", found)
    if turn.role is Role.TOOL:
        wrong = any(one.field == f"{place}.text" for one in found)
        opened = " open" if wrong or len(turn.text) <= _SHORT else ""
        many = say("desk_characters", n=len(turn.text), many=say.number(len(turn.text)))
        return f'<details class="desk-fold" data-keep{opened}><summary>{escape(say("desk_result"))} <span class="muted">{escape(many)}</span></summary><pre>{shown}</pre></details>'
    calls = "".join(
        _call(call, f"{place}.calls.{number}.arguments", found, say) for number, call in enumerate(turn.calls)
    )
    words = f'<div class="desk-text" dir="auto">{shown}</div>' if turn.text else ""
    return words + calls


def _call(call: Call, field: str, found: Sequence[Found], say: Words) -> str:
    try:
        pretty = json.dumps(json.loads(call.arguments), ensure_ascii=False, indent=2)
        wrong = ""
    except (ValueError, RecursionError):
        pretty, wrong = call.arguments, f'<span class="state bad">{escape(say("desk_not_json"))}</span>'
    if any(one.field == field for one in found):
        pretty = call.arguments  # where marks fall
    shown = marked(call.arguments, field, found) if pretty == call.arguments else text(pretty)
    return f'<div class="desk-call"><header>{icon("tools")}<b>{escape(call.name)}</b>{wrong}</header><pre>{shown}</pre></div>'
