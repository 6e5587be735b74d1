"""In: a message, the library, what was corrected. Out: RouteChosen: route, tool and arguments, persona, why, how sure.

    corrections → small talk → persona → tool → documents or chat

What is plain from the message itself is taken first: a persona that is spoken to, an address, arithmetic, a conversion,
a question of the clock, a search of the web. Between documents and chat the classifier and the library's nearness
decide together; on doubt the documents are asked, and without documents the model. A tool that reaches out is never
taken on doubt. Asks no language model and opens no address. Safe to call from any thread.
"""

from __future__ import annotations

import logging
import math
import re
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant.events import Route, RouteChosen
from assistant.history.words import folded
from assistant.routing import classifier, named, signals, tool_calls
from assistant.routing.corrections import Correction, Corrections
from assistant.routing.nearness import Nearness, nearness
from assistant.routing.sentences import say
from assistant.routing.text import plain
from assistant.small_talk import is_small_talk
from knowledge import Document, FloatMatrix, KnowledgeError, Turn

if TYPE_CHECKING:
    from assistant.personas.card import Persona
    from knowledge.embedders import Embedder
    from knowledge.library import Library

TOOLS = ("calculator", "clock", "convert", "web_page", "web_search")  # what a message can be routed to
ALIKE = 0.93  # cosine from which on a message is taken for the corrected one
LIKELY_WEB = 0.75  # of the classifier, from which on a search is taken that was not asked for in so many words
SURE = 0.55  # below it the safer route is taken
LONGEST = 1_000  # characters that are looked at: of a longer message both ends
PULL = 3.0  # log odds: how much a passage that is near weighs against the classifier
MOST = PULL * (0.6 + 0.5)  # the most that a passage pulls
FACT = 3.0  # log odds: a question of fact about one firm, contract or year
_MARK = re.compile(r"\[\d{1,2}\]")
_log = logging.getLogger(__name__)


class _Message:
    """What is known of one message. Its vector and the list of documents are got only when a step asks for them."""

    def __init__(
        self,
        text: str,
        language: str,
        history: Sequence[Turn],
        documents: Collection[int],
        library: Library,
        embed: Callable[[str], FloatMatrix | None],
    ) -> None:
        self.text, self.language, self.history = text, language, tuple(history)
        self.readings = tool_calls.Readings(text, language)
        self._documents, self._library, self._embed = documents, library, embed

    @cached_property
    def searchable(self) -> Mapping[int, Document]:
        return {one.id: one for one in self._library.documents() if one.status.searchable}

    @cached_property
    def attached(self) -> frozenset[int]:
        """Of the conversation, searchable."""
        return frozenset(self.searchable.keys() & set(self._documents)) if self._documents else frozenset()

    @cached_property
    def vector(self) -> FloatMatrix | None:
        """(dimensions,); None: the embedder cannot be had. One serves classifier, corrections and search."""
        return self._embed(self.text)


