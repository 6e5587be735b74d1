"""In: HTTP requests under /v1 with a bearer key. Out: OpenAI's objects, as JSON or as server-sent events.

An ASGI endpoint for `Route("/v1/{path:path}", OpenAiApi(parts))`. The answer's status waits for the first word, so that
what fails before it has a status of its own; what fails later is an `error` event of the stream. When the caller goes
away the answer is stopped. Requests and answers are neither stored nor logged.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any, Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from assistant.choice import Choice
from assistant.events import ApprovalNeeded, Decision, Event
from assistant.openai_api import faults
from assistant.openai_api.answers import Completion
from assistant.openai_api.asked import Asked, read
from assistant.openai_api.faults import Fault
from assistant.openai_api.key import ApiKey
from assistant.personas.card import handle
from assistant.service.say import preferred

if TYPE_CHECKING:
    from assistant.agent import Agent
    from assistant.agent.approvals import Approvals
    from assistant.models import Models
    from assistant.personas import Personas

log = logging.getLogger(__name__)

OWN = "afina"  # the model's name of whoever speaks without a persona
BODY_LIMIT = 4 * 1024 * 1024  # bytes
AT_ONCE = 8  # answers; more wait outside, with 429
ALIVE = 10.0  # seconds between two signs of life of a stream
SOON = {"Retry-After": "3"}
NOT_AGAIN = {"x-should-retry": "false"}  # OpenAI's clients repeat a 5xx by themselves: a paid answer is paid once
_MESSAGES = itertools.count(1)


class Home(Protocol):
    """What it works with. Parts is one."""

    @property
    def api_key(self) -> ApiKey: ...
    @property
    def personas(self) -> Personas: ...
    @property
    def agent(self) -> Agent: ...
    @property
    def models(self) -> Models: ...
    @property
    def approvals(self) -> Approvals: ...


class OpenAiApi:
    def __init__(self, home: Home) -> None:
        self._home = home
        self._since = int(time.time())
        self._room = threading.BoundedSemaphore(AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        language = preferred({}, request.headers.get("accept-language", ""))
        try:
            await run_in_threadpool(self._enter, request.headers.get("authorization", ""))
            await self._answer(request, language, receive, send)
            return
        except Fault as fault:
            headers = SOON if fault.status == 429 else {"WWW-Authenticate": "Bearer"} if fault.status == 401 else {}
            response = JSONResponse(faults.body(fault, language), fault.status, headers)
        except Exception:
            log.exception("a request to the OpenAI-compatible door failed")
            response = JSONResponse(faults.body(Fault(500, "bug"), language), 500, NOT_AGAIN)
        await response(scope, receive, send)

    def _enter(self, authorization: str) -> None:
        kind, _, given = authorization.partition(" ")
        if not self._home.api_key.opens(given.strip()) or kind.lower() != "bearer":
            off = self._home.api_key.shown() is None
            raise Fault(401, "off" if off else "key", code="invalid_api_key")

    async def _answer(self, request: Request, language: str, receive: Receive, send: Send) -> None:
        path = request.path_params["path"].strip("/")
        known = {"chat/completions": "POST", "models": "GET"}
        wanted = "GET" if path.startswith("models/") else known.get(path)
        if wanted is None:
            raise Fault(404, "nothing", code="unknown_url", path=f"/v1/{path}"[:200])
        if request.method != wanted:
            raise Fault(405, "method", path=f"/v1/{path}"[:200], method=wanted)
        if wanted == "POST":
            await self._complete(request, language, receive, send)
            return
        rows = await run_in_threadpool(self._models)
        if path == "models":
            found: dict[str, Any] = {"object": "list", "data": rows}
        else:
            name = handle(path.removeprefix("models/"))
            found = next((row for row in rows if row["id"] == name), {})
            if not found:
                raise self._unknown(path.removeprefix("models/"), rows)
        await JSONResponse(found)(request.scope, receive, send)

    def _models(self) -> list[dict[str, Any]]:
        own = {"id": OWN, "object": "model", "created": self._since, "owned_by": OWN, "name": "Afina"}
        return [own] + [
            {
                "id": one.handle,
                "object": "model",
                "created": int(one.updated_at.timestamp()),
                "owned_by": OWN,
                "name": one.name,
            }
            for one in self._home.personas.all()
        ]

    @staticmethod
    def _unknown(name: str, rows: list[dict[str, Any]]) -> Fault:
        known = ", ".join(str(row["id"]) for row in rows)
        return Fault(404, "model", code="model_not_found", param="model", model=name[:80], known=known)

    # ── a completion ─────────────────────────────────────────────────────────────────────────────────────────────

    async def _complete(self, request: Request, language: str, receive: Receive, send: Send) -> None:
        asked = read(await _body(request))
        persona = await run_in_threadpool(self._persona, asked.model)
        if not self._room.acquire(blocking=False):
            raise Fault(429, "busy", code="rate_limit_exceeded", limit=AT_ONCE)
        stop = threading.Event()
        completion = Completion(asked)
        answer = _Answer(completion, lambda: self._events(asked, persona, language, stop), self._room.release, language)
        gone = asyncio.ensure_future(_gone(receive))
        try:
            answer.begin()
            first = await answer.next(gone)
            if completion.failed is not None and not first:
                await self._refused(completion, language)(request.scope, receive, send)
            elif asked.stream:
                await _stream(answer, first, gone, send)
            else:
                while first and not gone.done():
                    first = await answer.next(gone)
                if not gone.done():
                    response = self._whole(completion, language)
                    await response(request.scope, receive, send)
        finally:
            stop.set()
            gone.cancel()

    def _persona(self, model: str) -> str:
        """The persona's name; "" for Afina. Raises Fault."""
        if handle(model) == OWN:
            return ""
        stored = self._home.personas.named(model)
        if stored is None:
            raise self._unknown(model, self._models())
        return stored.name

    def _events(self, asked: Asked, persona: str, language: str, stop: threading.Event) -> Iterator[Event]:
        number = -next(_MESSAGES)  # of no stored message: by it a tool that asks is found, and denied
        events = self._home.agent.run(
            asked.question,
            history=asked.history,
            choice=Choice(persona=persona, settings=asked.settings),
            message=number,
            language=language,
            stop=stop,
        )
        with closing(events):  # type: ignore[type-var]  # a generator
            for event in events:
                if isinstance(event, ApprovalNeeded):
                    self._home.approvals.give(number, event.call, Decision.DENY)
                yield event

    def _whole(self, completion: Completion, language: str) -> JSONResponse:
        if completion.failed is not None:
            return self._refused(completion, language)
        return JSONResponse(completion.whole(), headers=_ignored(completion.asked))

    def _refused(self, completion: Completion, language: str) -> JSONResponse:
        """An answer that failed: 503 where another try may help, else 400. Only while a model loads is it repeated."""
        assert completion.failed is not None
        if self._home.models.state().stage in ("fetching", "loading"):
            return JSONResponse(faults.body(Fault(503, "loading", code="model_loading"), language), 503, SOON)
        status = 503 if completion.failed.retryable else 400
        return JSONResponse(faults.of(completion.failed.message, status), status, NOT_AGAIN)


