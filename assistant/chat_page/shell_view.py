"""In: words, conversations, the state of the models. Out: the HTML around a thread: sidebar, composer, empty state. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

from assistant.chat_page import setup_view
from assistant.chat_page.cast import Face
from assistant.history import Conversation
from assistant.pages import Place
from knowledge import Document
from knowledge.pages.arrivals import Arrival
from knowledge.pages.documents_view import ENDINGS, attr, chip
from knowledge.pages.icons import icon
from knowledge.pages.wording import Words

if TYPE_CHECKING:
    from assistant.models import ModelState

SHORTCUTS = (
    ("new", "Ctrl Shift O"),
    ("focus", "/"),
    ("stop", "Esc"),
    ("search", "Ctrl K"),
    ("sidebar", "Ctrl B"),
    ("citation_next", "Alt ↓"),
    ("citation_previous", "Alt ↑"),
    ("page_turn", "← →"),
    ("documents", "Ctrl Shift D"),
)
HELP = ("help", "?")


def shell(say: Words, pages: Sequence[Place] = ()) -> str:
    """All that stays: the regions inside are filled by the answers of the server."""
    return f"""<a class="skip" href="#composer-text">{escape(say("skip"))}</a>
<nav class="sidebar" aria-label="{attr(say("conversations"))}"><div class="sidebar-top"><span class="brand">{icon("spark")}<b>Afina</b></span>
{_tool("sidebar", "sidebar", say("shortcut_sidebar"))}</div>
<button class="nav-item new" data-do="new">{icon("plus")}<span>{escape(say("new_chat"))}</span></button>
{_page("documents", "library", say("documents"))}{"".join(_page(at.name, at.icon, say(f"page_{at.name}")) for at in pages)}
<label class="searchbox small">{icon("search")}<input type="search" name="chat-search" autocomplete="off" placeholder="{attr(say("search_chats"))}"
aria-label="{attr(say("search_chats"))}"></label><div class="conversations" data-region="list"></div>
<div class="sidebar-foot">{_tool("theme", "moon", say("theme"))}<button class="tool language" data-do="language" title="{attr(say("switch_language"))}"
aria-label="{attr(say("switch_language"))}">{"EN" if say.language == "es" else "ES"}</button>{_tool("help", "keyboard", say("shortcut_help"))}</div></nav>
<button class="veil" data-do="sidebar" aria-label="{attr(say("close_menu"))}" tabindex="-1"></button>
<main class="chat" aria-label="{attr(say("chat"))}"><header class="chat-bar">{_tool("sidebar", "sidebar", say("menu"))}
<div class="chat-title" data-region="head"></div>{_tool("new", "edit", say("new_chat"))}</header>
<div data-region="banner" aria-live="polite"></div>
<div class="scroll" tabindex="-1"><div class="thread" data-region="thread" role="log" aria-live="off"></div></div>
<div class="off-screen" role="status" data-said></div>
<button class="to-bottom" data-do="bottom" hidden aria-label="{attr(say("to_bottom"))}">{icon("arrow_down")}</button>
<div class="dock"><div class="files" data-region="files"></div>{composer(say)}<p class="fine">{escape(say("fine_print"))}</p></div>
<div class="dropzone" hidden>{icon("file")}<strong>{escape(say("drop_here"))}</strong><span>{escape(say("drop_kinds"))}</span></div></main>
{_shortcuts(say, pages)}"""


def _page(name: str, drawing: str, label: str) -> str:
    return f'<button class="nav-item" data-do="view" data-view="{name}">{icon(drawing)}<span>{escape(label)}</span></button>'


def composer(say: Words) -> str:
    return f"""<form class="composer" data-do="send"><button type="button" class="tool" data-do="pick" title="{attr(say("attach"))}" aria-label="{attr(say("attach"))}">
{icon("clip")}</button><textarea id="composer-text" name="text" rows="1" maxlength="20000" placeholder="{attr(say("ask_placeholder"))}"
aria-label="{attr(say("ask_placeholder"))}"></textarea>
<button class="send" title="{attr(say("send"))}" aria-label="{attr(say("send"))}">{icon("send")}</button>
<button type="button" class="send stop" data-do="stop" title="{attr(say("stop"))}" aria-label="{attr(say("stop"))}">{icon("stop")}</button>
<input type="file" hidden multiple accept="{ENDINGS}"></form>"""


def conversations(shown: Sequence[Conversation], current: int | None, search: str, say: Words) -> str:
    """The list, newest first, under the day of the last message."""
    if not shown:
        return f'<p class="muted nothing">{escape(say("no_chats_found" if search else "no_chats"))}</p>'
    today = datetime.now(UTC).astimezone().date()
    html = ""
    for day, group in groupby(shown, key=lambda c: _day(_local(c.updated_at), today)):
        rows = "".join(_conversation(c, c.id == current, say) for c in group)
        html += f'<section data-key="{day}"><h2>{escape(say(day))}</h2><ul>{rows}</ul></section>'
    return html


def _local(time: datetime) -> date:
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone().date()


def _day(day: date, today: date) -> str:
    if day >= today:
        return "today"
    if day == today - timedelta(days=1):
        return "yesterday"
    return "this_week" if day > today - timedelta(days=7) else "earlier"


def _conversation(conversation: Conversation, current: bool, say: Words) -> str:
    title = conversation.title or say("untitled")
    return f"""<li class="conversation{" current" if current else ""}" data-key="c{conversation.id}"><a href="?c={conversation.id}" data-do="open" data-conversation="{conversation.id}"
