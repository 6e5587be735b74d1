"""In: the messages of a thread. Out: their HTML. Pure: no server, no store. Everything a stranger wrote is escaped.

Every element a person can act on carries `data-do` (the action) and its arguments; `data-key` names what stays the
same between two drawings, so that the browser replaces only what changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from assistant.chat_page import markdown, route_view, steps_view
from assistant.chat_page.cast import NOBODY, Cast
from assistant.chat_page.further import Button
from assistant.chat_page.setup_view import settings_line
from assistant.events import Route, RouteChosen
from assistant.history import Message, MessageStatus, cited
from knowledge import Basis, Citation, Passage, Usage
from knowledge.pages.documents_view import attr
from knowledge.pages.icons import icon
from knowledge.pages.wording import Words

LIKE_REASONS = ("correct", "clear", "sources", "style")
DISLIKE_REASONS = ("wrong", "unsupported", "incomplete", "language", "long")


def thread(
    messages: Sequence[Message],
    say: Words,
    *,
    cast: Cast = NOBODY,
    noted: Mapping[int, int] | None = None,
    note: str = "",
    further: Sequence[Button] = (),
) -> str:
    """`note`: HTML under the last question, while it waits for a file or has no answer yet. `noted`: answer → the
    correction it follows."""
    kept = noted or {}
    drawn = "".join(
        question(m, say) if m.role == "user" else answer(m, say, cast, kept.get(m.id), further) for m in messages
    )
    return drawn + note


def question(message: Message, say: Words) -> str:
    return f"""<article class="message question" data-key="m{message.id}" data-message="{message.id}" aria-label="{attr(say("you"))}">
<div class="bubble" data-text="{attr(message.text)}">{escape(message.text)}</div>
<footer class="tools">{siblings(message, say)}{_tool("copy", "copy", say("copy"), message.id)}{_tool("edit", "edit", say("edit"), message.id)}</footer></article>"""


def answer(
    message: Message, say: Words, cast: Cast = NOBODY, noted: int | None = None, further: Sequence[Button] = ()
) -> str:
    writing = message.status is MessageStatus.WRITING
    speaker = message.persona or say("assistant")
    who = "" if writing and message.route is None else route_view.who(message.persona, cast)
    steps = steps_view.steps(message.steps, message.id, say, cast, writing=writing)
    return f"""<article class="message answer" data-key="m{message.id}" data-message="{message.id}" data-status="{message.status.value}"
aria-label="{attr(speaker)}"{' aria-busy="true"' if writing else ""}><div class="answer-head"><div class="who" data-part="who">{who}</div>
<div class="answer-route" data-part="route">{chip(message, say, cast, noted)}</div></div><div class="answer-steps" data-part="steps">{steps}</div>
<div class="answer-basis">{basis(message, say)}</div><div class="prose" data-part="text" data-text="{attr(message.text)}">{prose(message, say)}</div>
<div class="outcome" data-part="outcome">{outcome(message, say)}</div>{"" if writing else after(message, say, further)}</article>"""


def prose(message: Message, say: Words) -> str:
    if not message.text and message.status is MessageStatus.WRITING:
        return thinking(say("thinking"))
    return written(message.text, message.citations, message.id, say)


def written(text: str, citations: Sequence[Citation], message: int, say: Words) -> str:
    """An answer or the beginning of one."""
    return markdown.to_html(text, markdown.button(citations, message, say("page"), say("unverified")), say("copy"))


def thinking(text: str) -> str:
    return f'<p class="thinking"><span class="dots" aria-hidden="true"><i></i><i></i><i></i></span>{escape(text)}</p>'


def chip(message: Message, say: Words, cast: Cast = NOBODY, noted: int | None = None) -> str:
    """The route and why it was taken; a click lets the person take another one."""
    if message.route is None:
        return ""
    chosen = RouteChosen(message.route, message.reason, message.confidence, message.tool, persona=message.persona)
    return route_view.chip(chosen, message.id, say, cast, noted)


def basis(message: Message, say: Words) -> str:
    """What the answer stands on, where that is not the model's own checked words."""
    if message.edited_from is not None:
        return f'<p class="basis">{icon("edit")}{escape(say("corrected"))}</p>'
    match message.basis:
        case Basis.QUOTES:
            return f'<p class="basis">{icon("info")}{escape(say("basis_quotes"))}</p>'
        case Basis.NOTHING:
            return (
                f'<div class="ended calm"><span>{escape(say("basis_nothing"))}</span><button class="button" data-do="reroute" '
                f'data-message="{message.id}" data-route="{Route.CHAT.value}">{escape(say("answer_as_chat"))}</button></div>'
            )
        case _:
            return ""


def outcome(message: Message, say: Words) -> str:
    """How an answer ended, where it did not simply end."""
    match message.status:
        case MessageStatus.FAILED:
            text, kind = message.failure or say("failed"), "bad"
        case MessageStatus.STOPPED:
            text, kind = say("stopped"), "fair"
        case MessageStatus.INTERRUPTED:
            text, kind = say("interrupted"), "fair"
        case _:
            return ""
    return (
        f'<div class="ended {kind}" role="status"><span>{escape(text)}</span><button class="button" data-do="retry" '
        f'data-message="{message.id}">{icon("retry")}{escape(say("retry"))}</button></div>'
    )


