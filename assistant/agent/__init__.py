"""In: a question, the conversation so far. Out: events, one at a time. Knows nothing of history or pages.

A router chooses between documents and plain talk; each route is a row of one table. Every turn begins with RouteChosen
and ends with exactly one of Answered, Failed, Stopped; no exception gets past `run`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from assistant import errors, routing
from assistant.choice import AUTO, Choice
from assistant.events import TERMINAL, Answered, Event, Failed, PassagesFound, Route, RouteChosen, Stopped, TextDelta
from assistant.history import Conversation, cited
from assistant.models.inference import Inference
from assistant.repeats import until_repeating, without_loop
from assistant.sentences import say
from assistant.small_talk import is_small_talk, kind_of, language_of
from knowledge import Answer, Found, KnowledgeError, Turn, Usage, Wrote
from knowledge import errors as knowledge_errors
from knowledge.language import detect

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from knowledge.library import Library

CHAT_TOKENS = 512  # at most, of a plain answer
PASSAGE_TOKENS = 1_200  # of passages in the prompt
FEWER_PASSAGE_TOKENS = {"local:smollm2-135m": 400}  # model → … where more of them confuse more than they help
HISTORY_CHARACTERS = 6_000  # of earlier messages, newest kept: some 2,000 tokens, under a second of reading
QUESTION_CHARACTERS = 12_000  # some 4,000 tokens: half of the default model's 8,192

_log = logging.getLogger(__name__)


class ModelSource(Protocol):
    def get(self, name: str = ...) -> BaseChatModel: ...


@dataclass(frozen=True, slots=True)
class Request:
    """One message on its way through a handler."""

    question: str
    history: tuple[Turn, ...]  # earlier messages, oldest first
    documents: tuple[int, ...] | None  # where to look; None: everywhere
    language: str  # "en" | "es", of the answer
    stop: threading.Event
    attempt: int  # 0: the first answer; later ones are to differ from it


class Agent:
    def __init__(self, library: Library, models: ModelSource, model: str = "") -> None:
        self._library = library
        self._models = models
        self._model = model  # "": the default one
        self._handlers: Mapping[Route, Callable[[Request], Iterator[Event]]] = {
            Route.DOCUMENTS: self._from_documents,
            Route.CHAT: self._plain,
        }

    def run(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        documents: Collection[int] | None = None,
        choice: Choice = AUTO,
        conversation: Conversation | None = None,
        message: int = 0,
        language: str = "en",
        stop: threading.Event | None = None,
        attempt: int = 0,
    ) -> Iterator[Event]:
        """`documents`: the conversation's own; `language`: the page's, used when the question does not show one."""
        language = detect(question) or language_of(question) or language
        stop = stop or threading.Event()
        scope = tuple(documents) if documents else None
        request = Request(question, tuple(history), scope, language, stop, attempt)
        written: list[str] = []
        try:
            with closing(self._answer(request, choice.route)) as events:
                for event in events:
                    if isinstance(event, TextDelta):
                        written.append(event.text)
                    yield event
                    if isinstance(event, TERMINAL):
                        return
                    if stop.is_set():
                        break
            yield Stopped("".join(written)) if stop.is_set() else Failed(say("silent", language))
        except Exception as error:
            yield Stopped("".join(written)) if stop.is_set() else failed(error, language)

    # ── routes ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _answer(self, request: Request, route: str) -> Generator[Event, None, None]:
        if route not in ("auto", *self._handlers):
            known = ", ".join(self._handlers)
            yield Failed(say("no_route", request.language, route=route, known=known), retryable=False)
            return
        if route == "auto":
            chosen = routing.choose(
                request.question,
                history=request.history,
                documents=request.documents,
                library=self._library,
                language=request.language,
            )
        else:
            chosen = RouteChosen(Route(route), say(f"asked_{route}", request.language), 1.0)
        yield chosen
        yield from self._handlers[chosen.route](request)

    def _from_documents(self, request: Request) -> Iterator[Event]:
        from assistant.models import DEFAULT
        from knowledge.answers.answering import answer

        searchable = {document.id for document in self._library.documents() if document.status.searchable}
        if not searchable:
            yield Failed(say("no_documents", request.language), retryable=False)
            return
        mine = searchable.intersection(request.documents or ())  # one may have been removed since it was attached
        writing = _Writing(self._get, request)
        steps = answer(
            request.question,
            history=request.history,
            library=self._library,
            write=writing.write,
            documents=sorted(mine) or None,
            language=request.language,
            stop=request.stop,
            budget=FEWER_PASSAGE_TOKENS.get(self._model or DEFAULT, PASSAGE_TOKENS),
        )
        for step in steps:
            match step:
                case Found():
                    yield PassagesFound(step.passages, step.seconds)
                case Wrote():
                    yield TextDelta(step.text, step.citations)
                case Answer():
                    usage = writing.counted(step.usage)
                    yield Answered(step.text, step.citations, step.basis, usage, step.draft)

    def _plain(self, request: Request) -> Iterator[Event]:
        if len(request.question) > QUESTION_CHARACTERS:
            length, limit = f"{len(request.question):,}", f"{QUESTION_CHARACTERS:,}"
            yield Failed(say("too_long", request.language, length=length, limit=limit), retryable=False)
            return
        if request.attempt == 0 and is_small_talk(request.question) and (own := kind_of(request.question)):
            yield Answered(say(own, request.language), (), None, Usage())
            return
        writing = _Writing(self._get, request)
        turns = [
            Turn("system", say("system", request.language)),
            *trimmed(request.history, HISTORY_CHARACTERS),
            Turn("user", request.question),
        ]
        pieces: list[str] = []
        with closing(writing.write(turns, CHAT_TOKENS)) as written:
            for piece in until_repeating(written):
                pieces.append(piece)
                yield TextDelta(piece)
        if request.stop.is_set():
            return
        # No documents were asked: an [n] would lead nowhere.
        text = cited(without_loop("".join(pieces)).strip(), ())
        if text:
            yield Answered(text, (), None, writing.usage or Usage())

    def _get(self) -> BaseChatModel:
        return self._models.get(self._model) if self._model else self._models.get()


class _Writing:
    """A model as answering wants it: turns in, text out; what it took is kept aside.

    The model is asked for when it has to write, not before: what was found is shown while it loads.
    """

    def __init__(self, get: Callable[[], BaseChatModel], request: Request) -> None:
        self.usage: Usage | None = None
        self._name = ""
        self._get = get
        self._stop = request.stop
        # The first answer is the likeliest one. Another try at the same temperature would be the same answer again.
        self._temperature = 0.0 if request.attempt == 0 else 0.7
        self._seed = request.attempt

    def counted(self, whole: Usage) -> Usage:
        """The whole answer's seconds with the model's tokens; none are known when it was cut short."""
        own = self.usage or Usage()
        name = own.model or self._name or whole.model
        return replace(whole, model=name, prompt_tokens=own.prompt_tokens, completion_tokens=own.completion_tokens)

    def write(self, turns: Sequence[Turn], max_tokens: int) -> Generator[str, None, None]:
        from assistant.models import write

        model = self._get()
        self._name = str(getattr(model, "model", None) or getattr(model, "model_name", None) or "")
        pieces = write(
            model,
            turns,
            inference=Inference(max_tokens=max_tokens, temperature=self._temperature, seed=self._seed),
            stop=self._stop,
        )
        with closing(pieces):  # type: ignore[type-var]  # a generator
            for piece in pieces:
                if isinstance(piece, Usage):
                    self.usage = _sum(self.usage, piece)
                elif piece:
                    yield piece


def trimmed(history: Sequence[Turn], characters: int) -> list[Turn]:
    """The newest messages that fit, beginning with a question; marks of citations that are not at hand are left out."""
    kept: list[Turn] = []
    left = characters
    for turn in reversed(history):
        text = cited(turn.text, ()) if turn.role == "assistant" else turn.text
        left -= len(text)
        if left < 0:
            break
        kept.append(replace(turn, text=text))
    while kept and kept[-1].role != "user":
        kept.pop()
    return kept[::-1]


def failed(error: Exception, language: str) -> Failed:
    """What a person reads of an error. Whatever is no sentence of ours goes to the log, not to the page."""
    match error:
        case errors.TryAgain() | knowledge_errors.TryAgain():
            return Failed(say("wait", language, detail=str(error)))
        case errors.ForOperator() | knowledge_errors.ForOperator():
            return Failed(say("operator", language, detail=str(error)))
        case errors.AssistantError() | KnowledgeError():
            return Failed(say("person", language, detail=str(error)))
        case MemoryError():
            return Failed(say("memory", language))
        case _:
            _log.error("answering failed", exc_info=error)
            return Failed(say("bug", language))


def _sum(before: Usage | None, usage: Usage) -> Usage:
    if before is None:
        return usage
    return replace(
        usage,
        prompt_tokens=before.prompt_tokens + usage.prompt_tokens,
        completion_tokens=before.completion_tokens + usage.completion_tokens,
        seconds_to_first=before.seconds_to_first,
        seconds=before.seconds + usage.seconds,
    )
