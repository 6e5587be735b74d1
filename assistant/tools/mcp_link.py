"""In: an MCP server's entry. Out: one open session with it, or one sentence why there is none.

    links = Links()                                  one thread with one event loop; every session lives in it
    link = links.open(entry)                         starts the program, or asks the address
    link.tools → [Listed("add", "Adds", {…schema})]  link.call("add", {"a": 1}, seconds=30, stop=event) → Said("2", …)

A stranger's program speaks here, so everything it does is bounded: how long a message is, how much it sends, how many
tools it has, how long it may take. What it wrote last on its standard error is kept for the sentence.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import CancelledError as Cancelled
from concurrent.futures import Future
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from assistant.sentences import speaker
from assistant.tools.mcp_config import HIDDEN, Entry
from assistant.tools.tool import READ, ToolError

SECONDS = 30.0  # of a call, and of a start
TOOLS = 100  # of one server
SCHEMA = 20_000  # characters of a tool's schema
DESCRIPTION = 1_000  # characters
FLOOD = 32_000_000  # bytes a server may send in one call
NONSENSE = 20  # lines that are no message before it is given up

say = speaker(
    {
        "not_found": (
            "The program {what} is not on this machine: install it, or correct the config.",
            "El programa {what} no está en esta máquina: instálalo o corrige la configuración.",
        ),
        "not_started": ("The program {what} could not be started.", "No se pudo arrancar el programa {what}."),
        "died": (
            "The server stopped{what}. Its program or config needs a look; it is started anew next time.",
            "El servidor se paró{what}. Revisa su programa o su configuración; se arrancará de nuevo la próxima vez.",
        ),
        "nonsense": (
            "The server does not speak MCP{what}: check that the config names the right program or address.",
            "El servidor no habla MCP{what}: comprueba que la configuración indique el programa o dirección correctos.",
        ),
        "flood": ("The server sent far too much and was cut off.", "El servidor envió demasiado y se cortó."),
        "slow": (
            "The server gave no answer within {what} seconds: try again, or ask it for less.",
            "El servidor no respondió en {what} segundos: reinténtalo o pídele menos.",
        ),
        "unreached": (
            "The server could not be reached{what}: check the address, and that it runs.",
            "No se pudo llegar al servidor{what}: comprueba la dirección y que esté en marcha.",
        ),
        "status": (
            "The server refused with status {what}: check the address and the headers (a key, a token).",
            "El servidor respondió con el estado {what}: comprueba la dirección y las cabeceras (una clave, un token).",
        ),
        "failed": ("The server reports an error: {what}", "El servidor informa de un error: {what}"),
        "stopped": ("The call was stopped.", "La llamada se detuvo."),
        "empty": ("(The server gave an empty result.)", "(El servidor dio un resultado vacío.)"),
    }
)


def error(key: str, what: object = "") -> ToolError:
    return ToolError(say(key, "en", what=what), spanish=say(key, "es", what=what))


class Fault(Exception):  # noqa: N818 - the name says what it is
    def __init__(self, key: str, what: object = "") -> None:
        super().__init__(key)
        self.key, self.what = key, what


@dataclass(frozen=True, slots=True)
class Listed:
    name: str
    description: str
    schema: dict[str, Any]
    destructive: bool  # its own word: only ever used to ask more often


class Links:
    """The thread that owns the sessions. Made of nothing; the thread starts with the first link."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def open(self, entry: Entry, *, seconds: float = SECONDS, stop: threading.Event | None = None) -> Link:
        """Raises ToolError."""
        link = Link(self, entry)
        link.start(seconds, stop or threading.Event())
        return link

    def run(self, work: Coroutine[Any, Any, Any], seconds: float, stop: threading.Event) -> Any:
        """The coroutine's result, waited for here; ToolError where it takes too long or was stopped."""
        future = self.send(work)
        until = time.monotonic() + seconds
        while True:
            try:
                return future.result(timeout=0.05)
            except Cancelled:
                raise error("stopped") from None
            except TimeoutError:
                if future.done():
                    raise error("slow", round(seconds)) from None
            if stop.is_set():
                future.cancel()
                raise error("stopped")
            if time.monotonic() > until:
                future.cancel()
                raise error("slow", f"{seconds:g}")

    def send(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(work, self._running())

    def close(self) -> None:
        """Every link must be closed before."""
        with self._lock:
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(timeout=10)

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=_turn, args=(loop,), name="mcp", daemon=True)
                self._thread.start()
            return self._loop


