"""In: the events of one answer as they come. Out: what the browser redraws of it, at most some 20 times a second.

The whole answer is drawn again for each frame: an answer is short, and so every frame is right by itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any, assert_never

from assistant.chat_page import messages_view, route_view, steps_view
from assistant.chat_page.cast import NOBODY, Cast
from assistant.events import (
    Answered,
    ApprovalGiven,
    ApprovalNeeded,
    Event,
    Failed,
    PassagesFound,
    RouteChosen,
    Step,
    Stopped,
    TextDelta,
    ToolFinished,
    ToolStarted,
)
from knowledge import Citation
from knowledge.pages.wording import Words

PAUSE = 0.05  # seconds between two drawings of a growing text


def frames(message: int, events: Iterable[Event], say: Words, cast: Cast = NOBODY) -> Iterator[dict[str, Any]]:
    """Each frame: {part: HTML, …} of the answer's article; the last one is {"done": True}."""
    text, drawn = "", 0.0
    citations: list[Citation] = []
    steps: list[Step] = []
    for event in events:
        match event:
            case RouteChosen(persona=persona):
                yield {"route": route_view.chip(event, message, say, cast), "who": route_view.who(persona, cast)}
            case PassagesFound(passages=passages):
                sentence = say("reading_passages", n=len(passages)) if passages else say("no_passages")
                yield {} if text else {"text": messages_view.thinking(sentence)}
            case TextDelta(text=piece, citations=new):
                text += piece
                citations += new
                if (now := time.monotonic()) - drawn >= PAUSE and text.strip():
                    drawn = now
                    yield {"text": messages_view.written(text, citations, message, say)}
            case ToolStarted() | ToolFinished() | ApprovalNeeded() | ApprovalGiven():
                steps.append(event)
                drawing = {"steps": steps_view.steps(steps, message, say, cast, writing=True)}
                yield drawing if text else drawing | {"text": messages_view.thinking(_doing(event, say, cast))}
            case Answered() | Failed() | Stopped():
                break
            case _:
                assert_never(event)
    yield {"done": True}


def _doing(step: Step, say: Words, cast: Cast) -> str:
    match step:
        case ToolStarted(tool=tool):
            return say("using_tool", tool=cast.ability(tool).title)
        case ApprovalNeeded():
            return say("waiting_for_you")
        case _:
            return say("thinking")
