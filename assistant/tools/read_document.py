"""read_document: pages of one of the person's documents, in full.

In: the document's title or number, the first and the last page. Out: the text of those pages as passages. A document
outside the turn's own cannot be read, whatever it is called.
"""

from __future__ import annotations

import difflib
from typing import Any

from pydantic import Field

from assistant.sentences import speaker
from assistant.tools.places import fold
from assistant.tools.search_documents import listed, open_library
from assistant.tools.tool import READ, Arguments, Result, Tool, ToolError, Work
from knowledge import Document, KnowledgeError, Passage

MOST = 10  # pages a call returns

say = speaker(
    {
        "unknown": (
            "There is no document {name!r} here. There are: {known}.",
            "Aquí no hay ningún documento {name!r}. Hay: {known}.",
        ),
        "several": (
            "{name!r} could be any of these, so use its number: {known}.",
            "{name!r} puede ser cualquiera de estos; usa su número: {known}.",
        ),
        "pages": (
            "{title} has {pages} pages: ask for pages between 1 and {pages}, the last not before the first.",
            "{title} tiene {pages} páginas: pide páginas entre 1 y {pages}, la última no antes que la primera.",
        ),
        "unread": ("Those pages of {title} hold no text.", "Esas páginas de {title} no tienen texto."),
        "cut": ("\n\n(Cut here: ask for fewer pages.)", "\n\n(Cortado aquí: pide menos páginas.)"),
        "read": ("{title}, pages {first} to {last}.", "{title}, páginas {first} a {last}."),
    }
)


class ReadDocument(Arguments):
    document: str = Field(description="Title or number of the document.", max_length=300)
    first: int = Field(default=1, ge=1, description="First page to read.")
    last: int | None = Field(default=None, ge=1, description=f"Last page, at most {MOST} a call. Empty: one page.")


def run(given: ReadDocument, work: Work) -> Result:
    library = open_library(work)
    document = choose(given.document, library.documents(), work)
    last = given.first if given.last is None else min(given.last, document.pages, given.first + MOST - 1)
    if not 1 <= given.first <= last or given.first > document.pages:
        raise error("pages", title=document.title, pages=document.pages)
    passages = []
    for number in range(given.first, last + 1):
        try:
            text = library.page(document.id, number).text
        except KnowledgeError:  # a page that could not be read; the others can
            continue
        if text.strip():
            passages.append(_passage(document, number, text))
    if not passages:
        raise error("unread", title=document.title)
    text = listed(passages)
    return Result(
        text=text if len(text) <= READ else text[:READ] + say("cut", work.language),
        passages=tuple(passages),
        spoken=say("read", work.language, title=document.title, first=given.first, last=last),
        value=[{"page": one.page, "text": one.text} for one in passages],
    )


def choose(name: str, documents: list[Document], work: Work) -> Document:
    """The one document that is meant, among those the turn may see. Raises ToolError with those there are."""
    seen = [one for one in documents if work.documents is None or one.id in work.documents]
    seen = [one for one in seen if one.status.searchable]
    wanted = fold(name)
    plain = name.strip().lstrip("#")
    if plain.isdecimal() and (numbered := [one for one in seen if str(one.id) == plain]):
        return numbered[0]
    titled = [one for one in seen if fold(one.title) == wanted]
    titled = titled or [one for one in seen if wanted and wanted in fold(one.title)]
    if not titled:
        near = difflib.get_close_matches(wanted[:100], [fold(one.title) for one in seen], n=1, cutoff=0.75)
        titled = [one for one in seen if fold(one.title) in near]
    if len(titled) == 1:
        return titled[0]
    shown = ", ".join(f"{one.title} ({one.id})" for one in (titled or seen)[:20])
    raise error("several" if titled else "unknown", name=name.strip()[:100], known=shown or "—")


def _passage(document: Document, number: int, text: str) -> Passage:
    """A whole page, to be cited like any passage that was found."""
    where: dict[str, Any] = {"document": document.id, "title": document.title, "page": number, "chunk": 0}
    return Passage(**where, start=0, end=len(text), text=text, score=1.0, dense=0.0, lexical=0.0)


def error(key: str, **values: object) -> ToolError:
    return ToolError(say(key, "en", **values), spanish=say(key, "es", **values))


TOOL = Tool(
    name="read_document",
    title={"en": "Read a document", "es": "Leer un documento"},
    description="Reads whole pages of one of the person's documents, by its title or number. Use it when passages of "
    "search_documents are not enough, for example to summarise.",
    arguments=ReadDocument,
    run=run,
    untrusted=True,  # a document's text is a stranger's: it may hold instructions
)
