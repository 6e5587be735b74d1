"""In: a FastAPI app and the parts. Out: the same app with the chat page at "/" and its few routes under /afina.

    mount(app, library=…, history=…, turns=…, models=…, company=…, pages=[…], upload_limit=…)

Importing it imports no Gradio; mounting does.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI

    from assistant.chat_page.company import Company
    from assistant.history import History
    from assistant.models import Models
    from assistant.pages import PageComponent
    from assistant.turns import Turns
    from knowledge.library import Library
    from knowledge.pages.arrivals import Arrivals

__all__ = ["mount"]
_HERE = Path(__file__).parent


def mount(
    app: FastAPI,
    *,
    library: Library,
    history: History,
    turns: Turns,
    models: Models,
    company: Company,
    pages: Sequence[PageComponent] = (),
    upload_limit: int = 200 * 1024 * 1024,
) -> Arrivals:
    """Put the page on `app`. `pages`: those beside the chat, in the sidebar's order. `upload_limit`: bytes per upload.
    Returns what reads the files that are added; close it at the end. Environment that Gradio reads (GRADIO_TEMP_DIR,
    telemetry off) must be set before."""
    import gradio

    from assistant.chat_page import page
    from assistant.chat_page.answers import Chat
    from assistant.chat_page.first_paint import FirstPaint
    from assistant.chat_page.routes import Fresh, router
    from knowledge.pages import STATIC
    from knowledge.pages.arrivals import Arrivals
    from knowledge.pages.documents_page import Documents

    arrivals = Arrivals(library)
    chat = Chat(history, turns, models, Documents(library, arrivals), company)
    app.include_router(router(library, turns, company))
    places = [page.place for page in pages]
    folders = {"knowledge": STATIC, "assistant": _HERE.parent / "static"}
    folders |= {place.package: place.static for place in places}
    for package, folder in folders.items():
        app.mount(f"/afina/static/{package}", Fresh(directory=folder), name=f"static-{package}")
    app.add_middleware(FirstPaint, places=places)
    gradio.mount_gradio_app(
        app,
        page.blocks(chat, pages),
        path="/",
        theme=page.theme(),
        i18n=page.strings(),
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        show_error=False,
        ssr_mode=False,
        mcp_server=False,
        max_file_size=upload_limit,
    )
    return arrivals
