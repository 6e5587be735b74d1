"""In: a Chat, further pages. Out: the Gradio page: components of our own, whose calls go to `Chat`, `Documents`, …

The only file of the assistant that imports Gradio. The components are `gr.HTML` with server functions, Gradio's way to
a custom component; uploads go through Gradio's own upload, so that its limits and its cache hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from assistant.chat_page import shell_view
from assistant.chat_page.answers import Chat
from assistant.chat_page.wording import words_in
from assistant.pages import PageComponent, Place
from knowledge.pages import documents_page
from knowledge.pages.wording import Words

COMPONENT_STRINGS = ("chat", "documents")


def blocks(chat: Chat, pages: Sequence[PageComponent] = ()) -> gr.Blocks:
    i18n = strings()
    places = [page.place for page in pages]
    folders = dict.fromkeys([*(place.words for place in places), *(one.words for one in chat.company.further)])

    def say_to(request: gr.Request) -> Words:
        return words_in(documents_page.said(request), *folders)

    def chat_call(data: Any, request: gr.Request) -> dict[str, Any]:
        return chat.answer(data, say_to(request))

    def chat_shell(data: Any, request: gr.Request) -> dict[str, Any]:
        say = say_to(request)
        spoken = {key.removeprefix("js_"): text for key, text in say.sentences.items() if key.startswith("js_")}
        named = [{"name": place.name, "package": place.package, "key": place.key} for place in places]
        return {"html": shell_view.shell(say, places), "words": spoken, "language": say.language, "pages": named}

    with gr.Blocks(title="Afina", analytics_enabled=False, fill_width=True, delete_cache=(3600, 86400)) as page:
        gr.HTML(
            elem_id="afina-chat",
            label=i18n("chat"),
            html_template='<div class="afina" hidden></div>',
            js_on_load="window.afina.mount('chat', {element, server, upload})",
            apply_default_css=False,
            server_functions=[chat_call, chat_shell],
        )
        documents_page.component(chat.documents)
        for further in pages:
            _component(further.place, further, say_to)
    return page


def _component(place: Place, page: PageComponent, say_to: Callable[[gr.Request], Words]) -> gr.HTML:
    """A further page, to be placed in a gr.Blocks; `static/pages.js` fills it with the help of its own script."""

    def page_call(data: Any, request: gr.Request) -> dict[str, Any]:
        return page.answer(data, say_to(request))

    def page_shell(data: Any, request: gr.Request) -> str:
        return page.shell(say_to(request))

    return gr.HTML(
        elem_id=f"afina-{place.name}",
        html_template=f'<section class="page {place.name}-page" hidden></section>',
        js_on_load=f"window.afina.mount('{place.name}', {{element, server, upload}})",
        apply_default_css=False,
        server_functions=[page_call, page_shell],
    )


def strings() -> gr.I18n:
    """What Gradio itself shows of ours, by the browser's language (which `first.js` has set to the person's)."""
    return gr.I18n(
        **{language: {key: words_in(language)(key) for key in COMPONENT_STRINGS} for language in ("en", "es")}
    )


def theme() -> gr.themes.Base:
    """Gradio's own messages in our colours; system fonts only, so that no font is fetched."""
    fonts = ["ui-sans-serif", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif"]
    return gr.themes.Base(
        primary_hue="teal",
        neutral_hue="stone",
        font=fonts,
        font_mono=["ui-monospace", "Menlo", "Consolas", "monospace"],
    ).set(body_background_fill="#fbfaf8", body_background_fill_dark="#171614", body_text_color="#22201d")
