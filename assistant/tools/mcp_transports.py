"""In: an MCP server's entry. Out: the two streams a session speaks through: a program's pipes, or HTTP.

The vendor's own pipe reads a line of any length and logs every odd one; this one is bounded, and notes what it heard.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from subprocess import PIPE
from typing import Any

import anyio
import httpx
from mcp import types
from mcp.client.stdio import get_default_environment
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.message import SessionMessage

from assistant.tools.mcp_config import Entry
from assistant.tools.mcp_link import FLOOD, NONSENSE, Fault, Heard

MESSAGE = 8_000_000  # bytes of one message


@asynccontextmanager
async def program(entry: Entry, heard: Heard) -> AsyncIterator[tuple[Any, Any]]:
    """A program of the person's own choosing, run as they would run it; of our environment it gets the harmless part
    (PATH, HOME, …) and what its entry says, so that it never sees a key that was meant for somebody else."""
    environment = {**get_default_environment(), **entry.env}
    found = shutil.which(entry.command, path=environment.get("PATH"))
    if found is None:
        raise Fault("not_found", entry.command)
    try:
        process = await anyio.open_process(
            [found, *entry.args], stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment, cwd=entry.cwd or None,
            start_new_session=True,
        )  # fmt: skip
    except (OSError, ValueError):
        raise Fault("not_started", entry.command) from None
    to_session, from_server = anyio.create_memory_object_stream[Any](16)
    to_server, from_session = anyio.create_memory_object_stream[Any](16)
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(_listen, process, to_session, heard)
            group.start_soon(_complaints, process, heard)
            group.start_soon(_speak, process, from_session)
            yield from_server, to_server
            group.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            for stream in (to_session, from_server, to_server, from_session):
                await stream.aclose()
            await _end(process)


async def _listen(process: Any, to_session: Any, heard: Heard) -> None:
    buffer = bytearray()
    async with to_session:
        while True:
            try:
                piece = await process.stdout.receive(65_536)
            except (anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError):
                with anyio.move_on_after(0.5):  # its last words
                    await process.wait()
                heard.end(Fault("nonsense") if heard.odd and not heard.last() else Fault("died"))
                return
            heard.bytes += len(piece)
            buffer += piece
            if heard.bytes > FLOOD or len(buffer) > MESSAGE:
                heard.end(Fault("flood"))
                return
            *lines, rest = bytes(buffer).split(b"\n")
            buffer = bytearray(rest)
            for line in lines:
                if not await _said(line, to_session, heard):
                    return


async def _said(line: bytes, to_session: Any, heard: Heard) -> bool:
    """False once it has said too much that is no message."""
    if not line.strip():
        return True
    try:
        message = types.JSONRPCMessage.model_validate_json(line)
    except ValueError:
        heard.odd, heard.odd_lines = line.decode("utf-8", "replace").strip(), heard.odd_lines + 1
        if heard.odd_lines >= NONSENSE:
            heard.end(Fault("nonsense"))
        return heard.odd_lines < NONSENSE
    with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
        await to_session.send(SessionMessage(message))
    return True


async def _complaints(process: Any, heard: Heard) -> None:
    with suppress(anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError):
        while True:
            heard.complained((await process.stderr.receive(65_536)).decode("utf-8", "replace")[-2_000:])


async def _speak(process: Any, from_session: Any) -> None:
    with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError, OSError):
        async for message in from_session:
            text = message.message.model_dump_json(by_alias=True, exclude_none=True)
            await process.stdin.send(text.encode() + b"\n")


async def _end(process: Any) -> None:
    """Asked by closing its input, then told, then made to; what it started goes with it. However this is cut short,
    nothing of it stays."""
    try:
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
            await process.stdin.aclose()
        for force in (None, signal.SIGTERM):
            if force is not None:
                _signal(process, force)
            with anyio.move_on_after(1):
                await process.wait()
                break
    finally:
        _signal(process, getattr(signal, "SIGKILL", signal.SIGTERM))
        await process.aclose()


def _signal(process: Any, force: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, force)
        elif process.returncode is None:
            process.terminate()


@asynccontextmanager
async def address(entry: Entry, heard: Heard) -> AsyncIterator[tuple[Any, Any]]:
    """An address that the person typed into this app's settings, so loopback and their own network are allowed: most
    MCP servers run there. No model and no document can name one. Redirects stay within that very host (the vendor's
    rule), and no proxy of the environment sees the headers."""
    transport = _Bounded(heard)
    limits = httpx.Timeout(30, read=120)
    async with (
        httpx.AsyncClient(headers=entry.headers, timeout=limits, transport=transport, trust_env=False) as client,
        streamable_http_client(entry.url, http_client=client) as (read, write, _),
    ):
        yield read, write


class _Bounded(httpx.AsyncHTTPTransport):
    """Counts what comes back; notes why nothing does, since the vendor only logs that."""

    def __init__(self, heard: Heard) -> None:
        super().__init__(trust_env=False)
        self._heard = heard

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            response = await super().handle_async_request(request)
        except httpx.HTTPError as failure:
            if request.method == "POST":
                self._heard.end(Fault("unreached", f" ({type(failure).__name__})"))
            raise
        if request.method == "POST" and response.status_code >= 400:
            self._heard.end(Fault("status", response.status_code))
        if request.method == "POST" and response.status_code == 200:
            kind = response.headers.get("content-type", "")
            if not kind.lower().startswith(("application/json", "text/event-stream")):
                self._heard.end(Fault("nonsense", f" ({kind[:60]})"))
        response.stream = _Counted(response.stream, self._heard)
        return response


class _Counted(httpx.AsyncByteStream):
    def __init__(self, stream: Any, heard: Heard) -> None:
        self._stream, self._heard = stream, heard

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            self._heard.bytes += len(piece)
            if self._heard.bytes > FLOOD:
                self._heard.end(Fault("flood"))
                raise httpx.ReadError("too much")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()
