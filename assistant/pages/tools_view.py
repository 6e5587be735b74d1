"""In: tools, the web's switch and engines, MCP servers. Out: the HTML of the tools page. Pure; everything is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from assistant.tools.mcp import State
from assistant.tools.tool import Effect, Tool
from knowledge.pages.icons import icon
from knowledge.pages.wording import Words

EXAMPLE = '{"mcpServers": {"notes": {"command": "npx", "args": ["-y", "server"], "env": {"TOKEN": "…"}}}}'


def attr(text: object) -> str:
    return escape(str(text), quote=True)


def shell(say: Words) -> str:
    return f"""<div class="page-inner"><header class="page-head">
<button class="tool only-narrow" data-do="sidebar" aria-label="{attr(say("menu"))}">{icon("sidebar")}</button>
<div><h1>{escape(say("page_tools"))}</h1><p class="muted">{escape(say("tools_about"))}</p></div></header>
<section class="fields"><h2>{escape(say("tools_web"))}</h2><div class="cards" data-region="web"></div></section>
<section class="fields"><h2>{escape(say("tools_own"))}</h2><div class="cards" data-region="own"></div></section>
<section class="fields"><h2>{escape(say("tools_servers"))}</h2><p class="muted">{escape(say("tools_servers_about"))}</p>
<div data-region="servers"></div>
<form class="fields" data-do="add"><label class="field"><span>{escape(say("tools_config"))}</span>
<textarea class="input" name="config" rows="4" spellcheck="false" autocomplete="off" placeholder="{attr(EXAMPLE)}"></textarea>
<small>{escape(say("tools_config_about"))}</small></label>
<div><button class="button primary" type="submit">{icon("plus")}<span>{escape(say("tools_add"))}</span></button></div></form></section></div>"""


def switch(do: str, name: str, on: bool, label: str) -> str:
    return (
        f'<button class="switch" role="switch" data-do="{do}" data-name="{attr(name)}" data-on="{"" if on else "1"}" '
        f'aria-checked="{"true" if on else "false"}" aria-label="{attr(label)}"></button>'
    )


def web(on: bool, engines: Sequence[Mapping[str, Any]], say: Words) -> str:
    chosen = next(one for one in engines if one["chosen"])
    options = "".join(
        f'<option value="{attr(one["engine"])}"{" selected" if one["chosen"] else ""}>{escape(one["title"])}</option>'
        for one in engines
    )
    needs = chosen["needs"]
    asked = ""
    if needs or (chosen["engine"] == "searxng"):
        kind = "key" if needs == "key" else "address"
        value = "" if kind == "key" else chosen["address"]
        asked = f"""<form class="tools-need" data-do="need" data-name="{attr(chosen["engine"])}" data-kind="{kind}">
<input class="input" name="value" type="{"password" if kind == "key" else "url"}" value="{attr(value)}" autocomplete="off" aria-label="{attr(say(f"tools_need_{kind}"))}" placeholder="{attr(say(f"tools_need_{kind}"))}">
<button class="button" type="submit">{escape(say("save"))}</button></form>"""
    return f"""<div class="card" data-key="web"><div class="card-words"><strong>{escape(say("tools_web_switch"))}</strong>
<small>{escape(say("tools_web_about", engine=chosen["title"]))}</small></div>{switch("web", "web", on, say("tools_web_switch"))}</div>
<div class="card" data-key="engine"><div class="card-words"><strong>{escape(say("tools_engine"))}</strong>
<select class="input" data-change="engine" aria-label="{attr(say("tools_engine"))}">{options}</select>{asked}</div></div>"""


def own(tools: Sequence[Tool], off: set[str], web_on: bool, say: Words) -> str:
    return "".join(_tool(tool, tool.name not in off, web_on, say) for tool in tools)


def _tool(tool: Tool, on: bool, web_on: bool, say: Words) -> str:
    title = tool.title.get(say.language) or tool.name
    about = say(f"tools_does_{tool.name}")
    tags = [say("tools_asks" if tool.effect is not Effect.NONE else "tools_asks_not")]
    if tool.needs_web and not web_on:
        tags.append(say("tools_needs_web"))
    shown = "".join(f'<span class="tag">{escape(tag)}</span>' for tag in tags)
    return f"""<div class="card" data-key="{attr(tool.name)}"><div class="card-words"><strong>{escape(title)}</strong><small>{escape(about)}</small>
<div class="tags">{shown}</div></div>{switch("switch", tool.name, on, title)}</div>"""


def servers(states: Sequence[State], say: Words) -> str:
    if not states:
        return f'<p class="muted">{escape(say("tools_no_servers"))}</p>'
    return f'<div class="cards">{"".join(_server(one, say) for one in states)}</div>'


def _server(state: State, say: Words) -> str:
    program = "command" in state.config
    where = " ".join([state.config["command"], *state.config["args"]]) if program else state.config["url"]
    tags = [say("tools_program" if program else "tools_address"), say("tools_count", count=len(state.tools))]
    if state.left_out:
        tags.append(say("tools_left_out", count=state.left_out))
    hidden = [*state.config.get("env", {}), *state.config.get("headers", {})]
    shown = "".join(f'<span class="tag">{escape(tag)}</span>' for tag in [*tags, *(f"{name} •••" for name in hidden)])
    wrong = f'<p class="state bad">{escape(state.said(say.language))}</p>' if state.message else ""
    listed = ""
    if state.tools:
        names = "".join(f"<li><code>{escape(name)}</code></li>" for name in state.tools)
        listed = f'<details data-key="tools-{attr(state.name)}"><summary>{escape(say("tools_its_tools"))}</summary><ul>{names}</ul></details>'
    buttons = "".join(
        f'<button class="tool" data-do="{do}" data-name="{attr(state.name)}" aria-label="{attr(say(key, name=state.name))}" '
        f'title="{attr(say(key, name=state.name))}">{icon(picture)}</button>'
        for do, key, picture in (("test", "tools_test", "retry"), ("remove", "tools_remove", "trash"))
    )
    return f"""<div class="card" data-key="server-{attr(state.name)}"><div class="card-words"><strong>{escape(state.name)}</strong>
<small><code>{escape(where)}</code></small><div class="tags">{shown}</div>{wrong}{listed}</div>
<div class="card-tools">{buttons}{switch("enable", state.name, state.enabled, state.name)}</div></div>"""
