"""In: documents, arrivals and passages. Out: the HTML of the documents page and of a file's chip. Pure; knows no server.

Whatever comes from a file (its title, its words) is escaped here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from html import escape

from knowledge.language import detect, stems
from knowledge.pages.arrivals import Arrival
from knowledge.pages.icons import icon
from knowledge.pages.wording import Words
from knowledge.values import Document, Passage, Progress, Status

MARKS = {"pdf": "PDF", "text": "TXT", "markdown": "MD", "csv": "CSV"}
ENDINGS = ".pdf,.txt,.md,.markdown,.csv,.tsv,application/pdf,text/plain,text/markdown,text/csv"


def attr(text: str) -> str:
    return escape(text, quote=True)


def shell(words: Words) -> str:
    """What stays while the list changes."""
    return f"""<div class="documents-inner"><header class="page-head">
<button class="tool only-narrow" data-do="sidebar" aria-label="{attr(words("menu"))}">{icon("sidebar")}</button>
<div><h1>{escape(words("documents"))}</h1><p class="muted">{escape(words("documents_about"))}</p></div>
<button class="button primary" data-do="pick">{icon("plus")}<span>{escape(words("add_files"))}</span></button></header>
<label class="searchbox">{icon("search")}<input type="search" name="library-search" placeholder="{attr(words("search_library"))}"
aria-label="{attr(words("search_library"))}" autocomplete="off"></label>
<div data-region="found" aria-live="polite"></div><div data-region="list"></div>
<input type="file" hidden multiple accept="{ENDINGS}"></div>"""


def listing(documents: Sequence[Document], arrivals: Sequence[Arrival], words: Words) -> str:
    """Every document, the ones on their way first."""
    moving = {a.progress.document: a for a in arrivals if not a.done}
    rows = "".join(_arriving(a, words) for a in arrivals if a.progress.document is None)
    rows += "".join(row(document, moving.get(document.id), words) for document in documents)
    if not rows:
        return (
            f'<div class="drop-hint">{icon("file")}<h2>{escape(words("no_documents"))}</h2>'
            f"<p>{escape(words('no_documents_about'))}</p></div>"
        )
    return f'<ul class="documents-list">{rows}</ul>'


def row(document: Document, arrival: Arrival | None, words: Words) -> str:
    state = _state(arrival.progress if arrival else _own(document), words)
    if not arrival and document.status.final:
        state = _final(document, words)
    facts = [words("pages", n=document.pages)] if document.pages and document.kind == "pdf" else []
    facts += [words.size(document.size), document.added_at.strftime("%Y-%m-%d")]
    name = attr(document.title)
    tools = ""
    if arrival:
        tools += _button("cancel", "close", words("cancel"), arrival=arrival.id)
    else:
        if document.status.searchable:
            tools += (
                f'<button class="button quiet" data-do="ask-about" data-document="{document.id}">'
                f"{icon('chat')}<span>{escape(words('ask_about'))}</span></button>"
            )
        elif document.status.final and document.status not in (Status.NOT_A_PDF, Status.NEEDS_PASSWORD):
            tools += _button("retry", "retry", words("read_again"), document=document.id)
        tools += _button("remove", "trash", words("remove"), document=document.id, name=document.title)
    open_it = f'data-do="page" data-document="{document.id}" data-number="1"' if document.pages_ready else "disabled"
    password = _password("document", document.id, words) if document.status is Status.NEEDS_PASSWORD else ""
    return f"""<li class="document" data-key="d{document.id}" data-status="{document.status.value}">
<button class="document-open" {open_it} title="{name}"><span class="filemark">{MARKS.get(document.kind, "?")}</span>
<span class="document-words"><strong>{escape(document.title)}</strong><small>{escape(" · ".join(facts))}</small></span></button>
<div class="document-state">{state}{password}</div><div class="document-tools">{tools}</div></li>"""


def _own(document: Document) -> Progress:
    """Of a document that nobody on this page waits for: how far the library says it is."""
    return Progress(document.id, document.title, document.status, document.pages_ready, document.pages)


def _arriving(arrival: Arrival, words: Words) -> str:
    progress = arrival.progress
    action = "dismiss" if arrival.done else "cancel"
    state = _final(progress, words) if arrival.done else _state(progress, words)
    return f"""<li class="document" data-key="a{arrival.id}" data-status="{progress.status.value}"><span class="document-open">
