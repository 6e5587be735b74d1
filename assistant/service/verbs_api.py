"""In: POST /verbs/{name}, bearer token, Accept-Language, one JSON object. Out: NDJSON, a row as soon as it is yielded.

    {"row": {...}}            one of the verb's rows
    (empty line)              nothing new, but alive; every two seconds
    {"end": true}             the last line of a verb that was done
    {"error": {"kind": "ForPerson", "message": "…"}}   the last line of one that was not

A stream that ends without one of the last two was cut off. When the caller goes away the verb's `stop` event is set and
its generator closed. The token lies in the data folder (owner.json, 0600): who can read the folder may speak for it.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from assistant.service.parts import Parts
from assistant.service.say import preferred
from assistant.service.verbs import BadArguments, Row, UnknownVerb, prepare
from knowledge import KnowledgeError

log = logging.getLogger(__name__)

ALIVE = 2.0  # seconds between two signs of life
BODY_LIMIT = 1024 * 1024  # bytes
AHEAD = 256  # rows a verb may run ahead of a slow reader


class VerbsApi:
    """An ASGI endpoint for `Route("/verbs/{name}", VerbsApi(parts, token), methods=["POST"])`."""

    def __init__(self, parts: Parts, token: str) -> None:
        self._parts, self._token = parts, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        given = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
        if not hmac.compare_digest(given, self._token.encode()):
            await JSONResponse(_error("ForOperator", "The token is not the running app's."), 401)(scope, receive, send)
            return
        stop = threading.Event()
        language = preferred({}, request.headers.get("accept-language", ""))
        try:
            arguments = await _arguments(request)
            verb = prepare(self._parts, scope["path_params"]["name"], arguments, stop, language)
        except UnknownVerb as error:
            await JSONResponse(_error("ForPerson", str(error)), 404)(scope, receive, send)
            return
        except (BadArguments, ValueError) as error:
            await JSONResponse(_error("BadArguments", str(error)), 422)(scope, receive, send)
            return
        await _Stream(verb, stop, language).run(receive, send)


class _Stream:
    """One verb on a thread of its own, its lines sent as they come."""

    def __init__(self, verb: Callable[[], Iterator[Row]], stop: threading.Event, language: str) -> None:
        self._verb, self._stop, self._language = verb, stop, language
        self._lines: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._room = threading.Semaphore(AHEAD)

    async def run(self, receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._work, args=(loop,), name="verb", daemon=True).start()
        gone = asyncio.ensure_future(_gone(receive))
        try:
            headers = [(b"content-type", b"application/x-ndjson"), (b"cache-control", b"no-store")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await self._send_lines(gone, send)
        finally:
            self._stop.set()
            gone.cancel()

    async def _send_lines(self, gone: asyncio.Future[None], send: Send) -> None:
        while True:
            line = asyncio.ensure_future(self._lines.get())
            waiting: list[asyncio.Future[Any]] = [line, gone]
            await asyncio.wait(waiting, timeout=ALIVE, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                line.cancel()
                return
            if not line.done():
                line.cancel()
                await send({"type": "http.response.body", "body": b"\n", "more_body": True})
                continue
            body = line.result()
            self._room.release()
            await send({"type": "http.response.body", "body": body or b"", "more_body": body is not None})
            if body is None:
                return

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        def put(line: dict[str, Any] | None) -> bool:
            while not self._room.acquire(timeout=0.2):
                if self._stop.is_set():
                    return False
            encoded = None if line is None else json.dumps(line, ensure_ascii=False, default=str).encode() + b"\n"
            try:
                loop.call_soon_threadsafe(self._lines.put_nowait, encoded)
            except RuntimeError:  # the server is closing
                return False
            return True

        try:
            with closing(cast("Generator[Row, None, None]", self._verb())) as rows:
                for row in rows:
                    if self._stop.is_set() or not put({"row": row}):
                        return
            put({"end": True})
        except KnowledgeError as error:  # the assistant's own are of that tree
            put(_error(kind_of(error), error.said(self._language)))
        except Exception:
            log.exception("a verb failed")
            put(_error("Bug", "Something went wrong in the app; its log has the details."))
        finally:
            put(None)


def kind_of(error: Exception) -> str:
    """ForPerson, ForOperator or TryAgain: who acts."""
    names = [base.__name__ for base in type(error).__mro__]
    return next((name for name in ("ForPerson", "ForOperator", "TryAgain") if name in names), "Bug")


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _arguments(request: Request) -> dict[str, Any]:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > BODY_LIMIT:
            raise ValueError("The arguments are longer than 1 MiB.")
    arguments = json.loads(body or b"{}")
    if not isinstance(arguments, dict):
        raise ValueError("The arguments must be one JSON object.")
    return arguments


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"error": {"kind": kind, "message": message}}
