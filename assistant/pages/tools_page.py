"""In: the toolbox, the keys. Out: the tools page's answers; see `assistant.pages`.

show · switch (a tool) · web · engine (which one searches) · need (its key or its address) · add (MCP servers by their
config) · test · enable · remove · restore
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal, assert_never

from pydantic import Field, TypeAdapter

from assistant.models.keys import Keys
from assistant.pages import Place
from assistant.pages import tools_view as view
from assistant.pages.door import Action, Show, answered
from assistant.tools.engines import ENGINES
from assistant.tools.engines.verbs import web_engines, web_use
from assistant.tools.mcp import State
from assistant.tools.toolbox import Toolbox
from knowledge.pages.wording import Words

Name = Annotated[str, Field(min_length=1, max_length=128)]


class Switch(Action):
    do: Literal["switch"]
    name: Name
    on: bool


class Web(Action):
    do: Literal["web"]
    on: bool


class Engine(Action):
    do: Literal["engine"]
    name: Name


class Need(Action):
    do: Literal["need"]
    name: Name
    value: str = Field(max_length=2_000, repr=False)


class Add(Action):
    do: Literal["add"]
    config: str = Field(max_length=200_000, repr=False)


class OnServer(Action):
    do: Literal["test", "remove", "restore"]
    name: Name


class Enable(Action):
    do: Literal["enable"]
    name: Name
    on: bool


Door = Annotated[Show | Switch | Web | Engine | Need | Add | OnServer | Enable, Field(discriminator="do")]
_door: TypeAdapter[Any] = TypeAdapter(Door)


class ToolsPage:
    """Knows no Gradio. No secret leaves it: servers come masked, a key only ever goes in."""

    place = Place("tools", icon="tools", key="t")

    def __init__(self, toolbox: Toolbox, keys: Keys) -> None:
        self._toolbox, self._keys = toolbox, keys

    def shell(self, say: Words) -> str:
        return view.shell(say)

    def answer(self, payload: Any, say: Words) -> dict[str, Any]:
        return answered(_door, payload, say, self._answer)

    def _answer(self, action: Any, say: Words) -> dict[str, Any]:
        further: dict[str, Any] = {}
        match action:
            case Show(stamp=stamp):
                drawn = self._drawn(say)
                return {} if stamp == drawn["stamp"] else drawn
            case Switch(name=name, on=on):
                self._toolbox.switch(name, on)
            case Web(on=on):
                self._toolbox.web = on
            case Engine(name=name):
                list(web_use(self._toolbox, self._keys, engine=name))
            case Need():
                self._need(action)
            case Add(config=config):
                further = self._told(self._tested(self._toolbox.mcp.add(config)), say)
            case OnServer():
                further = self._on_server(action, say)
            case Enable(name=name, on=on):
                self._toolbox.mcp.enable(name, on)
            case _:
                assert_never(action)
        return {**self._drawn(say), **further}

    def _need(self, action: Need) -> None:
        engine = ENGINES.get(action.name)
        if engine is not None and engine.key:
            self._keys.set(engine.key, action.value)
        else:
            list(web_use(self._toolbox, self._keys, engine=action.name, address=action.value.strip()))

    def _on_server(self, action: OnServer, say: Words) -> dict[str, Any]:
        match action.do:
            case "test":
                return self._told(self._tested([action.name]), say)
            case "remove":
                self._toolbox.mcp.remove(action.name)
                return {"removed": action.name}
            case "restore":
                self._toolbox.mcp.restore(action.name)
                return {}

    def _tested(self, names: list[str]) -> list[State]:
        return [self._toolbox.mcp.test(name) for name in names]

    @staticmethod
    def _told(states: list[State], say: Words) -> dict[str, Any]:
        """What went wrong stands beside its server too; `added` empties the form."""
        wrong = [f"{one.name}: {one.said(say.language)}" for one in states if one.message]
        if wrong:
            return {"error": " ".join(wrong), "added": True}
        return {"said": say("tools_works", names=", ".join(one.name for one in states)), "added": True}

    def _drawn(self, say: Words) -> dict[str, Any]:
        toolbox = self._toolbox
        ours = [tool for tool in toolbox.all() if not tool.source]
        off = {tool.name for tool in ours if not toolbox.is_on(tool.name)}
        web = toolbox.web
        regions = {
            "web": view.web(web, list(web_engines(toolbox, self._keys)), say),
            "own": view.own(ours, off, web, say),
            "servers": view.servers(toolbox.mcp.all(), say),
        }
        return {"stamp": hashlib.sha256(json.dumps(regions).encode()).hexdigest()[:16], "regions": regions}
