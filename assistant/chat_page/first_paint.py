"""In: Gradio's index page. Out: the same with our first lines in its head and a still of the page in its body.

Gradio 6.31 adds `head=` from its own script, after it has read `navigator.language` and painted its white page
(measured: a `head` script already finds <gradio-app>, and gr.I18n has chosen). So these lines are written by the
server: the person's language and colours are set before anything else runs, and our files load beside Gradio's.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.pages import Place
from knowledge.pages.wording import language_of

HEAD = """<head>
<title>Afina</title><meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">
<link rel="icon" href="/afina/static/assistant/icon.svg" type="image/svg+xml">
<script src="/afina/static/knowledge/first.js"></script>
<link rel="stylesheet" href="/afina/static/knowledge/base.css">
<link rel="stylesheet" href="/afina/static/knowledge/documents.css">
<link rel="stylesheet" href="/afina/static/assistant/chat.css">
<link rel="stylesheet" href="/afina/static/assistant/answers.css">
<link rel="stylesheet" href="/afina/static/assistant/pages.css">
<script type="module" src="/afina/static/assistant/chat.js"></script>"""
STILL = """<div id="afina-still" aria-hidden="true"><i></i><i></i></div>"""
PAGES = ("/", "")


class FirstPaint:
    def __init__(self, app: ASGIApp, places: Sequence[Place] = ()) -> None:
        """`places`: of the further pages, each with a style sheet of its own."""
        links = (f'\n<link rel="stylesheet" href="/afina/static/{at.package}/{at.name}.css">' for at in places)
        self.app, self.head = app, HEAD + "".join(links)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] not in PAGES:
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        language = language_of(
            cookie_parser(asked.get("cookie", "")).get("afina_language"), asked.get("accept-language")
        )
        # The page is written into, so it must come uncompressed.
        kept = [(name, value) for name, value in scope["headers"] if name.lower() != b"accept-encoding"]
        start: Message | None = None
        body = b""

        async def written(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                html = Headers(raw=message["headers"]).get("content-type", "").startswith("text/html")
                if html:
                    start = message
                    return
            elif start is not None:
                body += message.get("body", b"")
                if message.get("more_body", False):
                    return
                body = _write(body, language, self.head)
                MutableHeaders(scope=start)["content-length"] = str(len(body))
                await send(start)
                message = {"type": "http.response.body", "body": body}
            await send(message)

        await self.app({**scope, "headers": kept}, receive, written)


def _write(body: bytes, language: str, head: str) -> bytes:
    page = body.decode()
    page = page.replace('lang="en"', f'lang="{language}"', 1).replace("<head>", head, 1)
    start = page.find("<body")
    end = page.find(">", start) + 1
    return (page[:end] + STILL + page[end:]).encode() if start > 0 else page.encode()
