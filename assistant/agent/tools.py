"""In: a tool and its arguments that a router or a person chose. Out: its steps, then an answer without retelling.

For a model that cannot call tools. What a tool worked out is said by the tool itself: a small model would get the
numbers wrong. Of a page or of search results the most relevant sentences are quoted, with the address they are from.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from assistant.agent.acting import Acting, Done
from assistant.agent.request import Request
from assistant.events import Answered, Event, Failed, TextDelta
from assistant.sentences import speaker
from knowledge import Usage
from knowledge.answers.sentences import split
from knowledge.language import detect, stems

if TYPE_CHECKING:
    from assistant.tools import Result

SENTENCES = 4  # quoted of a page

say = speaker(
    {
        "says": ("This is what the page says:", "Esto es lo que dice la página:"),
        "denied": ("Nothing was done: you said no.", "No se hizo nada: dijiste que no."),
        "from": ("From {url}", "De {url}"),
    }
)


def with_tool(acting: Acting, name: str, arguments: dict[str, Any]) -> Generator[Event, None, None]:
    request = acting.request
    done: Done = yield from acting.call(name, arguments, "call_1")
    if request.stop.is_set():
        return
    if done.result is None:
        yield Failed(say("denied", request.language) if done.denied else done.text, retryable=not done.denied)
        return
    text = _spoken(done.result, request)
    yield TextDelta(text)
    yield Answered(text, (), None, Usage())


def _spoken(result: Result, request: Request) -> str:
    value = result.value if isinstance(result.value, dict) else {}
    if (page := str(value.get("text", ""))) and (url := str(value.get("url", ""))):
        return _of_page(page, str(value.get("title", "")), url, request)
    return result.spoken or result.text


def _of_page(page: str, title: str, url: str, request: Request) -> str:
    """Its sentences that share most words with the question, in their order; its beginning where none does."""
    language = detect(request.question) or request.language
    asked = set(stems(re.sub(r"https?://\S+", "", request.question), language))
    spans = [page[a:b] for a, b in split(page)]
    shared = {n: len(asked & set(stems(text, detect(text) or language))) for n, text in enumerate(spans)}
    best = sorted((n for n, count in shared.items() if count), key=lambda n: -shared[n])[:SENTENCES]
    quoted = [" ".join(spans[n].split()) for n in sorted(best) or range(min(SENTENCES, len(spans)))]
    quotes = "\n".join(f"> {_escaped(text)}" for text in quoted)
    head = say("says", request.language) + (f" **{_escaped(title)}**" if title else "")
    return f"{head}\n\n{quotes}\n\n{say('from', request.language, url=url)}"


def _escaped(text: str) -> str:
    """A stranger's text is no Markdown of ours: no link, no image, no [n]."""
    return re.sub(r"([\\`*_\[\]<>#|~])", r"\\\1", text)
