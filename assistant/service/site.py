"""In: parts, a token, a function that mounts the pages. Out: the whole site as one ASGI app, behind closed doors.

/                 the pages (Gradio), with the few routes they bring along
/verbs/{name}     the command line's way in
/v1/…             other programs' way in, closed until a key is made (assistant.openai_api)
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from assistant.openai_api import OpenAiApi
from assistant.service.doors import Doors
from assistant.service.parts import Parts
from assistant.service.say import Say, preferred
from assistant.service.verbs_api import VerbsApi

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response


def build(parts: Parts, token: str, mount: Callable[[FastAPI], object]) -> Doors:
    """`mount` puts Gradio at "/"; the verbs come first, because a mount there takes every address that is left."""
    from fastapi import FastAPI
    from fastapi.exceptions import RequestValidationError
    from starlette.routing import Route

    settings = parts.settings
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_exception_handler(RequestValidationError, _not_so)  # else what pydantic thinks of it, as JSON
    app.router.routes.append(Route("/verbs/{name}", VerbsApi(parts, token), methods=["POST"]))
    app.router.routes.append(Route("/v1/{path:path}", OpenAiApi(parts)))
    mount(app)
    own = () if settings.loopback else (settings.host, socket.gethostname())
    return Doors(
        app,
        uploads=settings.uploads,
        upload_limit=settings.upload_limit,
        hosts=frozenset(name.lower() for name in (*own, *settings.hosts)),
        anywhere=not settings.loopback,
    )


def _not_so(request: Request, error: Exception) -> Response:
    """A number of an address that is none: there is nothing there (404); a value after the ? out of range: 422."""
    from fastapi.exceptions import RequestValidationError
    from starlette.responses import PlainTextResponse

    assert isinstance(error, RequestValidationError)
    say = Say(preferred(request.cookies, request.headers.get("accept-language", "")))
    if any(problem["loc"][0] == "path" for problem in error.errors()):
        return PlainTextResponse(say("door_closed"), 404)
    return PlainTextResponse(say("door_value"), 422)
