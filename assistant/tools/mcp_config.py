"""In: the JSON that people already have for an MCP server. Out: servers by name, checked; the same with secrets hidden.

    {"mcpServers": {"files": {"command": "npx", "args": ["-y", "server-files", "/data"], "env": {"TOKEN": "…"}},
                    "wiki": {"url": "https://example.org/mcp", "headers": {"Authorization": "Bearer …"}}}}

One entry alone will do, and so will "servers" in place of "mcpServers". What other programs keep there besides is left
out. Knows nothing of how a server is reached.
"""

from __future__ import annotations

import json
import re
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from assistant.errors import ForPerson
from assistant.sentences import speaker

LONGEST = 100_000  # characters of a config
SERVERS = 50  # in one config
HIDDEN = "•••"
NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}"

say = speaker(
    {
        "no_json": (
            "This is no JSON: paste the whole config, from the first brace to the last.",
            "Esto no es JSON: pega la configuración entera, de la primera llave a la última.",
        ),
        "nothing": (
            'There is no server in it. It looks like {{"mcpServers": {{"name": {{"command": "…", "args": []}}}}}}.',
            'No contiene ningún servidor. Su forma es {{"mcpServers": {{"nombre": {{"command": "…", "args": []}}}}}}.',
        ),
        "wrong": ("The server {name} cannot be added: {problem}", "No se puede añadir el servidor {name}: {problem}"),
        "too_many": ("One config may hold {limit} servers.", "Una configuración puede tener {limit} servidores."),
    }
)
_SECRET = re.compile(r"(?i)(key|token|secret|passw|auth|bearer|credential)")


class BadConfig(ForPerson):
    pass


class Entry(BaseModel):
    """A program to start (stdio), or an address to ask (streamable HTTP)."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    command: str = Field(default="", max_length=1_000)
    args: tuple[str, ...] = Field(default=(), max_length=100)
    env: dict[str, str] = Field(default_factory=dict, repr=False)
    cwd: str | None = None
    url: str = Field(default="", max_length=2_000, repr=False)
    headers: dict[str, str] = Field(default_factory=dict, repr=False)

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, given: Any) -> Any:
        """Names and numbers as other programs write them."""
        if not isinstance(given, dict):
            return given
        given = dict(given)
        given["url"] = given.get("url") or given.get("serverUrl") or given.get("httpUrl") or ""
        for name in ("env", "headers"):
            if isinstance(given.get(name), dict):
                given[name] = {str(key): str(value) for key, value in given[name].items()}
            else:
                given.pop(name, None)
        if isinstance(given.get("args"), list):
            given["args"] = [str(one) for one in given["args"]]
        return given

    @field_validator("headers")
    @classmethod
    def _sendable(cls, value: dict[str, str]) -> dict[str, str]:
        if any(
            not (name + text).isascii() or "\n" in name + text or "\r" in name + text for name, text in value.items()
        ):
            raise ValueError("a header is plain text on one line")
        return value

    @model_validator(mode="after")
    def _one_way(self) -> Entry:
        if bool(self.command.strip()) == bool(self.url.strip()):
            raise ValueError("it needs either a command or a url")
        if self.url:
            try:
                parts = urlsplit(self.url)
                known = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
            except ValueError:
                known = False
            if not known:
                raise ValueError("the url begins with http:// or https://")
        return self

    @property
    def is_program(self) -> bool:
        return bool(self.command)

    def masked(self) -> dict[str, Any]:
        """For people: every value of env and headers hidden, and what looks like a secret in arguments and address."""
        if self.is_program:
            shown: dict[str, Any] = {"command": self.command, "args": _masked_args(self.args)}
            return {**shown, "env": dict.fromkeys(self.env, HIDDEN)} if self.env else shown
        shown = {"url": _masked_url(self.url)}
        return {**shown, "headers": dict.fromkeys(self.headers, HIDDEN)} if self.headers else shown

    def secrets(self) -> list[str]:
        """What must never be seen, also not in what a server says."""
        found = [*self.env.values(), *self.headers.values()]
        found += [value.partition(" ")[2] for value in self.headers.values() if " " in value]
        found += [arg for arg, shown in zip(self.args, _masked_args(self.args), strict=True) if arg != shown]
        found += [arg.partition("=")[2] for arg in self.args if "=" in arg and _SECRET.search(arg.partition("=")[0])]
        return sorted({one for one in found if len(one) >= 6}, key=len, reverse=True)

    def plain(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_defaults=True)


def read(text: str) -> dict[str, Entry]:
    """Raises BadConfig with one sentence; no value of the config is in it."""
    try:
        if len(text) > LONGEST:
            raise ValueError
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise _error("no_json") from None
    servers = _servers(given)
    if not servers:
        raise _error("nothing")
    if len(servers) > SERVERS:
        raise _error("too_many", limit=SERVERS)
    return {_named(name): _entry(name, one) for name, one in servers.items()}


def _servers(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        return {}
    for key in ("mcpServers", "servers", "mcp_servers"):
        if isinstance(given.get(key), dict):
            found: dict[str, Any] = given[key]
            return found
    if isinstance(given.get("mcp"), dict):
        return _servers(given["mcp"])
    if isinstance(given.get("command"), str) or isinstance(given.get("url"), str):
        return {str(given.get("name") or _guess(given)): given}
    return given if given and all(isinstance(one, dict) for one in given.values()) else {}


def _guess(entry: dict[str, Any]) -> str:
    """A name for an entry that has none: of its package or file, else of its host."""
    args = [str(one) for one in entry.get("args") or []]
    after = [False, *(one.startswith("--") and "=" not in one for one in args)]  # the value of an option names nothing
    words = [one for one, value in zip(args, after, strict=False) if not value and not one.startswith("-")]
    if isinstance(entry.get("command"), str):
        return PurePath(words[0] if words else entry["command"]).stem or "server"
    return (urlsplit(str(entry["url"])).hostname or "server").removeprefix("www.").removeprefix("mcp.")


def _named(name: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-_")[:40].strip("-_")
    return re.sub("_{2,}", "_", plain) or "server"


def _entry(name: str, given: Any) -> Entry:
    try:
        return Entry.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"][:1])
        problem = f"{where}: {first['msg']}." if where else f"{first['msg'].removeprefix('Value error, ')}."
        raise _error("wrong", name=_named(name), problem=problem) from None


def _masked_args(args: tuple[str, ...]) -> list[str]:
    shown: list[str] = []
    after = False
    for arg in args:
        name, equals, _ = arg.partition("=")
        if after and not arg.startswith("-"):
            shown.append(HIDDEN)
        elif equals and _SECRET.search(name):
            shown.append(f"{name}={HIDDEN}")
        else:
            shown.append(_masked_url(arg) if "://" in arg else arg)
        after = arg.startswith("-") and not equals and _SECRET.search(arg) is not None
    return shown


def _masked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return HIDDEN
    query = re.sub(r"=[^&]*", f"={HIDDEN}", parts.query)
    return urlunsplit((parts.scheme, f"{HIDDEN}@{host}" if "@" in parts.netloc else host, parts.path, query, ""))


def _error(key: str, **values: object) -> BadConfig:
    return BadConfig(say(key, "en", **values), spanish=say(key, "es", **values))
