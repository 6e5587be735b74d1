"""In: what an answer did, step by step. Out: its HTML: what runs, what came of it, what waits for a yes. Pure.

Arguments and results are a model's or a stranger's words: escaped, and nothing hidden in what a person agrees to.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from assistant.chat_page.cast import NOBODY, Cast, shown
from assistant.events import ApprovalGiven, ApprovalNeeded, Decision, Step, ToolFinished, ToolStarted
from knowledge.pages.documents_view import attr
from knowledge.pages.icons import icon
from knowledge.pages.wording import Words

BRIEF = 60  # characters of the arguments beside a step's name
CUT = 320  # characters of a result before "show all"
ICONS = {"running": "", "ok": "check", "failed": "warn", "waiting": "lock", "denied": "close", "stopped": "stop"}


@dataclass(slots=True)
class Call:
    """One call of a tool, gathered from its events."""

    id: str
    tool: str
    arguments: dict[str, Any]
    parent: str = ""
    finished: ToolFinished | None = None
    asked: ApprovalNeeded | None = None
    decision: Decision | None = None
    inside: list[Call] = field(default_factory=list)

    def state(self, writing: bool) -> str:
        """ "running" | "ok" | "failed" | "waiting" | "denied" | "stopped"."""
        if self.decision is Decision.DENY:
            return "denied"
        if self.finished:
            return "ok" if self.finished.ok else "failed"
        if not writing:
            return "stopped"
        return "waiting" if self.asked and self.decision is None else "running"


def calls(steps: Iterable[Step]) -> list[Call]:
    """In the order they began; those without a parent, the others inside theirs."""
    known: dict[str, Call] = {}
    for step in steps:
        match step:
            case ToolStarted():
                known[step.call] = Call(step.call, step.tool, dict(step.arguments), step.parent)
            case ToolFinished() if step.call in known:
                known[step.call].finished = step
            case ApprovalNeeded():
                call = known.setdefault(step.call, Call(step.call, step.tool, dict(step.arguments)))
                call.asked, call.decision = step, None
            case ApprovalGiven() if step.call in known:
                known[step.call].decision = step.decision
    top, began = [], set[str]()
    for call in known.values():
        if call.parent in began:  # a parent that began later, or is the call itself, is none
            known[call.parent].inside.append(call)
        else:
            top.append(call)
        began.add(call.id)
    return top


def steps(given: Sequence[Step], message: int, say: Words, cast: Cast = NOBODY, *, writing: bool = False) -> str:
    """Open while it is written, else one line that opens. What waits for a yes stands below, never folded away."""
    top = calls(given)
    if not top:
        return ""
    rows = "".join(_row(call, say, cast, writing) for call in top)
    waiting = [call for call in _every(top) if call.state(writing) == "waiting"]
    cards = "".join(approval(call, message, say, cast) for call in waiting)
    return (
        f'<details class="steps" data-keep{" open" if writing else ""}><summary>{icon("tools")}'
        f"<span>{escape(_summary(top, say))}</span>{icon('chevron')}</summary>"
        f'<ol class="step-list">{rows}</ol></details>{cards}'
    )


def _every(top: Iterable[Call]) -> Iterable[Call]:
    for call in top:
        yield call
        yield from _every(call.inside)


def _summary(top: list[Call], say: Words) -> str:
    seconds = sum(call.finished.seconds for call in top if call.finished)
    count = say("steps", n=sum(1 for _ in _every(top)))
    return f"{count} · {_seconds(seconds, say)}" if any(call.finished for call in top) else count


def _seconds(seconds: float, say: Words) -> str:
    return f"{say.number(seconds * 1000)} ms" if seconds < 0.1 else f"{say.number(seconds, 1)} s"


def _row(call: Call, say: Words, cast: Cast, writing: bool) -> str:
    state = call.state(writing)
    sign = icon(ICONS[state]) if ICONS[state] else '<span class="spinner" aria-hidden="true"></span>'
    time = f"<small>{escape(_seconds(call.finished.seconds, say))}</small>" if call.finished else ""
    told = "" if state == "ok" else f'<em class="step-state">{escape(say(f"step_{state}"))}</em>'
    inside = f'<ol class="step-list">{"".join(_row(c, say, cast, writing) for c in call.inside)}</ol>'
    return (
        f'<li class="step" data-key="{attr(call.id)}" data-state="{state}"><details data-keep><summary>{sign}'
        f"<b>{escape(cast.ability(call.tool).title)}</b><span class='step-brief'>{escape(_brief(call.arguments))}</span>"
        f"{told}{time}{icon('chevron')}</summary>{arguments(call, call.arguments, say)}{_decided(call, say)}{_result(call, say)}"
        f"</details>{inside if call.inside else ''}</li>"
    )


def _brief(given: dict[str, Any]) -> str:
    text = " · ".join(" ".join(plain(value).split()) for value in given.values())
    return text if len(text) <= BRIEF else text[:BRIEF].rstrip() + "…"


def plain(value: Any) -> str:
    """A value of an argument as a person reads it."""
    if isinstance(value, str):
        return shown(value)
    return shown(json.dumps(value, ensure_ascii=False, indent=1 if isinstance(value, dict | list) else None))


def arguments(call: Call, given: dict[str, Any], say: Words) -> str:
    """Whole: what is agreed to must be seen. An argument of our own tools has a name in the page's language."""
    if not given:
        return ""
    rows = "".join(
        f"<div><dt>{escape(say.sentences.get(f'argument_{call.tool}_{name}') or shown(str(name)).replace('_', ' '))}</dt><dd><bdi>{escape(plain(value))}</bdi></dd></div>"
        for name, value in given.items()
    )
    return f'<dl class="arguments">{rows}</dl>'


