"""search_documents: passages of the person's documents that fit a question.

In: a question, how many passages. Out: the passages, numbered in the text as the model is to cite them. Only what the
turn lends is searched: a chat with documents of its own never sees the others.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from assistant.sentences import speaker
from assistant.tools.tool import Arguments, Result, Tool, ToolError, Work
from knowledge import Passage
from knowledge.library import Library

MOST = 8  # passages a call returns

say = speaker(
    {
        "none": ("There are no documents to search here.", "Aquí no hay documentos en los que buscar."),
        "empty": ("The question is empty: say what to look for.", "La pregunta está vacía: di qué hay que buscar."),
        "nothing": ("Nothing in the documents fits {query!r}.", "Nada en los documentos responde a {query!r}."),
        "found": ("{count} passages fit.", "{count} pasajes responden."),
    }
)


class SearchDocuments(Arguments):
    query: str = Field(description="What to look for, as a question or keywords.", max_length=2_000)
    k: int = Field(default=5, ge=1, le=MOST, description=f"How many passages, at most {MOST}.")


def error(key: str, **values: object) -> ToolError:
    return ToolError(say(key, "en", **values), spanish=say(key, "es", **values))


def open_library(work: Work) -> Library:
    """The library and something in it, or ToolError."""
    if work.library is None or work.documents == ():
        raise error("none")
    if not any(document.status.searchable for document in work.library.documents()):
        raise error("none")
    return work.library


def run(given: SearchDocuments, work: Work) -> Result:
    if not given.query.strip():
        raise error("empty")
    passages = tuple(open_library(work).search(given.query, k=given.k, documents=work.documents))
    if not passages:
        return Result(text=say("nothing", work.language, query=given.query))
    return Result(
        text=listed(passages),
        passages=passages,
        spoken=say("found", work.language, count=len(passages)),
        value=[{"document": one.document, "title": one.title, "page": one.page, "text": one.text} for one in passages],
    )


def listed(passages: Sequence[Passage]) -> str:
    """Passage i of the result is [i + 1]; whoever holds passages of other calls besides numbers them anew."""
    return "\n\n".join(f"[{n}] {one.title}, page {one.page}:\n{one.text}" for n, one in enumerate(passages, 1))


TOOL = Tool(
    name="search_documents",
    title={"en": "Search the documents", "es": "Buscar en los documentos"},
    description="Searches the person's own documents and returns the passages that fit best, each with its title and "
    "page. Use it for anything that may stand in them, and cite passages as [1], [2].",
    arguments=SearchDocuments,
    run=run,
    untrusted=True,  # a document's text is a stranger's: it may hold instructions
)