class Router:
    def __init__(
        self,
        library: Library,
        embedder: Callable[[], Embedder],
        corrections: Corrections | None = None,
        personas: Callable[[], Sequence[Persona]] = lambda: (),
        tools: Callable[[], Collection[str]] = lambda: TOOLS,
    ) -> None:
        """`tools`: those that may be chosen now. A tool that needs the web is best left in while the web is off: the
        agent then says how to turn it on."""
        self._library = library
        self._embedder = embedder
        self._corrections = corrections
        self._personas = personas
        self._tools = tools
        self._head: classifier.Head | None = None
        self._blind: classifier.Head | None = None
        self._training = threading.Lock()
        self._corrected: dict[int, FloatMatrix] = {}  # a correction's id → its text's vector

    def choose(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        documents: Collection[int] | None = None,
        language: str = "en",
        speaks: bool = False,
    ) -> RouteChosen:
        """`documents`: those of the conversation; `language`: of the reason; `speaks`: who answers is settled, so that
        what is left to choose is documents, a tool or plain talk."""
        if speaks:
            question = named.without(question, self._personas())
        if len(question) > LONGEST:  # what is asked stands at an end of what was pasted
            question = f"{question[: LONGEST // 2]} … {question[-LONGEST // 2 :]}"
        message = _Message(question, language, history, documents or (), self._library, self._vector)
        return (
            self._by_correction(message, speaks)
            or self._by_words(message, speaks)
            or self._by_tool(message)
            or self._by_documents(message)
        )

    def arguments(
        self, tool: str, question: str, *, history: Sequence[Turn] = (), language: str = "en"
    ) -> dict[str, Any]:
        """For a tool that a person chose: what the message says of its arguments; {} where it says nothing."""
        followed = tool_calls.after(question, language, history)
        if (found := tool_calls.read(tool, question, language)) is not None:
            return found
        return dict(followed.arguments) if followed is not None and followed.tool == tool else {}

    def warm(self) -> None:
        """Load the embedder, the classifier and the tools now, so that the first message need not wait for them."""
        for asked in ("2 + 2", "5 km in miles", "what time is it in Lima", "days until 3 May"):
            tool_calls.of(tool_calls.Readings(asked, "en"))
        self._kinds("warm", self._vector("warm"))

    # ── what is plain ────────────────────────────────────────────────────────────────────────────────────────────

    def _by_correction(self, message: _Message, speaks: bool) -> RouteChosen | None:
        """The newest correction of these words, else the most alike one. A near miss is no correction."""
        known = [one for one in self._corrections.all() if self._can(one)] if self._corrections else []
        known = [one for one in known if not speaks or one.route is not Route.PERSONA]
        if not known:
            return None
        words = plain(message.text) or folded(message.text)
        for one in known:
            if (plain(one.text) or folded(one.text)) == words:
                return self._corrected_to(one, message, "corrected", 0.99)
        if message.vector is None:
            return None
        likeness = [float(message.vector @ self._vector_of(one)) for one in known]
        best = max(range(len(known)), key=lambda i: likeness[i])
        if likeness[best] < ALIKE or _figures(known[best].text) != _figures(message.text):
            return None
        return self._corrected_to(known[best], message, "corrected_like", round(likeness[best] - 0.04, 2))

    def _can(self, correction: Correction) -> bool:
        """A persona that is gone and a tool that is off cannot be gone to."""
        if correction.route is Route.PERSONA:
            return any(one.name == correction.persona for one in self._personas())
        return correction.route is not Route.TOOL or correction.tool in self._tools()

    def _corrected_to(self, one: Correction, message: _Message, key: str, confidence: float) -> RouteChosen:
        arguments: dict[str, Any] = {}
        if one.route is Route.TOOL:
            read = tool_calls.read(one.tool, message.text, message.language)
            arguments = read if read is not None else dict(one.arguments)
        name = one.tool or one.persona
        where = say(f"where_{one.route.value}", message.language, name=name)
        reason = say(key, message.language, where=where, text=_short(one.text))
        return RouteChosen(one.route, reason, confidence, one.tool, arguments, one.persona)

    def _by_words(self, message: _Message, speaks: bool) -> RouteChosen | None:
        spoken_to = None if speaks else named.find(message.text, self._personas(), classifier.everyday())
        if spoken_to is not None:
            key = "persona" if spoken_to.confidence > 0.9 else "persona_perhaps"
            reason = say(key, message.language, persona=spoken_to.persona)
            return RouteChosen(Route.PERSONA, reason, spoken_to.confidence, persona=spoken_to.persona)
        if is_small_talk(message.text):
            return RouteChosen(Route.CHAT, say("small_talk", message.language), 0.97)
        return None

    def _by_tool(self, message: _Message) -> RouteChosen | None:
        call = tool_calls.of(message.readings) or tool_calls.after(message.text, message.language, message.history)
        if call is None or call.tool not in self._tools():
            return None
        return RouteChosen(Route.TOOL, call.reason(message.language), call.confidence, call.tool, dict(call.arguments))

    # ── documents or chat ────────────────────────────────────────────────────────────────────────────────────────

    def _by_documents(self, message: _Message) -> RouteChosen:
        def route(to: Route, key: str, confidence: float, **values: object) -> RouteChosen:
            reason = say(key, message.language, **values)
            return RouteChosen(to, reason, round(min(0.98, max(0.3, confidence)), 2))

        if message.attached:
            return route(Route.DOCUMENTS, "attached", 0.95)
        kinds = self._kinds(named.masked(message.text, self._personas()), message.vector, message.readings)
        odds = math.log((kinds["documents"] + 1e-6) / (1.0 + 1e-6 - kinds["documents"]))
        mentioned = signals.mentions_documents(message.text)
        if not message.searchable:
            return self._without_documents(message, kinds, odds, mentioned, route)
        if mentioned:
            return route(Route.DOCUMENTS, "mentioned", 0.8 + 0.18 * _share(odds))
        if kinds["web_search"] < LIKELY_WEB and not _goes_on(message.history):
            most = _share(odds + MOST + _fact(message.text))
            if most < 1 - SURE:  # whatever a search of the library would find
                return route(Route.CHAT, "request" if signals.is_request(message.text) else "talk", 1 - _share(odds))
        found = nearness(message.text, message.language, self._library, message.searchable, None, message.vector)
        if not found.near and (search := self._by_search(message, kinds)) is not None:
            return search
        if _goes_on(message.history) and not signals.is_request(message.text) and _share(odds) > 0.05:
            return route(Route.DOCUMENTS, "goes_on", 0.75)
        share = _share(odds + _pull(found) + _fact(message.text))
        if share >= SURE:
            if found.near and found.best is not None:
                return route(Route.DOCUMENTS, "near", share, title=found.best.title, page=found.best.page)
            return route(Route.DOCUMENTS, "asks_documents", share)
        if share > 1 - SURE:
            return route(Route.DOCUMENTS, "perhaps", 0.5)
        return route(Route.CHAT, "request" if signals.is_request(message.text) else "far", 1 - share)

    def _without_documents(
        self,
        message: _Message,
        kinds: Mapping[str, float],
        odds: float,
        mentioned: bool,
        route: Callable[..., RouteChosen],
    ) -> RouteChosen:
        if (search := self._by_search(message, kinds)) is not None and not mentioned:
            return search
        if mentioned and _share(odds) > 0.2:
            return route(Route.DOCUMENTS, "empty_mentioned", 0.6 + 0.38 * _share(odds))
        if _share(odds) >= 0.65:
            return route(Route.DOCUMENTS, "empty_documents", _share(odds))
        return route(Route.CHAT, "empty", 1 - _share(odds))

    def _by_search(self, message: _Message, kinds: Mapping[str, float]) -> RouteChosen | None:
        if kinds["web_search"] < LIKELY_WEB or "web_search" not in self._tools():
            return None
        call = tool_calls.live(message.text, kinds["web_search"])
        return RouteChosen(Route.TOOL, call.reason(message.language), call.confidence, call.tool, dict(call.arguments))

    # ── vectors ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _vector(self, text: str) -> FloatMatrix | None:
        try:
            return np.asarray(self._embedder().embed([text])[0], np.float32)
        except KnowledgeError:
            _log.warning("the embedder is not there; words alone decide", exc_info=True)
            return None

    def _vector_of(self, correction: Correction) -> FloatMatrix:
        vector = self._corrected.get(correction.id)
        if vector is None:
            vector = np.asarray(self._embedder().embed([correction.text])[0], np.float32)
            self._corrected[correction.id] = vector
        return vector

    def _kinds(
        self, text: str, vector: FloatMatrix | None, readings: tool_calls.Readings | None = None
    ) -> dict[str, float]:
        with self._training:
            if vector is None:
                self._blind = self._blind or classifier.head("", None)
                return self._blind.kinds(text, None, readings)
            if self._head is None:
                embedder = self._embedder()
                self._head = classifier.head(embedder.name, embedder.embed)
        return self._head.kinds(text, vector, readings)


def _share(odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-odds))


def _pull(found: Nearness) -> float:
    """Log odds for the documents: what they hold that is near, against what they do not."""
    if found.best is None:
        return -PULL / 2
    pull = PULL * (found.degree - 0.4)
    if found.shared >= 0.5:
        pull += PULL * (found.shared - 0.5)
    return pull


def _fact(text: str) -> float:
    """Log odds for the documents: a model invents who founded what, the documents say that they do not know."""
    if not signals.is_fact(text):
        return 0.0
    return FACT if signals.is_specific(text) else FACT / 6


def _figures(text: str) -> list[str]:
    """Two messages that differ in a number ask for two things."""
    return re.findall(r"\d+", text)


def _goes_on(history: Sequence[Turn]) -> bool:
    """Did the last answer cite documents? Then "and the year before?" asks them too."""
    answers = [turn.text for turn in history if turn.role == "assistant"]
    return bool(answers) and _MARK.search(answers[-1]) is not None


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:59].rstrip()}…"
