"""In: parts, a token. Out: the whole site as one ASGI app, doors closed. Gradio is imported here, when it is called.

/                 the chat page (Gradio), with the documents page in it
/verbs/{name}     the command line's way in
/pages/…          what the pages bring along beside Gradio (page images)
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.service.doors import Doors
from assistant.service.parts import Parts
from assistant.service.settings import Settings
from assistant.service.verbs_api import VerbsApi

if TYPE_CHECKING:
    import gradio as gr

DAY = 24 * 60 * 60  # seconds


def uploads_folder(settings: Settings) -> Path:
    """Where Gradio keeps dropped files until the library has copied them. Emptied at every start."""
    return settings.home / "uploads"


def build(
    parts: Parts, token: str, blocks: gr.Blocks, routes: list[Any], options: dict[str, Any] | None = None
) -> Doors:
    """`options`: what the page wants of `mount_gradio_app` (css, head, theme, i18n); never a door."""
    import gradio as gr
    from fastapi import FastAPI
    from starlette.routing import Route

    settings = parts.settings
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.router.routes.append(Route("/verbs/{name}", VerbsApi(parts, token), methods=["POST"]))
    app.router.routes.extend(routes)
    blocks.delete_cache = (DAY, DAY)
    blocks.analytics_enabled = False
    gr.mount_gradio_app(
        app,
        blocks,
        path="/",
        server_name=settings.host,
        server_port=settings.port,
        **(options or {}),
        allowed_paths=[],
        blocked_paths=[str(settings.home / name) for name in ("files", "vectors", "log", "owner.json")],
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=settings.upload_limit,
        enable_monitoring=False,
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        app_kwargs={"docs_url": None, "redoc_url": None, "openapi_url": None},
    )
    return Doors(
        app,
        uploads=uploads_folder(settings),
        upload_limit=settings.upload_limit,
        hosts=frozenset(name.lower() for name in (settings.host, *settings.hosts, *_own_names(settings))),
        anywhere=not settings.loopback,
    )


def _own_names(settings: Settings) -> tuple[str, ...]:
    return () if settings.loopback else (socket.gethostname(),)