def _turn(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


class Link:
    """One session. Its task opens it, keeps it and closes it, since the vendor's scopes must end where they began."""

    def __init__(self, links: Links, entry: Entry) -> None:
        self._links, self._entry = links, entry
        self.heard = Heard()
        self.tools: list[Listed] = []
        self.left_out = 0  # tools that were too many or had no usable schema
        self._session: Any = None
        self._ready: asyncio.Event
        self._leave: asyncio.Event
        self._task: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        return self._session is not None and self.heard.fault is None

    def start(self, seconds: float, stop: threading.Event) -> None:
        try:
            self._links.run(self._start(), seconds, stop)
        except ToolError as failure:
            told = self._told(failure)
            self.close()
            raise told from None
        except Exception as failure:
            told = self._failed(failure)
            self.close()
            raise told from None

    def call(self, tool: str, arguments: dict[str, Any], seconds: float, stop: threading.Event) -> str:
        """The result as text. Raises ToolError; after a fault the link is no longer alive."""
        self.heard.bytes = 0
        try:
            result = self._links.run(self._asked(tool, arguments), seconds, stop)
        except ToolError as failure:
            raise self._told(failure) from None
        except Exception as failure:
            raise self._failed(failure) from None
        text = self._hidden(_text(result))
        if result.isError:
            raise error("failed", " ".join(text.split())[:500])
        return text

    def close(self) -> None:
        with suppress(Exception):
            self._links.run(self._stop(), 10, threading.Event())

    # in the loop

    async def _start(self) -> None:
        self._ready, self._leave = asyncio.Event(), asyncio.Event()
        self.heard.ended = asyncio.Event()
        self._task = asyncio.create_task(self._life())
        await self._first(self._ready.wait())

    async def _life(self) -> None:
        logging.getLogger("mcp").setLevel(logging.CRITICAL + 1)  # it logs a trace for each odd line a server writes
        from mcp import ClientSession

        def _session(read: Any, write: Any) -> Any:
            return ClientSession(read, write, message_handler=self._odd)

        try:
            async with _transport(self._entry, self.heard) as (read, write), _session(read, write) as session:
                await session.initialize()
                await self._list(session)
                self._session = session
                self._ready.set()
                await self._leave.wait()
        except asyncio.CancelledError:
            raise
        except BaseException as failure:
            self.heard.end(_fault(failure))
        finally:
            self._session = None
            self.heard.end(Fault("died"))

    async def _odd(self, message: Any) -> None:
        """What the vendor could not read comes here as an exception; then the answer will never come."""
        if isinstance(message, Exception):
            self.heard.end(Fault("nonsense"))

    async def _list(self, session: Any) -> None:
        """Page by page, to the bound."""
        cursor, found = None, []
        for _ in range(20):
            page = await session.list_tools(cursor)
            found += page.tools
            cursor = page.nextCursor
            if not cursor or len(found) > TOOLS * 10:
                break
        kept = [listed for tool in found if (listed := _listed(tool)) is not None][:TOOLS]
        self.tools, self.left_out = kept, len(found) - len(kept)

    async def _asked(self, tool: str, arguments: dict[str, Any]) -> Any:
        if self._session is None:
            raise self.heard.fault or Fault("died")
        return await self._first(self._session.call_tool(tool, arguments))

    async def _first(self, work: Coroutine[Any, Any, Any]) -> Any:
        """The work's result, unless the server ends before."""
        task, ended = asyncio.ensure_future(work), asyncio.ensure_future(self.heard.ended.wait())
        try:
            await asyncio.wait({task, ended}, return_when=asyncio.FIRST_COMPLETED)
            if task.done() and not (task.exception() and self.heard.fault):
                return task.result()
            raise self.heard.fault or Fault("died")
        finally:
            for one in (task, ended):
                one.cancel()
            await asyncio.gather(task, ended, return_exceptions=True)

    async def _stop(self) -> None:
        if self._task is None:
            return
        self._leave.set()
        broken = self.heard.fault is not None and self._entry.is_program  # then its pipe closed, and it is on its way
        if self._session is None and not broken:  # it waits for an answer, not for this
            self._task.cancel()
        await asyncio.wait({self._task}, timeout=5)
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=3)

    # in words

    def _failed(self, failure: BaseException) -> ToolError:
        fault = _fault(failure)
        if fault.key == "died" and self.heard.fault is not None:
            fault = self.heard.fault
        what = fault.what
        if fault.key == "died" and (last := self.heard.last()):
            what = f" ({self._hidden(last)[:200]})"
        elif fault.key == "nonsense" and self.heard.odd:
            what = f" ({self._hidden(self.heard.odd)[:100]!r})"
        return error(fault.key, self._hidden(str(what)))

    def _told(self, failure: ToolError) -> ToolError:
        """A start that was too slow may have said odd things meanwhile: then that is why."""
        return self._failed(Fault("nonsense")) if self.heard.odd and "seconds" in str(failure) else failure

    def _hidden(self, text: str) -> str:
        for secret in self._entry.secrets():
            text = text.replace(secret, HIDDEN)
        return text