def after(message: Message, say: Words, further: Sequence[Button] = ()) -> str:
    """Below a finished answer: its sources, its buttons, what it took."""
    up, down = message.liked is True, message.liked is False
    return f"""{sources(message, say)}<footer class="tools">{siblings(message, say)}{_tool("copy", "copy", say("copy"), message.id)}
{_tool("retry", "retry", say("retry"), message.id)}{_tool("edit", "edit", say("correct"), message.id)}{_tool("like", "up", say("like"), message.id, up)}{_tool("dislike", "down", say("dislike"), message.id, down)}{"".join(_further(one, message.id) for one in further)}
{usage(message.usage, say)}</footer>{feedback(message, say)}"""


def siblings(message: Message, say: Words) -> str:
    """‹ 2/3 ›"""
    if len(message.siblings) < 2:
        return ""
    at = message.siblings.index(message.id)

    def step(to: int, name: str, label: str) -> str:
        inside = 0 <= to < len(message.siblings)
        target = message.siblings[to] if inside else 0
        return (
            f'<button class="tool" data-do="choose" data-message="{target}" title="{attr(label)}" aria-label="{attr(label)}"'
            f"{'' if inside else ' disabled'}>{icon(name)}</button>"
        )

    return (
        f'<span class="siblings">{step(at - 1, "left", say("sibling_previous"))}<span>{at + 1}/{len(message.siblings)}</span>'
        f"{step(at + 1, 'right', say('sibling_next'))}</span>"
    )


def sources(message: Message, say: Words) -> str:
    draft = ""
    if message.draft and message.draft != message.text:  # its own [n] would look like the answer's
        draft = (
            f'<details class="fold" data-keep><summary>{escape(say("draft"))}{icon("chevron")}</summary>'
            f'<div class="prose draft">{markdown.to_html(cited(message.draft, ()), None, say("copy"))}</div></details>'
        )
    folds = passages(message.passages, say) + draft + made(message, say)
    return f'<div class="sources">{folds}</div>' if folds else ""


def passages(found: Sequence[Passage], say: Words) -> str:
    """Without numbers: [n] in an answer counts what it cites, not what was looked at."""
    if not found:
        return ""
    items = "".join(
        f"""<li><button class="passage" data-do="page" data-document="{p.document}" data-number="{p.page}" data-start="{p.start}" data-end="{p.end}">
<span class="passage-head"><strong>{escape(p.title)}</strong><span>{escape(say("page_n", page=p.page))}</span></span>
<span class="passage-text">{escape(p.text if len(p.text) < 280 else p.text[:280].rsplit(" ", 1)[0] + " …")}</span></button></li>"""
        for p in found
    )
    return (
        f'<details class="fold" data-keep><summary>{escape(say("passages", n=len(found)))}{icon("chevron")}</summary>'
        f'<ul class="passages">{items}</ul></details>'
    )


def made(message: Message, say: Words) -> str:
    """What the answer was made with: model, settings, time, tokens."""
    used = message.usage
    rows = [(say("model"), message.model), (say("settings_used"), settings_line(message.settings, say))]
    if used and used.completion_tokens:
        prompt, written = say.number(used.prompt_tokens), say.number(used.completion_tokens)
        rows.append((say("made_tokens"), say("made_tokens_of", prompt=prompt, written=written)))
    if used and used.seconds_to_first:
        rows.append((say("made_first"), f"{say.number(used.seconds_to_first, 2)} s"))
    lines = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in rows if text)
    if not lines:
        return ""
    return (
        f'<details class="fold" data-keep><summary>{escape(say("made"))}{icon("chevron")}</summary>'
        f'<dl class="arguments">{lines}</dl></details>'
    )


def usage(used: Usage | None, say: Words) -> str:
    if used is None or not used.seconds:
        return ""
    parts = [f"{say.number(used.seconds, 1)} s"]
    if used.completion_tokens:
        parts.append(say("tokens", n=say.number(used.prompt_tokens + used.completion_tokens)))
    parts += [used.model] if used.model else []
    return f'<small class="usage">{escape(" · ".join(parts))}</small>'


def _further(one: Button, message: int) -> str:
    label = f'title="{attr(one.title)}" aria-label="{attr(one.title)}"'
    pressed = "true" if message in one.held else "false"
    return (
        f'<button class="tool" data-do="further" data-message="{message}" data-name="{attr(one.name)}" {label} '
        f'aria-pressed="{pressed}">{icon(one.icon)}</button>'
    )


def feedback(message: Message, say: Words) -> str:
    """Why it was liked or not; shown by the browser after the thumb was pressed."""
    if message.liked is None:
        return ""
    offered = LIKE_REASONS if message.liked else DISLIKE_REASONS
    chips = "".join(
        f'<button class="reason" data-do="reason" data-message="{message.id}" data-reason="{reason}" '
        f'aria-pressed="{"true" if reason in message.reasons else "false"}">{escape(say(f"reason_{reason}"))}</button>'
        for reason in offered
    )
    return f"""<form class="feedback" data-do="note" data-message="{message.id}" data-liked="{str(message.liked).lower()}"><span>{escape(say("why"))}</span>
<div class="reasons">{chips}</div><div class="note"><input name="note" maxlength="1000" value="{attr(message.note)}" placeholder="{attr(say("note"))}"
aria-label="{attr(say("note"))}"><button class="button">{escape(say("save"))}</button></div></form>"""


def _tool(action: str, name: str, label: str, message: int, pressed: bool | None = None) -> str:
    state = "" if pressed is None else f' aria-pressed="{str(pressed).lower()}"'
    return (
        f'<button class="tool" data-do="{action}" data-message="{message}" title="{attr(label)}" aria-label="{attr(label)}"'
        f"{state}>{icon(name)}</button>"
    )
