"""Further pages beside the chat and the documents: what one is, so that the app mounts it by one line.

A page called "tools" is three files and its words, and app.py's `site()` hands it to `chat_page.mount(pages=[…])`. It
may live in a package above this one, with static files and words there; its `place` says where.

    assistant/pages/tools_page.py    a PageComponent: `shell` (what stays), `answer` (one Action in, regions out)
    assistant/static/tools.js        export function page(host) { host.on({switch: (data) => host.call({do: …})}) }
    assistant/static/tools.css       its own styles; what pages share is in pages.css
    assistant/words/{en,es}.json     keys "tools…"; those that begin with "js_" reach the script as host.words

It gets the address /?view=tools, the line in the sidebar (word `page_tools`), its keys ("g" and one more, word
`shortcut_tools`) and its region of the sheet, `<section class="page tools-page">`, filled with the shell. While it is
shown it is asked {"do": "show", "stamp"} again and again: the same stamp is answered with {}, else with {"stamp",
"regions": {name: HTML}}. An answer may also hold "error" (a sentence), "said" (a sentence that all went well) and
"file" ({"name", "kind", "text"}: saved by the browser). `door.answered` checks the action and turns refusals into
sentences.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from knowledge.pages.wording import Words

__all__ = ["PageComponent", "Place"]
_HERE = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page stands, and where its files lie: /afina/static/{package}/{name}.js and .css."""

    name: str  # of its files, its address and its words: "tools"
    icon: str  # of knowledge.pages.icons
    key: str  # pressed after "g"
    package: str = "assistant"
    static: Path = _HERE / "static"
    words: Path = _HERE / "words"


class PageComponent(Protocol):
    """One page; knows no Gradio. Neither method raises for what a person can meet."""

    @property
    def place(self) -> Place: ...

    def shell(self, say: Words) -> str:
        """The HTML that stays while the regions inside it (data-region) are redrawn."""

    def answer(self, payload: Any, say: Words) -> dict[str, Any]:
        """What the browser asked for, from anyone: checked here."""
