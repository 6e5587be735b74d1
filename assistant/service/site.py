"""In: parts, a token, a function that mounts the pages. Out: the whole site as one ASGI app, behind closed doors.

/                 the pages (Gradio), with the few routes they bring along
/verbs/{name}     the command line's way in
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from assistant.service.doors import Doors
from assistant.service.parts import Parts
from assistant.service.verbs_api import VerbsApi

if TYPE_CHECKING:
    from fastapi import FastAPI


def build(parts: Parts, token: str, mount: Callable[[FastAPI], object]) -> Doors:
    """`mount` puts Gradio at "/"; the verbs come first, because a mount there takes every address that is left."""
    from fastapi import FastAPI
    from starlette.routing import Route

    settings = parts.settings
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.router.routes.append(Route("/verbs/{name}", VerbsApi(parts, token), methods=["POST"]))
    mount(app)
    own = () if settings.loopback else (settings.host, socket.gethostname())
    return Doors(
        app,
        uploads=settings.uploads,
        upload_limit=settings.upload_limit,
        hosts=frozenset(name.lower() for name in (*own, *settings.hosts)),
        anywhere=not settings.loopback,
    )