<span class="filemark">···</span><span class="document-words"><strong>{escape(progress.title)}</strong></span></span>
<div class="document-state">{state}</div><div class="document-tools">{_button(action, "close", words(action), arrival=arrival.id)}</div></li>"""


def chip(arrival: Arrival, words: Words) -> str:
    """A file on its way, above the composer: its name, how far it is, what went wrong, what to do."""
    progress = arrival.progress
    failed = arrival.done and not progress.status.searchable
    locked = progress.status is Status.NEEDS_PASSWORD
    state = _final(progress, words) if arrival.done else _state(progress, words)
    if arrival.done and progress.duplicate and progress.status.searchable:
        told = f'<span class="state">{escape(words("duplicate"))}</span>'
        state = told if _whole(progress) else told + _final(replace(progress, duplicate=False), words)
    password = _password("arrival", arrival.id, words) if progress.status is Status.NEEDS_PASSWORD else ""
    action = "dismiss" if arrival.done else "cancel"
    return f"""<div class="chip file-chip{" locked" if locked else " failed" if failed else ""}" data-key="a{arrival.id}" data-status="{progress.status.value}">
{icon("lock" if locked else "warn" if failed else "file")}<span class="chip-words"><strong title="{attr(progress.title)}">{escape(progress.title)}</strong>{state}{password}</span>
{_button(action, "close", words(action), arrival=arrival.id)}</div>"""


def _state(progress: Progress, words: Words) -> str:
    """On the way: a sentence and a bar."""
    share = progress.pages_ready / progress.pages if progress.pages else 0.0
    match progress.status:
        case Status.QUEUED:
            text = words("state_queued")
        case Status.INDEXING:
            text = words("state_indexing")
        case _ if progress.pages:
            text = words("state_reading_pages", page=progress.pages_ready, pages=progress.pages)
        case _:
            text = words("state_reading")
    bar = f'<progress max="1" value="{share:.3f}"></progress>' if progress.pages else "<progress></progress>"
    return f'<span class="state moving">{escape(text)}</span>{bar}'


def _whole(of: Document | Progress) -> bool:
    """Read to its end, with nothing to say about it."""
    return of.status is Status.READY and not of.outcome


def _final(of: Document | Progress, words: Words) -> str:
    """What became of it: the library's own sentence where it says it in this language, else the page's."""
    fair = (Status.READY, Status.READY_PARTIAL, Status.NEEDS_PASSWORD, Status.CANCELLED)
    kind = "good" if _whole(of) else "fair" if of.status in fair else "bad"
    own = not _whole(of) and (of.outcome is not None or (of.message and words.language == "en"))
    sentence = of.said(words.language) if own else words(f"state_{of.status.value}")
    return f'<span class="state {kind}">{escape(sentence)}</span>'


def _password(what: str, number: int, words: Words) -> str:
    label = attr(words("password"))
    return (
        f'<form class="password" data-do="password" data-{what}="{number}"><input type="password" name="password" required '
        f'autocomplete="off" placeholder="{label}" aria-label="{label}"><button class="button">{escape(words("open"))}</button></form>'
    )


def _button(action: str, drawing: str, label: str, **data: object) -> str:
    extra = "".join(f' data-{key}="{attr(str(value))}"' for key, value in data.items())
    return f'<button class="tool" data-do="{action}"{extra} title="{attr(label)}" aria-label="{attr(label)}">{icon(drawing)}</button>'


def found(question: str, passages: Sequence[Passage], words: Words) -> str:
    """What a search found: the passage, its page, and the words it shares with the question in bold."""
    if not question:
        return ""
    if not passages:
        return f'<p class="muted nothing">{escape(words("nothing_found", text=question))}</p>'
    items = "".join(
        f"""<li data-key="p{p.chunk}"><button class="passage" data-do="page" data-document="{p.document}" data-number="{p.page}"
data-start="{p.start}" data-end="{p.end}"><span class="passage-head"><strong>{escape(p.title)}</strong>
<span>{escape(words("page_n", page=p.page))}</span></span><span class="passage-text">{highlighted(p.text, question)}</span></button></li>"""
        for p in passages
    )
    return f'<ol class="passages" aria-label="{attr(words("passages_found"))}">{items}</ol>'


def highlighted(text: str, question: str, limit: int = 420) -> str:
    """At most some `limit` characters of `text`, from a little before its first word of the question; those in bold."""
    language = detect(question) or detect(text)
    asked = set(stems(question, language))

    def hit(word: str) -> bool:
        return not asked.isdisjoint(stems(word, language))

    start = 0
    if len(text) > limit:
        first = next((m.start() for m in re.finditer(r"\w+", text) if hit(m[0])), 0)
        start = min(max(0, first - 120), len(text) - limit)
    cut = text[start : start + limit]
    cut = "… " + cut.split(" ", 1)[-1] if start else cut
    cut = cut.rsplit(" ", 1)[0] + " …" if start + limit < len(text) else cut
    return "".join(f"<b>{escape(p)}</b>" if hit(p) else escape(p) for p in re.split(r"(\w+)", cut))
