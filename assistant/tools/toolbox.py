"""In: an SQL engine, what tools need to reach out. Out: the tools there are, and those that are switched on.

A switch that nobody touched is on, but for the web's, which is off. What is not switched on is not offered, and asking
for it by name says how to turn it on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from assistant.errors import ForPerson
from assistant.sentences import speaker
from assistant.store.tables import SwitchRow
from assistant.store.transactions import Transactions
from assistant.tools.mcp import Servers
from assistant.tools.tool import Tool

# A tool's file either holds the tool (TOOL), or makes it of what reaches out: make(egress=…, keys=…, switches=…).
OURS = (
    "calculator", "clock", "convert", "search_documents", "read_document", "query_table", "web_page", "web_search",
    "ask_persona",
)  # fmt: skip
WEB = "web"

say = speaker(
    {
        "unknown": (
            "There is no tool {name!r}; there are {known}.",
            "No hay ninguna herramienta {name!r}; hay {known}.",
        ),
        "off": (
            "The tool “{title}” is switched off: turn it on under Tools, or run `afina tools on {name}`.",
            "La herramienta «{titulo}» está apagada: enciéndela en Herramientas o ejecuta `afina tools on {name}`.",
        ),
        "web": (
            "“{title}” is switched off because the web is: turn the web on under Tools, or run `afina tools on web`.",
            "«{titulo}» está apagado porque la web está apagada: enciende la web en Herramientas o ejecuta "
            "`afina tools on web`.",
        ),
    }
)


class UnknownTool(ForPerson):
    """A tool that is not there, or is switched off."""


class Toolbox(Transactions):
    """Safe from any thread. Only the owner of the data folder may open it: opening migrates the tables."""

    def __init__(self, engine: Engine, *, egress: Any = None, keys: Any = None) -> None:
        super().__init__(engine)
        self._lent = {"egress": egress, "keys": keys, "switches": self}
        self._making = threading.Lock()
        self._made: dict[str, Tool] = {}
        self.mcp = Servers(engine)

    def all(self) -> list[Tool]:
        """Ours, then those of MCP servers, on or off."""
        return [*(self._ours(name) for name in OURS), *self.mcp.tools()]

    def tools(self, language: str = "en") -> list[Tool]:
        """What can be called now."""
        off, web = self._off(), self.web
        return [tool for tool in self.all() if tool.name not in off and (web or not tool.needs_web)]

    def get(self, name: str) -> Tool:
        """Raises UnknownTool: there is none, or it is switched off."""
        every = {tool.name: tool for tool in self.all()}
        tool = every.get(name)
        if tool is None:
            raise _error("unknown", name=name, known=", ".join(every))
        titles = {"title": tool.title["en"], "titulo": tool.title["es"]}
        if name in self._off():
            raise _error("off", name=name, **titles)
        if tool.needs_web and not self.web:
            raise _error("web", **titles)
        return tool

    def is_on(self, name: str) -> bool:
        """What the switch says; a tool that needs the web also needs that one."""
        return name not in self._off()

    def switch(self, name: str, on: bool) -> None:
        """Raises UnknownTool. "web" is the web's own switch."""
        if name != WEB and name not in (known := [tool.name for tool in self.all()]):
            raise _error("unknown", name=name, known=", ".join(known))
        self._set(name if name == WEB else f"tool.{name}", on)

    @property
    def web(self) -> bool:
        """May tools reach out? Off until a person turns it on."""
        with self._read() as session:
            row = session.get(SwitchRow, WEB)
            return row is not None and row.value is True

    @web.setter
    def web(self, on: bool) -> None:
        self._set(WEB, on)

    def chosen(self, name: str) -> Any:
        """What a person chose by this name ("web.engine"); None where they did not."""
        with self._read() as session:
            row = session.get(SwitchRow, name)
            return None if row is None else row.value

    def choose(self, name: str, value: Any) -> None:
        """Plain JSON, by a name of the tool that reads it."""
        self._set(name, value)

    def close(self) -> None:
        """Ends the MCP servers that were started."""
        self.mcp.close()

    def _ours(self, name: str) -> Tool:
        with self._making:
            if name not in self._made:
                module = import_module(f"assistant.tools.{name}")
                make: Callable[..., Tool] | None = getattr(module, "make", None)
                self._made[name] = make(**self._lent) if make else module.TOOL
            return self._made[name]

    def _off(self) -> set[str]:
        with self._read() as session:
            rows = session.execute(select(SwitchRow.name, SwitchRow.value).where(SwitchRow.name.startswith("tool.")))
            return {name.removeprefix("tool.") for name, value in rows if value is False}

    def _set(self, name: str, value: Any) -> None:
        with self._write() as (session, _):
            _put(session, name, value)


def _put(session: Session, name: str, value: bool | str) -> None:
    row = session.get(SwitchRow, name)
    if row is None:
        session.add(SwitchRow(name=name, value=value))
    else:
        row.value = value


def _error(key: str, **values: object) -> UnknownTool:
    return UnknownTool(say(key, "en", **values), spanish=say(key, "es", **values))