class _Answer:
    """The agent on a thread of its own; its words as they come."""

    def __init__(
        self, completion: Completion, run: Callable[[], Iterator[Event]], done: Callable[[], None], language: str
    ) -> None:
        self.completion = completion
        self.language = language
        self._run, self._done = run, done
        self._loop = asyncio.get_running_loop()
        self._words: asyncio.Queue[str] = asyncio.Queue()
        self.broken = False

    def begin(self) -> None:
        threading.Thread(target=self._work, name="openai answer", daemon=True).start()

    async def next(self, gone: asyncio.Future[None], patience: float | None = None) -> str | None:
        """Words; "" at the end, or when the caller went away; None when `patience` is over first."""
        waiting = asyncio.ensure_future(self._words.get())
        either: list[asyncio.Future[Any]] = [waiting, gone]
        await asyncio.wait(either, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done() and not gone.done():
            if self.broken and not waiting.result():
                raise RuntimeError("the answer broke off")
            return waiting.result()
        waiting.cancel()
        return "" if gone.done() else None

    def _work(self) -> None:
        try:
            for event in self._run():
                if words := self.completion.take(event):
                    self._put(words)
        except Exception:
            log.exception("answering a request of the OpenAI-compatible door failed")
            self.broken = True
        finally:
            self._done()
            self._put("")

    def _put(self, words: str) -> None:
        try:
            self._loop.call_soon_threadsafe(self._words.put_nowait, words)
        except RuntimeError:  # the server is closing
            log.debug("nobody reads the answer any more")


async def _stream(answer: _Answer, words: str | None, gone: asyncio.Future[None], send: Send) -> None:
    completion = answer.completion
    headers = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store"}
    pairs = [(name.encode(), value.encode()) for name, value in (headers | _ignored(completion.asked)).items()]
    await send({"type": "http.response.start", "status": 200, "headers": pairs})

    async def say(*rows: Mapping[str, Any], more: bool = True, text: str = "") -> None:
        data = "".join(f"data: {json.dumps(row, ensure_ascii=False)}\n\n" for row in rows) + text
        await send({"type": "http.response.body", "body": data.encode(), "more_body": more})

    await say(completion.first())
    try:
        while words != "":
            if words is None:
                await say(text=": alive\n\n")
            else:
                await say(completion.piece(words))
            words = await answer.next(gone, ALIVE)
        if gone.done():
            return
        if completion.failed is not None:
            await say(faults.of(completion.failed.message, 503 if completion.failed.retryable else 400), more=False)
        else:
            await say(*completion.last(), more=False, text="data: [DONE]\n\n")
    except RuntimeError:  # the answer broke off, and its headers are sent
        await say(faults.body(Fault(500, "bug"), answer.language), more=False)


def _ignored(asked: Asked) -> dict[str, str]:
    names = [name for name in asked.ignored if name.isascii() and name.isprintable()]
    return {"x-afina-ignored": ", ".join(names)[:1_000]} if names else {}


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _body(request: Request) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size <= BODY_LIMIT:
            parts.append(part)
    if size > BODY_LIMIT:  # read to its end, so that the caller gets to see the refusal instead of a reset
        raise Fault(413, "large", limit=BODY_LIMIT // 2**20)
    return b"".join(parts)
