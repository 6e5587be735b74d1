"""In: numbers. Out: a page's picture, the events of an answer. No path, no URL is taken from anyone."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse
from starlette.staticfiles import StaticFiles

from assistant.chat_page import live
from assistant.chat_page.cast import Cast
from assistant.chat_page.company import Company
from assistant.chat_page.wording import words_for
from assistant.errors import AssistantError
from assistant.turns import Turns
from knowledge import KnowledgeError
from knowledge.library import Library
from knowledge.pages.wording import Words

log = logging.getLogger(__name__)


def router(library: Library, turns: Turns, company: Company) -> APIRouter:
    """To be included before Gradio is mounted: a mount at "/" takes every address that is left."""
    routes = APIRouter(prefix="/afina", include_in_schema=False)

    @routes.get("/page/{document}/{number}.png")
    def picture(
        request: Request, document: int, number: int, width: int = Query(default=1200, ge=200, le=2400)
    ) -> Response:
        try:
            png = library.page_image(document, number, width=width)
        except KnowledgeError as error:
            log.info("Page %d of document %d could not be drawn: %s", number, document, error)
            return Response(error.said(words_for(request).language), 404, media_type="text/plain")
        return Response(png, media_type="image/png", headers={"Cache-Control": "private, max-age=3600"})

    @routes.get("/face/{persona}")
    def face(persona: int) -> Response:
        if (found := company.picture(persona)) is None:
            return Response(status_code=404)
        kind, data = found
        headers = {"Cache-Control": "private, max-age=86400", "X-Content-Type-Options": "nosniff"}
        return Response(data, media_type=kind, headers=headers)

    @routes.get("/follow/{message}")
    def follow(message: int, request: Request) -> Response:
        stream = _stream(message, turns, words_for(request), company.cast)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)

    return routes


class Fresh(StaticFiles):
    """Our own files: asked for again each time (and mostly answered with "not modified"), so that an update is seen."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


def _stream(message: int, turns: Turns, say: Words, cast: Callable[[str], Cast]) -> Iterator[str]:
    """Server-sent events, one frame each; the last one is {"done": true} whatever happened."""
    try:
        for frame in live.frames(message, turns.follow(message, say.language), say, cast(say.language)):
            if frame:
                yield f"data: {json.dumps(frame, ensure_ascii=False)}\n\n"
    except (AssistantError, KnowledgeError) as error:
        log.info("Answer %d could not be followed: %s", message, error)
        yield 'data: {"done": true}\n\n'
    except Exception:
        log.exception("Answer %d could not be followed", message)
        yield 'data: {"done": true}\n\n'