def _decided(call: Call, say: Words) -> str:
    if call.decision is None:
        return ""
    return f'<p class="step-decided">{escape(say(f"approval_{call.decision.value}_given"))}</p>'


def _result(call: Call, say: Words) -> str:
    text = shown(call.finished.result.strip()) if call.finished else ""
    if not text:
        return ""
    kind = "" if call.finished and call.finished.ok else " bad"
    lines = text.splitlines()
    if len(text) <= CUT and len(lines) <= 6:
        return f'<pre class="result{kind}"><bdi>{escape(text)}</bdi></pre>'
    cut = "\n".join(lines[:6])[:CUT].rstrip() + " …"
    return (
        f'<details class="more" data-keep><summary><pre class="result{kind}"><bdi>{escape(cut)}</bdi></pre>'
        f'<span class="link">{escape(say("show_all"))}</span><span class="link less">{escape(say("show_less"))}</span></summary>'
        f'<pre class="result{kind}" tabindex="0"><bdi>{escape(text)}</bdi></pre></details>'
    )


def approval(call: Call, message: int, say: Words, cast: Cast) -> str:
    """The question a turn waits with: what would be done, why it asks, three answers."""
    ability = cast.ability(call.tool)
    title = say("approval_title", tool=ability.title)
    reason = call.asked.reason if call.asked else ""
    buttons = "".join(
        f'<button class="button{" primary" if decision is Decision.ONCE else ""}" data-do="approve" data-message="{message}" '
        f'data-call="{attr(call.id)}" data-decision="{decision.value}">{escape(say(f"approval_{decision.value}"))}</button>'
        for decision in Decision
    )
    return (
        f'<section class="approval" role="group" tabindex="-1" data-key="ask-{attr(call.id)}" data-call="{attr(call.id)}" '
        f'aria-label="{attr(title)}"><h3>{icon("lock")}<span>{escape(title)}</span></h3>'
        f"<p>{escape(say(f'approval_{ability.effect}'))}</p>"
        f"{arguments(call, dict(call.asked.arguments) if call.asked else call.arguments, say)}"
        f'{f"<p class=muted>{escape(reason)}</p>" if reason else ""}<div class="row">{buttons}</div></section>'
    )
