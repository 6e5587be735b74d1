"""In: a question, the conversation so far. Out: events, one at a time. Knows nothing of history or pages.

request     one message on its way; who: who speaks, by which model, with which settings
documents   answers whose citations were checked; plain: the model alone; tools: a routed tool's own answer
acting      one tool call from start to end; approvals: who was asked; limits: what a turn may take
calling     a model that calls tools itself, driven by LangChain's create_agent

A model that can call tools drives itself; for any other one a router chooses between documents, a tool, a persona and
plain talk. Every turn begins with RouteChosen and ends with exactly one of Answered, Failed, Stopped; no exception gets
past `run`. A model that first spoke and then called a tool has RouteChosen a second time: the last one holds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from assistant.agent.acting import Acting
from assistant.agent.approvals import Approvals
from assistant.agent.documents import from_documents, scope
from assistant.agent.failures import failed
from assistant.agent.limits import Clock, Limits, Meter
from assistant.agent.plain import plain
from assistant.agent.request import QUESTION_CHARACTERS, ModelSource, Request, Who
from assistant.agent.tools import with_tool
from assistant.agent.who import speaking, who
from assistant.agent.writing import trimmed
from assistant.choice import AUTO, Choice
from assistant.errors import ForPerson
from assistant.events import TERMINAL, Event, Failed, Route, RouteChosen, Stopped, TextDelta
from assistant.history import Conversation
from assistant.sentences import say
from assistant.small_talk import language_of
from knowledge import Turn
from knowledge.language import detect

if TYPE_CHECKING:
    from assistant.agent.calling import Driver
    from assistant.personas import Personas
    from assistant.tools import Tool, Toolbox
    from knowledge.library import Library

__all__ = ["QUESTION_CHARACTERS", "Agent", "Approvals", "Limits", "trimmed"]

ROUTES = tuple(route.value for route in Route)


class Routing(Protocol):
    def choose(
        self,
        question: str,
        *,
        history: Sequence[Turn],
        documents: Collection[int] | None,
        language: str,
        speaks: bool = False,
    ) -> RouteChosen: ...


class Agent:
    def __init__(
        self,
        library: Library,
        models: ModelSource,
        model: str = "",
        *,
        router: Routing | None = None,
        toolbox: Toolbox | None = None,
        approvals: Approvals | None = None,
        personas: Personas | None = None,
        limits: Limits | None = None,
    ) -> None:
        """`model`: the app's, "" for the default one."""
        self._library, self._models, self._model = library, models, model
        self._router, self._toolbox, self._approvals, self._personas = router, toolbox, approvals, personas
        self._limits = limits or Limits()
        self._driver: Driver | None = None
        self._making = threading.Lock()
        self._handlers: Mapping[Route, Callable[[Request, RouteChosen], Iterator[Event]]] = {
            Route.DOCUMENTS: lambda request, _: from_documents(library, models, model or _default(models), request),
            Route.TOOL: self._with_tool,
            Route.PERSONA: lambda request, _: plain(models, request),
            Route.CHAT: lambda request, _: plain(models, request),
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
        own = tuple(documents) if documents else None
        request = Request(
            question, tuple(history), own, language, stop, attempt, choice, conversation=conversation, message=message
        ).changed(clock=Clock(self._limits, language))
        written: list[str] = []
        try:
            with closing(self._answer(request)) as events:
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

    def warm(self) -> None:
        """Bring in what drives a tool-calling model, where the app's model is one. Harmless to repeat."""
        if self._models.capabilities(self._model).tools:
            self._drive()

    # ── which way ────────────────────────────────────────────────────────────────────────────────────────────────

    def _answer(self, request: Request) -> Generator[Event, None, None]:
        if request.choice.route not in ("auto", *ROUTES):
            known = ", ".join(ROUTES)
            yield Failed(say("no_route", request.language, route=request.choice.route, known=known), retryable=False)
            return
        speaker, question = who(request.question, request.choice, request.conversation, self._personas)
        persona = speaker.persona
        language = (persona.language if persona else "") or request.language
        request = request.changed(who=self._named(speaker), question=question, language=language)
        if self._drives_itself(request) and (tools := self._tools(request)):
            yield from self._drive().run(request, tools, self._acting(request, tools))
            return
        request, chosen = self._chosen(request)
        yield chosen
        yield from self._handlers[chosen.route](request, chosen)

    def _named(self, speaker: Who) -> Who:
        return speaker if speaker.model or not self._model else replace(speaker, model=self._model)

    def _drives_itself(self, request: Request) -> bool:
        """A persona that speaks over facts has them searched first, whatever its model can do."""
        persona = request.who.persona
        if request.choice.route not in ("auto", Route.PERSONA) or (persona is not None and persona.facts):
            return False
        return self._toolbox is not None and self._models.capabilities(request.who.model).tools

    def _chosen(self, request: Request) -> tuple[Request, RouteChosen]:
        """The route; and who speaks, where the router heard a persona's name."""
        wanted = request.choice.route
        if wanted in (Route.DOCUMENTS, Route.CHAT):
            return request, RouteChosen(
                Route(wanted), say(f"asked_{wanted}", request.language), 1.0, persona=request.who.name
            )
        if wanted == Route.TOOL:
            return request, self._asked_tool(request)
        chosen = self._routed(request)
        if chosen.route is Route.PERSONA and request.who.persona is None and self._personas is not None:
            found = self._personas.named(chosen.persona)
            if found is None:
                return request, RouteChosen(Route.CHAT, chosen.reason, chosen.confidence)
            heard = self._named(speaking(found.persona, request.choice, request.conversation))
            request = request.changed(who=heard)
            return self._by_persona(request, self._routed(request), chosen.reason, chosen.confidence)
        if request.who.persona is not None:
            why = say(request.who.reason, request.language, name=request.who.name)
            return self._by_persona(request, chosen, why, 1.0)
        if wanted == Route.PERSONA:
            raise ForPerson(say("which_persona", "en"), spanish=say("which_persona", "es"))
        return request, chosen

    def _by_persona(
        self, request: Request, chosen: RouteChosen, why: str, confidence: float
    ) -> tuple[Request, RouteChosen]:
        """A persona speaks: over facts where it is made for it, after a tool it may use, else plainly."""
        persona = request.who.persona
        assert persona is not None
        if chosen.route is Route.DOCUMENTS and persona.facts and scope(self._library, request) != []:
            return request, replace(chosen, persona=persona.name)
        allowed = persona.tools is None or chosen.tool in persona.tools
        if chosen.route is Route.TOOL and allowed:
            return request, replace(chosen, persona=persona.name)
        return request, RouteChosen(Route.PERSONA, why, confidence, persona=persona.name)

    def _routed(self, request: Request) -> RouteChosen:
        if self._router is not None:
            return self._router.choose(
                request.question,
                history=request.history,
                documents=request.documents,
                language=request.language,
                speaks=request.who.persona is not None,
            )
        from assistant import routing

        return routing.choose(
            request.question,
            history=request.history,
            documents=request.documents,
            library=self._library,
            language=request.language,
        )

    def _asked_tool(self, request: Request) -> RouteChosen:
        """The tool a person chose, its arguments where they said them; else as the router reads the message."""
        choice, why = request.choice, say("asked_tool", request.language)
        if choice.tool and choice.arguments:
            return RouteChosen(Route.TOOL, why, 1.0, choice.tool, dict(choice.arguments), request.who.name)
        read = getattr(self._router, "arguments", None)
        if choice.tool and read is not None:
            arguments = read(choice.tool, request.question, history=request.history, language=request.language)
            return RouteChosen(Route.TOOL, why, 1.0, choice.tool, dict(arguments), request.who.name)
        chosen = self._routed(request)
        if chosen.route is Route.TOOL and choice.tool in ("", chosen.tool):
            return replace(chosen, reason=why, confidence=1.0, persona=request.who.name)
        if not choice.tool:
            raise ForPerson(say("which_tool", "en"), spanish=say("which_tool", "es"))
        return RouteChosen(Route.TOOL, why, 1.0, choice.tool, _whole(choice.tool, request.question), request.who.name)

    # ── with tools ───────────────────────────────────────────────────────────────────────────────────────────────

    def _with_tool(self, request: Request, chosen: RouteChosen) -> Iterator[Event]:
        if self._toolbox is None:
            raise ForPerson(say("no_tools", "en"), spanish=say("no_tools", "es"))
        tool = self._toolbox.get(chosen.tool)  # raises what to turn on, where it is off
        acting = self._acting(request, [tool])
        return with_tool(acting, tool.name, dict(chosen.arguments))

    def _tools(self, request: Request) -> list[Tool]:
        """What this model may call: what is switched on, and the persona is allowed."""
        assert self._toolbox is not None
        persona = request.who.persona
        allowed = persona.tools if persona is not None else None
        tools = self._toolbox.tools(request.language)
        return tools if allowed is None else [tool for tool in tools if tool.name in allowed]

    def _acting(self, request: Request, tools: Sequence[Tool]) -> Acting:
        documents = scope(self._library, request)
        return Acting(
            request,
            {tool.name: tool for tool in tools},
            Meter(self._limits, request.language),
            threading.Event(),
            self._approvals,
            self._library,
            None if documents is None else tuple(documents),
        )

    def _drive(self) -> Driver:
        with self._making:
            if self._driver is None:
                from assistant.agent.calling import Driver

                self._driver = Driver(self._models, self._library, self._personas, self._model)
            return self._driver


def _default(models: ModelSource) -> str:
    from assistant.models import DEFAULT

    return str(getattr(models, "default", "") or DEFAULT)


def _whole(tool: str, question: str) -> dict[str, str]:
    """For a tool that takes the message itself."""
    fields = {"calculator": "expression", "web_search": "query", "search_documents": "query", "web_page": "url"}
    return {fields[tool]: question} if tool in fields else {}
