"""In: the toolbox, plain JSON arguments. Out: rows of plain JSON: what `afina tools` and `afina mcp` print.

The positional parameters are parts (attributes of Parts), the keyword-only ones are JSON; see assistant.service.verbs.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from assistant.tools.given import checked
from assistant.tools.mcp import State
from assistant.tools.tool import ToolError, Work
from assistant.tools.toolbox import WEB, Toolbox
from knowledge.library import Library

Row = dict[str, Any]


def tools_list(toolbox: Toolbox, *, language: str = "en") -> Iterator[Row]:
    """{tool, title, on, offered, effect, needs_web, source, description, arguments}; last, the web's own switch."""
    offered = {tool.name for tool in toolbox.tools(language)}
    for tool in toolbox.all():
        yield {
            "tool": tool.name,
            "title": tool.title["es" if language == "es" else "en"],
            "on": toolbox.is_on(tool.name),
            "offered": tool.name in offered,
            "effect": str(tool.effect),
            "needs_web": tool.needs_web,
            "source": tool.source,
            "description": tool.description,
            "arguments": tool.schema(),
        }
    yield {"tool": WEB, "title": "Web", "on": toolbox.web, "offered": toolbox.web, "effect": "", "needs_web": False,
           "source": "", "description": "", "arguments": {}}  # fmt: skip


def tools_on(toolbox: Toolbox, *, name: str) -> Iterator[Row]:
    """{tool, on}. "web" turns the web on."""
    toolbox.switch(name, True)
    yield {"tool": name, "on": True}


def tools_off(toolbox: Toolbox, *, name: str) -> Iterator[Row]:
    toolbox.switch(name, False)
    yield {"tool": name, "on": False}


def tools_run(
    toolbox: Toolbox,
    library: Library,
    *,
    name: str,
    arguments: Mapping[str, Any] | None = None,
    language: str = "en",
    stop: threading.Event | None = None,
) -> Iterator[Row]:
    """{tool, text, value, passages}. Who runs it by hand has said yes to it; one that needs the web still needs its
    switch."""
    tool = toolbox.get(name)
    work = Work(language=language, stop=stop or threading.Event(), library=library)
    result = tool.run(checked(tool, arguments or {}), work)
    passages = [asdict(passage) for passage in result.passages]
    yield {"tool": name, "text": result.text, "spoken": result.spoken, "value": result.value, "passages": passages}


def mcp_add(
    toolbox: Toolbox, *, config: str, language: str = "en", stop: threading.Event | None = None
) -> Iterator[Row]:
    """{server, kind, config, on, tools, left_out, message}, one row per server: added, started and listed.

    A server with a command is a program that runs on this machine with the rights of whoever adds it.
    """
    for name in toolbox.mcp.add(config):
        yield _row(toolbox.mcp.test(name, stop=stop), language)


def mcp_list(toolbox: Toolbox, *, language: str = "en") -> Iterator[Row]:
    for state in toolbox.mcp.all():
        yield _row(state, language)


def mcp_test(
    toolbox: Toolbox, *, name: str, language: str = "en", stop: threading.Event | None = None
) -> Iterator[Row]:
    """Starts it anew and lists its tools; ToolError where that fails."""
    state = toolbox.mcp.test(name, stop=stop)
    if state.message:
        raise ToolError(f"{name}: {state.message}", spanish=f"{name}: {state.spanish}")
    yield _row(state, language)


def mcp_remove(toolbox: Toolbox, *, name: str) -> Iterator[Row]:
    toolbox.mcp.remove(name)
    yield {"server": name, "removed": True}


def _row(state: State, language: str) -> Row:
    return {
        "server": state.name,
        "kind": "program" if "command" in state.config else "address",
        "config": state.config,
        "on": state.enabled,
        "tools": list(state.tools),
        "left_out": state.left_out,
        "message": state.said(language),
    }
