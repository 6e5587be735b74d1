"""In: a Chat. Out: the Gradio page: two components of our own, whose calls go to `Chat` and `Documents`.

The only file of the assistant that imports Gradio. The components are `gr.HTML` with server functions, Gradio's way to
a custom component; uploads go through Gradio's own upload, so that its limits and its cache hold.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from assistant.chat_page import shell_view
from assistant.chat_page.answers import Chat
from assistant.chat_page.wording import words_in
from knowledge.pages import documents_page

COMPONENT_STRINGS = ("chat", "documents")


def blocks(chat: Chat) -> gr.Blocks:
    i18n = strings()

    def chat_call(data: Any, request: gr.Request) -> dict[str, Any]:
        return chat.answer(data, words_in(documents_page.said(request)))

    def chat_shell(data: Any, request: gr.Request) -> dict[str, Any]:
        say = words_in(documents_page.said(request))
        spoken = {key.removeprefix("js_"): text for key, text in say.sentences.items() if key.startswith("js_")}
        return {"html": shell_view.shell(say), "words": spoken, "language": say.language}

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
    return page


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