title="{attr(title)}"{' aria-current="page"' if current else ""}>{escape(title)}</a><span class="conversation-tools">
{_tool("rename", "edit", say("rename"), conversation.id)}{_tool("delete", "trash", say("delete"), conversation.id)}</span></li>"""


def empty(
    documents: Sequence[Document],
    attached: Sequence[Document],
    busy: Sequence[Arrival],
    face: Face | None,
    say: Words,
) -> str:
    """What to do when there is nothing yet; with a persona, who it is. `face`: None: Afina."""
    ready = [d for d in attached or documents if d.status.searchable]
    if busy:
        title, about = say("empty_ready"), say("empty_busy_about")
        examples = [say("example_about", title=busy[0].progress.title), say("example_dates"), say("example_people")]
    elif ready:
        title, about = say("empty_ready"), say("empty_ready_about", n=len(ready))
        examples = [say("example_about", title=ready[0].title), say("example_dates"), say("example_people")]
    else:
        title, about = say("empty"), say("empty_about")
        examples = [say("example_1"), say("example_2"), say("example_3")]
    drop = (
        ""
        if ready or busy
        else f'<button class="drop-hint" data-do="pick">{icon("file")}<strong>{escape(say("drop_or_choose"))}</strong><span>{escape(say("drop_kinds"))}</span></button>'
    )
    chips = "".join(
        f'<button class="example" data-do="example" data-text="{attr(e)}">{escape(e)}</button>' for e in examples
    )
    if face is not None:
        return setup_view.greeting(
            face, f'<div class="examples" aria-label="{attr(say("examples"))}">{chips}</div>', say
        )
    return f"""<div class="empty" data-key="empty"><span class="empty-mark">{icon("spark")}</span><h2>{escape(title)}</h2><p>{escape(about)}</p>{drop}
<div class="examples" aria-label="{attr(say("examples"))}">{chips}</div></div>"""


def banner(state: ModelState, say: Words) -> str:
    """While the models are not there yet: what is going on, how far it is."""
    match state.stage:
        case "ready":
            return ""
        case "fetching":
            done, total = say.size(state.done), say.size(state.total)
            text = say("model_fetching", done=done, total=total) if state.total else say("model_fetching_start")
            bar = (
                f'<progress max="1" value="{state.done / state.total:.3f}"></progress>'
                if state.total
                else "<progress></progress>"
            )
        case "loading":
            text, bar = say("model_loading"), "<progress></progress>"
        case "failed":
            text, bar = state.said(say.language) or say("model_failed"), ""
        case _:
            text, bar = say("model_absent"), ""
    kind = "bad" if state.stage == "failed" else "calm"
    return f'<div class="banner {kind}" role="status"><span>{escape(text)}</span>{bar}</div>'


def files(arrivals: Sequence[Arrival], attached: Sequence[Document], library: int, say: Words) -> str:
    """Above the composer: files on their way, and what this chat answers from."""
    known = {document.id for document in attached}
    twice = {a.progress.document for a in arrivals if a.done and a.progress.duplicate}
    shown = [a for a in arrivals if not (a.done and a.progress.status.searchable and a.progress.document in known)]
    chips = "".join(chip(a, say) for a in shown)
    for document in attached:
        label, note = attr(say("detach", title=document.title)), say("duplicate_short") if document.id in twice else ""
        open_it = f'data-do="page" data-document="{document.id}" data-number="1"'
        chips += f"""<div class="chip scope" data-key="s{document.id}">{icon("file")}<button class="chip-open" {open_it} title="{attr(document.title)}">{escape(document.title)}</button>