class Heard:
    """What a transport noted of the server."""

    def __init__(self) -> None:
        self.fault: Fault | None = None
        self.ended: asyncio.Event
        self.bytes = 0
        self.odd = ""  # the last line that was no message
        self.odd_lines = 0
        self._errors: deque[str] = deque(maxlen=5)

    def end(self, fault: Fault) -> None:
        """The first fault is the cause; those after it follow from it."""
        self.fault = self.fault or fault
        self.ended.set()

    def complained(self, text: str) -> None:
        self._errors.extend(line.strip() for line in text.splitlines() if line.strip())

    def last(self) -> str:
        return self._errors[-1] if self._errors else ""


@asynccontextmanager
async def _transport(entry: Entry, heard: Heard) -> AsyncIterator[tuple[Any, Any]]:
    from assistant.tools import mcp_transports

    opened = mcp_transports.program(entry, heard) if entry.is_program else mcp_transports.address(entry, heard)
    async with opened as streams:
        yield streams


def _fault(failure: BaseException) -> Fault:
    """The cause in a group of causes, in our words."""
    while isinstance(failure, BaseExceptionGroup) and failure.exceptions:
        failure = next((one for one in failure.exceptions if _known(one)), failure.exceptions[0])
    if isinstance(failure, Fault):
        return failure
    import httpx
    from mcp import McpError
    from pydantic import ValidationError

    if isinstance(failure, httpx.HTTPStatusError):
        return Fault("status", failure.response.status_code)
    if isinstance(failure, httpx.HTTPError | httpx.InvalidURL):
        return Fault("unreached", f" ({type(failure).__name__})")
    if isinstance(failure, McpError):
        code = failure.error.code
        return Fault("died") if code == -32000 else Fault("failed", " ".join(failure.error.message.split())[:500])
    if isinstance(failure, ValidationError | ValueError | RuntimeError | TypeError | AttributeError):
        return Fault("nonsense")
    return Fault("died")


def _known(failure: BaseException) -> bool:
    if isinstance(failure, BaseExceptionGroup):
        return any(_known(one) for one in failure.exceptions)
    return isinstance(failure, Fault) or type(failure).__module__.startswith(("httpx", "mcp"))


def _listed(tool: Any) -> Listed | None:
    """None for a tool whose schema no model could be given."""
    schema = tool.inputSchema
    try:
        size = len(json.dumps(schema))
    except (ValueError, RecursionError):
        return None
    properties = schema.get("properties", {}) if isinstance(schema, dict) else None
    if size > SCHEMA or not isinstance(properties, dict) or schema.get("type", "object") != "object":
        return None
    if not all(isinstance(one, dict | bool) for one in properties.values()) or not tool.name.strip():
        return None
    destructive = bool(tool.annotations and tool.annotations.destructiveHint)
    return Listed(tool.name, (tool.description or "").strip()[:DESCRIPTION], {"type": "object", **schema}, destructive)


def _text(result: Any) -> str:
    """What a model can read of a result: text as it stands, of anything else what it is."""
    parts = [_part(content) for content in result.content]
    if not any(part.strip() for part in parts) and result.structuredContent is not None:
        parts = [json.dumps(result.structuredContent, ensure_ascii=False)]
    text = "\n".join(part for part in parts if part.strip())
    return (text if len(text) <= READ else text[:READ] + "…") or say("empty", "en", what="")


def _size(base64: str) -> int:
    return len(base64) * 3 // 4 - base64[-2:].count("=")


def _part(content: Any) -> str:
    match content.type:
        case "text":
            return str(content.text)
        case "image" | "audio":
            return f"[{content.type}, {content.mimeType}, {_size(content.data)} bytes]"
        case "resource" if hasattr(content.resource, "text"):
            return str(content.resource.text)
        case "resource":
            return f"[resource {content.resource.uri}]"
        case "resource_link":
            return f"[{content.name}: {content.uri}]"
    return f"[{content.type}]"
