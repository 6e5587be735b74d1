"""`afina ask "question"`: the events as they come, then the answer with its checked citations."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from assistant.service.commands.session import Home, Json, Row, Session, clean, of, print_json


class Way(StrEnum):
    AUTO = "auto"
    DOCUMENTS = "documents"
    TOOLS = "tools"
    CHAT = "chat"


def ask(
    context: typer.Context,
    question: str,
    files: Annotated[list[Path] | None, typer.Option("--file")] = None,
    route: Way = Way.AUTO,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    paths = [str(path.expanduser().absolute()) for path in files or ()] or None
    language = session.say.language
    failure, draft = "", ""
    for row in session.call("ask", home, question=question, files=paths, route=route.value, language=language):
        if as_json:
            print_json(row)
        else:
            draft = _show(session, row, draft)
        if row.get("type") == "failed":
            failure = str(row.get("message", ""))
    if failure:
        session.complain(failure)
        raise typer.Exit(1)


def _show(session: Session, row: Row, draft: str) -> str:
    """Print one event for a person; returns the draft as it stands, so that an answer equal to it is not said twice."""
    match row.get("type"):
        case "text_delta":
            print(clean(row["text"]), end="", flush=True)
            return draft + str(row["text"])
        case "answered":
            if row["text"].strip() != draft.strip():
                print(("\n\n" if draft else "") + clean(row["text"]), end="")
            print()
            for cited in row.get("citations", ()):
                place = session.say("page_of", title=clean(cited["title"]), page=cited["page"])
                print(f"[{cited['n']}] {'✓' if cited['verified'] else '?'} {place}")
        case "stopped" | "failed" if draft:
            print()
    return draft
