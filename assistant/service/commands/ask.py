"""`afina ask "question"`: the events as they come, then the answer with its checked citations."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.service.commands.session import Home, Json, Row, Session, clean, of, print_json, unescaped


class Way(StrEnum):
    AUTO = "auto"
    DOCUMENTS = "documents"
    TOOLS = "tools"
    CHAT = "chat"


def ask(
    context: typer.Context,
    question: str,
    files: Annotated[list[Path] | None, typer.Option("--file")] = None,
    persona: str | None = None,
    model: str | None = None,
    yes: Annotated[bool, typer.Option("--yes", "-y")] = False,
    route: Way = Way.AUTO,
    with_tool: Annotated[str | None, typer.Option("--tool", metavar="NAME")] = None,
    with_arguments: Annotated[str | None, typer.Option("--arguments", metavar="JSON")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    paths = [str(path.expanduser().absolute()) for path in files or ()] or None
    language = session.say.language
    arguments = None if with_arguments is None else _object(session, with_arguments)
    given: Row = {"question": question, "files": paths, "persona": persona, "model": model, "route": route.value}
    given |= {"tool": with_tool, "arguments": arguments}
    failure, shown, message = "", _Shown(session), 0
    for row in session.call("ask", home, **given, language=language):
        if as_json:
            print_json(row)
        else:
            shown.event(row)
        if row.get("type") == "asked":
            message = int(row["message"])
        if row.get("type") == "approval_needed":
            decision = "once" if yes else _decided(session, row)
            list(session.call("approve", home, message=message, call=row["call"], decision=decision))
        if row.get("type") == "failed":
            failure = str(row.get("message", ""))
    if failure:
        session.complain(failure)
        raise typer.Exit(1)


def _object(session: Session, text: str) -> dict[str, Any]:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        session.complain(session.say("no_object", example='{"expression": "12 * 3"}'))
        raise typer.Exit(2)
    return given


def _decided(session: Session, row: Row) -> str:
    """A person's word at a terminal; elsewhere nobody can be asked, and that is a no."""
    arguments = ", ".join(f"{name}: {clean(value)}" for name, value in row["arguments"].items())
    question = session.say("approve", tool=clean(row["tool"]), arguments=arguments[:500], reason=clean(row["reason"]))
    if not sys.stdin.isatty():
        session.complain(f"{question} {session.say('approve_nobody')}")
        return "deny"
    session.complain(question)
    answer = typer.prompt(session.say("approve_how"), default="n", show_default=False, err=True).strip().lower()
    return {"y": "once", "s": "once", "a": "always", "!": "always"}.get(answer[:1], "deny")


class _Shown:
    """Events as a person reads them: the answer on stdout, why it came this way on stderr."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._draft = ""  # as it streamed, so that an answer equal to it is not said twice
        self._steps: dict[str, str] = {}  # call → tool
        self._cited = False  # from documents: their words are escaped for Markdown

    def event(self, row: Row) -> None:
        match row.get("type"):
            case "route_chosen":
                self._cited = row["route"] == "documents"
                self._session.aside(f"{self._session.say('route_' + row['route'])}: {clean(row['reason'])}")
            case "tool_started":
                self._steps[row["call"]] = row["tool"]
            case "tool_finished":
                tool, result = self._steps.get(row["call"], ""), clean(row["result"]).strip().split("\n")[0][:200]
                self._session.aside(f"{'·' if row['ok'] else '!'} {tool} ({row['seconds']:.1f} s): {result}")
            case "text_delta":
                before = len(self._plain(self._draft))
                self._draft += str(row["text"])
                print(self._plain(self._draft)[before:], end="", flush=True)
            case "answered":
                self._answered(row)
            case "stopped" | "failed" if self._draft:
                print()

    def _answered(self, row: Row) -> None:
        if not self._draft.strip().endswith(row["text"].strip()):
            print(("\n\n" if self._draft else "") + self._plain(row["text"]), end="")
        print()
        for cited in row.get("citations", ()):
            place = self._session.say("page_of", title=clean(cited["title"]), page=cited["page"])
            print(f"[{cited['n']}] {'✓' if cited['verified'] else '?'} {place}")
        if row.get("note"):
            print(f"({row['note']})")

    def _plain(self, text: str) -> str:
        return clean(unescaped(text) if self._cited else text)