<small>{escape(note)}</small><button class="tool" data-do="detach" data-document="{document.id}" title="{label}" aria-label="{label}">{icon("close")}</button></div>"""
    if not attached and library:
        chips += f'<div class="chip all" data-key="all">{icon("library")}<span>{escape(say("all_documents", n=library))}</span></div>'
    return chips


def waiting(arrivals: Sequence[Arrival], say: Words) -> str:
    """Under a question that waits for its file."""
    steps = [
        say("waiting_pages", title=a.progress.title, page=a.progress.pages_ready, pages=a.progress.pages)
        if a.progress.pages
        else say("waiting", title=a.progress.title)
        for a in arrivals
    ]
    lines = "".join(
        f'<p class="thinking"><span class="dots" aria-hidden="true"><i></i><i></i><i></i></span>{escape(s)}</p>'
        for s in steps
    )
    return f"""<article class="message answer" data-key="waiting" role="status">{lines}<div class="ended calm"><span>{escape(say("waiting_about"))}</span>
<button class="button" data-do="answer-now">{escape(say("answer_now"))}</button></div></article>"""


def unanswered(question: int, say: Words) -> str:
    return f"""<article class="message answer" data-key="unanswered"><div class="ended fair"><span>{escape(say("unanswered"))}</span>
<button class="button" data-do="retry" data-message="{question}">{icon("retry")}{escape(say("answer_it"))}</button></div></article>"""


def citation_bar(
    n: int, quote: str, verified: bool, steps: tuple[int | None, int | None], message: int, place: str, say: Words
) -> str:
    """Above the page in the viewer: which citation this is, its words, the way to the next one."""

    def step(to: int | None, name: str, label: str) -> str:
        data = f'data-do="cite" data-message="{message}" data-n="{to}"' if to else "disabled"
        return f'<button class="tool" data-step="{name}" {data} title="{attr(label)}" aria-label="{attr(label)}">{icon(name)}</button>'

    note = "" if verified else f'<p class="basis unverified">{icon("warn")}{escape(say("unverified_about"))}</p>'
    return f"""<section class="citation-bar" aria-label="{attr(say("citation"))}"><div class="citation-head"><span class="number">{n}</span><span>{escape(place)}</span>
<span class="grow"></span>{step(steps[0], "left", say("citation_previous"))}{step(steps[1], "right", say("citation_next"))}
<button class="tool" data-do="copy-quote" title="{attr(say("copy_quote"))}" aria-label="{attr(say("copy_quote"))}">{icon("copy")}</button></div>
{note}<blockquote tabindex="0">{escape(quote)}</blockquote></section>"""


def _shortcuts(say: Words, pages: Sequence[Place]) -> str:
    keys = (*SHORTCUTS, *((at.name, f"g {at.key}") for at in pages), HELP)
    rows = "".join(
        f"<div><dt>{escape(say(f'shortcut_{name}'))}</dt><dd>{''.join(f'<kbd>{escape(key)}</kbd>' for key in pressed.split(' '))}</dd></div>"
        for name, pressed in keys
    )
    return f"""<dialog class="dialog" id="afina-help" aria-label="{attr(say("shortcut_help"))}"><header><h2>{escape(say("shortcut_help"))}</h2>
{_tool("dialog-close", "close", say("close"))}</header><dl class="shortcuts">{rows}</dl></dialog>"""


def _tool(action: str, name: str, label: str, conversation: int = 0) -> str:
    data = f' data-conversation="{conversation}"' if conversation else ""
    return f'<button type="button" class="tool" data-do="{action}"{data} title="{attr(label)}" aria-label="{attr(label)}">{icon(name)}</button>'
