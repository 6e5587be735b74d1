"""In: MCP servers that a person added by their config. Out: their tools, as tools of ours.

    servers = Servers(engine)
    servers.add('{"mcpServers": {"notes": {"command": "notes-server"}}}')  → ["notes"]
    servers.test("notes")   → State(name="notes", tools=("search", "add"), message="", …)   starts it and lists
    servers.tools()         → [Tool("notes__search", …)]   as last listed; nothing is started until one is called

A stdio server is a program of the person's own choosing, run with their rights. What a server says of its tools is a
stranger's word: they reach out, or destroy where it says so; results are untrusted, and "read-only" changes nothing.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select

from assistant.errors import ForPerson
from assistant.sentences import speaker
from assistant.store.tables import McpServerRow
from assistant.store.transactions import Transactions, now
from assistant.tools import mcp_config
from assistant.tools.mcp_config import Entry
from assistant.tools.mcp_link import SECONDS, Link, Links, Listed
from assistant.tools.tool import Effect, Result, Tool, ToolError, Work

say = speaker(
    {
        "unknown": ("There is no MCP server {name!r} here.", "Aquí no hay ningún servidor MCP {name!r}."),
        "call": ("{server}: {message}", "{server}: {message}"),
        "gone": ("{server} was removed or switched off.", "{server} se quitó o está apagado."),
        "arguments": ("The arguments must be an object.", "Los argumentos deben ser un objeto."),
    }
)


class UnknownServer(ForPerson):
    pass


@dataclass(frozen=True, slots=True)
class State:
    """What a page or a terminal shows of a server. No secret is in it."""

    name: str
    config: dict[str, Any]  # masked
    enabled: bool
    tools: tuple[str, ...]  # as last listed
    left_out: int = 0  # tools that were too many or had no usable schema
    message: str = ""  # why the last test failed; "": it did not
    spanish: str = ""
    running: bool = False

    def said(self, language: str) -> str:
        return self.spanish if language == "es" else self.message


class Servers(Transactions):
    """Safe from any thread. `close` ends what was started."""

    def __init__(self, engine: Engine, *, seconds: float = SECONDS, starting: float = SECONDS) -> None:
        super().__init__(engine)
        self._seconds, self._starting = seconds, starting
        self._links = Links()
        self._open: dict[str, Link] = {}
        self._opening: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()
        self._removed: dict[str, dict[str, Any]] = {}

    def add(self, text: str) -> list[str]:
        """Their names; one that is here already is replaced. Raises BadConfig. Nothing is started."""
        found = mcp_config.read(text)
        with self._write() as (session, _):
            for name, entry in found.items():
                row = session.get(McpServerRow, name)
                if row is None:
                    session.add(
                        McpServerRow(name=name, config={"entry": entry.plain()}, enabled=True, created_at=now())
                    )
                else:
                    row.config = {"entry": entry.plain()}
        for name in found:
            self._end(name)
        return list(found)

    def all(self) -> list[State]:
        with self._read() as session:
            rows = session.scalars(select(McpServerRow).order_by(McpServerRow.created_at, McpServerRow.name))
            return [self._state(row.name, row.config, row.enabled) for row in rows]

    def state(self, name: str) -> State:
        """Raises UnknownServer."""
        config, enabled, _ = self._row(name)
        return self._state(name, config, enabled)

    def test(self, name: str, *, stop: threading.Event | None = None) -> State:
        """Starts it anew and lists its tools. What goes wrong is in the state; raises UnknownServer only."""
        config, _, _ = self._row(name)
        self._end(name)
        kept: dict[str, Any] = {"entry": config["entry"]}
        try:
            link = self._link(name, stop or threading.Event())
            kept |= {"tools": [asdict(one) for one in link.tools], "left_out": link.left_out}
        except ToolError as failure:
            kept |= {"tools": config.get("tools", []), "message": str(failure), "spanish": failure.said("es")}
        with self._write() as (session, _):
            row = session.get(McpServerRow, name)
            if row is not None and row.config.get("entry") == config["entry"]:
                row.config = kept
        return self._state(name, kept, self._row(name)[1])

    def enable(self, name: str, on: bool) -> None:
        """Raises UnknownServer."""
        with self._write() as (session, _):
            row = session.get(McpServerRow, name)
            if row is None:
                raise _unknown(name)
            row.enabled = on
        if not on:
            self._end(name)

    def remove(self, name: str) -> None:
        """Until `restore`, while the app runs. Raises UnknownServer."""
        with self._write() as (session, _):
            row = session.get(McpServerRow, name)
            if row is None:
                raise _unknown(name)
            self._removed[name] = {"config": row.config, "enabled": row.enabled, "created_at": row.created_at}
            session.delete(row)
        self._end(name)

    def restore(self, name: str) -> None:
        """Undo `remove`. Raises UnknownServer."""
        kept = self._removed.pop(name, None)
        if kept is None:
            raise _unknown(name)
        with self._write() as (session, _):
            if session.get(McpServerRow, name) is None:
                session.add(McpServerRow(name=name, **kept))

    def tools(self) -> list[Tool]:
        """Of servers that are on, as they were last listed."""
        with self._read() as session:
            rows = list(session.scalars(select(McpServerRow).where(McpServerRow.enabled).order_by(McpServerRow.name)))
        once = {(row.name, listed["name"]): listed for row in rows for listed in row.config.get("tools", [])}
        every = [(server, Listed(**listed)) for (server, _), listed in once.items()]
        called = distinct([tool_name(server, listed.name) for server, listed in every])
        return [self._tool(name, server, listed) for name, (server, listed) in zip(called, every, strict=True)]

    def secrets(self) -> list[str]:
        """What no log may show."""
        with self._read() as session:
            entries = [Entry.model_validate(row.config["entry"]) for row in session.scalars(select(McpServerRow))]
        return [secret for entry in entries for secret in entry.secrets()]

    def close(self) -> None:
        with self._guard:
            names = list(self._open)
        for name in names:
            self._end(name)
        self._links.close()

    def _tool(self, name: str, server: str, listed: Listed) -> Tool:
        def run(given: Any, work: Work) -> Result:
            arguments = (
                given if isinstance(given, dict) else given.model_dump() if hasattr(given, "model_dump") else None
            )
            if arguments is None:
                raise ToolError(say("arguments", "en"), spanish=say("arguments", "es"))
            text = self._told(server, lambda: self._called(server, listed.name, arguments, work.stop))
            return Result(text=text, spoken=text, value=text)

        return Tool(
            name=name,
            title={"en": f"{server}: {listed.name}", "es": f"{server}: {listed.name}"},
            description=listed.description or listed.name,
            arguments=listed.schema,
            run=run,
            # "Read-only" and "not destructive" are hints of a stranger: they never make us ask less.
            effect=Effect.WRITES if listed.destructive else Effect.REACHES,
            untrusted=True,
            source=server,
        )

    def _called(self, server: str, tool: str, arguments: dict[str, Any], stop: threading.Event) -> str:
        """A server that had died is started anew, once. One that dies during the call is not asked again: it may have
        done already what it was asked to."""
        config, enabled, _ = self._row(server)
        if not enabled or not config:
            raise ToolError(say("gone", "en", server=server), spanish=say("gone", "es", server=server))
        return self._link(server, stop).call(tool, arguments, self._seconds, stop)

    def _told(self, server: str, work: Callable[[], str]) -> str:
        try:
            return work()
        except UnknownServer as failure:
            raise ToolError(str(failure), spanish=failure.said("es")) from None
        except ToolError as failure:
            english, spanish = str(failure), failure.said("es")
            raise ToolError(
                say("call", "en", server=server, message=english),
                spanish=say("call", "es", server=server, message=spanish),
            ) from None

    def _link(self, name: str, stop: threading.Event) -> Link:
        """The open one, or a new one. Two calls at once start a server once."""
        with self._guard:
            lock = self._opening.setdefault(name, threading.Lock())
        with lock:
            link = self._open.get(name)
            if link is not None and link.alive:
                return link
            if link is not None:
                self._open.pop(name, None)
                link.close()
            entry = Entry.model_validate(self._row(name)[0]["entry"])
            opened = self._links.open(entry, seconds=self._starting, stop=stop)
            self._open[name] = opened
            return opened

    def _end(self, name: str) -> None:
        with self._guard:
            link = self._open.pop(name, None)
        if link is not None:
            link.close()

    def _row(self, name: str) -> tuple[dict[str, Any], bool, datetime]:
        with self._read() as session:
            row = session.get(McpServerRow, name)
            if row is None:
                raise _unknown(name)
            return row.config, row.enabled, row.created_at

    def _state(self, name: str, config: dict[str, Any], enabled: bool) -> State:
        link = self._open.get(name)
        return State(
            name=name,
            config=Entry.model_validate(config["entry"]).masked(),
            enabled=enabled,
            tools=tuple(one["name"] for one in config.get("tools", [])),
            left_out=config.get("left_out", 0),
            message=config.get("message", ""),
            spanish=config.get("spanish", ""),
            running=link is not None and link.alive,
        )


def tool_name(server: str, tool: str) -> str:
    """ "notes", "search/all" → notes__search_all: never one of ours, and what every provider takes (64 signs)."""
    return f"{server[:24]}__{re.sub(r'[^A-Za-z0-9_-]', '_', tool)}"[:64]


def distinct(names: list[str]) -> list[str]:
    """Each its own: "a/b" and "a_b" are one to a provider, so the second is called a_b_2."""
    found: list[str] = []
    for name in names:
        own, again = name, 2
        while own in found:
            own, again = f"{name[:61]}_{again}", again + 1
        found.append(own)
    return found


def _unknown(name: str) -> UnknownServer:
    return UnknownServer(say("unknown", "en", name=name), spanish=say("unknown", "es", name=name))
